//! The first block of each language's README, the lines to copy: they run as they are printed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use super::language::{ALL, Language, output};
use super::session::session;
use super::test_server::TestServer;

/// Longer than such a program may take, which ends by itself.
const HANG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_to_copy_give_a_program_its_key() {
    let service = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    let token = session(&service, folder.path(), "LINEAR_API_KEY").await;
    for language in ALL {
        let came = lines_to_copy(language, &service, &service.authority(), &token);
        assert!(came.status.success(), "{}: {came:?}", language.name);
        assert_eq!(String::from_utf8_lossy(&came.stdout), "the agent has lin_1\n", "{}: {came:?}", language.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_to_copy_ask_for_a_key_that_is_missing() {
    let service = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    let token = session(&service, folder.path(), "ANOTHER_KEY").await;
    for language in ALL {
        let came = lines_to_copy(language, &service, &service.authority(), &token);
        let complaint = String::from_utf8_lossy(&came.stderr);
        assert!(
            complaint.contains("ask for the key") && complaint.contains("LINEAR_API_KEY"),
            "{}: {came:?}",
            language.name
        );
        assert!(!came.status.success() && came.stdout.is_empty(), "{}: {came:?}", language.name);
    }
}

/// The libraries of Python and Node would pass over it.
#[test]
fn an_authority_without_a_certificate_is_refused() {
    let service = TestServer::start();
    for language in ALL {
        let came = lines_to_copy(language, &service, &service.operator_token(), &service.operator_token());
        let complaint = String::from_utf8_lossy(&came.stderr);
        assert!(complaint.contains("certificate") || complaint.contains("PEM"), "{}: {came:?}", language.name);
        assert!(
            !complaint.contains("UNAVAILABLE") && !complaint.contains("Unavailable"),
            "{}: {came:?}",
            language.name
        );
        assert!(!came.status.success() && came.stdout.is_empty(), "{}: {came:?}", language.name);
    }
}

/// Runs them with a program `agent` that says what it got.
fn lines_to_copy(language: &Language, service: &TestServer, authority: &Path, token: &Path) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let agent = folder.path().join("agent");
    std::fs::write(&agent, "#!/bin/sh\necho \"the agent has $LINEAR_API_KEY\"\n").unwrap();
    std::fs::set_permissions(&agent, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut program = language.runner(&service.endpoint(), authority, token);
    output(program.env("PATH", path).arg("--readme"), HANG)
}
