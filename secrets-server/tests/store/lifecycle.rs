//! Secrets go, come back, and go for good; so do their versions.

use std::sync::Arc;

use secrets_core::Target;
use secrets_server::store::secret::{self, AnswerSize, Secret, Stamp};
use secrets_server::store::{StoreError, UniqueIndex, commit, key, revision, version};
use tokio::sync::Barrier;

use crate::store::fixture::{self, NOW, later, uid};
use crate::store::secret::{organization_scope, project_scope};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    frees_the_name_of_a_deleted_secret_and_restores_it,
    refuses_to_restore_what_would_collide,
    finds_the_one_that_was_deleted_last,
    purges_what_is_due_and_nothing_else,
    deletes_and_purges_scopes,
    keeps_versions_and_wipes_destroyed_ones,
    counts_what_is_sealed_under_a_data_key,
    keeps_the_limit_of_a_scope_with_32_writers,
);

fn stamp(revision: u64, seconds: i64) -> Stamp {
    Stamp { revision, time: later(seconds), updater: "organizations/acme/users/bob".to_owned() }
}

async fn frees_the_name_of_a_deleted_secret_and_restores_it(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (secret, first) = fixture::secret(acme, project_scope(), 50, "A");
    secret::insert(db, &secret, &first).await.unwrap();
    assert!(secret::delete(db, acme, secret.uid, later(99), &stamp(2, 5)).await.unwrap());
    assert!(!secret::delete(db, acme, secret.uid, later(99), &stamp(3, 6)).await.unwrap());
    assert_eq!(secret::current(db, acme, project_scope(), &secret.secret_id).await.unwrap(), None);
    assert!(!secret::update(db, &secret).await.unwrap(), "a deleted secret does not change");
    let deleted = secret::by_uid(db, acme, secret.uid).await.unwrap().unwrap().secret;
    assert_eq!((deleted.delete_time, deleted.purge_time, deleted.revision), (Some(later(5)), Some(later(99)), 2));
    assert_eq!(deleted.updater, "organizations/acme/users/bob");

    assert!(secret::undelete(db, acme, secret.uid, &stamp(3, 7)).await.unwrap());
    assert!(!secret::undelete(db, acme, secret.uid, &stamp(4, 8)).await.unwrap());
    let back = secret::current(db, acme, project_scope(), &secret.secret_id).await.unwrap().unwrap().secret;
    assert_eq!((back.delete_time, back.purge_time, back.revision), (None, None, 3));
}

async fn refuses_to_restore_what_would_collide(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    for (newcomer, target, rule) in
        [("A", Target::ApiOnly, UniqueIndex::SecretId), ("B", fixture::file("/a"), UniqueIndex::Destination)]
    {
        let db = &database.store.begin().await.unwrap();
        let (secret, mut first) = fixture::secret(acme, project_scope(), 50, "A");
        first.target = fixture::file("/a");
        secret::insert(db, &secret, &first).await.unwrap();
        secret::delete(db, acme, secret.uid, later(99), &stamp(2, 5)).await.unwrap();
        let (other, mut first) = fixture::secret(acme, project_scope(), 51, newcomer);
        first.target = target;
        secret::insert(db, &other, &first).await.unwrap();
        let back = secret::undelete(db, acme, secret.uid, &stamp(3, 6)).await;
        assert_eq!(back, Err(StoreError::UniqueViolation(rule)));
    }
}

async fn finds_the_one_that_was_deleted_last(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for (number, seconds) in [(50, 5), (51, 7), (52, 6)] {
        let (secret, first) = fixture::secret(acme, project_scope(), number, "A");
        secret::insert(db, &secret, &first).await.unwrap();
        secret::delete(db, acme, secret.uid, later(99), &stamp(2, seconds)).await.unwrap();
    }
    let name = fixture::secret(acme, project_scope(), 50, "A").0.secret_id;
    let last = secret::last_deleted(db, acme, project_scope(), &name).await.unwrap().unwrap();
    assert_eq!(last.secret.uid, uid(51));
    assert_eq!(secret::last_deleted(db, acme, organization_scope(), &name).await.unwrap(), None);
}

async fn purges_what_is_due_and_nothing_else(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for number in 50..55 {
        let (secret, first) = fixture::secret(acme, project_scope(), number, &format!("NAME_{number}"));
        secret::insert(db, &secret, &first).await.unwrap();
        if number < 54 {
            let purge_time = later(if number == 53 { 200 } else { 100 });
            secret::delete(db, acme, secret.uid, purge_time, &stamp(2, 5)).await.unwrap();
        }
    }
    secret::undelete(db, acme, uid(50), &stamp(3, 6)).await.unwrap();
    assert_eq!(secret::purge_due(db, later(99), 10).await.unwrap(), 0);
    assert_eq!(secret::purge_due(db, later(100), 1).await.unwrap(), 1);
    assert_eq!(secret::purge_due(db, later(100), 10).await.unwrap(), 1);
    for (number, there) in [(50, true), (51, false), (52, false), (53, true), (54, true)] {
        assert_eq!(secret::by_uid(db, acme, uid(number)).await.unwrap().is_some(), there, "{number}");
        assert_eq!(version::count(db, acme, uid(number)).await.unwrap(), u64::from(there), "versions go along");
    }
}

async fn deletes_and_purges_scopes(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for number in 50..53 {
        let (secret, first) = fixture::secret(acme, project_scope(), number, &format!("NAME_{number}"));
        secret::insert(db, &secret, &first).await.unwrap();
    }
    let (other, first) = fixture::secret(acme, organization_scope(), 53, "OTHER");
    secret::insert(db, &other, &first).await.unwrap();
    secret::delete(db, acme, uid(50), later(99), &stamp(2, 5)).await.unwrap();
    assert_eq!(secret::delete_scope(db, acme, project_scope(), later(99), &stamp(3, 6)).await.unwrap(), 2);
    assert_eq!(secret::candidates(db, acme, &[project_scope(), organization_scope()]).await.unwrap().len(), 1);
    assert_eq!(secret::purge_scope(db, uid(2), project_scope()).await.unwrap(), 0, "of another organization");
    assert_eq!(secret::purge_scope(db, acme, project_scope()).await.unwrap(), 3);
    assert!(secret::purge(db, acme, other.uid).await.unwrap());
    assert!(!secret::purge(db, acme, other.uid).await.unwrap());
}

async fn keeps_versions_and_wipes_destroyed_ones(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (secret, first) = fixture::secret(acme, project_scope(), 50, "A");
    secret::insert(db, &secret, &first).await.unwrap();
    let second = fixture::version(50, 2, fixture::registry("ghcr.io", "bob"));
    let newer = Secret { current_version: 2, ..secret };
    assert!(secret::add_version(db, &newer, &second).await.unwrap());
    let numbers = version::list(db, acme, uid(50)).await.unwrap();
    assert_eq!(numbers, [second.clone(), first.clone()]);
    assert_eq!(version::by_number(db, acme, uid(50), 1).await.unwrap(), Some(first));
    assert_eq!(version::by_number(db, acme, uid(50), 3).await.unwrap(), None);

    assert!(!version::destroy(db, uid(2), uid(50), 1, later(9)).await.unwrap(), "of another organization");
    assert!(version::destroy(db, acme, uid(50), 1, later(9)).await.unwrap());
    assert!(!version::destroy(db, acme, uid(50), 1, later(10)).await.unwrap());
    let destroyed = version::by_number(db, acme, uid(50), 1).await.unwrap().unwrap();
    assert_eq!((destroyed.blob, destroyed.destroy_time), (Vec::new(), Some(later(9))));
    assert!(version::remove(db, acme, uid(50), 1).await.unwrap());
    assert_eq!(version::count(db, acme, uid(50)).await.unwrap(), 1);
    let again = secret::add_version(db, &newer, &second).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::SecretVersion)));
}

async fn counts_what_is_sealed_under_a_data_key(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for number in 50..53 {
        let (secret, first) = fixture::secret(acme, project_scope(), number, &format!("NAME_{number}"));
        secret::insert(db, &secret, &first).await.unwrap();
    }
    version::destroy(db, acme, uid(50), 1, NOW).await.unwrap();
    secret::delete(db, acme, uid(51), later(9), &stamp(2, 5)).await.unwrap();
    assert_eq!(key::count_sealed_under(db, acme, 1).await.unwrap(), 2, "a deleted secret counts");
    assert_eq!(key::count_sealed_under(db, acme, 2).await.unwrap(), 0);
}

async fn keeps_the_limit_of_a_scope_with_32_writers(database: &TestDatabase) {
    let size = AnswerSize::in_scope("organizations/acme/projects/api");
    let (new, first) = fixture::secret(uid(1), project_scope(), 100, "NAME_10");
    let each = size.of(&new, &first.target, first.value_bytes.into());
    let limit = 10 * each;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let start = Arc::new(Barrier::new(32));
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let (store, start) = (database.store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let tx = store.begin().await?;
                let mut lock = revision::lock(&tx, acme).await?.expect("the organization is there");
                if secret::usage(&tx, acme, project_scope(), size).await?.bytes + each > limit {
                    return Ok(false);
                }
                let revision = lock.bump(&tx, project_scope(), uid(writer), NOW).await?;
                let (mut new, first) =
                    fixture::secret(acme, project_scope(), 100 + writer, &format!("NAME_{writer:02}"));
                new.revision = revision;
                secret::insert(&tx, &new, &first).await?;
                commit(tx).await?;
                Ok::<_, StoreError>(true)
            })
        })
        .collect();
    let mut inserted = 0;
    for writer in writers {
        inserted += u64::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(inserted, 10);
    let reader = database.store.reader();
    assert_eq!(secret::usage(reader, acme, project_scope(), size).await.unwrap().bytes, limit);
    let mut revisions: Vec<_> = secret::candidates(reader, acme, &[project_scope()])
        .await
        .unwrap()
        .into_iter()
        .map(|current| current.secret.revision)
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=10).collect::<Vec<_>>(), "each change has a revision of its own");
}
