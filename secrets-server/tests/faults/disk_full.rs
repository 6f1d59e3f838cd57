//! A disk without room under a SQLite database. The limit on the size of a process's files stands in for it: what would
//! make a file longer is refused by the operating system, in the middle of a write too, and needs no privilege to set.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, prlimit};
use tonic::Status;

use super::installation::Installation;
use super::node::{Node, assert_unavailable, code_and_reason};
use super::work::{Step, Worker};
use crate::program::run;

/// Starts a server whose writes fail at the limit; by default the process would be killed there.
fn start(installation: &Installation) -> Node {
    let serve = installation.command();
    let mut command = Command::new("env");
    command.arg("--ignore-signal=XFSZ").arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Node::start(command)
}

/// Lets no file of the server grow beyond so many bytes.
fn limit_files(node: &Node, bytes: Option<u64>) {
    prlimit(Some(node.serving.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_needs_room_and_loses_nothing() {
    let installation = Installation::sqlite();
    let node = start(&installation);
    let ann = node.acme(&installation.operator()).await;
    node.project(&ann, "api").await;
    let mut worker = Worker::new(&ann, "api");
    for _ in 0..9 {
        work(&node, &mut worker).await.unwrap();
    }

    // The write-ahead log has room for a few more changes, and then for a part of one.
    let log = installation.data_file("secrets.db-wal");
    let room = fs::metadata(&log).unwrap().len() + 150_000;
    limit_files(&node, Some(room));
    let (refused, step) = loop {
        assert!(fs::metadata(&log).unwrap().len() <= room);
        if let Err(failed) = work(&node, &mut worker).await {
            break failed;
        }
    };
    assert_unavailable(&refused);

    limit_files(&node, Some(0));
    for _ in 0..3 {
        assert_nothing_is_answered(&node, &worker).await;
        assert_unavailable(&worker.send(&node, &step).await.unwrap_err());
    }
    assert_eq!(run(&["healthcheck", "--endpoint", &node.serving.endpoint()]).code, Some(0), "it is up");

    // Room again: it goes on by itself, and the change that was refused was not done and is done now.
    limit_files(&node, None);
    assert_eq!(worker.stored(&node).await, worker.state);
    let answer = worker.send(&node, &step).await.unwrap();
    worker.acknowledged(step, answer);
    for _ in 0..9 {
        work(&node, &mut worker).await.unwrap();
    }
    assert_eq!(worker.stored(&node).await, worker.state);

    // Killed while there is no room, it finds everything that was acknowledged when it starts again.
    limit_files(&node, Some(0));
    assert_unavailable(&work(&node, &mut worker).await.unwrap_err().0);
    let log = node.serving.lines().concat();
    for (value, _) in worker.state.values() {
        assert!(!log.contains(value), "{log}");
    }
    node.kill();
    let node = start(&installation);
    assert_eq!(worker.stored(&node).await, worker.state);
    drop(node);
    installation.end().await;
}

async fn work(node: &Node, worker: &mut Worker) -> Result<(), (Status, Step)> {
    let step = worker.next();
    match worker.send(node, &step).await {
        Ok(answer) => {
            worker.acknowledged(step, answer);
            Ok(())
        }
        Err(status) => Err((status, step)),
    }
}

/// Reads need a record, and there is no room for one.
async fn assert_nothing_is_answered(node: &Node, worker: &Worker) {
    use secrets_proto::v1::{GetSecretRequest, ListSecretsRequest};
    let parent = format!("organizations/acme/projects/{}", worker.project);
    let get = GetSecretRequest { name: format!("{parent}/secrets/KEY_0") };
    let list = ListSecretsRequest { parent, ..Default::default() };
    for refused in [
        node.resolve(&worker.token, &worker.project).await.expect_err("no values"),
        node.secrets(&worker.token).get_secret(get).await.unwrap_err(),
        node.secrets(&worker.token).list_secrets(list).await.unwrap_err(),
    ] {
        assert_eq!(code_and_reason(&refused).1.as_deref(), Some("AUDIT_UNAVAILABLE"), "{refused:?}");
        assert_unavailable(&refused);
    }
}
