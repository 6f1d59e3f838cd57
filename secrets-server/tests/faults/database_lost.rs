//! A PostgreSQL server whose machine is lost: its connections are not closed, they fall silent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrets_proto::v1;
use tokio::task::JoinSet;
use tonic::{Request, Status};

use super::deployment::Deployment;
use super::lossy_link::LossyLink;
use super::server::{Server, assert_unavailable_or_waiting, eventually, request_id};

/// Many calls are under way on every connection of the pool when the link is lost.
const CALLS: usize = 48;

#[tokio::test(flavor = "multi_thread")]
async fn reads_end_with_their_deadline_and_go_on_over_new_connections() {
    let (deployment, link, server, ann) = on_a_lossy_link().await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let (link, server, ann) = (Arc::clone(&link), Arc::clone(&server), ann.clone());
        calls.spawn(async move {
            loop {
                let answered = who_am_i(&server, &ann).await;
                if link.is_lost() {
                    return answered.is_err();
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    link.lose();
    let begun = Instant::now();
    let cut_off = calls.join_all().await.into_iter().filter(|cut_off| *cut_off).count();
    assert!(begun.elapsed() < Duration::from_secs(18) && cut_off > 0, "{:?} {cut_off}", begun.elapsed());
    eventually(Duration::from_secs(60), async || who_am_i(&server, &ann).await).await;
    end(deployment, server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mutations_are_abandoned_and_applied_once_when_repeated() {
    let (deployment, link, server, ann) = on_a_lossy_link().await;
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        let (link, server, ann) = (Arc::clone(&link), Arc::clone(&server), ann.clone());
        calls.spawn(async move {
            for count in 0.. {
                let request = v1::CreateProjectRequest {
                    parent: "organizations/acme".into(),
                    project_id: format!("p-{number}-{count}"),
                    request_id: request_id(),
                    ..Default::default()
                };
                let created = server.directory(&ann).create_project(request.clone()).await;
                if link.is_lost() {
                    return (request, created);
                }
            }
            unreachable!("it goes on until the link is lost");
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    link.lose();
    let begun = Instant::now();
    let last = calls.join_all().await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    eventually(Duration::from_secs(60), async || who_am_i(&server, &ann).await).await;
    assert!(last.iter().any(|(_, created)| created.is_err()), "no change was cut off");
    for (request, created) in last {
        let mut directory = server.directory(&ann);
        let repeated = directory.create_project(request.clone()).await.unwrap().into_inner();
        match created {
            Ok(created) => assert_eq!(created.into_inner(), repeated),
            Err(status) => assert_unavailable_or_waiting(&status),
        }
        assert_eq!(directory.create_project(request).await.unwrap().into_inner(), repeated);
    }
    end(deployment, server).await;
}

async fn on_a_lossy_link() -> (Deployment, Arc<LossyLink>, Arc<Server>, String) {
    let mut deployment = Deployment::postgres().await;
    let link = LossyLink::to(deployment.postgres_address()).await;
    deployment.connect_through(link.address);
    let server = deployment.start();
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    (deployment, Arc::new(link), Arc::new(server), ann)
}

async fn end(deployment: Deployment, server: Arc<Server>) {
    drop(server);
    deployment.end().await;
}

async fn who_am_i(server: &Server, token: &str) -> Result<(), Status> {
    let mut request = Request::new(v1::WhoAmIRequest {});
    request.set_timeout(Duration::from_secs(2));
    server.access(token).who_am_i(request).await.map(drop)
}
