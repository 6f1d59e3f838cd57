use super::*;

const LIMITS: SlotLimits = SlotLimits { all: 64, person: 16, service_account: 64, evicts: false };
const ACME: u128 = 1;
const RIVAL: u128 = 2;

fn person(organization: u128, user: u128, credential: u128) -> Consumer {
    Consumer {
        key: ConsumerKey::User(Uid::from_u128(user)),
        credential: Uid::from_u128(credential),
        is_session: false,
        organization: Some(Uid::from_u128(organization)),
    }
}

fn program(organization: u128, uid: u128) -> Consumer {
    Consumer { key: ConsumerKey::ServiceAccount(Uid::from_u128(uid)), ..person(organization, 0, uid) }
}

/// As many slots as there are, up to `count`.
fn take(slots: &Slots, consumer: &Consumer, count: usize) -> Vec<Slot> {
    (0..count).map_while(|_| slots.take(consumer, 1).ok()).collect()
}

fn is_empty(slots: &Slots) -> bool {
    let state = slots.state();
    state.taken == 0 && state.consumers.is_empty() && state.organizations.is_empty() && state.evictable.is_empty()
}

#[test]
fn a_caller_has_no_more_than_their_limit_and_the_next_caller_has_theirs() {
    let slots = Slots::new(LIMITS);
    let all = take(&slots, &person(ACME, 10, 1), 100);
    assert_eq!(all.len(), 16);
    assert_eq!(slots.take(&person(ACME, 10, 1), 1).unwrap_err(), Refused::Consumer { most: 16 });
    assert_eq!(slots.take(&person(ACME, 10, 2), 1).unwrap_err(), Refused::Consumer { most: 16 });
    let other = slots.take(&person(ACME, 11, 3), 1).unwrap();
    drop((all, other));
    assert!(is_empty(&slots));
    assert_eq!(take(&slots, &person(ACME, 10, 1), 100).len(), 16);
}

#[test]
fn one_session_of_a_caller_leaves_room_for_the_others() {
    let slots = Slots::new(LIMITS);
    let other = slots.take(&person(ACME, 10, 2), 1).unwrap();
    let many = take(&slots, &person(ACME, 10, 1), 100);
    assert_eq!(many.len(), 11, "three quarters, with the other's");
    assert_eq!(slots.take(&person(ACME, 10, 1), 1).unwrap_err(), Refused::Credential { most: 16 });
    let third = take(&slots, &person(ACME, 10, 3), 100);
    assert_eq!(third.len(), 4, "the rest, which is less than a third");
    drop((other, many, third));
    assert!(is_empty(&slots));
}

#[test]
fn an_organization_alone_may_have_all() {
    let slots = Slots::new(LIMITS);
    let all = take(&slots, &program(ACME, 10), 100);
    assert_eq!(all.len(), 64);
    assert_eq!(slots.take(&program(RIVAL, 20), 1).unwrap_err(), Refused::All);
    // What comes free is no longer theirs while somebody else needs it.
    drop(all.into_iter().take(8).collect::<Vec<_>>());
    let rival = slots.take(&program(RIVAL, 20), 1);
    assert!(rival.is_ok());
}

#[test]
fn beside_others_an_organization_leaves_the_last_quarter_to_them() {
    let slots = Slots::new(LIMITS);
    let rival = slots.take(&program(RIVAL, 20), 1).unwrap();
    let acme = take(&slots, &program(ACME, 10), 100);
    assert_eq!(acme.len(), 47, "three quarters, with the rival's");
    assert_eq!(slots.take(&program(ACME, 10), 1).unwrap_err(), Refused::Organization);
    let more = take(&slots, &program(RIVAL, 20), 100);
    assert_eq!(more.len(), 16);
    assert_eq!(slots.take(&program(RIVAL, 20), 1).unwrap_err(), Refused::All);
    drop((rival, acme, more));
    assert!(is_empty(&slots));
}

#[test]
fn the_platforms_own_have_no_share() {
    let slots = Slots::new(LIMITS);
    let platform = Consumer { organization: None, ..program(0, 30) };
    let acme = slots.take(&program(ACME, 10), 1).unwrap();
    assert_eq!(take(&slots, &platform, 100).len(), 63);
    drop(acme);
}

#[tokio::test]
async fn what_is_held_without_end_gives_way_to_an_organization_that_has_less() {
    let slots = Slots::new(SlotLimits { evicts: true, ..LIMITS });
    let mut all = take(&slots, &program(ACME, 10), 100);
    assert_eq!(all.len(), 64);
    let rival = take(&slots, &program(RIVAL, 20), 100);
    assert_eq!(rival.len(), 32, "until both have the same");
    assert!(all.iter().take(32).all(|slot| !slot.evicted.is_cancelled()), "the oldest stay");
    assert_eq!(all.last().unwrap().evicted().await, Refused::Organization);
    assert!(all.last_mut().unwrap().resize(1).is_err());
    assert_eq!(slots.take(&program(ACME, 10), 1).unwrap_err(), Refused::Organization);
    drop((all, rival));
    assert!(is_empty(&slots));
}

#[test]
fn what_becomes_larger_counts_more_often() {
    let slots = Slots::new(LIMITS);
    let mut slot = slots.take(&person(ACME, 10, 1), 4).unwrap();
    slot.resize(16).unwrap();
    assert!(slots.take(&person(ACME, 10, 1), 1).is_err());
    assert_eq!(slot.resize(17).unwrap_err(), Refused::Consumer { most: 16 });
    slot.resize(1).unwrap();
    assert_eq!(take(&slots, &person(ACME, 10, 1), 100).len(), 15);
    drop(slot);
    assert!(is_empty(&slots));
}

#[tokio::test(start_paused = true)]
async fn what_counted_too_much_is_refused_at_once_for_a_while() {
    let slots = Slots::new(LIMITS);
    let ann = person(ACME, 10, 1);
    let _held = take(&slots, &ann, 14);
    let mut slot = slots.take(&ann, 1).unwrap();
    assert!(slot.resize(3).is_err());
    drop(slot);
    assert_eq!(slots.take(&ann, 1).unwrap_err(), Refused::Consumer { most: 16 });
    tokio::time::advance(REMEMBERED).await;
    let mut slot = slots.take(&ann, 1).unwrap();
    slot.resize(2).unwrap();
    drop(slot);
    slots.take(&ann, 1).unwrap();
}
