//! TLS from files: version 1.3 alone, HTTP/2 alone.

mod validity;

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use secrets_core::Timestamp;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use zeroize::Zeroizing;

use self::validity::{Validity, ValidityProblem};
use crate::config::TlsFiles;

/// Why a listener's TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read `{path}`: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("`{path}` holds no {expected} in PEM")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The private key is encrypted, and nobody is there who knows its password.
    #[error(
        "the private key `{path}` is encrypted, and a server starts without a password; decrypt it into a file that the server \
         alone may read: `(umask 077; openssl pkey -in {path} -out key.pem)`"
    )]
    Encrypted {
        /// The key's file.
        path: PathBuf,
    },
    /// The certificate and the key don't belong together.
    #[error("certificate `{cert}` and key `{key}` cannot serve: {reason}")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The reason.
        reason: String,
    },
}

/// A listener's certificate and key, which are exchanged while it serves: connections go on with what they began with.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// How the files were when they were read last.
    read: Mutex<Option<[Stamp; 2]>>,
    /// What was said last of when it is valid.
    said: Mutex<Option<ValidityProblem>>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// When a file can't be read, or the two don't belong together.
    pub fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let stamps = stamps(files);
        let current = RwLock::new(Arc::new(read(files)?));
        Ok(Arc::new(Self { files: files.clone(), current, read: Mutex::new(stamps), said: Mutex::default() }))
    }

    /// What accepts connections with it, and with what comes in its place.
    ///
    /// # Errors
    /// When the cryptography does not offer TLS 1.3.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| unusable(&self.files, error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// What is wrong at `now` with when the certificate is valid, as a sentence.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        self.problem(now).map(|problem| self.sentence(problem))
    }

    /// The same, unless it was said before.
    pub(super) fn new_warning(&self, now: Timestamp) -> Option<String> {
        let problem = self.problem(now);
        let before = std::mem::replace(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner), problem);
        problem.filter(|problem| before != Some(*problem)).map(|problem| self.sentence(problem))
    }

    fn problem(&self, now: Timestamp) -> Option<ValidityProblem> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        Validity::of(current.cert.first()?)?.problem(now)
    }

    fn sentence(&self, problem: ValidityProblem) -> String {
        format!("the certificate `{}` {problem}", self.files.cert.display())
    }

    /// The file of the certificate, by which it is known.
    pub fn path(&self) -> &Path {
        &self.files.cert
    }

    /// Reads both files again. What can't be used changes nothing.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = stamps(&self.files);
        let new = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The same when a file has changed since it was read; false when none has.
    ///
    /// # Errors
    /// As for [`load`](Self::load), once for each change.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let now = stamps(&self.files);
        // A file that is not there is about to be replaced.
        if now.is_none() || *self.read.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Which file it was, and when it was changed.
type Stamp = (u64, u64, i64, i64);

fn stamps(files: &TlsFiles) -> Option<[Stamp; 2]> {
    let stamp = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
    };
    Some([stamp(&files.cert)?, stamp(&files.key)?])
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.cert, "certificate", error))?;
    if chain.is_empty() {
        return Err(TlsError::NotPem { path: files.cert.clone(), expected: "certificate" });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| match is_encrypted(&files.key) {
        true => TlsError::Encrypted { path: files.key.clone() },
        false => unreadable(&files.key, "private key", error),
    })?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| unusable(files, error))
}

fn unusable(files: &TlsFiles, error: rustls::Error) -> TlsError {
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => "the key is not the certificate's".to_owned(),
        rustls::Error::InvalidCertificate(_) => "the certificate is damaged".to_owned(),
        other => other.to_string(),
    };
    TlsError::Unusable { cert: files.cert.clone(), key: files.key.clone(), reason }
}

/// The longest file that is looked into for the reason why it holds no key.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Whether a file holds an encrypted key, as `openssl` writes them today (PKCS #8) or wrote them before.
fn is_encrypted(path: &Path) -> bool {
    let Ok(file) = fs::File::open(path) else { return false };
    let mut text = Zeroizing::new(Vec::new());
    let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    file.take(MAX_KEY_BYTES).read_to_end(&mut text).is_ok()
        && (has(&text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(&text, b"Proc-Type: 4,ENCRYPTED"))
}

/// Without the parser's own text, which may quote the file.
fn unreadable(path: &Path, expected: &'static str, error: pem::Error) -> TlsError {
    match error {
        pem::Error::Io(error) => TlsError::Unreadable { path: path.to_owned(), error },
        _ => TlsError::NotPem { path: path.to_owned(), expected },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `cert.pem` and `key.pem`, and a second pair, `other-cert.pem` and `other-key.pem`.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for prefix in ["", "other-"] {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(folder.path().join(format!("{prefix}cert.pem")), made.cert.pem()).unwrap();
            fs::write(folder.path().join(format!("{prefix}key.pem")), made.signing_key.serialize_pem()).unwrap();
        }
        folder
    }

    #[test]
    fn takes_a_certificate_with_its_key_and_refuses_the_rest_with_the_files_name() {
        let folder = folder();
        fs::write(folder.path().join("empty.pem"), "").unwrap();
        fs::write(folder.path().join("text.pem"), "hunter2").unwrap();
        for (cert, key, named) in [
            ("cert.pem", "key.pem", None),
            ("cert.pem", "other-key.pem", Some("other-key.pem")),
            ("absent.pem", "key.pem", Some("absent.pem")),
            ("cert.pem", "absent.pem", Some("absent.pem")),
            ("empty.pem", "key.pem", Some("empty.pem")),
            ("key.pem", "key.pem", Some("key.pem")),
            ("cert.pem", "text.pem", Some("text.pem")),
            ("cert.pem", "cert.pem", Some("cert.pem")),
        ] {
            let files = TlsFiles { cert: folder.path().join(cert), key: folder.path().join(key) };
            let message = Certificate::load(&files).err().map(|error| error.to_string());
            assert_eq!(message.is_some(), named.is_some(), "{cert} {key}: {message:?}");
            assert!(message.as_deref().unwrap_or_default().contains(named.unwrap_or_default()), "{message:?}");
            assert!(!message.unwrap_or_default().contains("hunter2"));
        }
    }

    #[test]
    fn a_changed_pair_is_taken_and_a_half_changed_one_is_not() {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        let certificate = Certificate::load(&TlsFiles { cert: path("cert.pem"), key: path("key.pem") }).unwrap();
        let leaf = || certificate.current.read().unwrap().cert[0].clone();
        let first = leaf();
        assert!(!certificate.reload_if_changed().unwrap());

        fs::rename(path("other-cert.pem"), path("cert.pem")).unwrap();
        assert!(certificate.reload_if_changed().is_err());
        assert!(!certificate.reload_if_changed().unwrap(), "it is reported once");
        assert_eq!(leaf(), first);
        fs::remove_file(path("key.pem")).unwrap();
        assert!(!certificate.reload_if_changed().unwrap());

        fs::rename(path("other-key.pem"), path("key.pem")).unwrap();
        assert!(certificate.reload_if_changed().unwrap());
        assert_ne!(leaf(), first);
        certificate.reload().unwrap();
        fs::write(path("cert.pem"), "").unwrap();
        assert!(certificate.reload().is_err());
    }
}
