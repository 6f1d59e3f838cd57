//! Credentials, and how far a revocation reaches.

use secrets_core::Timestamp;
use secrets_core::principal::{PrincipalKind, PrincipalRef};
use secrets_core::{CredentialKind, Role};
use secrets_server::store::caller::{self, CallerKey};
use secrets_server::store::credential::{self, Credential, CredentialFilter, NewCreator, Origin};
use secrets_server::store::{StoreError, UniqueIndex, commit};
use tokio::sync::oneshot;

use crate::store::fixture::{NOW, later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    finds_a_credential_by_its_mac,
    revokes_sessions_and_those_created_with_them,
    revokes_what_was_created_for_the_same_principal_and_names_the_rest,
    reaches_what_an_ended_token_created,
    leaves_what_has_expired_as_it_is,
    revokes_one_alone,
    hands_sessions_to_the_token_that_follows,
    leaves_a_session_that_was_taken_over_meanwhile,
    revokes_all_of_a_principal_and_all_for_a_user,
    revokes_all_of_an_organization,
    revokes_sessions_in_a_workspace,
    renews_only_what_is_not_revoked,
    a_session_that_is_taken_over_ends_with_its_new_creator,
    notes_the_last_use,
    extends_sign_ins_that_were_used,
    lists_what_matches_the_filter,
    purges_short_lived_ones_after_their_end,
    revokes_a_session_that_is_created_meanwhile,
    knows_whether_the_operator_has_a_token,
    counts_the_live_sessions_of_an_account_and_those_of_a_line,
);

pub fn token(number: u128) -> Credential {
    let mut mac = [0; 32];
    mac[..16].copy_from_slice(&number.to_be_bytes());
    Credential {
        uid: uid(number),
        kind: CredentialKind::Personal,
        organization: Some(uid(1)),
        principal: PrincipalRef { kind: PrincipalKind::User, uid: uid(30) },
        mac,
        pepper_version: 1,
        display_name: "laptop".to_owned(),
        create_time: NOW,
        expire_time: Some(later(3600)),
        revoke_time: None,
        last_used_time: None,
        origin: Origin::SignIn,
        creator: None,
        external_id: None,
        context_project: None,
        context_workspace: None,
        context_user: None,
        restrictions: None,
        period_start_time: None,
        sign_in_end_time: None,
        address: None,
        redeemed_for: None,
        start_time: None,
        granted_role: None,
        effects: None,
    }
}

pub fn session(number: u128, creator: u128) -> Credential {
    Credential { kind: CredentialKind::Session, origin: Origin::Session, creator: Some(uid(creator)), ..token(number) }
}

fn taken_over(by: u128) -> Option<NewCreator> {
    Some(NewCreator { credential: uid(by), time: later(9) })
}

/// A token that another one of the same principal created.
fn own(number: u128, creator: u128) -> Credential {
    Credential { origin: Origin::Own, creator: Some(uid(creator)), ..token(number) }
}

/// A token of a service account that a person's token created.
fn issued(number: u128, creator: u128) -> Credential {
    let principal = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(40) };
    Credential {
        kind: CredentialKind::ServiceAccount,
        origin: Origin::Issued,
        creator: Some(uid(creator)),
        principal,
        ..token(number)
    }
}

pub async fn insert(database: &TestDatabase, rows: &[Credential]) {
    let tx = database.store.begin().await.unwrap();
    for row in rows {
        credential::insert(&tx, row).await.unwrap();
    }
    commit(tx).await.unwrap();
}

async fn revoked(database: &TestDatabase) -> Vec<u128> {
    let mut revoked = Vec::new();
    for number in 100..200 {
        for organization in [Some(uid(1)), Some(uid(2)), None] {
            let row = credential::by_uid(database.store.reader(), organization, uid(number)).await.unwrap();
            revoked.extend(row.filter(|row| row.revoke_time == Some(later(9))).map(|_| number));
        }
    }
    revoked
}

async fn finds_a_credential_by_its_mac(database: &TestDatabase) {
    let full = Credential {
        external_id: Some("sbx-91".to_owned()),
        context_project: Some(uid(5)),
        context_workspace: Some(uid(6)),
        context_user: Some(uid(31)),
        restrictions: Some(r#"{"kinds":["FILE"]}"#.to_owned()),
        period_start_time: Some(later(5)),
        sign_in_end_time: Some(later(6)),
        address: Some("192.0.2.1".to_owned()),
        redeemed_for: Some(uid(7)),
        start_time: Some(later(7)),
        granted_role: Some(Role::Admin),
        effects: Some("{}".to_owned()),
        ..session(101, 100)
    };
    insert(database, &[token(100), full.clone(), Credential { organization: None, ..token(102) }]).await;
    let db = database.store.reader();
    assert_eq!(credential::by_mac(db, &full.mac).await.unwrap(), Some(full.clone()));
    assert_eq!(credential::by_mac(db, &[7; 32]).await.unwrap(), None);
    assert_eq!(credential::by_uid(db, Some(uid(1)), full.uid).await.unwrap(), Some(full));
    assert_eq!(credential::by_uid(db, Some(uid(1)), uid(102)).await.unwrap(), None);
    assert_eq!(credential::by_uid(db, None, uid(102)).await.unwrap().unwrap().organization, None);
    let tx = database.store.begin().await.unwrap();
    let twin = Credential { uid: uid(103), ..token(100) };
    assert_eq!(credential::insert(&tx, &twin).await, Err(StoreError::UniqueViolation(UniqueIndex::Mac)));
}

async fn revokes_sessions_and_those_created_with_them(database: &TestDatabase) {
    let elsewhere = Credential { organization: Some(uid(2)), ..session(104, 101) };
    let rows =
        [token(100), session(101, 100), session(102, 101), session(103, 102), elsewhere, token(105), session(106, 105)];
    insert(database, &rows).await;
    let tx = database.store.begin().await.unwrap();
    let revoke = async |organization, seconds| {
        let ended = credential::revoke(&tx, Some(uid(organization)), uid(100), later(seconds)).await.unwrap();
        (ended.sessions, ended.tokens)
    };
    assert_eq!(revoke(2, 9).await, (0, 0), "of another organization");
    assert_eq!(revoke(1, 9).await, (4, 1));
    assert_eq!(revoke(1, 10).await, (0, 0), "ended before");
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100, 101, 102, 103, 104]);
}

async fn revokes_what_was_created_for_the_same_principal_and_names_the_rest(database: &TestDatabase) {
    let sign_in = Credential { origin: Origin::SignIn, ..own(103, 102) };
    let invitation = |number| Credential { kind: CredentialKind::Invitation, ..issued(number, 100) };
    let ended_before = Credential { revoke_time: Some(later(1)), ..issued(107, 100) };
    let redeemed = Credential { revoke_time: Some(later(1)), redeemed_for: Some(uid(110)), ..invitation(109) };
    let has_come = Credential { origin: Origin::SignIn, ..own(110, 109) };
    let rows = [
        token(100),
        own(101, 100),
        own(102, 101),
        sign_in,
        issued(104, 102),
        session(105, 104),
        invitation(106),
        ended_before,
        session(108, 103),
        redeemed,
        has_come,
    ];
    insert(database, &rows).await;
    let tx = database.store.begin().await.unwrap();
    let ended = credential::revoke(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap();
    assert_eq!((ended.sessions, ended.tokens, ended.invitations, ended.total()), (1, 4, 1, 6));
    assert_eq!(ended.issued.iter().map(|row| row.uid.as_u128()).collect::<Vec<_>>(), [104]);
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100, 101, 102, 103, 106, 108]);
}

async fn reaches_what_an_ended_token_created(database: &TestDatabase) {
    let expired = Credential { expire_time: Some(later(3)), ..token(100) };
    let retired = Credential { revoke_time: Some(later(1)), ..own(101, 100) };
    insert(database, &[expired, retired, own(102, 101), session(103, 102)]).await;
    let tx = database.store.begin().await.unwrap();
    let ended = credential::revoke(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap();
    assert_eq!((ended.sessions, ended.tokens), (1, 1));
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [102, 103]);
}

async fn leaves_what_has_expired_as_it_is(database: &TestDatabase) {
    let expired = Credential { expire_time: Some(later(9)), ..session(101, 100) };
    insert(database, &[token(100), expired, session(102, 100)]).await;
    let tx = database.store.begin().await.unwrap();
    let ended = credential::revoke(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap();
    assert_eq!((ended.sessions, ended.tokens), (1, 1));
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100, 102]);
}

async fn revokes_one_alone(database: &TestDatabase) {
    insert(database, &[token(100), own(101, 100), session(102, 100)]).await;
    let tx = database.store.begin().await.unwrap();
    assert!(!credential::revoke_alone(&tx, Some(uid(2)), uid(100), later(9)).await.unwrap());
    assert!(credential::revoke_alone(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap());
    assert!(!credential::revoke_alone(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap());
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100]);
}

async fn hands_sessions_to_the_token_that_follows(database: &TestDatabase) {
    let short = Credential { expire_time: Some(later(60)), ..own(101, 100) };
    let next = Credential { expire_time: Some(later(1800)), ..own(102, 100) };
    let revoked = Credential { revoke_time: Some(later(1)), expire_time: None, ..own(103, 100) };
    let expired = Credential { expire_time: Some(later(9)), ..session(106, 100) };
    let rows =
        [token(100), short, next.clone(), revoked, issued(104, 100), session(105, 100), expired, session(107, 105)];
    insert(database, &rows).await;
    let db = &database.store.begin().await.unwrap();
    let found = credential::successor(db, &token(100), later(9)).await.unwrap().unwrap();
    assert_eq!(found, next);
    assert_eq!(credential::hand_over_sessions(db, uid(100), &found, later(9)).await.unwrap(), 1);
    let row = async |number| credential::by_uid(db, Some(uid(1)), uid(number)).await.unwrap().unwrap();
    assert_eq!((row(105).await.creator, row(105).await.expire_time), (Some(uid(102)), Some(later(1800))));
    assert_eq!(row(107).await.expire_time, Some(later(1800)), "nor does what it created end later");
    assert_eq!(row(106).await.creator, Some(uid(100)), "it had expired");
    assert_eq!(credential::successor(db, &next, later(9)).await.unwrap(), None);
}

/// A revocation waits for a call that gives a session another creator, and then leaves the session alone.
async fn leaves_a_session_that_was_taken_over_meanwhile(database: &TestDatabase) {
    insert(database, &[token(100), token(101), session(102, 100)]).await;
    let renewal = database.store.begin().await.unwrap();
    assert!(credential::renew(&renewal, uid(1), uid(102), later(60), taken_over(101)).await.unwrap());
    let (started, has_started) = oneshot::channel();
    let store = database.store.clone();
    let revocation = tokio::spawn(async move {
        started.send(()).unwrap();
        let tx = store.begin().await.unwrap();
        let ended = credential::revoke(&tx, Some(uid(1)), uid(100), later(9)).await.unwrap();
        commit(tx).await.unwrap();
        ended.total()
    });
    has_started.await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    commit(renewal).await.unwrap();
    assert_eq!(revocation.await.unwrap(), 1);
    assert_eq!(revoked(database).await, [100]);
}

async fn revokes_all_of_a_principal_and_all_for_a_user(database: &TestDatabase) {
    let other = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(40) };
    let service = Credential { principal: other, kind: CredentialKind::ServiceAccount, ..token(103) };
    let on_behalf = Credential { principal: other, context_user: Some(uid(30)), ..session(104, 103) };
    let not_on_behalf = Credential { principal: other, context_user: Some(uid(31)), ..session(105, 103) };
    insert(database, &[token(100), token(101), session(102, 101), service, on_behalf, not_on_behalf]).await;
    let tx = database.store.begin().await.unwrap();
    let ended = credential::revoke_of_principal(&tx, token(100).principal, later(9)).await.unwrap();
    assert_eq!(ended.total(), 3);
    assert_eq!(credential::revoke_sessions_for_user(&tx, uid(1), uid(30), later(9)).await.unwrap().total(), 1);
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100, 101, 102, 104]);
}

async fn revokes_all_of_an_organization(database: &TestDatabase) {
    let platform = Credential { organization: None, ..token(101) };
    let elsewhere = Credential { organization: Some(uid(2)), ..token(103) };
    insert(database, &[token(100), platform, session(102, 101), elsewhere]).await;
    let tx = database.store.begin().await.unwrap();
    assert_eq!(credential::revoke_of_organization(&tx, uid(1), later(9)).await.unwrap().total(), 2);
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [100, 102]);
}

async fn revokes_sessions_in_a_workspace(database: &TestDatabase) {
    let inside = Credential { context_workspace: Some(uid(6)), ..session(101, 100) };
    let outside = Credential { context_workspace: Some(uid(7)), ..session(102, 100) };
    insert(database, &[token(100), inside, outside]).await;
    let tx = database.store.begin().await.unwrap();
    assert_eq!(credential::revoke_sessions_in(&tx, uid(1), uid(6), later(9)).await.unwrap().total(), 1);
    commit(tx).await.unwrap();
    assert_eq!(revoked(database).await, [101]);
}

async fn renews_only_what_is_not_revoked(database: &TestDatabase) {
    insert(database, &[session(100, 99)]).await;
    let db = &database.store.begin().await.unwrap();
    assert!(!credential::renew(db, uid(2), uid(100), later(7200), None).await.unwrap(), "of another organization");
    assert!(credential::renew(db, uid(1), uid(100), later(7200), None).await.unwrap());
    let renewed = credential::by_uid(db, Some(uid(1)), uid(100)).await.unwrap().unwrap();
    assert_eq!((renewed.expire_time, renewed.creator), (Some(later(7200)), Some(uid(99))));
    credential::revoke(db, Some(uid(1)), uid(100), later(9)).await.unwrap();
    assert!(!credential::renew(db, uid(1), uid(100), later(9000), None).await.unwrap());
}

async fn a_session_that_is_taken_over_ends_with_its_new_creator(database: &TestDatabase) {
    insert(database, &[token(100), token(101), session(102, 100), session(103, 102)]).await;
    let db = &database.store.begin().await.unwrap();
    assert!(credential::renew(db, uid(1), uid(102), later(60), taken_over(101)).await.unwrap());
    let row = async |number| credential::by_uid(db, Some(uid(1)), uid(number)).await.unwrap().unwrap();
    assert_eq!((row(102).await.creator, row(102).await.expire_time), (Some(uid(101)), Some(later(60))));
    assert_eq!((row(102).await.period_start_time, row(103).await.period_start_time), (Some(later(9)), None));
    assert_eq!((row(103).await.creator, row(103).await.expire_time), (Some(uid(102)), Some(later(60))));
    assert_eq!(credential::creator(db, &row(102).await).await.unwrap().unwrap().uid, uid(101));
    assert_eq!(credential::revoke(db, Some(uid(1)), uid(100), later(9)).await.unwrap().sessions, 0);
    assert_eq!(credential::revoke(db, Some(uid(1)), uid(101), later(9)).await.unwrap().sessions, 2);
}

async fn notes_the_last_use(database: &TestDatabase) {
    insert(database, &[token(100), token(101)]).await;
    let db = &database.store.begin().await.unwrap();
    let used = async || credential::by_uid(db, Some(uid(1)), uid(100)).await.unwrap().unwrap().last_used_time;
    credential::touch(db, [uid(100)], later(50)).await.unwrap();
    assert_eq!(used().await, Some(later(50)));
    credential::touch(db, [uid(100)], later(40)).await.unwrap();
    assert_eq!(used().await, Some(later(50)), "an earlier use does not go back");
    credential::touch(db, [], later(60)).await.unwrap();
}

async fn extends_sign_ins_that_were_used(database: &TestDatabase) {
    const DAY: i64 = 24 * 60 * 60;
    let end = |days| Some(later(days * DAY));
    let by_use = |number| Credential { expire_time: end(90), sign_in_end_time: end(365), ..token(number) };
    let chosen = Credential { expire_time: end(90), ..token(101) };
    let revoked = Credential { revoke_time: Some(NOW), ..by_use(102) };
    let expired = Credential { expire_time: Some(later(10)), ..by_use(103) };
    insert(database, &[by_use(100), chosen, revoked, expired, by_use(104)]).await;
    let db = &database.store.begin().await.unwrap();
    let ends = async |number| credential::by_uid(db, Some(uid(1)), uid(number)).await.unwrap().unwrap().expire_time;
    let extend = async |seconds| {
        let used = [100, 101, 102, 103].map(uid);
        credential::extend_used(db, used, later(seconds)).await.unwrap()
    };
    assert_eq!(extend(DAY - 1).await, 0, "once a day");
    assert_eq!(extend(DAY).await, 1);
    assert_eq!([ends(100).await, ends(101).await], [end(91), end(90)]);
    assert_eq!([ends(102).await, ends(103).await, ends(104).await], [end(90), Some(later(10)), end(90)]);
    assert_eq!(extend(80 * DAY).await, 1);
    assert_eq!(extend(160 * DAY).await, 1);
    assert_eq!(extend(240 * DAY).await, 1);
    assert_eq!(extend(300 * DAY).await, 1);
    assert_eq!(ends(100).await, end(365), "no later than that");
    assert_eq!(extend(364 * DAY).await, 0);
}

async fn lists_what_matches_the_filter(database: &TestDatabase) {
    let older = Credential { create_time: later(-5), ..token(104) };
    let expired = Credential { expire_time: Some(later(10)), ..token(101) };
    let endless = Credential { expire_time: None, ..token(102) };
    let named = Credential { external_id: Some("sbx-91".to_owned()), ..session(103, 100) };
    insert(database, &[token(100), expired, endless, named, older]).await;
    let db = &database.store.begin().await.unwrap();
    credential::revoke(db, Some(uid(1)), uid(104), later(9)).await.unwrap();
    let list = async |filter: CredentialFilter, after: Option<(Timestamp, u128)>, limit| {
        let after = after.map(|(time, number)| (time, uid(number)));
        let rows = credential::list(db, Some(uid(1)), &filter, after, limit).await.unwrap();
        rows.into_iter().map(|row| row.uid.as_u128()).collect::<Vec<_>>()
    };
    let all = CredentialFilter::default();
    assert_eq!(list(all.clone(), None, 10).await, [103, 102, 101, 100, 104]);
    assert_eq!(list(all.clone(), Some((NOW, 102)), 2).await, [101, 100]);
    assert_eq!(list(all.clone(), Some((NOW, 100)), 10).await, [104]);
    assert_eq!(credential::count(db, Some(uid(1)), &all).await.unwrap(), 5);
    let live = CredentialFilter { live_at: Some(later(10)), ..all.clone() };
    assert_eq!(list(live, None, 10).await, [103, 102, 100]);
    let sessions = CredentialFilter { kinds: vec![CredentialKind::Session], ..all.clone() };
    assert_eq!(list(sessions, None, 10).await, [103]);
    let named = CredentialFilter { external_id: Some("sbx-91".to_owned()), ..all.clone() };
    assert_eq!(list(named, None, 10).await, [103]);
    let created = CredentialFilter { creator: Some(uid(100)), ..all.clone() };
    assert_eq!(list(created, None, 10).await, [103]);
    let stranger = PrincipalRef { kind: PrincipalKind::User, uid: uid(31) };
    assert_eq!(list(CredentialFilter { principal: Some(stranger), ..all }, None, 10).await, Vec::<u128>::new());
}

async fn purges_short_lived_ones_after_their_end(database: &TestDatabase) {
    let invitation = Credential { kind: CredentialKind::Invitation, ..token(102) };
    insert(database, &[token(100), session(101, 100), invitation]).await;
    let db = &database.store.begin().await.unwrap();
    assert_eq!(credential::purge_ended(db, later(3600), 10).await.unwrap(), 0);
    assert_eq!(credential::purge_ended(db, later(3601), 1).await.unwrap(), 1);
    assert_eq!(credential::purge_ended(db, later(3601), 10).await.unwrap(), 1);
    assert!(credential::by_uid(db, Some(uid(1)), uid(100)).await.unwrap().is_some());
}

/// Whoever creates holds the creating credential, where it may end under another lock; a revocation of it waits, and ends the
/// new session too.
async fn revokes_a_session_that_is_created_meanwhile(database: &TestDatabase) {
    insert(database, &[Credential { organization: None, ..token(100) }]).await;
    let create = database.store.begin().await.unwrap();
    let key = CallerKey { credential: uid(100), principals: &[], organization: Some(uid(1)) };
    caller::hold(&create, key).await.unwrap();
    assert_eq!(caller::read(&create, key).await.unwrap().unwrap().0.revoke_time, None);
    let (started, has_started) = oneshot::channel();
    let store = database.store.clone();
    let revocation = tokio::spawn(async move {
        started.send(()).unwrap();
        let tx = store.begin().await.unwrap();
        let ended = credential::revoke(&tx, None, uid(100), later(9)).await.unwrap();
        commit(tx).await.unwrap();
        ended.total()
    });
    has_started.await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    credential::insert(&create, &session(101, 100)).await.unwrap();
    commit(create).await.unwrap();
    assert_eq!(revocation.await.unwrap(), 2);
    assert_eq!(revoked(database).await, [100, 101]);
}

async fn knows_whether_the_operator_has_a_token(database: &TestDatabase) {
    let operator = PrincipalRef { kind: PrincipalKind::Operator, uid: uid(0) };
    let row = Credential {
        kind: CredentialKind::Operator,
        organization: None,
        principal: operator,
        expire_time: None,
        ..token(100)
    };
    insert(database, &[Credential { organization: None, ..token(101) }]).await;
    let reader = database.store.reader();
    assert!(!credential::has_working_operator(reader, NOW).await.unwrap());
    insert(database, &[row]).await;
    assert!(credential::has_working_operator(reader, NOW).await.unwrap());
}

async fn counts_the_live_sessions_of_an_account_and_those_of_a_line(database: &TestDatabase) {
    let ended = Credential { revoke_time: Some(later(1)), ..session(123, 120) };
    let expired = Credential { expire_time: Some(NOW), ..session(124, 120) };
    let another =
        Credential { principal: PrincipalRef { kind: PrincipalKind::User, uid: uid(31) }, ..session(126, 101) };
    let rows = [
        token(100),
        token(101),
        session(120, 100),
        session(121, 120),
        session(122, 121),
        ended,
        expired,
        session(125, 101),
        another,
    ];
    insert(database, &rows).await;
    let db = database.store.reader();
    let ann = PrincipalRef { kind: PrincipalKind::User, uid: uid(30) };
    assert_eq!(credential::count_live_sessions(db, ann, later(2)).await.unwrap(), 4);
    // Whichever of the line asks: those that descend from 120, the first.
    for number in [120, 121, 122] {
        let row = credential::by_uid(db, Some(uid(1)), uid(number)).await.unwrap().unwrap();
        assert_eq!(credential::count_live_line(db, &row, 100, later(2)).await.unwrap(), 2, "{number}");
    }
    let other = credential::by_uid(db, Some(uid(1)), uid(125)).await.unwrap().unwrap();
    assert_eq!(credential::count_live_line(db, &other, 100, later(2)).await.unwrap(), 0);
    let first = credential::by_uid(db, Some(uid(1)), uid(120)).await.unwrap().unwrap();
    assert!(credential::count_live_line(db, &first, 1, later(2)).await.unwrap() > 1);
}
