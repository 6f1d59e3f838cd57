//! A client of generated stubs alone, as `proto/README.md` has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::language::{output, tools};
use super::session::session;
use crate::support::TlsServer;

/// Longer than each may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// Imports every module below `secretsapi/v1` from there (the client's own package has these names too), and prints how many.
const IMPORT_EVERY_MODULE: &str = r#"
import importlib, pathlib
modules = [path.stem for path in pathlib.Path("secretsapi/v1").glob("*.py")]
for module in modules:
    imported = importlib.import_module(f"secretsapi.v1.{module}")
    assert pathlib.Path(imported.__file__).is_relative_to(pathlib.Path.cwd())
print(len(modules))
"#;

/// The interface's package once was `secrets`, which is a module of Python's own: no generated module could be imported.
#[test]
fn python_imports_what_protoc_generates_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut shell = in_environment("bash");
    let protoc = "python3 -m grpc_tools.protoc -I \"$PROTO\" --python_out=. --pyi_out=. --grpc_python_out=. \
                  \"$PROTO\"/secretsapi/v1/*.proto";
    let generated = output(shell.args(["-ec", protoc]).current_dir(&directory), STEP_TIMEOUT);
    assert!(generated.status.success(), "{generated:?}");

    let mut python = in_environment("python3");
    let imported = output(python.args(["-c", IMPORT_EVERY_MODULE]).current_dir(&directory), STEP_TIMEOUT);
    let files = std::fs::read_dir(proto().join("secretsapi/v1")).unwrap().count();
    // One of messages and one of clients for each file.
    assert_eq!(String::from_utf8_lossy(&imported.stdout), format!("{}\n", 2 * files), "{imported:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_stubs_alone_resolve_and_read_the_reason_of_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let commands = block("```shell\n# Python. ");
    let commands: Vec<_> = commands.lines().skip(1).filter(|line| !is_install(line)).collect();
    let mut shell = in_environment("bash");
    let generated = output(shell.args(["-ec", &commands.join("\n")]).current_dir(&directory), STEP_TIMEOUT);
    assert!(generated.status.success(), "{generated:?}");

    for (secret_id, expected) in [
        ("LINEAR_API_KEY", "resolved LINEAR_API_KEY\n"),
        ("ANOTHER_KEY", "failed FAILED_PRECONDITION SECRET_REQUIRED_MISSING LINEAR_API_KEY\n"),
    ] {
        let server = TlsServer::start();
        let mut python = in_environment("python3");
        let program = python
            .args(["-c", &block("```python\n")])
            .current_dir(&directory)
            .env("SECRETS_ENDPOINT", server.endpoint())
            .env("SECRETS_CA_FILE", server.authority())
            .env("SECRETS_TOKEN_FILE", session(&server, directory.path(), secret_id).await);
        let result = output(program, STEP_TIMEOUT);
        assert_eq!(String::from_utf8_lossy(&result.stdout), expected, "{result:?}");
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
