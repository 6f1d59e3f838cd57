//! The first block of each language's README, the lines to copy: they run as they are printed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use super::language::{ALL, Language, output};
use super::session::session;
use crate::support::TlsServer;

/// Longer than such a program may take, which ends by itself.
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_to_copy_give_a_program_its_key() {
    let server = TlsServer::start();
    let directory = tempfile::tempdir().unwrap();
    let token = session(&server, directory.path(), "LINEAR_API_KEY").await;
    for language in ALL {
        let result = lines_to_copy(language, &server, &server.authority(), &token);
        assert!(result.status.success(), "{}: {result:?}", language.name);
        assert_eq!(String::from_utf8_lossy(&result.stdout), "the agent has lin_1\n", "{}: {result:?}", language.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_to_copy_ask_for_a_key_that_is_missing() {
    let server = TlsServer::start();
    let directory = tempfile::tempdir().unwrap();
    let token = session(&server, directory.path(), "ANOTHER_KEY").await;
    for language in ALL {
        let result = lines_to_copy(language, &server, &server.authority(), &token);
        let complaint = String::from_utf8_lossy(&result.stderr);
        assert!(
            complaint.contains("ask for the key") && complaint.contains("LINEAR_API_KEY"),
            "{}: {result:?}",
            language.name
        );
        assert!(!result.status.success() && result.stdout.is_empty(), "{}: {result:?}", language.name);
    }
}

/// The libraries of Python and Node would pass over it.
#[test]
fn an_authority_without_a_certificate_is_refused() {
    let server = TlsServer::start();
    for language in ALL {
        let result = lines_to_copy(language, &server, &server.operator_token(), &server.operator_token());
        let complaint = String::from_utf8_lossy(&result.stderr);
        assert!(complaint.contains("certificate") || complaint.contains("PEM"), "{}: {result:?}", language.name);
        assert!(
            !complaint.contains("UNAVAILABLE") && !complaint.contains("Unavailable"),
            "{}: {result:?}",
            language.name
        );
        assert!(!result.status.success() && result.stdout.is_empty(), "{}: {result:?}", language.name);
    }
}

/// Runs them with a program `agent` that says what it got.
fn lines_to_copy(language: &Language, server: &TlsServer, authority: &Path, token: &Path) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let agent = directory.path().join("agent");
    std::fs::write(&agent, "#!/bin/sh\necho \"the agent has $LINEAR_API_KEY\"\n").unwrap();
    std::fs::set_permissions(&agent, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let mut program = language.runner(&server.endpoint(), authority, token);
    output(program.env("PATH", path).arg("--readme"), TIMEOUT)
}
