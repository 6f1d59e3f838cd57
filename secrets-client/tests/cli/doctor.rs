use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::older::OlderService;
use crate::support::{ProgramOutput, TestServer};

/// State, finding and remedy of a check.
fn check(ended: &ProgramOutput, name: &str) -> (String, String, String) {
    let report = ended.json();
    let found = report["checks"].as_array().unwrap().iter().find(|check| check["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name}: {report:#}"));
    let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
    (text("state"), text("finding"), text("remedy"))
}

#[test]
fn doctor_prints_a_line_for_each_check() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let ended = ann.run_ok("doctor");
    let names = ["configuration", "context", "endpoint", "connection", "token", "clock", "version"];
    assert_eq!(ended.stdout.lines().count(), names.len(), "{ended:?}");
    for (line, name) in ended.stdout.lines().zip(names) {
        assert!(line.starts_with(&format!("ok    {name}")), "{ended:?}");
    }
    assert!(ended.stderr.is_empty() && ended.stdout.contains("user ann, organization acme, admin"), "{ended:?}");
    let ended = ann.run_ok("doctor --output json");
    assert_eq!(check(&ended, "version").0, "OK");
    assert_eq!(check(&ended, "clock").1, "less than 1 s from the service's");
}

#[test]
fn what_warns_does_not_fail() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let config = ann.run_ok("config path").line();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let code = ann.run_ok("token create --ttl 1h").line();
    let short = server.person("ann").with("SECRETS_TOKEN", &code).with("https_proxy", "socks5://canary:1");
    let ended = short.run_ok("doctor --output json").reject_text("canary");
    let (state, _, remedy) = check(&ended, "configuration");
    assert_eq!((state.as_str(), remedy.as_str()), ("WARN", format!("chmod 600 {config}").as_str()));
    assert_eq!(check(&ended, "token").0, "WARN");
    assert_eq!(check(&ended, "proxy").0, "WARN", "it matters only where there is TLS");
}

#[test]
fn an_unreachable_service_is_distinguished_from_a_refused_token() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = server.person("ann").with("SECRETS_ENDPOINT", &format!("http://{closed}"));
    // It connects before it looks for a token.
    let ended = away.run("doctor --output json").expect_failure(6).expect_text(&["connection failed"]);
    assert_eq!(check(&ended, "connection").0, "FAIL");

    let wrong = server.person("ann").with("SECRETS_TOKEN", "sper_canary");
    let ended = wrong.run("doctor --output json").expect_failure(1).reject_text("canary");
    let (state, finding, remedy) = check(&ended, "token");
    assert!(state == "FAIL" && finding.starts_with("the token is cut short") && remedy.contains("login"), "{ended:?}");
    server.person("nobody").run("doctor").expect_failure(1).expect_text(&["fail  token", "→ `secrets login` asks for"]);

    std::fs::write(ann.run_ok("config path").line(), "endpoint = 1").unwrap();
    ann.run("doctor").expect_failure(1).expect_text(&["fail  configuration", "line 1"]);
}

#[test]
fn an_own_authority_and_the_end_of_its_certificate_are_named() {
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "A Test's Own CA");
    parameters.not_after = rcgen::date_time_ymd(2199, 1, 31);
    let key = rcgen::KeyPair::generate().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (cert, private) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, parameters.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let cert = cert.to_str().unwrap();
    let server = TestServer::start_with(&["--tls-cert", cert, "--tls-key", private.to_str().unwrap()]);
    let secure = server.endpoint.replace("http://127.0.0.1", "https://localhost");
    let operator = server.operator().with("SECRETS_ENDPOINT", &secure);
    let (state, finding, remedy) = check(&operator.run("doctor --output json").expect_failure(6), "connection");
    assert!(
        state == "FAIL" && finding.contains("an authority that is not trusted here") && remedy.contains("--ca-file"),
        "{finding}"
    );
    let (state, finding, _) =
        check(&operator.with("SECRETS_CA_FILE", cert).run_ok("doctor --output json"), "certificate");
    assert_eq!(state, "OK");
    assert_eq!(finding, format!("signed by CN=A Test's Own CA; trusted through {cert}; expires 2199-01-31 00:00Z"));
}

#[test]
fn a_service_of_another_version_is_reported() {
    let older = OlderService::start();
    let server = TestServer::acme();
    let ann = server.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", &older.endpoint);
    let ended = ann.run_ok("doctor --output json");
    let (state, finding, remedy) = check(&ended, "version");
    assert!(state == "WARN" && finding.contains("0.0.1") && remedy.contains("update the service"), "{ended:?}");
    assert!(ended.json()["checks"].as_array().unwrap().iter().all(|check: &Value| check["check"] != "clock"));
    let ended = ann.run("list --org --organization acme").expect_failure(1);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let [error, hint] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(error.contains("does not know this call") && hint.contains("secrets doctor"), "{lines:#?}");
}
