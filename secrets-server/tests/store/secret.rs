//! Secrets: what is stored comes back, names and places are unique, and pages have an order.

use std::collections::BTreeSet;

use secrets_core::{FileMode, Labels, OverridePolicy, Redaction, Scope, ScopeKind, Target, Visibility};
use secrets_server::store::secret::{
    self, AnswerSize, Secret, SecretOrder, SecretPosition, SecretQuery, SecretWithVersion, Usage,
};
use secrets_server::store::{StoreError, UniqueIndex, version};

use crate::store::fixture::{self, NOW, file, later, registry, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    reads_a_secret_as_it_was_written,
    updates_each_field_that_can_be_updated,
    refuses_a_name_twice_in_a_scope,
    refuses_a_destination_twice_in_a_scope,
    moves_to_another_destination_with_a_new_version,
    pages_by_name_and_by_time,
    measures_a_scope,
    measures_in_the_database_what_is_measured_here,
    fetches_candidates_in_one_query,
    reads_a_whole_scope_page_by_page,
    fetches_selections_in_one_more,
    forgets_a_resource_in_all_selections,
    refuses_a_secret_of_no_organization,
    reports_a_corrupt_label,
    reports_a_missing_version,
);

pub fn organization_scope() -> Scope {
    Scope::new(ScopeKind::Organization, uid(1))
}

pub fn project_scope() -> Scope {
    Scope::new(ScopeKind::Project, uid(10))
}

fn selected(projects: &[u128], workspaces: &[u128]) -> Visibility {
    let set = |numbers: &[u128]| numbers.iter().map(|number| uid(*number)).collect();
    Visibility::Selected { projects: set(projects), workspaces: set(workspaces) }
}

async fn reads_a_secret_as_it_was_written(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let targets = [Target::EnvironmentVariable, file("~/.ssh/deploy_key"), registry("ghcr.io", "bob"), Target::ApiOnly];
    for (number, target) in (50..).zip(targets) {
        let (mut secret, mut version) = fixture::secret(acme, organization_scope(), number, &format!("NAME_{number}"));
        secret.description = "ünïcode\nand lines".parse().unwrap();
        secret.labels = secrets_core::Labels::new([("team", "payments"), ("tier", "")]).unwrap();
        secret.group = Some("aws".parse().unwrap());
        secret.visibility = selected(&[10, 11], &[20]);
        secret.override_policy = OverridePolicy::Locked;
        secret.redaction = Redaction::Off;
        secret.disabled = true;
        secret.expire_time = Some(later(100));
        version.target = target;
        version.source_version = Some(1);
        secret::insert(db, &secret, &version).await.unwrap();
        let stored = SecretWithVersion { secret: secret.clone(), version };
        let current = secret::current(db, acme, secret.scope, &secret.secret_id).await.unwrap();
        assert_eq!(current.as_ref(), Some(&stored));
        assert_eq!(secret::by_uid(db, acme, secret.uid).await.unwrap(), Some(stored));
        assert_eq!(secret::by_uid(db, uid(2), secret.uid).await.unwrap(), None, "of another organization");
        assert_eq!(secret::current(db, acme, project_scope(), &secret.secret_id).await.unwrap(), None);
    }
}

async fn updates_each_field_that_can_be_updated(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (mut secret, first) = fixture::secret(acme, organization_scope(), 50, "A");
    secret.visibility = selected(&[10], &[]);
    secret::insert(db, &secret, &first).await.unwrap();

    secret.description = "changed".parse().unwrap();
    secret.visibility = selected(&[], &[20]);
    secret.revision = 2;
    secret.update_time = later(5);
    assert!(secret::update(db, &secret).await.unwrap());
    let stored = secret::by_uid(db, acme, secret.uid).await.unwrap().unwrap();
    assert_eq!(stored, SecretWithVersion { secret: secret.clone(), version: first });

    let second = fixture::version(50, 2, Target::EnvironmentVariable);
    secret.current_version = 2;
    secret.visibility = Visibility::All;
    assert!(secret::add_version(db, &secret, &second).await.unwrap());
    let stored = secret::by_uid(db, acme, secret.uid).await.unwrap().unwrap();
    assert_eq!(stored, SecretWithVersion { secret: secret.clone(), version: second });

    let stranger = Secret { organization: uid(2), ..secret };
    assert!(!secret::update(db, &stranger).await.unwrap());
    assert!(!secret::add_version(db, &stranger, &fixture::version(50, 3, Target::ApiOnly)).await.unwrap());
    assert_eq!(version::count(db, acme, uid(50)).await.unwrap(), 2);
}

async fn refuses_a_name_twice_in_a_scope(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let insert = async |scope, number, name: &str| {
        let (secret, mut version) = fixture::secret(acme, scope, number, name);
        version.target = Target::ApiOnly;
        secret::insert(db, &secret, &version).await
    };
    insert(organization_scope(), 50, "A").await.unwrap();
    insert(project_scope(), 51, "A").await.unwrap();
    insert(organization_scope(), 52, "a").await.unwrap();
    let twice = insert(organization_scope(), 53, "A").await;
    assert_eq!(twice, Err(StoreError::UniqueViolation(UniqueIndex::SecretId)));
}

async fn refuses_a_destination_twice_in_a_scope(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let pairs = [(file("/a"), file("/a")), (registry("ghcr.io", "bob"), registry("ghcr.io", "ann"))];
    for (number, (first, second)) in (50..).step_by(10).zip(pairs) {
        let db = &database.store.begin().await.unwrap();
        let insert = async |scope, number, target: &Target| {
            let (secret, mut version) = fixture::secret(acme, scope, number, &format!("NAME_{number}"));
            version.target = target.clone();
            secret::insert(db, &secret, &version).await
        };
        insert(organization_scope(), number, &first).await.unwrap();
        insert(project_scope(), number + 1, &first).await.unwrap();
        insert(organization_scope(), number + 2, &Target::ApiOnly).await.unwrap();
        insert(organization_scope(), number + 3, &Target::ApiOnly).await.unwrap();
        let twice = insert(organization_scope(), number + 4, &second).await;
        assert_eq!(twice, Err(StoreError::UniqueViolation(UniqueIndex::Destination)), "{first:?}");
    }
}

async fn moves_to_another_destination_with_a_new_version(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (first, mut version) = fixture::secret(acme, organization_scope(), 50, "A");
    version.target = file("/a");
    secret::insert(db, &first, &version).await.unwrap();
    let moved = Secret { current_version: 2, ..first };
    assert!(secret::add_version(db, &moved, &fixture::version(50, 2, file("/b"))).await.unwrap());
    let (second, mut version) = fixture::secret(acme, organization_scope(), 51, "B");
    version.target = file("/a");
    secret::insert(db, &second, &version).await.unwrap();
    let onto = Secret { current_version: 2, ..second };
    let taken = secret::add_version(db, &onto, &fixture::version(51, 2, file("/b"))).await;
    assert_eq!(taken, Err(StoreError::UniqueViolation(UniqueIndex::Destination)));
}

async fn pages_by_name_and_by_time(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for (number, name, seconds) in [(50, "B", 0), (51, "_A", 1), (52, "A", 1), (53, "b", 3), (54, "AA", 2)] {
        let (mut secret, version) = fixture::secret(acme, project_scope(), number, name);
        secret.create_time = later(seconds);
        secret::insert(db, &secret, &version).await.unwrap();
    }
    let (other, version) = fixture::secret(acme, organization_scope(), 55, "OTHER");
    secret::insert(db, &other, &version).await.unwrap();
    let stamp = secret::Stamp { revision: 2, time: later(9), updater: "ann".to_owned() };
    secret::delete(db, acme, uid(50), later(99), &stamp).await.unwrap();
    let (again, version) = fixture::secret(acme, project_scope(), 56, "B");
    secret::insert(db, &again, &version).await.unwrap();

    let pages = async |query: SecretQuery| {
        let mut names = Vec::new();
        let mut after: Option<SecretPosition> = None;
        loop {
            let page = secret::list(db, acme, project_scope(), query, after.as_ref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(SecretPosition::from(&last.secret));
            names.extend(page.iter().map(|current| current.secret.secret_id.as_str().to_owned()));
        }
        let count = secret::count(db, acme, project_scope(), query).await.unwrap();
        assert_eq!(count, names.len() as u64);
        names.join(" ")
    };
    let by_name = SecretQuery::default();
    let by_time = SecretQuery { order: SecretOrder::CreateTime, ..by_name };
    assert_eq!(pages(by_name).await, "A AA B _A b");
    assert_eq!(pages(SecretQuery { descending: true, ..by_name }).await, "b _A B AA A");
    assert_eq!(pages(SecretQuery { show_deleted: true, ..by_name }).await, "A AA B B _A b");
    assert_eq!(pages(by_time).await, "B _A A AA b");
    assert_eq!(pages(SecretQuery { descending: true, ..by_time }).await, "b AA A _A B");
}

async fn measures_a_scope(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let size = AnswerSize::in_scope("organizations/acme/projects/api");
    assert_eq!(secret::usage(db, acme, project_scope(), size).await.unwrap(), Usage::default());
    for (number, name) in [(50, "A"), (51, "B"), (52, "C")] {
        let (secret, version) = fixture::secret(acme, project_scope(), number, name);
        secret::insert(db, &secret, &version).await.unwrap();
    }
    let (other, version) = fixture::secret(acme, organization_scope(), 53, "A");
    secret::insert(db, &other, &version).await.unwrap();
    let (a, _) = fixture::secret(acme, project_scope(), 50, "A");
    let newer = Secret { current_version: 2, ..a };
    secret::add_version(db, &newer, &fixture::version(50, 2, Target::EnvironmentVariable)).await.unwrap();
    let stamp = secret::Stamp { revision: 2, time: NOW, updater: "ann".to_owned() };
    secret::delete(db, acme, uid(52), later(99), &stamp).await.unwrap();
    let usage = secret::usage(db, acme, project_scope(), size).await.unwrap();
    let live = secret::candidates(db, acme, &[project_scope()]).await.unwrap();
    assert_eq!(usage, Usage { secrets: 2, bytes: live.iter().map(|each| size.current(each)).sum() });
}

async fn measures_in_the_database_what_is_measured_here(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let size = AnswerSize::in_scope("organizations/acme/projects/api");
    let targets = [
        Target::EnvironmentVariable,
        Target::ApiOnly,
        Target::File { path: "~/é/key.pem".parse().unwrap(), mode: FileMode::new(0o600).unwrap() },
        Target::Registry { host: "ghcr.io".parse().unwrap(), username: "bot".parse().unwrap() },
    ];
    let mut bytes = 0;
    for (number, target) in (50..).zip(targets) {
        let (mut new, mut version) = fixture::secret(acme, project_scope(), number, &format!("NAME_{number}"));
        version.target = target;
        if number % 2 == 0 {
            version.value_bytes = 60_000;
        } else {
            new.description = "ключ".parse().unwrap();
            new.labels = Labels::new([("team", "\"ü\"")]).unwrap();
            new.group = Some("aws".parse().unwrap());
        }
        secret::insert(db, &new, &version).await.unwrap();
        bytes += size.of(&new, &version.target, version.value_bytes.into());
        assert_eq!(secret::usage(db, acme, project_scope(), size).await.unwrap().bytes, bytes, "{:?}", version.target);
    }
}

async fn fetches_candidates_in_one_query(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    fixture::organization(&database.store, 2, "globex").await;
    let tx = database.store.begin().await.unwrap();
    let workspace = Scope::new(ScopeKind::Workspace, uid(20));
    for number in 0..40 {
        let scope = [organization_scope(), project_scope(), workspace][number as usize % 3];
        let (secret, version) = fixture::secret(acme, scope, 100 + number, &format!("NAME_{number:02}"));
        secret::insert(&tx, &secret, &version).await.unwrap();
    }
    let (deleted, version) = fixture::secret(acme, project_scope(), 200, "GONE");
    secret::insert(&tx, &deleted, &version).await.unwrap();
    let stamp = secret::Stamp { revision: 2, time: NOW, updater: "ann".to_owned() };
    secret::delete(&tx, acme, uid(200), later(9), &stamp).await.unwrap();
    secrets_server::store::commit(tx).await.unwrap();

    database.statements.take();
    let db = database.store.reader();
    let found = secret::candidates(db, acme, &[organization_scope(), project_scope()]).await.unwrap();
    assert_eq!(database.statements.take().len(), 1);
    assert_eq!(found.len(), 27);
    assert!(found.is_sorted_by_key(|current| current.secret.secret_id.clone()));
    assert!(found.iter().all(|current| current.secret.scope != workspace));
    let candidate = found[0].candidate();
    assert_eq!((candidate.secret, candidate.version, candidate.scope), (uid(100), 1, organization_scope()));
    assert_eq!(secret::candidates(db, uid(2), &[project_scope()]).await.unwrap(), [], "of another organization");
}

async fn reads_a_whole_scope_page_by_page(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let scopes = [(organization_scope(), 150), (project_scope(), 256), (Scope::new(ScopeKind::Workspace, uid(20)), 1)];
    let mut number = 1_000;
    for (scope, count) in scopes {
        let all = (0..count).map(|index| {
            number += 1;
            let (secret, version) = fixture::secret(acme, scope, number, &format!("NAME_{index:03}"));
            SecretWithVersion { secret, version }
        });
        secret::insert_many(&tx, &all.collect::<Vec<_>>()).await.unwrap();
    }
    secrets_server::store::commit(tx).await.unwrap();

    let db = database.store.reader();
    database.statements.take();
    let found = secret::candidates_in_pieces(db, acme, &scopes.map(|(scope, _)| scope)).await.unwrap();
    let statements = database.statements.take();
    assert!(statements.len() <= 10, "{statements:?}");
    let place = |found: &SecretWithVersion| (found.secret.secret_id.clone(), found.secret.uid);
    let places: BTreeSet<_> = found.iter().map(place).collect();
    assert_eq!((found.len(), places.len()), (407, 407), "each once");
    assert!(found.is_sorted_by_key(place));
    assert_eq!(found, secret::candidates(db, acme, &scopes.map(|(scope, _)| scope)).await.unwrap());

    for (scope, count) in scopes {
        let every = secret::every(db, acme, scope, SecretQuery::default()).await.unwrap();
        assert_eq!(every.len(), usize::try_from(count).unwrap());
        assert!(every.is_sorted_by_key(place) && every.iter().all(|each| each.secret.scope == scope));
    }
}

async fn fetches_selections_in_one_more(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let reach = [selected(&[10], &[20, 21]), selected(&[], &[]), Visibility::All, selected(&[11], &[])];
    for (number, visibility) in (50..).zip(reach.clone()) {
        let (mut secret, version) = fixture::secret(acme, organization_scope(), number, &format!("NAME_{number}"));
        secret.visibility = visibility;
        secret::insert(&tx, &secret, &version).await.unwrap();
    }
    secrets_server::store::commit(tx).await.unwrap();
    database.statements.take();
    let found = secret::candidates(database.store.reader(), acme, &[organization_scope()]).await.unwrap();
    assert_eq!(database.statements.take().len(), 2);
    let found: Vec<_> = found.into_iter().map(|current| current.secret.visibility).collect();
    assert_eq!(found, reach);
}

async fn forgets_a_resource_in_all_selections(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for (number, visibility) in [(50, selected(&[10, 11], &[])), (51, selected(&[10], &[])), (52, selected(&[], &[20]))]
    {
        let (mut secret, version) = fixture::secret(acme, organization_scope(), number, &format!("NAME_{number}"));
        secret.visibility = visibility;
        secret::insert(db, &secret, &version).await.unwrap();
    }
    assert_eq!(secret::forget_resource(db, uid(2), uid(10)).await.unwrap(), 0, "of another organization");
    assert_eq!(secret::forget_resource(db, acme, uid(10)).await.unwrap(), 2);
    let found = secret::candidates(db, acme, &[organization_scope()]).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|current| current.secret.visibility).collect();
    assert_eq!(found, [selected(&[11], &[]), selected(&[], &[]), selected(&[], &[20])], "an empty one reaches nobody");
}

async fn refuses_a_secret_of_no_organization(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    let (secret, version) = fixture::secret(uid(404), organization_scope(), 50, "A");
    assert_eq!(secret::insert(db, &secret, &version).await, Err(StoreError::ReferenceViolation));
}

async fn reports_a_corrupt_label(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (secret, version) = fixture::secret(acme, project_scope(), 50, "A");
    secret::insert(db, &secret, &version).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(db, "UPDATE secrets SET labels = 'whatever'").await.unwrap();
    let expected = StoreError::Corrupt { table: "secrets", column: "labels".into(), row: uid(50).to_string() };
    assert_eq!(secret::by_uid(db, acme, uid(50)).await, Err(expected));
}

async fn reports_a_missing_version(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (secret, version) = fixture::secret(acme, project_scope(), 50, "A");
    secret::insert(db, &secret, &version).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(db, "DELETE FROM secret_versions").await.unwrap();
    let expected = StoreError::Corrupt { table: "secrets", column: "current_version".into(), row: uid(50).to_string() };
    assert_eq!(secret::candidates(db, acme, &[project_scope()]).await, Err(expected));
}
