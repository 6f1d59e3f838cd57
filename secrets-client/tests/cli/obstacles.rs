//! A problem of the connection is reported in one line, with what to type next.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Person, ProgramOutput, TestServer};

/// A service with TLS, with the files it got.
fn secure(configure: impl FnOnce(&mut rcgen::CertificateParams)) -> (TestServer, String) {
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    configure(&mut parameters);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (cert, private) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let server =
        TestServer::start_with(&["--tls-cert", cert.to_str().unwrap(), "--tls-key", private.to_str().unwrap()]);
    std::fs::copy(&cert, server.directory.path().join("ca.pem")).unwrap();
    let port = server.endpoint.rsplit(':').next().unwrap().to_owned();
    (server, port)
}

fn operator<'a>(server: &'a TestServer, endpoint: &str) -> Person<'a> {
    let authority = server.directory.path().join("ca.pem");
    let operator = server.operator().with("SECRETS_ENDPOINT", endpoint);
    if authority.exists() { operator.with("SECRETS_CA_FILE", authority.to_str().unwrap()) } else { operator }
}

/// One line says what is wrong, and one what to do.
#[track_caller]
fn expect_problem(ended: ProgramOutput, problem: &str, remedy: &str) {
    let ended = ended.expect_failure(6);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let [error, hint] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(error.contains(problem), "{problem}: {lines:#?}");
    assert!(hint.starts_with("hint: ") && hint.contains(remedy), "{remedy}: {lines:#?}");
}

#[test]
fn an_invalid_certificate_is_explained() {
    let (expired, port) = secure(|parameters| {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 31);
    });
    let ended = operator(&expired, &format!("https://localhost:{port}")).run("whoami");
    expect_problem(ended, "expired at 2021-01-31 00:00Z", "renew the certificate");

    let (early, port) = secure(|parameters| parameters.not_before = rcgen::date_time_ymd(2199, 1, 1));
    let ended = operator(&early, &format!("https://localhost:{port}")).run("whoami");
    expect_problem(ended, "not valid before 2199-01-01 00:00Z", "clock");

    let (server, port) = secure(|_| {});
    let ended = operator(&server, &format!("https://127.0.0.1:{port}")).run("whoami");
    expect_problem(ended, "the certificate is for localhost only", "a host that the certificate is for");

    // What `openssl req -x509` makes by itself.
    let (authority, other) =
        secure(|parameters| parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    let ended = operator(&authority, &format!("https://localhost:{other}")).run("whoami").expect_failure(6);
    ended.expect_text(&["an authority's own, which a server must not use", "CA:FALSE"]).reject_text("OtherError");

    let stranger = server.operator().with("SECRETS_ENDPOINT", &format!("https://localhost:{port}"));
    expect_problem(
        stranger.run("whoami"),
        "signed by an authority that is not trusted here",
        "secrets login --ca-file",
    );
}

#[test]
fn an_address_without_a_service_or_with_another_one_is_reported() {
    let server = TestServer::start();
    let port = server.endpoint.rsplit(':').next().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    expect_problem(
        operator(&server, &format!("http://{closed}")).run("whoami"),
        "connection was refused",
        "is the service running",
    );
    let ended = operator(&server, "https://nobody.invalid:50051").run("whoami");
    expect_problem(ended, "nobody.invalid", "is the name right?");
    let ended = operator(&server, &format!("https://127.0.0.1:{port}")).run("whoami");
    assert!(!ended.stderr.contains("http://"), "no hint proposes to do without TLS: {ended:?}");
    expect_problem(ended, "does not speak TLS", "set up TLS");

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", web.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in web.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            std::thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()));
        }
    });
    expect_problem(operator(&server, &address).run("whoami"), "does not speak gRPC", "or a proxy on the way");
    let (secure, port) = secure(|_| {});
    let plain = operator(&secure, &format!("http://localhost:{port}"));
    for command in ["whoami", "org list"] {
        expect_problem(plain.run(command), "expects TLS", &format!("--endpoint https://localhost:{port}"));
    }
    plain
        .run("doctor")
        .expect_failure(6)
        .expect_text(&["expects TLS", &format!("--endpoint https://localhost:{port}")]);
}

#[test]
fn an_authority_is_remembered_for_its_endpoint() {
    let (server, port) = secure(|_| {});
    let endpoint = format!("https://localhost:{port}");
    let code = operator(&server, &endpoint).run_ok("org create acme --admin ann").line();
    let ann = server.person("ann").with("SECRETS_ENDPOINT", &endpoint);
    std::fs::copy(server.directory.path().join("ca.pem"), ann.home.join("ca.pem")).unwrap();
    ann.run(&format!("login --invite {code}")).expect_failure(6);
    ann.run_ok(&format!("login --invite {code} --ca-file ca.pem")); // relative, from here
    std::fs::create_dir(ann.home.join("elsewhere")).unwrap();
    let mut elsewhere = ann.command("whoami");
    let ended = ProgramOutput::from(elsewhere.current_dir(ann.home.join("elsewhere")).output().unwrap());
    ended.expect_success("whoami").expect_text(&["user ann"]);
    // A login somewhere else does not forget it.
    let other = TestServer::acme();
    let token = other.person("ann").run_ok("token create").line();
    let there = server.person("ann").with("SECRETS_ENDPOINT", &other.endpoint);
    there.run_with_stdin(token.as_bytes(), "login").expect_success("login");
    let ann = server.person("ann").with("SECRETS_ENDPOINT", &endpoint);
    ann.run("whoami").expect_failure(4).expect_text(&["not signed in at", &other.endpoint]);
    let ann = ann.with("SECRETS_TOKEN", &token);
    ann.run("whoami").expect_failure(4).expect_text(&["unknown"]); // another service's token
    assert_eq!(ann.run_ok("config get ca_file").line(), ann.home.join("ca.pem").to_str().unwrap());
    ann.run_ok("config unset ca_file");
    ann.run("whoami").expect_failure(6).expect_text(&["trusted"]);
}

#[test]
fn a_token_file_that_everybody_may_read_is_reported() {
    let server = TestServer::acme();
    let token = server.person("ann").run_ok("token create").line();
    let file = server.directory.path().join("token");
    std::fs::write(&file, &token).unwrap();
    let ann = server.person("somebody").with("SECRETS_TOKEN_FILE", file.to_str().unwrap());
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        for line in ["whoami", "run -- true"] {
            let ended = ann.run_ok(line).reject_text(&token);
            let warned = ended.stderr.contains(&format!("others may read your token: chmod 600 {}", file.display()));
            assert_eq!(warned, warns, "{mode:o} {line} {ended:?}");
        }
    }
}
