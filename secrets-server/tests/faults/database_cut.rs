//! Database sessions that end in the middle of what they do, again and again, a commit among them: what is repeated under
//! its request id is done once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::deployment::Deployment;
use super::server::{Server, assert_unavailable, code_and_reason};
use super::work::{Answer, Step, Worker};

const CLIENTS: usize = 4;
const CUTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_database_session_was_cut_is_applied_once_when_repeated() {
    let deployment = Deployment::postgres().await;
    let server = Arc::new(deployment.start());
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    let (refused, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let project = format!("p{number}");
        server.project(&ann, &project).await;
        let mut worker = Worker::new(&ann, &project);
        let (server, refused, over) = (Arc::clone(&server), Arc::clone(&refused), Arc::clone(&over));
        tasks.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let step = worker.next();
                let answer = until_done(&server, &worker, &step, &refused).await;
                worker.acknowledged(step, answer);
            }
            worker
        });
    }
    for cut in 0..CUTS {
        tokio::time::sleep(Duration::from_millis(60 + 13 * cut as u64)).await;
        deployment.cut_sessions().await;
    }
    over.store(true, Ordering::Relaxed);
    for worker in tasks.join_all().await {
        assert_eq!(worker.stored(&server).await, worker.state);
    }
    assert!(refused.load(Ordering::Relaxed) > 0, "no call was cut off");
    drop(server);
    deployment.end().await;
}

/// Sends a step until it is acknowledged, as a careful client does.
async fn until_done(server: &Server, worker: &Worker, step: &Step, refused: &AtomicUsize) -> Answer {
    let begun = Instant::now();
    loop {
        match worker.send(server, step).await {
            Ok(answer) => return answer,
            Err(status) => {
                assert_worth_a_retry(&status);
                refused.fetch_add(1, Ordering::Relaxed);
                assert!(begun.elapsed() < Duration::from_secs(60), "{status:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn assert_worth_a_retry(status: &Status) {
    if code_and_reason(status) != (Code::Aborted, Some("CONFLICT".into())) {
        assert_unavailable(status);
    }
}
