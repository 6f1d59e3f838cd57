use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use super::turn::{MAX_PAUSE, SHORT, STEP_FACTOR, WAIT_FACTOR, WORK_FACTOR, processor_time};
use super::*;

const LONG: Duration = Duration::from_millis(20);

fn consumer(caller: u128, organization: u128) -> Consumer {
    Consumer {
        key: ConsumerKey::User(Uid::from_u128(caller)),
        credential: Uid::from_u128(caller),
        is_session: false,
        organization: Some(Uid::from_u128(organization)),
    }
}

/// Ten callers each of an organization, of whom the first sends ten calls and another organization one: in which order.
#[tokio::test(start_paused = true)]
async fn callers_and_organizations_take_turns() {
    let turns = HeavyTurns::with(Pauses::After, 1);
    let first = turns.next(&consumer(0, 0)).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = tokio::task::JoinSet::new();
    let calls = [(1, 1), (1, 1), (1, 1), (1, 1), (2, 1), (3, 2)];
    for (caller, organization) in calls {
        let (turns, order) = (turns.clone(), Arc::clone(&order));
        waiting.spawn(async move {
            let turn = turns.next(&consumer(caller, organization)).await;
            order.lock().unwrap().push(caller);
            tokio::time::sleep(LONG).await;
            drop(turn);
        });
        tokio::task::yield_now().await;
    }
    drop(first);
    waiting.join_all().await;
    assert_eq!(*order.lock().unwrap(), [1, 3, 2, 1, 1, 1]);
    assert!(turns.0.callers.is_empty() && turns.0.organizations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn there_is_a_pause_where_others_call_and_none_where_nobody_does() {
    for (noted, worked, pause) in [
        (None, LONG, Duration::ZERO),
        (Some(1), LONG, Duration::ZERO),
        (Some(2), SHORT * 3, SHORT * 3 * WORK_FACTOR + LONG * WAIT_FACTOR),
        (Some(2), SHORT / 2, Duration::ZERO),
        (Some(2), Duration::from_millis(200), Duration::from_secs(1)),
    ] {
        let turns = HeavyTurns::with(Pauses::After, 1);
        let mut turn = turns.next(&consumer(1, 1)).await;
        turn.worked = worked;
        tokio::time::sleep(LONG).await;
        if let Some(caller) = noted {
            turns.note_short_call(&consumer(caller, 1));
            turns.note_short_call(&consumer(1, 1));
        }
        drop(turn);
        let begin = Instant::now();
        drop(turns.next(&consumer(1, 1)).await);
        assert!(begin.elapsed().abs_diff(pause) <= Duration::from_millis(2), "{:?} {pause:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn what_counts_is_the_time_on_a_processor() {
    let turns = HeavyTurns::with(Pauses::After, 1);
    turns.note_short_call(&consumer(2, 2));
    let waits = tokio::time::sleep(LONG * 20);
    let busy = async {
        waits.await;
        let end = processor_time() + LONG;
        while processor_time() < end {}
    };
    let mut turn = turns.next(&consumer(1, 1)).await;
    let mut work = pin!(busy);
    poll_fn(|context| turn.poll(work.as_mut(), context)).await;
    assert!(turn.worked >= LONG && turn.worked < LONG * 20, "{:?}", turn.worked);
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_is_no_longer_in_a_queue() {
    let turns = HeavyTurns::with(Pauses::After, 1);
    let first = turns.next(&consumer(1, 1)).await;
    for _ in 0..100 {
        assert!(tokio::time::timeout(LONG, turns.next(&consumer(1, 1))).await.is_err());
    }
    drop(first);
    drop(turns.next(&consumer(2, 1)).await);
    assert!(turns.0.callers.is_empty() && turns.0.organizations.is_empty());
}
/// Five steps of the database, each of which takes 4 ms.
async fn steps() {
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_only_its_own_organization_waits_the_pauses_are_between_its_steps() {
    let long = Duration::from_millis(4);
    for (pauses, noted, least, most) in [
        (Pauses::Within, 2, long * 5 + long * 5 * STEP_FACTOR, long * 10 + long * 5 * STEP_FACTOR),
        (Pauses::Within, 1, long * 5, long * 10),
        (Pauses::After, 2, long * 5, long * 10),
    ] {
        let turns = HeavyTurns::with(pauses, 1);
        let turn = turns.next(&consumer(1, 1)).await;
        let calling = async {
            loop {
                turns.note_short_call(&consumer(noted, 1));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let begin = Instant::now();
        tokio::select! {
            biased;
            () = calling => {}
            () = turn.work(steps()) => {}
        }
        assert!((least..=most).contains(&begin.elapsed()), "{pauses:?} {:?}", begin.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_somebody_else_is_no_long_step() {
    let turns = HeavyTurns::with(Pauses::Within, 1);
    let turn = turns.next(&consumer(1, 1)).await;
    let begin = Instant::now();
    let waits = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        turns.note_short_call(&consumer(2, 1));
    };
    turn.work(waits).await;
    assert!(begin.elapsed() < Duration::from_millis(2_010), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_pauses_between_steps_are_bounded() {
    let turns = HeavyTurns::with(Pauses::Within, 1);
    let turn = turns.next(&consumer(1, 1)).await;
    let begin = Instant::now();
    let many = async {
        for _ in 0..1_000 {
            turns.note_short_call(&consumer(2, 1));
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    };
    turn.work(many).await;
    let most = Duration::from_millis(4 * 1_000 * 3 / 2) + MAX_PAUSE;
    assert!((Duration::from_secs(5)..=most).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}
