//! A server with TLS, under an authority of the test's own.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustix::process::Signal;
use tempfile::TempDir;

use super::ServerProcess;

/// A running server with its own data. Dropped, it is killed.
pub(crate) struct TlsServer {
    process: ServerProcess,
    directory: TempDir,
}

impl TlsServer {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        certify(directory.path());
        Self { process: start(directory.path(), 0), directory }
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to stop, as a service manager does, and waits until it has told its clients and ended.
    pub(crate) fn stop(&mut self) {
        self.process.send_signal(Signal::TERM);
        let status = self.process.wait();
        assert!(status.success(), "asked to stop, the server ended with {status}");
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&mut self) {
        self.process = start(self.directory.path(), self.port());
    }

    pub(crate) fn port(&self) -> u16 {
        self.process.address.port()
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port())
    }

    /// The certificate of the authority that signed the server's.
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub(crate) fn operator_token(&self) -> PathBuf {
        self.directory.path().join("data/operator-token")
    }
}

/// Makes an authority and a certificate that it signs for `localhost`: a server that vouches for itself would not do, since
/// some TLS libraries take no authority's certificate for a server's.
fn certify(directory: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority of a test");
    let authority_key = KeyPair::generate().unwrap();
    std::fs::write(directory.join("ca.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();

    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let signed = server.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    std::fs::write(directory.join("cert.pem"), signed.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
}

/// Starts a server on a port, 0 for any that is free.
fn start(directory: &Path, port: u16) -> ServerProcess {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| directory.join(name).to_str().unwrap().to_owned());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    ServerProcess::start(directory, &format!("127.0.0.1:{port}"), &tls)
}
