//! One query finds all that a context names.

use secrets_core::ContextName;
use secrets_server::store::context::{Located, locate};
use secrets_server::store::user;

use crate::store::fixture::{self, NOW, later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    finds_all_in_one_query,
    fills_in_the_project_of_a_workspace,
    leaves_out_what_is_not_there,
    keeps_organizations_apart
);

fn context(organization: &str, project: Option<&str>, workspace: Option<&str>, user: Option<&str>) -> ContextName {
    ContextName {
        organization: organization.parse().unwrap(),
        project: project.map(|id| id.parse().unwrap()),
        workspace: workspace.map(|id| id.parse().unwrap()),
        user: user.map(|id| id.parse().unwrap()),
    }
}

async fn find(database: &TestDatabase, context: ContextName) -> Option<Located> {
    database.statements.take();
    let located = locate(database.store.reader(), &context).await.unwrap();
    assert_eq!(database.statements.take().len(), 1);
    located
}

async fn finds_all_in_one_query(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let api = fixture::project(&tx, acme, 10, "api").await;
    fixture::project(&tx, acme, 11, "web").await;
    let ws1 = fixture::workspace(&tx, acme, 20, "ws1", Some(api.uid)).await;
    let bob = fixture::user(&tx, acme, 30, "bob").await;
    secrets_server::store::commit(tx).await.unwrap();
    let located = find(database, context("acme", Some("api"), Some("ws1"), Some("bob"))).await.unwrap();
    let organization = fixture::organization_row(1, "acme");
    assert_eq!(located, Located { organization, project: Some(api), workspace: Some(ws1), user: Some(bob) });
    let bare = find(database, context("acme", None, None, None)).await.unwrap();
    assert_eq!((bare.project, bare.workspace, bare.user), (None, None, None));
}

async fn fills_in_the_project_of_a_workspace(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let api = fixture::project(&tx, acme, 10, "api").await;
    let web = fixture::project(&tx, acme, 11, "web").await;
    fixture::workspace(&tx, acme, 20, "ws1", Some(api.uid)).await;
    fixture::workspace(&tx, acme, 21, "ws2", None).await;
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(find(database, context("acme", None, Some("ws1"), None)).await.unwrap().project, Some(api));
    assert_eq!(find(database, context("acme", None, Some("ws2"), None)).await.unwrap().project, None);
    let named = find(database, context("acme", Some("web"), Some("ws1"), None)).await.unwrap();
    assert_eq!(named.project, Some(web), "the contradiction is the caller's to see");
}

async fn leaves_out_what_is_not_there(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    fixture::user(&tx, acme, 30, "bob").await;
    assert!(user::delete(&tx, acme, uid(30), NOW, later(60)).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    let located = find(database, context("acme", Some("api"), Some("ws1"), Some("bob"))).await.unwrap();
    assert_eq!((located.project, located.workspace, located.user), (None, None, None));
    assert_eq!(find(database, context("globex", None, None, None)).await, None);
}

async fn keeps_organizations_apart(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    fixture::organization(&database.store, 2, "globex").await;
    let tx = database.store.begin().await.unwrap();
    fixture::project(&tx, acme, 10, "api").await;
    fixture::workspace(&tx, acme, 20, "ws1", None).await;
    fixture::user(&tx, acme, 30, "bob").await;
    secrets_server::store::commit(tx).await.unwrap();
    let located = find(database, context("globex", Some("api"), Some("ws1"), Some("bob"))).await.unwrap();
    assert_eq!((located.project, located.workspace, located.user), (None, None, None));
}
