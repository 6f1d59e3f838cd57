//! What has to be replaced, as a service tells it that is in no hurry to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use secrets_client::v1;

use super::caller::Caller;
use super::texts::hostile;
use crate::support::{HostileService, Reply};

/// A service with a page of `secrets` after each other, for ever.
fn endless(
    secrets: impl Fn(u32) -> Vec<v1::ReceivedSecret> + Send + Sync + 'static,
) -> (HostileService, Arc<AtomicU32>) {
    let pages = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&pages);
    let service = HostileService::start(move |method| match method {
        "ListExposure" => Reply::message(&v1::ListExposureResponse {
            secrets: secrets(counted.fetch_add(1, Ordering::Relaxed)),
            next_page_token: "again".into(),
            // A page that says so counts, whatever later ones say.
            copies_incomplete: counted.load(Ordering::Relaxed) == 1,
            ..Default::default()
        }),
        other => hostile(other),
    });
    (service, pages)
}

fn received(uid: String) -> v1::ReceivedSecret {
    let secret = "organizations/acme/secrets/A".into();
    v1::ReceivedSecret { secret, uid, version: 1, state: 1, count: 1, ..Default::default() }
}

#[test]
fn a_list_without_an_end_is_left_and_said_to_be_incomplete() {
    let (service, pages) = endless(|_| vec![received("u".into())]);
    let caller = Caller::of(&service);
    let shown = caller.run("audit exposure --principal bob").expect_success("audit exposure");
    assert!(shown.stderr.contains("too many events") && shown.stderr.contains("too many copies"), "{shown:?}");
    assert_eq!(shown.stdout.lines().count(), 2, "{shown:?}");
    assert_eq!(pages.swap(0, Ordering::Relaxed), 1_000);
    let json = caller.run("audit exposure --principal bob -o json").expect_success("audit exposure").json();
    assert_eq!(json["copies_incomplete"], true);
    assert_eq!((json["is_complete"].as_bool(), json["secrets"][0]["count"].as_u64()), (Some(false), Some(1_000)));
}

#[test]
fn small_entries_without_number_are_refused() {
    let (service, pages) = endless(|page| {
        let entry = |at: u32| v1::ReceivedSecret { uid: format!("{page}-{at}"), state: 1, ..Default::default() };
        (0..10_000).map(entry).collect()
    });
    let caller = Caller::of(&service);
    caller.run("audit exposure --principal bob").expect_failure(1).expect_text(&["longer than any should be"]);
    assert!(pages.load(Ordering::Relaxed) < 15);
}

#[test]
fn more_than_any_service_has_is_refused() {
    let (service, pages) = endless(|page| (0..1_000).map(|at| received(format!("{page}-{at}{:2000}", ""))).collect());
    let caller = Caller::of(&service);
    caller.run("audit exposure --principal bob").expect_failure(1).expect_text(&["longer than any should be"]);
    assert!(pages.load(Ordering::Relaxed) < 50);
}
