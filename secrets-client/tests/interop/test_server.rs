//! A server of the test's own, with TLS under an authority of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A running server with its own data. Dropped, it is killed.
pub(crate) struct TestServer {
    server: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path());
        let (server, port) = serve(folder.path(), 0);
        Self { server, port, folder }
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits until it has told its clients and ended.
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.server), Signal::TERM).unwrap();
        let ended = self.server.wait().unwrap();
        assert!(ended.success(), "asked to stop, the server ended with {ended}");
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&mut self) {
        (self.server, self.port) = serve(self.folder.path(), self.port);
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate of the authority that signed the server's.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn operator_token(&self) -> PathBuf {
        self.folder.path().join("data/operator-token")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Makes an authority and a certificate that it signs for `localhost`: a server that vouches for itself would not do, since
/// some TLS libraries take no authority's certificate for a server's.
fn certify(folder: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority of a test");
    let authority_key = KeyPair::generate().unwrap();
    std::fs::write(folder.join("ca.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();

    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let signed = server.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    std::fs::write(folder.join("cert.pem"), signed.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// Starts a server on a port, 0 for any, and waits until it listens.
fn serve(folder: &Path, port: u16) -> (Child, u16) {
    let mut server = Command::new(program());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECRETS_")) {
        server.env_remove(name);
    }
    let mut server = server
        .args(["serve", "--log-format", "json", "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--tls-cert")
        .arg(folder.join("cert.pem"))
        .arg("--tls-key")
        .arg(folder.join("key.pem"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let address = loop {
        let line = lines.next().unwrap_or_else(|| panic!("the server ended: {seen:#?}")).unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["message"] == "listening" {
            break event["address"].as_str().unwrap().to_owned();
        }
        seen.push(line);
    };
    std::thread::spawn(move || lines.for_each(drop)); // or its pipe would fill
    (server, address.rsplit(':').next().unwrap().parse().unwrap())
}

/// The server's program, which lies beside ours; built, when this package is tested alone for the first time.
fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_secrets")).with_file_name("secrets-server");
    if !program.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--locked", "--package", "secrets-server"]).status();
        assert!(built.unwrap().success() && program.exists());
    }
    program
}
