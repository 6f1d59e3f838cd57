use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair};
use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::process::{ServerProcess, serve};
use crate::support::program::run;

/// A server with a certificate for `localhost` that it signed itself.
struct Secured {
    server: ServerProcess,
    certificate: CertifiedKey<KeyPair>,
    cert: PathBuf,
    _folder: tempfile::TempDir,
}

fn secured() -> Secured {
    secured_with(&[])
}

fn secured_with(environment: &[(&str, &str)]) -> Secured {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let certificate = write_certificate(&cert, &key);
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap(), "--log-level", "debug"];
    let mut program = serve(directory.path(), &flags);
    program.envs(environment.iter().copied());
    Secured { server: ServerProcess::start(program), certificate, cert, _folder: directory }
}

fn write_certificate(cert: &Path, key: &Path) -> CertifiedKey<KeyPair> {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(cert, certificate.cert.pem()).unwrap();
    fs::write(key, certificate.signing_key.serialize_pem()).unwrap();
    certificate
}

impl Secured {
    /// Puts another certificate in place of the one there is, as a renewal does.
    fn renew(&mut self) {
        self.certificate = write_certificate(&self.cert, &self.cert.with_file_name("key.pem"));
    }

    /// Waits until a connection gets the certificate that is there now.
    async fn served(&self) {
        let serves = async {
            while self.connect(&version::TLS13, b"h2").await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(40), serves).await.expect("it serves the certificate of before");
    }

    async fn connect(
        &self,
        version: &'static SupportedProtocolVersion,
        alpn: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.cert.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn speaks_tls_1_3_and_http_2_and_nothing_older() {
    let secured = secured();
    let connected = secured.connect(&version::TLS13, b"h2").await.unwrap();
    assert_eq!(connected.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(connected.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let older = secured.connect(&version::TLS12, b"h2").await.unwrap_err().to_string();
    assert!(older.contains("ProtocolVersion"), "{older}");
    // The server's refusal of the protocol reaches a TLS 1.3 client with its first read at the latest.
    let spoken = match secured.connect(&version::TLS13, b"http/1.1").await {
        Ok(mut connected) => connected.read_u8().await.map(drop),
        Err(refused) => Err(refused),
    };
    assert!(spoken.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_calls_over_tls_and_no_plain_text() {
    let secured = secured();
    let endpoint = format!("https://localhost:{}", secured.server.address.port());
    let trust = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(secured.certificate.cert.pem()));
    let channel = Endpoint::from_shared(endpoint).unwrap().tls_config(trust).unwrap().connect().await.unwrap();
    let check = HealthCheckRequest { service: String::new() };
    HealthClient::new(channel).check(check.clone()).await.unwrap();

    let plain = Endpoint::from_shared(secured.server.endpoint()).unwrap().connect_lazy();
    let refused = timeout(Duration::from_secs(5), HealthClient::new(plain).check(check)).await;
    assert!(!matches!(refused, Ok(Ok(_))));
}

#[test]
fn a_health_check_trusts_the_certificate_it_is_given() {
    let secured = secured();
    let endpoint = format!("https://localhost:{}", secured.server.address.port());
    let trusting = run(&["healthcheck", "--endpoint", &endpoint, "--ca", secured.cert.to_str().unwrap()]);
    assert_eq!(trusting.code, Some(0), "{}", trusting.stderr);
    assert_eq!(run(&["healthcheck", "--endpoint", &endpoint]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_never_begins_delays_neither_calls_nor_the_stop() {
    let mut secured = secured();
    let _silent = TcpStream::connect(secured.server.address).await.unwrap();
    secured.connect(&version::TLS13, b"h2").await.unwrap();
    secured.server.send_signal(Signal::TERM);
    let (status, took) = tokio::task::block_in_place(|| secured.server.wait());
    assert!(status.success() && took < Duration::from_secs(3), "{status} {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_begin_with_tls_and_then_with_http_is_sent_away() {
    let secured = secured_with(&[("SECRETS__LIMITS__HANDSHAKE_SECONDS", "1")]);
    let mut silent = TcpStream::connect(secured.server.address).await.unwrap();
    let mut encrypted = secured.connect(&version::TLS13, b"h2").await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(60), silent.read_to_end(&mut rest)).await.expect("closed");
    let _ = timeout(Duration::from_secs(60), encrypted.read_to_end(&mut rest)).await.expect("closed");
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    for subcommand in ["check-config", "serve"] {
        let flags = ["--tls-cert", "/nonexistent/cert.pem", "--tls-key", "/nonexistent/key.pem"];
        let ended = run(&[&[subcommand, "--data-dir", data_dir.to_str().unwrap()], &flags[..]].concat());
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains("/nonexistent/cert.pem"), "{}", ended.stderr);
    }
}

#[test]
fn a_certificate_that_clients_refuse_is_warned_of_at_the_start_by_check_config_and_after_a_renewal() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let write = |expired: bool| {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        if expired {
            parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2021, 1, 31);
        } else {
            parameters.not_before = rcgen::date_time_ymd(2199, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2200, 1, 1);
        }
        let pair = KeyPair::generate().unwrap();
        fs::write(&cert, parameters.self_signed(&pair).unwrap().pem()).unwrap();
        fs::write(&key, pair.serialize_pem()).unwrap();
    };
    write(true);
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let data_dir = directory.path().join("data");
    let checked = run(&[&["check-config", "--data-dir", data_dir.to_str().unwrap()], &flags[..]].concat());
    let expired = format!("the certificate `{}` expired at 2021-01-31T00:00:00Z: clients refuse it", cert.display());
    assert_eq!(checked.code, Some(0));
    assert!(checked.stderr.starts_with(&format!("warning: {expired}")), "{}", checked.stderr);
    assert!(!checked.stdout.contains("warning"), "what it prints is a configuration");

    let mut server = ServerProcess::start(serve(directory.path(), &flags));
    write(false);
    server.send_signal(Signal::HUP);
    let not_yet = "is not valid before 2199-01-01T00:00:00Z";
    let begun = std::time::Instant::now();
    while !server.lines().concat().contains(not_yet) && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.send_signal(Signal::TERM);
    server.wait();
    let log = server.lines();
    let says = |text: &str| log.iter().filter(|line| line.contains(text) && line.contains("WARN")).count();
    assert_eq!((says(&expired), says(not_yet)), (1, 1), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_served_on_request_and_by_itself() {
    let mut secured = secured();
    secured.served().await;
    secured.renew();
    secured.server.send_signal(Signal::HUP);
    secured.served().await;
    secured.renew();
    secured.served().await;

    // What does not belong together is left alone, and said.
    fs::write(&secured.cert, rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()).unwrap();
    secured.server.send_signal(Signal::HUP);
    while !secured.server.lines().concat().contains("serving the certificate of before") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    secured.served().await;
}
