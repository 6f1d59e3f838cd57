//! What is Python's own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::language::{PYTHON, output, tools};
use super::session::{administrator, control_plane, session};
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

/// What a person copies from the documentation works twice, and an error says what is still missing.
#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_in_the_documentation_can_be_sent_again() {
    let server = TlsServer::start();
    let directory = tempfile::tempdir().unwrap();
    administrator(&server, "LINEAR_API_KEY").await;
    let token = directory.path().join("plane-token");
    std::fs::write(&token, control_plane(&server).await).unwrap();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let mirror = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let program = format!(
        "{mirror}\
         acme = 'organizations/acme'\n\
         client = Client.from_environment()\n\
         mirror(client, acme, ['bob', 'cat'], {{'api': ['bob'], 'web': []}})\n\
         mirror(client, acme, ['bob', 'cat'], {{'api': ['bob'], 'web': ['cat']}})\n\
         workspace = directory.Workspace(project='web', owner='bob')\n\
         client.directory.CreateWorkspace(directory.CreateWorkspaceRequest(parent=acme, workspace_id='ws1', workspace=workspace))\n\
         from secretsapi.v1.context_pb2 import Context\n\
         request = access.CreateSessionRequest(context=Context(organization='acme', workspace='ws1', user='bob'))\n\
         try:\n    client.access.CreateSession(request)\n\
         except SecretsError as error:\n    lacks = error.metadata\n\
         print(lacks['permission'], lacks['principal'], lacks['not_member_of'])\n\
         mirror(client, acme, [], {{'web': ['bob']}})\n\
         print(client.access.CreateSession(request).session.context.user)"
    );
    let mut program = python(&program);
    program
        .env("SECRETS_ENDPOINT", server.endpoint())
        .env("SECRETS_CA_FILE", server.authority())
        .env("SECRETS_TOKEN_FILE", token);
    let result = output(&mut program, TIMEOUT);
    let expected = "sessions.create organizations/acme/users/bob organizations/acme/projects/web\nbob\n";
    assert_eq!(String::from_utf8_lossy(&result.stdout), expected, "{result:?}");
}

fn python(program: &str) -> Command {
    PYTHON.build();
    let mut python = Command::new(tools().join("sdk-python/bin/python"));
    python.args(["-c", program]).env_remove("SECRETS_TOKEN");
    python
}
