//! `kill -9` in the middle of the work, several times over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use secrets_proto::v1;
use tokio::task::JoinSet;
use tonic::Code;

use super::deployment::Deployment;
use super::server::{Server, code_and_reason, text};
use super::work::{Step, Worker, is_cut_off};

const CLIENTS: usize = 4;

/// For each round: how many changes are acknowledged before the server is killed, and how long after the last of them.
const ROUNDS: [(usize, Duration); 5] = [
    (37, Duration::ZERO),
    (11, Duration::from_micros(300)),
    (59, Duration::from_millis(1)),
    (2, Duration::from_millis(3)),
    (71, Duration::from_millis(7)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_on_sqlite_loses_nothing_and_leaves_nothing_half_done() {
    kill_and_restart(Deployment::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_on_postgres_loses_nothing_and_leaves_nothing_half_done() {
    kill_and_restart(Deployment::postgres().await).await;
}

async fn kill_and_restart(deployment: Deployment) {
    let mut server = deployment.start();
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    let mut workers = Vec::new();
    for number in 0..CLIENTS {
        let project = format!("p{number}");
        server.project(&ann, &project).await;
        workers.push(Worker::new(&ann, &project));
    }

    for (acknowledged, delay) in ROUNDS {
        let audited = changes_audited(&server, &ann).await;
        let (cut_off, acknowledged) = work_until_killed(server, workers, acknowledged, delay).await;
        deployment.settle().await;
        server = deployment.start();

        let mut done = acknowledged;
        for (worker, unknown) in &cut_off {
            let (before, after) = (&worker.state, worker.after(unknown));
            let stored = worker.stored(&server).await;
            assert!(stored == *before || stored == after, "{stored:#?}\nis neither {before:#?}\nnor {after:#?}");
            done += usize::from(stored == after);
        }
        assert_eq!(
            changes_audited(&server, &ann).await,
            audited + done,
            "each change has its event, and an event its change"
        );

        workers = Vec::new();
        for (worker, unknown) in cut_off {
            workers.push(repeat(&server, worker, unknown).await);
        }
    }
    drop(server);
    deployment.end().await;
}

/// Lets all clients work and kills the server under them. Returns each client with the request whose end it does not know,
/// and how many changes were acknowledged in all.
async fn work_until_killed(
    server: Server,
    workers: Vec<Worker>,
    kill_at: usize,
    delay: Duration,
) -> (Vec<(Worker, Step)>, usize) {
    let (server, acknowledged) = (Arc::new(server), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        let (server, acknowledged) = (Arc::clone(&server), Arc::clone(&acknowledged));
        tasks.spawn(async move {
            loop {
                let step = worker.next();
                match worker.send(&server, &step).await {
                    Ok(answer) => worker.acknowledged(step, answer),
                    Err(status) if is_cut_off(&status) => return (worker, step),
                    Err(status) => panic!("{status:?}"),
                }
                if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == kill_at {
                    let server = Arc::clone(&server);
                    tokio::spawn(async move {
                        tokio::time::sleep(delay).await;
                        server.process.send_signal(Signal::KILL);
                    });
                }
            }
        });
    }
    let cut_off = tasks.join_all().await;
    (cut_off, acknowledged.load(Ordering::Relaxed))
}

/// Sends again what was cut off, under its request id, until it is plain that it is done once however often it is sent;
/// and the last request that was acknowledged, which is answered as it was then.
async fn repeat(server: &Server, mut worker: Worker, unknown: Step) -> Worker {
    if let Some((step, answer)) = &worker.last {
        assert_eq!(worker.send(server, step).await.unwrap(), *answer);
        refuses_another_payload(server, &worker, step).await;
    }
    let first = worker.send(server, &unknown).await.unwrap();
    assert_eq!(worker.send(server, &unknown).await.unwrap(), first);
    worker.acknowledged(unknown, first);
    assert_eq!(worker.stored(server).await, worker.state);
    worker
}

/// The fingerprints of requests survive too.
async fn refuses_another_payload(server: &Server, worker: &Worker, step: &Step) {
    let Step::Create(request) = step else { return };
    let other = v1::CreateSecretRequest { value: Some(text("another value")), ..request.clone() };
    let refused = server.secrets(&worker.token).create_secret(other).await.unwrap_err();
    assert_eq!(code_and_reason(&refused), (Code::InvalidArgument, Some("REQUEST_ID_REUSED".into())));
}

/// How many changes of secrets the audit log tells of.
async fn changes_audited(server: &Server, admin: &str) -> usize {
    const CHANGES: [&str; 3] = ["CreateSecret", "UpdateSecret", "ImportSecrets"];
    let mut request =
        v1::ListAuditEventsRequest { parent: "organizations/acme".into(), page_size: 1000, ..Default::default() };
    let mut count = 0;
    loop {
        let page = server.audit(admin).list_audit_events(request.clone()).await.unwrap().into_inner();
        let changes = page.events.iter().filter(|event| {
            event.outcome() == v1::AuditOutcome::Allowed
                && CHANGES.iter().any(|change| event.action == format!("secretsapi.v1.SecretService/{change}"))
        });
        count += changes.count();
        if page.next_page_token.is_empty() {
            return count;
        }
        request.page_token = page.next_page_token;
    }
}
