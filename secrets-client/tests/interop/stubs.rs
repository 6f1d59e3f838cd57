//! A client of generated stubs alone, as `proto/README.md` has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::language::{output, tools};
use super::service::Service;
use super::session::session;

/// Longer than each may take.
const HANG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn generated_stubs_alone_resolve_and_read_the_reason_of_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let commands = block("```shell\n# Python, ");
    let commands: Vec<_> = commands.lines().skip(1).filter(|line| !is_install(line)).collect();
    let mut shell = in_environment("bash");
    let generated = output(shell.args(["-ec", &commands.join("\n")]).current_dir(&folder), HANG);
    assert!(generated.status.success(), "{generated:?}");

    for (secret_id, expected) in [
        ("LINEAR_API_KEY", "resolved LINEAR_API_KEY\n"),
        ("ANOTHER_KEY", "failed FAILED_PRECONDITION SECRET_REQUIRED_MISSING LINEAR_API_KEY\n"),
    ] {
        let service = Service::start();
        let mut python = in_environment("python3");
        let program = python
            .args(["-c", &block("```python\n")])
            .current_dir(&folder)
            .env("SECRETS_ENDPOINT", service.endpoint())
            .env("SECRETS_CA_FILE", service.authority())
            .env("SECRETS_TOKEN_FILE", session(&service, folder.path(), secret_id).await);
        let came = output(program, HANG);
        assert_eq!(String::from_utf8_lossy(&came.stdout), expected, "{came:?}");
    }
}

/// What a fenced block that begins so has after that.
fn block(beginning: &str) -> String {
    let readme = std::fs::read_to_string(proto().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(beginning).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// The tests' own environment has it all.
fn is_install(line: &str) -> bool {
    line.starts_with("pip install ")
}

/// A program that finds buf, and Python with gRPC.
fn in_environment(program: &str) -> Command {
    let (tools, path) = (tools(), std::env::var("PATH").unwrap());
    let path = format!("{0}/sdk-python/bin:{0}/bin:{path}", tools.display());
    let mut command = Command::new(program);
    command.env("PATH", path).env("PROTO", proto());
    command
}

fn proto() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}
