//! TLS from files: version 1.3 alone, HTTP/2 alone.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

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
    /// The certificate and the key don't belong together.
    #[error("certificate `{cert}` and key `{key}` cannot serve: {error}")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The reason.
        error: rustls::Error,
    },
}

/// The acceptor of a listener with this certificate and key.
///
/// # Errors
/// When a file can't be read, or the two don't belong together.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.cert, "certificate", error))?;
    if chain.is_empty() {
        return Err(TlsError::NotPem { path: files.cert.clone(), expected: "certificate" });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, "private key", error))?;

    let unusable = |error| TlsError::Unusable { cert: files.cert.clone(), key: files.key.clone(), error };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Without the parser's own text, which may quote the file.
fn unreadable(path: &std::path::Path, expected: &'static str, error: pem::Error) -> TlsError {
    match error {
        pem::Error::Io(error) => TlsError::Unreadable { path: path.to_owned(), error },
        _ => TlsError::NotPem { path: path.to_owned(), expected },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
            let message = acceptor(&files).err().map(|error| error.to_string());
            assert_eq!(message.is_some(), named.is_some(), "{cert} {key}: {message:?}");
            assert!(message.as_deref().unwrap_or_default().contains(named.unwrap_or_default()), "{message:?}");
            assert!(!message.unwrap_or_default().contains("hunter2"));
        }
    }
}
