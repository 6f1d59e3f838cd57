//! Bindings, and the last admin.

use std::sync::Arc;

use secrets_core::Binding;
use secrets_core::principal::{PrincipalKind, PrincipalRef};
use secrets_core::role::{Role, RoleResource};
use secrets_core::{Scope, ScopeKind};
use secrets_server::store::binding::{self, BindingRecord};
use secrets_server::store::{StoreError, UniqueIndex, commit, revision};
use tokio::sync::Barrier;

use crate::store::fixture::{self, NOW, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    finds_those_of_principals_here_and_on_the_platform,
    refuses_the_same_role_twice,
    lists_and_removes_those_on_a_resource,
    removes_those_of_a_principal,
    keeps_the_last_of_32_admins,
);

fn user(number: u128) -> PrincipalRef {
    PrincipalRef { kind: PrincipalKind::User, uid: uid(number) }
}

fn service_account(number: u128) -> PrincipalRef {
    PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(number) }
}

fn row(number: u128, principal: PrincipalRef, role: Role, on: RoleResource) -> BindingRecord {
    let binding = Binding { principal, role, resource: on };
    BindingRecord { uid: uid(number), binding, create_time: NOW, creator: "operator".to_owned() }
}

async fn finds_those_of_principals_here_and_on_the_platform(database: &TestDatabase) {
    let (acme, globex) = (uid(1), uid(2));
    let db = &database.store.begin().await.unwrap();
    let rows = [
        row(10, user(30), Role::Member, RoleResource::Organization(acme)),
        row(11, user(30), Role::Admin, RoleResource::Project { organization: acme, project: uid(5) }),
        row(12, service_account(40), Role::Delegate, RoleResource::Platform),
        row(13, service_account(40), Role::Resolver, RoleResource::Workspace { organization: acme, workspace: uid(6) }),
        row(14, service_account(40), Role::Resolver, RoleResource::Organization(globex)),
        row(15, user(31), Role::Member, RoleResource::Organization(acme)),
    ];
    for row in &rows {
        binding::insert(db, row).await.unwrap();
        assert_eq!(binding::find(db, &row.binding).await.unwrap().as_ref(), Some(row));
        let organization = row.binding.resource.organization();
        assert_eq!(binding::by_uid(db, organization, row.uid).await.unwrap().as_ref(), Some(row));
    }
    let expected: Vec<_> = rows[..4].iter().map(|row| row.binding).collect();
    let found = binding::of_principals(db, acme, &[user(30), service_account(40)]).await.unwrap();
    assert_eq!(found, expected);
    assert_eq!(binding::of_principals(db, acme, &[service_account(30)]).await.unwrap(), [], "of another kind");
    assert_eq!(binding::of_principals(db, acme, &[]).await.unwrap(), []);
    let everywhere: Vec<_> = rows[2..5].iter().map(|row| row.binding).collect();
    assert_eq!(binding::of_principal_everywhere(db, service_account(40)).await.unwrap(), everywhere);
    assert_eq!(binding::by_uid(db, Some(acme), uid(12)).await.unwrap(), None, "of the platform");
}

async fn refuses_the_same_role_twice(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    binding::insert(db, &row(10, user(30), Role::Member, RoleResource::Organization(uid(1)))).await.unwrap();
    binding::insert(db, &row(11, user(30), Role::Auditor, RoleResource::Organization(uid(1)))).await.unwrap();
    binding::insert(db, &row(12, user(30), Role::Member, RoleResource::Organization(uid(2)))).await.unwrap();
    let again = binding::insert(db, &row(13, user(30), Role::Member, RoleResource::Organization(uid(1)))).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::Binding)));
}

async fn lists_and_removes_those_on_a_resource(database: &TestDatabase) {
    let acme = uid(1);
    let project = RoleResource::Project { organization: acme, project: uid(5) };
    let db = &database.store.begin().await.unwrap();
    for number in 0..5 {
        binding::insert(db, &row(10 + number, user(30 + number), Role::Member, project)).await.unwrap();
    }
    binding::insert(db, &row(20, user(30), Role::Member, RoleResource::Organization(acme))).await.unwrap();
    let uids = |rows: Vec<BindingRecord>| rows.into_iter().map(|row| row.uid).collect::<Vec<_>>();
    assert_eq!(uids(binding::list(db, project, None, 3).await.unwrap()), [uid(10), uid(11), uid(12)]);
    assert_eq!(uids(binding::list(db, project, Some(uid(12)), 3).await.unwrap()), [uid(13), uid(14)]);
    assert_eq!(binding::count(db, project).await.unwrap(), 5);
    assert!(!binding::delete(db, Some(uid(2)), uid(10)).await.unwrap(), "of another organization");
    assert!(binding::delete(db, Some(acme), uid(10)).await.unwrap());
    assert_eq!(binding::delete_on(db, acme, uid(5)).await.unwrap(), 4);
    assert_eq!(binding::count(db, RoleResource::Organization(acme)).await.unwrap(), 1);
}

async fn removes_those_of_a_principal(database: &TestDatabase) {
    let acme = uid(1);
    let db = &database.store.begin().await.unwrap();
    binding::insert(db, &row(10, user(30), Role::Member, RoleResource::Organization(acme))).await.unwrap();
    binding::insert(db, &row(11, user(31), Role::Member, RoleResource::Organization(acme))).await.unwrap();
    binding::insert(db, &row(12, service_account(40), Role::Resolver, RoleResource::Organization(acme))).await.unwrap();
    binding::insert(db, &row(13, service_account(40), Role::Delegate, RoleResource::Platform)).await.unwrap();
    assert_eq!(binding::delete_of_principal(db, Some(acme), user(30)).await.unwrap(), 1);
    assert_eq!(binding::delete_of_principal(db, None, service_account(40)).await.unwrap(), 1);
    assert_eq!(binding::delete_of_principal_everywhere(db, service_account(40)).await.unwrap(), 1);
    assert_eq!(binding::of_principals(db, acme, &[user(30), service_account(40)]).await.unwrap(), []);
    assert_eq!(binding::of_principals(db, acme, &[user(31)]).await.unwrap().len(), 1);
}

/// Each of 32 admins leaves at the same time, and may if another one is left.
async fn keeps_the_last_of_32_admins(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    for number in 0..32 {
        binding::insert(&tx, &row(100 + number, user(200 + number), Role::Admin, RoleResource::Organization(acme)))
            .await
            .unwrap();
    }
    commit(tx).await.unwrap();
    let start = Arc::new(Barrier::new(32));
    let leaving: Vec<_> = (0..32)
        .map(|number| {
            let (store, start) = (database.store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let tx = store.begin().await?;
                let mut lock = revision::lock(&tx, acme).await?.expect("the organization is there");
                if binding::count_admins(&tx, acme).await? < 2 {
                    return Ok(false);
                }
                assert!(binding::delete(&tx, Some(acme), uid(100 + number)).await?);
                lock.bump(&tx, Scope::new(ScopeKind::Organization, acme), uid(number), NOW).await?;
                commit(tx).await?;
                Ok::<_, StoreError>(true)
            })
        })
        .collect();
    let mut left = 0;
    for admin in leaving {
        left += u32::from(admin.await.unwrap().unwrap());
    }
    assert_eq!(left, 31);
    assert_eq!(binding::count_admins(database.store.reader(), acme).await.unwrap(), 1);
}
