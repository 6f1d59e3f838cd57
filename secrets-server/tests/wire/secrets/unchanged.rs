//! A value that is given again makes no version: for whoever may receive it. Anybody else would learn whether a guess is right.

use sea_orm::ConnectionTrait as _;
use secrets_proto::v1;
use secrets_proto::v1::ImportOutcome::{Created, Unchanged, Updated};
use secrets_proto::v1::import_secrets_request::Source;
use secrets_server::store::{Writer, binding, commit, revision};
use tonic::Response;

use super::{ACME, API, BOB, WS1, creation, file, mask, selected, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_value_that_is_given_again_makes_no_version,
    what_is_changed_beside_a_value_that_is_given_again_is_changed,
    a_rollback_to_what_is_current_makes_no_version,
    whoever_may_not_receive_a_value_does_not_learn_whether_it_is_the_same,
    whoever_may_not_receive_a_value_does_not_learn_its_length,
    whoever_lost_the_right_while_they_waited_does_not_learn_it,
    a_program_learns_it_where_it_resolves,
    what_is_not_delivered_is_not_compared,
    a_comparison_is_recorded_as_a_delivery_whatever_comes_of_it,
    a_rehearsal_compares_nothing,
    a_value_that_does_not_open_is_replaced,
    an_import_makes_no_version_of_a_value_that_is_stored,
    an_import_tells_whoever_may_not_receive_a_value_nothing_of_it,
    an_import_by_whoever_lost_the_right_while_they_waited_tells_nothing,
    what_an_import_compares_is_recorded_as_a_delivery,
);

const ID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
const VALUE: &str = "s3cret-value";

fn update(name: &str, value: &str) -> v1::UpdateSecretRequest {
    let secret = v1::Secret { name: name.into(), ..Default::default() };
    v1::UpdateSecretRequest { secret: Some(secret), value: text(value), ..Default::default() }
}

impl TestServer {
    /// Whether the caller is told that this is the value, and which version there is afterwards.
    async fn gives(&self, token: &str, name: &str, value: &str) -> (bool, u32) {
        let updated = self.try_update(token, update(name, value)).await.unwrap();
        (updated.value_unchanged, updated.secret.unwrap().current_version)
    }

    async fn rolls_back(&self, token: &str, name: &str, version: u32) -> (bool, u32) {
        let request = v1::RollbackSecretRequest { name: name.into(), version, ..Default::default() };
        let rolled_back = self.secrets(token).rollback_secret(request).await.map(Response::into_inner).unwrap();
        (rolled_back.value_unchanged, rolled_back.secret.unwrap().current_version)
    }

    /// The changes of a secret and what they delivered, newest first.
    async fn compared(&self, token: &str, secret: &str) -> Vec<(v1::AuditOutcome, Vec<u32>)> {
        let request = v1::ListAuditEventsRequest { parent: ACME.into(), secret: secret.into(), ..Default::default() };
        let events = self.audit(token).list_audit_events(request).await.unwrap().into_inner().events;
        let changes = events.iter().filter(|event| {
            ["/UpdateSecret", "/RollbackSecret", "/ImportSecrets"].iter().any(|end| event.action.ends_with(end))
        });
        changes.map(|event| (event.outcome(), event.delivered.iter().map(|each| each.version).collect())).collect()
    }
}

async fn a_value_that_is_given_again_makes_no_version(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (token, parent) in [(&acme.bob, BOB), (&acme.bob, WS1), (&acme.cat, API), (&acme.ann, ACME)] {
        let name = format!("{parent}/secrets/KEY");
        let created = server.try_create(token, creation(parent, "KEY", VALUE)).await.unwrap();
        let again = server.try_update(token, update(&name, VALUE)).await.unwrap();
        assert!(again.value_unchanged, "{parent}");
        assert_eq!((&again.secret, &again.revision), (&created.secret, &created.revision));
        // One that is as long is another one.
        assert_eq!(server.gives(token, &name, "s3cret-valuf").await, (false, 2), "{parent}");
        assert_eq!(server.gives(token, &name, "longer than that").await, (false, 3), "{parent}");
        assert_eq!(server.versions(token, &name).await.len(), 3);
    }
    // A repeat says what was said first.
    let name = format!("{BOB}/secrets/KEY");
    let request = v1::UpdateSecretRequest { request_id: ID.into(), ..update(&name, "longer than that") };
    let first = server.try_update(&acme.bob, request.clone()).await.unwrap();
    assert!(first.value_unchanged);
    server.rotate(&acme.bob, &name, "another").await;
    assert_eq!(server.try_update(&acme.bob, request).await.unwrap(), first);
}

async fn what_is_changed_beside_a_value_that_is_given_again_is_changed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let created = server.create(&acme.bob, BOB, "KEY", VALUE).await;
    let with = |secret: v1::Secret, paths: &[&str]| v1::UpdateSecretRequest {
        secret: Some(v1::Secret { name: created.name.clone(), ..secret }),
        update_mask: mask(paths),
        ..update("", VALUE)
    };
    let described = with(v1::Secret { description: "for CI".into(), ..Default::default() }, &["description"]);
    let updated = server.try_update(&acme.bob, described).await.unwrap();
    assert!(updated.value_unchanged);
    let updated = updated.secret.unwrap();
    assert_eq!((updated.description.as_str(), updated.current_version), ("for CI", 1));
    assert_ne!(updated.etag, created.etag);
    // The same target is none that is new; another one makes a version, though the value is the same.
    let same = with(v1::Secret { target: created.target.clone(), ..Default::default() }, &["target"]);
    assert!(server.try_update(&acme.bob, same).await.unwrap().value_unchanged);
    let moved = with(v1::Secret { target: file("~/key"), ..Default::default() }, &["target"]);
    let moved = server.try_update(&acme.bob, moved).await.unwrap();
    assert!(!moved.value_unchanged);
    let moved = moved.secret.unwrap();
    assert_eq!((moved.current_version, server.stored_value(&moved).await), (2, VALUE.as_bytes().to_vec()));
}

async fn a_rollback_to_what_is_current_makes_no_version(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    assert_eq!(server.rolls_back(&acme.bob, &name, 1).await, (true, 1));
    server.rotate(&acme.bob, &name, "value-2").await;
    assert_eq!(server.rolls_back(&acme.bob, &name, 1).await, (false, 3));
    // The first one has what the third one has.
    assert_eq!(server.rolls_back(&acme.bob, &name, 1).await, (true, 3));
    assert_eq!(server.rolls_back(&acme.bob, &name, 2).await, (false, 4));
    let moved = v1::Secret { name: name.clone(), target: file("~/key"), ..Default::default() };
    let moved = v1::UpdateSecretRequest { secret: Some(moved), ..Default::default() };
    server.try_update(&acme.bob, moved).await.unwrap();
    // The same value for another target.
    assert_eq!(server.rolls_back(&acme.bob, &name, 4).await, (false, 6));
    let request = v1::ListAuditEventsRequest { parent: ACME.into(), secret: name, ..Default::default() };
    let events = server.audit(&acme.bob).list_audit_events(request).await.unwrap().into_inner().events;
    let rollbacks = events.iter().filter(|event| event.action.ends_with("/RollbackSecret"));
    let mut changed: Vec<_> = rollbacks.map(|event| event.changed_fields.join(" ")).collect();
    changed.sort();
    assert_eq!(changed, ["", "", "value", "value", "value target"]);
}

async fn whoever_may_not_receive_a_value_does_not_learn_whether_it_is_the_same(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    // ann changes all of the organization's secrets and takes part in no project.
    let api = server.create(&acme.cat, API, "KEY", VALUE).await.name;
    let of_api = v1::Secret { visibility: selected(&["api"], &[]), ..Default::default() };
    let of_api = server.create_with(&acme.ann, ACME, "OF_API", of_api).await.secret.unwrap().name;
    let of_ws1 = v1::Secret { visibility: selected(&[], &["ws1"]), ..Default::default() };
    let of_ws1 = server.create_with(&acme.ann, ACME, "OF_WS1", of_ws1).await.secret.unwrap().name;
    let of_nobody = v1::Secret { visibility: selected(&[], &[]), ..Default::default() };
    let of_nobody = server.create_with(&acme.ann, ACME, "OF_NOBODY", of_nobody).await.secret.unwrap().name;
    for name in [&api, &of_api, &of_ws1, &of_nobody] {
        assert_eq!(server.gives(&acme.ann, name, VALUE).await, (false, 2), "{name}");
        assert_eq!(server.rolls_back(&acme.ann, name, 2).await, (false, 3), "{name}");
        let none = |(_, delivered): &(_, Vec<u32>)| delivered.is_empty();
        assert!(server.compared(&acme.ann, name).await.iter().all(none), "{name}");
    }
    // Once she takes part in it, she may.
    let user = format!("{ACME}/users/ann");
    server.bind(&acme.ann, API, &user, v1::Role::Member).await.unwrap();
    for name in [&api, &of_api] {
        assert_eq!(server.gives(&acme.ann, name, VALUE).await, (true, 3), "{name}");
    }
    assert_eq!(server.gives(&acme.ann, &of_ws1, VALUE).await, (false, 4));
    server.bind(&acme.bob, WS1, &user, v1::Role::Member).await.unwrap();
    assert_eq!(server.gives(&acme.ann, &of_ws1, VALUE).await, (true, 4));
}

/// By the statements that it takes, which are all that could tell.
async fn whoever_may_not_receive_a_value_does_not_learn_its_length(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let team = server.create(&acme.cat, API, "KEY", VALUE).await.name;
    let of_ws1 = v1::Secret { visibility: selected(&[], &["ws1"]), ..Default::default() };
    let of_ws1 = server.create_with(&acme.ann, ACME, "OF_WS1", of_ws1).await.secret.unwrap().name;
    let own = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    for (token, name, rehearses) in [
        (&acme.ann, &team, false),
        (&acme.ann, &team, true),
        (&acme.ann, &of_ws1, false),
        (&acme.ann, &of_ws1, true),
        // Whoever may receive it is told nothing by a rehearsal, which opens nothing.
        (&acme.bob, &own, true),
    ] {
        let mut seen = Vec::new();
        for value in ["longer than that one", "s3cret-valuf", VALUE] {
            if !rehearses {
                server.rotate(&acme.ann, name, VALUE).await;
            }
            database.statements.take();
            let request = v1::UpdateSecretRequest { validate_only: rehearses, ..update(name, value) };
            assert!(!server.try_update(token, request).await.unwrap().value_unchanged);
            seen.push(database.statements.take().len());
        }
        assert!(seen.iter().all(|count| *count == seen[0]), "{name}, {rehearses}: {seen:?}");
    }
}

async fn whoever_lost_the_right_while_they_waited_does_not_learn_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.cat, API, "KEY", VALUE).await.name;
    let membership = server.bind(&acme.ann, API, &format!("{ACME}/users/ann"), v1::Role::Member).await.unwrap().name;
    let membership = membership.rsplit('/').next().unwrap().parse().unwrap();
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    revision::lock(&blocking, acme.organization).await.unwrap().unwrap();
    let release = async {
        // Enough for a call on loopback to arrive.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(binding::delete(&blocking, Some(acme.organization), membership).await.unwrap());
        commit(blocking).await.unwrap();
    };
    let (told, ()) = tokio::join!(server.gives(&acme.ann, &name, VALUE), release);
    assert_eq!(told, (false, 2));
}

async fn a_program_learns_it_where_it_resolves(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let bot = server.program(&acme.ann, ACME, "ci").await;
    let name = format!("{ACME}/serviceAccounts/ci");
    server.bind(&acme.ann, ACME, &name, v1::Role::Admin).await.unwrap();
    let shared = server.create(&acme.ann, ACME, "KEY", VALUE).await.name;
    assert_eq!(server.gives(&bot, &shared, VALUE).await, (false, 2));
    server.bind(&acme.ann, ACME, &name, v1::Role::Resolver).await.unwrap();
    assert_eq!(server.gives(&bot, &shared, VALUE).await, (true, 2));
    // A session receives, and changes nothing.
    let session = server.session(&acme.bob, "", "bob").await.unwrap().token;
    let own = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    for name in [&shared, &own] {
        let refused = refusal(server.try_update(&session, update(name, VALUE)).await);
        assert_eq!(refused.reason, "PERMISSION_DENIED");
    }
}

async fn what_is_not_delivered_is_not_compared(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let disabled = v1::Secret { disabled: true, ..Default::default() };
    let disabled = server.create_with(&acme.bob, BOB, "DISABLED", disabled).await.secret.unwrap().name;
    assert_eq!(server.gives(&acme.bob, &disabled, VALUE).await, (false, 2));
    let in_a_minute = prost_types::Timestamp {
        seconds: server.wait(std::time::Duration::ZERO).as_micros() / 1_000_000 + 60,
        nanos: 0,
    };
    let expiring = v1::Secret { expire_time: Some(in_a_minute), ..Default::default() };
    let expiring = server.create_with(&acme.bob, BOB, "EXPIRING", expiring).await.secret.unwrap().name;
    assert_eq!(server.gives(&acme.bob, &expiring, VALUE).await, (true, 1));
    server.wait(std::time::Duration::from_secs(61));
    assert_eq!(server.gives(&acme.bob, &expiring, VALUE).await, (false, 2));
    // Behind a lock of the organization it reaches nobody. What is narrower is the caller's own, who may remove it.
    let own = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    let team = server.create(&acme.cat, API, "KEY", VALUE).await.name;
    server.create(&acme.cat, "organizations/acme/users/cat", "KEY", "cats").await;
    assert_eq!(server.gives(&acme.bob, &own, VALUE).await, (true, 1));
    assert_eq!(server.gives(&acme.cat, &team, VALUE).await, (true, 1));
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    let locked = server.create_with(&acme.ann, ACME, "KEY", locked).await.secret.unwrap().name;
    assert_eq!(server.gives(&acme.ann, &locked, VALUE).await, (true, 1));
    assert_eq!(server.gives(&acme.bob, &own, VALUE).await, (false, 2));
    assert_eq!(server.gives(&acme.cat, &team, VALUE).await, (false, 2));
    // Neither does it where a project has another one in its place.
    server.bind(&acme.ann, API, &format!("{ACME}/users/ann"), v1::Role::Member).await.unwrap();
    let of_api = v1::Secret { visibility: selected(&["api"], &[]), ..Default::default() };
    let of_api = server.create_with(&acme.ann, ACME, "OF_API", of_api).await.secret.unwrap().name;
    assert_eq!(server.gives(&acme.ann, &of_api, VALUE).await, (true, 1));
    server.create(&acme.cat, API, "OF_API", "cats").await;
    server.wait(std::time::Duration::from_secs(1));
    assert_eq!(server.gives(&acme.ann, &of_api, VALUE).await, (false, 2));
    assert_eq!(server.compared(&acme.ann, &of_api).await[0].1, [0_u32; 0]);
}

async fn a_comparison_is_recorded_as_a_delivery_whatever_comes_of_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let limits = r#"{"value_bytes":16}"#;
    let acme = Acme::with(&server, secrets_core::NamePolicy::Strict, limits).await;
    let name = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    let (allowed, failed) = (v1::AuditOutcome::Allowed, v1::AuditOutcome::Failed);
    let next = || server.wait(std::time::Duration::from_secs(1));
    server.gives(&acme.bob, &name, VALUE).await;
    next();
    server.gives(&acme.bob, &name, "another one").await;
    next();
    // Whoever reads that it is too long reads that it is not the same.
    let refused = refusal(server.try_update(&acme.bob, update(&name, "longer than is allowed")).await);
    assert_eq!(refused.reason, "INVALID_VALUE");
    next();
    server.rolls_back(&acme.bob, &name, 2).await;
    next();
    // Nothing was compared.
    let described = v1::Secret { name: name.clone(), description: "for CI".into(), ..Default::default() };
    server
        .try_update(&acme.bob, v1::UpdateSecretRequest { secret: Some(described), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(
        server.compared(&acme.bob, &name).await,
        [(allowed, vec![]), (allowed, vec![2]), (failed, vec![2]), (allowed, vec![1]), (allowed, vec![1])]
    );
}

async fn a_rehearsal_compares_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    for value in [VALUE, "another one"] {
        let request = v1::UpdateSecretRequest { validate_only: true, ..update(&name, value) };
        let rehearsed = server.try_update(&acme.bob, request).await.unwrap();
        assert_eq!((rehearsed.value_unchanged, rehearsed.secret.unwrap().current_version), (false, 2));
    }
    assert!(server.compared(&acme.bob, &name).await.iter().all(|(_, delivered)| delivered.is_empty()));
}

async fn a_value_that_does_not_open_is_replaced(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let created = server.create(&acme.bob, BOB, "KEY", VALUE).await;
    // The target is authenticated with the value.
    let tx = server.app.store().begin().await.unwrap();
    tx.execute_unprepared("UPDATE secret_versions SET target_kind = 'API_ONLY'").await.unwrap();
    commit(tx).await.unwrap();
    assert_eq!(server.gives(&acme.bob, &created.name, VALUE).await, (false, 2));
    let stored = server.try_get(&acme.bob, &created.name).await.unwrap();
    assert_eq!(server.stored_value(&stored).await, VALUE.as_bytes());
}

fn import(parent: &str, document: &str) -> v1::ImportSecretsRequest {
    v1::ImportSecretsRequest {
        parent: parent.into(),
        source: Some(Source::Dotenv(document.as_bytes().to_vec())),
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        ..Default::default()
    }
}

fn outcomes(done: &v1::ImportSecretsResponse) -> Vec<v1::ImportOutcome> {
    done.entries.iter().map(v1::ImportedEntry::outcome).collect()
}

async fn an_import_makes_no_version_of_a_value_that_is_stored(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (token, parent) in [(&acme.bob, BOB), (&acme.bob, WS1), (&acme.cat, API), (&acme.ann, ACME)] {
        let first = server.try_import(token, import(parent, "SAME=value-1\nOTHER=value-2\n")).await.unwrap();
        assert_eq!((first.created, first.updated), (2, 0));
        let stored = server.list(token, parent).await;
        let document = "NEW=value-4\nOTHER=value-3\nSAME=value-1\n";
        let review = v1::ImportSecretsRequest { validate_only: true, ..import(parent, document) };
        let expected = [Created, Updated, Unchanged];
        let reviewed = server.try_import(token, review).await.unwrap();
        assert_eq!((outcomes(&reviewed), reviewed.created, reviewed.updated), (expected.to_vec(), 1, 1), "{parent}");
        let done = server.try_import(token, import(parent, document)).await.unwrap();
        assert_eq!((outcomes(&done), done.applied), (expected.to_vec(), true), "{parent}");
        assert_eq!((done.created, done.updated), (1, 1));
        let now = server.list(token, parent).await;
        let same = |secrets: &[v1::Secret]| secrets.iter().find(|each| each.secret_id == "SAME").cloned();
        assert_eq!(same(&now), same(&stored), "{parent}");
        // Nothing is left to do: neither a version nor a revision is made.
        let again = server.try_import(token, import(parent, document)).await.unwrap();
        assert_eq!((outcomes(&again), again.applied), ([Unchanged; 3].to_vec(), false), "{parent}");
        assert_eq!((again.revision, server.list(token, parent).await), (done.revision, now), "{parent}");
    }
}

async fn an_import_tells_whoever_may_not_receive_a_value_nothing_of_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    // ann changes all of the organization's secrets and takes part in no project; another one takes the place of TAKEN in every
    // context that she is in.
    let of_api = v1::Secret { visibility: selected(&["api"], &[]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "OF_API", of_api).await;
    server.create(&acme.ann, ACME, "OF_ALL", VALUE).await;
    server.create(&acme.cat, API, "OF_API_ALONE", VALUE).await;
    let stored = server.try_get(&acme.ann, &format!("{ACME}/secrets/OF_API")).await.unwrap();
    let value = String::from_utf8(server.stored_value(&stored).await).unwrap();
    let document = format!("OF_API={value}\nOF_ALL={VALUE}\n");
    let done = server.try_import(&acme.ann, import(ACME, &document)).await.unwrap();
    assert_eq!(outcomes(&done), [Updated, Unchanged]);
    let done = server.try_import(&acme.ann, import(API, &format!("OF_API_ALONE={VALUE}\n"))).await.unwrap();
    assert_eq!(outcomes(&done), [Updated]);
    let none = |(_, delivered): &(_, Vec<u32>)| delivered.is_empty();
    assert!(server.compared(&acme.ann, &format!("{API}/secrets/OF_API_ALONE")).await.iter().all(none));
    // A locked one of the organization is delivered in the place of the project's.
    let lock = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    server.create(&acme.cat, API, "TAKEN", VALUE).await;
    let document = format!("TAKEN={VALUE}\n");
    assert_eq!(outcomes(&server.try_import(&acme.cat, import(API, &document)).await.unwrap()), [Unchanged]);
    server.create_with(&acme.ann, ACME, "TAKEN", lock).await;
    assert_eq!(outcomes(&server.try_import(&acme.cat, import(API, &document)).await.unwrap()), [Updated]);
}

async fn an_import_by_whoever_lost_the_right_while_they_waited_tells_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let ann = format!("{ACME}/users/ann");
    let membership = server.bind(&acme.ann, API, &ann, v1::Role::Member).await.unwrap().name;
    let membership = membership.rsplit('/').next().unwrap().parse().unwrap();
    server.create(&acme.cat, API, "KEY", VALUE).await;
    let document = format!("KEY={VALUE}\n");
    assert_eq!(outcomes(&server.try_import(&acme.ann, import(API, &document)).await.unwrap()), [Unchanged]);
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    revision::lock(&blocking, acme.organization).await.unwrap().unwrap();
    let removal = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(binding::delete(&blocking, Some(acme.organization), membership).await.unwrap());
        commit(blocking).await.unwrap();
    };
    let (done, ()) = tokio::join!(server.try_import(&acme.ann, import(API, &document)), removal);
    assert_eq!(outcomes(&done.unwrap()), [Updated]);
}

async fn what_an_import_compares_is_recorded_as_a_delivery(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.bob, BOB, "KEY", VALUE).await.name;
    let other = server.create(&acme.bob, BOB, "ANOTHER", VALUE).await.name;
    let allowed = v1::AuditOutcome::Allowed;
    let document = format!("KEY={VALUE}\nANOTHER=longer than that\n");
    let review = v1::ImportSecretsRequest { validate_only: true, ..import(BOB, &document) };
    server.try_import(&acme.bob, review).await.unwrap();
    // Whoever learns that it is another value has learnt something.
    assert_eq!(server.compared(&acme.bob, &other).await, [(allowed, vec![1])]);
    server.try_import(&acme.bob, import(BOB, &document)).await.unwrap();
    assert_eq!(server.compared(&acme.bob, &name).await, [(allowed, vec![1]), (allowed, vec![1])]);
    // What is only created, or kept because it exists, is compared with nothing.
    server.try_import(&acme.bob, import(BOB, "NEW=value-1\n")).await.unwrap();
    let skip = v1::ImportSecretsRequest { conflict_policy: v1::ConflictPolicy::Skip.into(), ..import(BOB, &document) };
    server.try_import(&acme.bob, skip).await.unwrap();
    assert_eq!(server.compared(&acme.bob, &name).await.len(), 2);
}
