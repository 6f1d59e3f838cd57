//! What is Python's own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::language::{PYTHON, output, tools};
use super::session::session;
use crate::support::TlsServer;

/// Longer than either may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// grpcio would end the whole process.
#[test]
fn a_closed_client_of_python_refuses_to_call() {
    let mut program = python(
        "from secrets_client import Client\n\
         client = Client('http://127.0.0.1:1')\n\
         client.close()\n\
         print(list(client.watch()))\n\
         client.resolve()",
    );
    let result = output(&mut program, TIMEOUT);
    assert_eq!((result.status.code(), &*String::from_utf8_lossy(&result.stdout)), (Some(1), "[]\n"), "{result:?}");
    assert!(
        String::from_utf8_lossy(&result.stderr).contains("ValueError: Cannot invoke RPC on closed channel"),
        "{result:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watch_in_pythons_readme_resolves_what_it_is_notified_of() {
    let server = TlsServer::start();
    let directory = tempfile::tempdir().unwrap();
    let token = session(&server, directory.path(), "LINEAR_API_KEY").await;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let watch = readme.split("```python\n").nth(2).unwrap().split("```").next().unwrap();
    let program = format!(
        "from secrets_client import Client\n\
         from secretsapi.v1.resolve_service_pb2 import ResolveRequest\n\
         client = Client.from_environment()\n\
         {watch}        print(variables)\n        break"
    );
    let mut program = python(&program);
    program
        .env("SECRETS_ENDPOINT", server.endpoint())
        .env("SECRETS_CA_FILE", server.authority())
        .env("SECRETS_TOKEN_FILE", token);
    let result = output(&mut program, TIMEOUT);
    assert_eq!(String::from_utf8_lossy(&result.stdout), "{'LINEAR_API_KEY': 'lin_1'}\n", "{result:?}");
}

fn python(program: &str) -> Command {
    PYTHON.build();
    let mut python = Command::new(tools().join("sdk-python/bin/python"));
    python.args(["-c", program]).env_remove("SECRETS_TOKEN");
    python
}
