//! A disk without room under a SQLite database. The limit on the size of a process's files stands in for it: what would
//! make a file longer is refused by the operating system, in the middle of a write too, and needs no privilege to set.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, prlimit};
use tonic::Status;

use super::deployment::Deployment;
use super::server::{Server, assert_unavailable, code_and_reason};
use super::work::{Step, Worker};
use crate::support::program::run;

/// Starts a server whose writes fail at the limit; by default the process would be killed there.
pub fn start(deployment: &Deployment) -> Server {
    let serve = deployment.command();
    let mut command = Command::new("env");
    command.arg("--ignore-signal=XFSZ").arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Server::start(command)
}

/// Lets no file of the server grow beyond so many bytes.
fn limit_files(server: &Server, bytes: Option<u64>) {
    prlimit(Some(server.process.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_needs_room_and_loses_nothing() {
    let deployment = Deployment::sqlite();
    let server = start(&deployment);
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    server.project(&ann, "api").await;
    let mut worker = Worker::new(&ann, "api");
    for _ in 0..9 {
        work(&server, &mut worker).await.unwrap();
    }

    // The write-ahead log has room for a few more changes, and then for a part of one.
    let log = deployment.data_file("secrets.db-wal");
    let room = fs::metadata(&log).unwrap().len() + 150_000;
    limit_files(&server, Some(room));
    let (refused, step) = loop {
        assert!(fs::metadata(&log).unwrap().len() <= room);
        if let Err(failed) = work(&server, &mut worker).await {
            break failed;
        }
    };
    assert_unavailable(&refused);

    limit_files(&server, Some(0));
    for _ in 0..3 {
        assert_nothing_is_answered(&server, &worker).await;
        assert_unavailable(&worker.send(&server, &step).await.unwrap_err());
    }
    assert_eq!(run(&["healthcheck", "--endpoint", &server.process.endpoint()]).code, Some(0), "it is up");

    // Room again: it goes on by itself, and the change that was refused was not done and is done now.
    limit_files(&server, None);
    assert_eq!(worker.stored(&server).await, worker.state);
    let answer = worker.send(&server, &step).await.unwrap();
    worker.acknowledged(step, answer);
    for _ in 0..9 {
        work(&server, &mut worker).await.unwrap();
    }
    assert_eq!(worker.stored(&server).await, worker.state);

    // Killed while there is no room, it finds everything that was acknowledged when it starts again.
    limit_files(&server, Some(0));
    assert_unavailable(&work(&server, &mut worker).await.unwrap_err().0);
    let log = server.process.lines().concat();
    for (value, _) in worker.state.values() {
        assert!(!log.contains(value), "{log}");
    }
    server.kill();
    let server = start(&deployment);
    assert_eq!(worker.stored(&server).await, worker.state);
    drop(server);
    deployment.end().await;
}

async fn work(server: &Server, worker: &mut Worker) -> Result<(), (Status, Step)> {
    let step = worker.next();
    match worker.send(server, &step).await {
        Ok(answer) => {
            worker.acknowledged(step, answer);
            Ok(())
        }
        Err(status) => Err((status, step)),
    }
}

/// Reads need a record, and there is no room for one.
async fn assert_nothing_is_answered(server: &Server, worker: &Worker) {
    use secrets_proto::v1::{GetSecretRequest, ListSecretsRequest};
    let parent = format!("organizations/acme/projects/{}", worker.project);
    let get = GetSecretRequest { name: format!("{parent}/secrets/KEY_0") };
    let list = ListSecretsRequest { parent, ..Default::default() };
    for refused in [
        server.resolve(&worker.token, &worker.project).await.expect_err("no values"),
        server.secrets(&worker.token).get_secret(get).await.unwrap_err(),
        server.secrets(&worker.token).list_secrets(list).await.unwrap_err(),
    ] {
        assert_eq!(code_and_reason(&refused).1.as_deref(), Some("AUDIT_UNAVAILABLE"), "{refused:?}");
        assert_unavailable(&refused);
    }
}
