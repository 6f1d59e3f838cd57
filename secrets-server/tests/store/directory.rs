//! Organizations, projects, workspaces, users and service accounts.

use secrets_server::store::user::UserState;
use secrets_server::store::{
    StoreError, UniqueIndex, organization, project, revision, service_account, user, workspace,
};

use crate::store::fixture::{self, NOW, later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    keeps_organizations_and_frees_their_ids,
    pages_in_byte_order,
    keeps_projects_of_organizations_apart,
    refuses_to_delete_a_project_with_workspaces,
    assigns_workspaces_to_others,
    ends_users_and_purges_them_when_due,
    keeps_platform_service_accounts_apart,
    looks_up_more_workspaces_than_a_statement_has_parameters,
);

async fn looks_up_more_workspaces_than_a_statement_has_parameters(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let (ann, bob) = (fixture::user(db, acme, 20, "ann").await.uid, fixture::user(db, acme, 21, "bob").await.uid);
    let mut made = Vec::new();
    for (number, owner) in [(30, ann), (31, bob), (32, bob)] {
        let row = workspace::Workspace {
            uid: uid(number),
            organization: acme,
            workspace_id: format!("ws{number}").parse().unwrap(),
            project: None,
            owner: Some(owner),
            display_name: String::new(),
            create_time: NOW,
        };
        workspace::insert(db, &row).await.unwrap();
        made.push(row);
    }
    // As many as no statement has on either database; the last one is one that is there.
    let uids: Vec<_> = (0..70_000).map(|number| uid(1_000_000 + number)).chain([made[2].uid]).collect();
    assert_eq!(workspace::by_uids(db, acme, uids.clone()).await.unwrap(), made[2..]);
    assert_eq!(workspace::owned_by_or_among(db, acme, bob, uids.clone()).await.unwrap(), made[1..]);
    assert_eq!(workspace::owned_by_or_among(db, acme, ann, []).await.unwrap(), made[..1]);
}

async fn keeps_organizations_and_frees_their_ids(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    let mut acme = fixture::organization_row(1, "acme");
    organization::insert(db, &acme).await.unwrap();
    assert_eq!(organization::by_id(db, &acme.organization_id).await.unwrap(), Some(acme.clone()));
    acme.limits = r#"{"secrets_per_scope":3}"#.to_owned();
    acme.name_policy = secrets_core::NamePolicy::Relaxed;
    assert!(organization::update(db, &acme).await.unwrap());
    assert_eq!(organization::by_uid(db, acme.uid).await.unwrap(), Some(acme.clone()));

    assert!(organization::delete(db, acme.uid, NOW).await.unwrap());
    assert!(!organization::delete(db, acme.uid, NOW).await.unwrap());
    assert!(!organization::update(db, &acme).await.unwrap());
    assert_eq!(organization::by_id(db, &acme.organization_id).await.unwrap(), None);
    assert_eq!(organization::by_uid(db, acme.uid).await.unwrap(), None);
    organization::insert(db, &fixture::organization_row(2, "acme")).await.unwrap();
    assert_eq!(organization::count(db).await.unwrap(), 1);
    let again = organization::insert(db, &fixture::organization_row(3, "acme")).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::OrganizationId)));
}

/// PostgreSQL would order by the rules of a language if it were let.
async fn pages_in_byte_order(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    for (number, id) in ["b", "B", "a.b", "ab", "a-b", "A", "a"].into_iter().enumerate() {
        fixture::user(db, acme, 100 + number as u128, id).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = user::list(db, acme, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.user_id.clone());
        seen.extend(page.into_iter().map(|user| user.user_id.as_str().to_owned()));
    }
    assert_eq!(seen, ["A", "B", "a", "a-b", "a.b", "ab", "b"]);
    assert_eq!(user::count(db, acme).await.unwrap(), 7);
}

async fn keeps_projects_of_organizations_apart(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let globex = fixture::organization(&database.store, 2, "globex").await;
    let db = &database.store.begin().await.unwrap();
    let ours = fixture::project(db, acme, 10, "api").await;
    let theirs = fixture::project(db, globex, 11, "api").await;
    assert_eq!(project::by_id(db, acme, &ours.project_id).await.unwrap(), Some(ours.clone()));
    assert_eq!(project::by_uids(db, acme, [ours.uid, theirs.uid, uid(404)]).await.unwrap(), vec![ours.clone()]);
    assert_eq!(project::list(db, globex, None, 10).await.unwrap(), vec![theirs.clone()]);
    assert!(!project::delete(db, acme, theirs.uid).await.unwrap());
    assert!(project::delete(db, globex, theirs.uid).await.unwrap());
    assert_eq!(project::count(db, globex).await.unwrap(), 0);
    let again = project::insert(db, &fixture::project_row(acme, 12, "api")).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::ProjectId)));
}

async fn refuses_to_delete_a_project_with_workspaces(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let api = fixture::project(db, acme, 10, "api").await;
    fixture::workspace(db, acme, 20, "ws1", Some(api.uid)).await;
    assert_eq!(project::delete(db, acme, api.uid).await, Err(StoreError::ReferenceViolation));
}

async fn assigns_workspaces_to_others(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let api = fixture::project(db, acme, 10, "api").await;
    let ws1 = fixture::workspace(db, acme, 20, "ws1", Some(api.uid)).await;
    fixture::workspace(db, acme, 21, "ws2", None).await;
    assert!(workspace::transfer(db, acme, ws1.uid, Some(uid(30))).await.unwrap());
    let owned = workspace::owned_by(db, acme, uid(30)).await.unwrap();
    assert_eq!(owned, [workspace::Workspace { owner: Some(uid(30)), ..ws1.clone() }]);
    assert!(!workspace::transfer(db, uid(2), ws1.uid, None).await.unwrap(), "of another organization");
    assert_eq!(workspace::count(db, acme, None).await.unwrap(), 2);
    assert_eq!(workspace::count(db, acme, Some(api.uid)).await.unwrap(), 1);
    assert_eq!(workspace::list(db, acme, Some(api.uid), None, 10).await.unwrap(), owned);
    assert!(workspace::delete(db, acme, ws1.uid).await.unwrap());
    assert_eq!(workspace::by_id(db, acme, &ws1.workspace_id).await.unwrap(), None);
    assert_eq!(workspace::by_uids(db, acme, [ws1.uid]).await.unwrap(), []);
    assert!(project::delete(db, acme, api.uid).await.unwrap());
}

async fn ends_users_and_purges_them_when_due(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    let bob = fixture::user(db, acme, 30, "bob").await;
    assert!(user::set_state(db, acme, bob.uid, UserState::Active).await.unwrap());
    assert_eq!(user::by_id(db, acme, &bob.user_id).await.unwrap().unwrap().state, UserState::Active);
    assert!(user::delete(db, acme, bob.uid, NOW, later(60)).await.unwrap());
    assert_eq!(user::by_id(db, acme, &bob.user_id).await.unwrap(), None);
    assert_eq!(user::by_uids(db, acme, [bob.uid]).await.unwrap(), []);
    assert!(!user::set_state(db, acme, bob.uid, UserState::Active).await.unwrap());
    let newcomer = fixture::user(db, acme, 31, "bob").await;
    assert_eq!(user::purge(db, later(59), 10).await.unwrap(), 0);
    assert_eq!(user::purge(db, later(60), 10).await.unwrap(), 1);
    assert_eq!(user::list(db, acme, None, 10).await.unwrap(), [newcomer]);
    let again = user::insert(db, &fixture::user_row(acme, 32, "bob")).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::UserId)));
}

async fn keeps_platform_service_accounts_apart(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    revision::lock_platform(db).await.unwrap();
    let own = fixture::service_account_row(Some(acme), 40, "sandboxd");
    let platform = fixture::service_account_row(None, 41, "sandboxd");
    service_account::insert(db, &own).await.unwrap();
    service_account::insert(db, &platform).await.unwrap();
    let id = &own.service_account_id;
    assert_eq!(service_account::by_id(db, Some(acme), id).await.unwrap(), Some(own.clone()));
    assert_eq!(service_account::by_id(db, None, id).await.unwrap(), Some(platform.clone()));
    assert_eq!(service_account::by_uids(db, Some(acme), [own.uid, platform.uid]).await.unwrap().len(), 2);
    assert_eq!(service_account::by_uids(db, None, [own.uid, platform.uid]).await.unwrap(), vec![platform.clone()]);
    assert_eq!(service_account::list(db, Some(acme), None, 10).await.unwrap(), vec![own.clone()]);
    assert!(!service_account::delete(db, None, own.uid).await.unwrap());
    assert!(service_account::delete(db, Some(acme), own.uid).await.unwrap());
    assert_eq!(service_account::count(db, Some(acme)).await.unwrap(), 0);
    service_account::insert(db, &fixture::service_account_row(Some(acme), 42, "sandboxd")).await.unwrap();
    let again = service_account::insert(db, &fixture::service_account_row(None, 43, "sandboxd")).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::ServiceAccountId)));
}
