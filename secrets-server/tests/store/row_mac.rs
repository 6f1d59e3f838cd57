//! Rows that somebody edits in the database itself: each column that decides, one at a time.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use secrets_core::principal::{PrincipalKind, PrincipalRef};
use secrets_core::{Binding, CredentialKind, Redaction, Role, RoleResource, Uid, Visibility};
use secrets_server::store::binding::BindingRecord;
use secrets_server::store::credential::{Credential, CredentialFilter, Origin};
use secrets_server::store::user::UserState;
use secrets_server::store::{
    WriteTransaction, binding, caller, commit, credential, fill_row_macs, secret, user, workspace,
};

use crate::store::fixture::{self, NOW, later, uid};
use crate::store::secret::organization_scope;
use crate::support::database::{TestDatabase, row_key};
use crate::support::on_both::on_both;

on_both!(
    an_edited_column_that_decides_makes_the_row_absent,
    a_row_without_a_mac_is_absent,
    an_edited_selection_makes_the_secret_absent,
    what_has_ended_stays_ended,
    what_is_deleted_by_itself_comes_back_as_it_was,
    a_list_goes_on_behind_a_damaged_row,
    a_damaged_row_is_reported_once,
    rows_of_another_key_are_absent,
    rows_without_macs_get_them,
);

/// What nobody decides by: it may be edited, and the row stays.
const FREE: [(&str, &[&str]); 5] = [
    ("credentials", &["revoke_time", "last_used_time", "redeemed_for_uid"]),
    ("bindings", &[]),
    ("users", &["display_name", "delete_time", "purge_time"]),
    ("workspaces", &["display_name"]),
    (
        "secrets",
        &["description", "labels", "place_key", "revision", "create_time", "creator", "update_time", "updater"],
    ),
];

fn principal(number: u128) -> PrincipalRef {
    PrincipalRef { kind: PrincipalKind::User, uid: uid(number) }
}

fn session(number: u128) -> Credential {
    let mut mac = [0; 32];
    mac[..16].copy_from_slice(&number.to_be_bytes());
    Credential {
        uid: uid(number),
        kind: CredentialKind::Session,
        organization: Some(uid(1)),
        principal: principal(30),
        mac,
        pepper_version: 1,
        display_name: "session".to_owned(),
        create_time: NOW,
        expire_time: Some(later(3600)),
        revoke_time: None,
        last_used_time: None,
        origin: Origin::Session,
        creator: Some(uid(99)),
        external_id: Some("sbx-1".to_owned()),
        context_project: Some(uid(10)),
        context_workspace: Some(uid(20)),
        context_user: Some(uid(30)),
        restrictions: Some("{}".to_owned()),
        period_start_time: Some(NOW),
        sign_in_end_time: Some(later(7200)),
        address: Some("192.0.2.1".to_owned()),
        redeemed_for: Some(uid(98)),
        start_time: Some(NOW),
        granted_role: Some(Role::Admin),
        effects: Some("{}".to_owned()),
    }
}

/// Two rows of each table, the first of which is edited: it gets what the second one has, which differs in every column.
async fn rows(database: &TestDatabase) {
    fixture::organization(&database.store, 1, "acme").await;
    fixture::organization(&database.store, 2, "rival").await;
    let tx = database.store.begin().await.unwrap();
    let api = fixture::project(&tx, uid(1), 10, "api").await;
    let web = fixture::project(&tx, uid(2), 11, "web").await;
    let mut ws1 = fixture::workspace(&tx, uid(1), 20, "ws1", Some(api.uid)).await;
    ws1.owner = Some(uid(30));
    workspace::transfer(&tx, uid(1), ws1.uid, ws1.owner).await.unwrap();
    let mut ws2 = fixture::workspace(&tx, uid(2), 21, "ws2", Some(web.uid)).await;
    ws2.owner = Some(uid(31));
    workspace::transfer(&tx, uid(2), ws2.uid, ws2.owner).await.unwrap();
    fixture::user(&tx, uid(1), 30, "bob").await;
    fixture::user(&tx, uid(2), 31, "eve").await;
    user::set_state(&tx, uid(2), uid(31), UserState::Active).await.unwrap();
    user::set_recovery_time(&tx, uid(2), uid(31), NOW).await.unwrap();

    let first = session(100);
    let second = Credential {
        kind: CredentialKind::Personal,
        organization: Some(uid(2)),
        principal: PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(41) },
        pepper_version: 2,
        display_name: "other".to_owned(),
        create_time: later(1),
        expire_time: None,
        origin: Origin::Own,
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
        ..session(101)
    };
    for row in [first, second] {
        credential::insert(&tx, &row).await.unwrap();
    }
    let member = Binding { principal: principal(30), role: Role::Member, resource: RoleResource::Organization(uid(1)) };
    let agent = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(41) };
    let on = RoleResource::Project { organization: uid(2), project: web.uid };
    let other = Binding { principal: agent, role: Role::Resolver, resource: on };
    for (number, binding, creator) in [(200, member, "ann"), (201, other, "eve")] {
        let create_time = later(i64::try_from(number).unwrap());
        let row = BindingRecord { uid: uid(number), binding, create_time, creator: creator.to_owned() };
        binding::insert(&tx, &row).await.unwrap();
    }

    let (secret, version) = fixture::secret(uid(1), organization_scope(), 50, "A");
    secret::insert(&tx, &secret, &version).await.unwrap();
    let (mut secret, mut version) =
        fixture::secret(uid(2), secrets_core::Scope::new(secrets_core::ScopeKind::Project, web.uid), 51, "B");
    secret.group = Some("aws".parse().unwrap());
    secret.visibility = Visibility::Selected { projects: [web.uid].into(), workspaces: [].into() };
    secret.override_policy = secrets_core::OverridePolicy::Locked;
    secret.disabled = true;
    secret.redaction = Redaction::Off;
    secret.expire_time = Some(later(9));
    (secret.current_version, version.version) = (2, 2);
    secret::insert(&tx, &secret, &version).await.unwrap();
    commit(tx).await.unwrap();
}

/// Whether the first row of a table is there for those who ask for it.
async fn is_there(tx: &WriteTransaction, table: &str) -> bool {
    match table {
        "credentials" => credential::by_mac(tx, &session(100).mac).await.unwrap().is_some(),
        "bindings" => !binding::of_principals(tx, uid(1), &[principal(30)]).await.unwrap().is_empty(),
        "users" => !user::by_uids(tx, uid(1), [uid(30)]).await.unwrap().is_empty(),
        "workspaces" => !workspace::by_uids(tx, uid(1), [uid(20)]).await.unwrap().is_empty(),
        _ => secret::by_uid(tx, uid(1), uid(50)).await.unwrap().is_some(),
    }
}

fn first_of(table: &str) -> u128 {
    match table {
        "credentials" => 100,
        "bindings" => 200,
        "users" => 30,
        "workspaces" => 20,
        _ => 50,
    }
}

async fn columns(tx: &WriteTransaction, table: &str) -> BTreeSet<String> {
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => {
            format!("SELECT column_name AS name FROM information_schema.columns WHERE table_name = '{table}'")
        }
        _ => format!("SELECT name FROM pragma_table_info('{table}')"),
    };
    let rows = tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "name").unwrap()).collect()
}

fn literal(tx: &WriteTransaction, uid: Uid) -> String {
    match tx.get_database_backend() {
        DbBackend::Postgres => format!("'{uid}'"),
        _ => format!("x'{}'", uid.simple()),
    }
}

/// Gives a column of the first row another value.
async fn edit(tx: &WriteTransaction, table: &str, column: &str) {
    let (first, second) = (uid(first_of(table)), uid(first_of(table) + 1));
    let other = format!("(SELECT {column} FROM {table} WHERE uid = {})", literal(tx, second));
    let value = match (table, column) {
        // Two rows can't have the same.
        (_, "uid") => literal(tx, uid(999)),
        (_, "mac") => "row_mac".to_owned(),
        ("secrets", "purge_time" | "delete_time") | ("users", "delete_time" | "purge_time") => "4711".to_owned(),
        (_, "revoke_time" | "last_used_time" | "create_time") => "4711".to_owned(),
        (_, "live") => "2".to_owned(),
        _ => other,
    };
    let sql = format!("UPDATE {table} SET {column} = {value} WHERE uid = {}", literal(tx, first));
    tx.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn an_edited_column_that_decides_makes_the_row_absent(database: &TestDatabase) {
    rows(database).await;
    for (table, free) in FREE {
        let columns = columns(&database.store.begin().await.unwrap(), table).await;
        assert!(columns.contains("row_mac") && columns.len() > free.len(), "{table}: {columns:?}");
        for column in columns {
            // What refers to it refuses that.
            if (table, column.as_str()) == ("secrets", "uid") {
                continue;
            }
            // Dropped, the transaction undoes it.
            let tx = database.store.begin().await.unwrap();
            assert!(is_there(&tx, table).await, "{table}.{column}");
            edit(&tx, table, &column).await;
            let stays = free.contains(&column.as_str());
            assert_eq!(is_there(&tx, table).await, stays, "{table}.{column}");
        }
    }
}

async fn a_row_without_a_mac_is_absent(database: &TestDatabase) {
    rows(database).await;
    for (table, _) in FREE {
        let tx = database.store.begin().await.unwrap();
        tx.execute_unprepared(&format!("UPDATE {table} SET row_mac = NULL")).await.unwrap();
        assert!(!is_there(&tx, table).await, "{table}");
    }
}

async fn an_edited_selection_makes_the_secret_absent(database: &TestDatabase) {
    rows(database).await;
    for sql in ["DELETE FROM secret_visibility", "UPDATE secret_visibility SET kind = 'WORKSPACE'"] {
        let tx = database.store.begin().await.unwrap();
        assert!(secret::by_uid(&tx, uid(2), uid(51)).await.unwrap().is_some());
        tx.execute_unprepared(sql).await.unwrap();
        assert!(secret::by_uid(&tx, uid(2), uid(51)).await.unwrap().is_none(), "{sql}");
    }
    // What is deleted is forgotten in it, and the rest stays.
    let tx = database.store.begin().await.unwrap();
    assert_eq!(secret::forget_resource(&tx, uid(2), uid(11)).await.unwrap(), 1);
    let left = secret::by_uid(&tx, uid(2), uid(51)).await.unwrap().unwrap().secret.visibility;
    assert_eq!(left, Visibility::Selected { projects: [].into(), workspaces: [].into() });
}

/// Clearing what says that it ended does not bring it back: it has no MAC any more.
async fn what_has_ended_stays_ended(database: &TestDatabase) {
    rows(database).await;
    let tx = database.store.begin().await.unwrap();
    credential::revoke(&tx, Some(uid(1)), uid(100), later(1)).await.unwrap();
    let ended = credential::by_uid(&tx, Some(uid(1)), uid(100)).await.unwrap().unwrap();
    assert_eq!(ended.revoke_time, Some(later(1)), "it can still be listed");
    tx.execute_unprepared("UPDATE credentials SET revoke_time = NULL").await.unwrap();
    assert!(!is_there(&tx, "credentials").await);

    let stamp = secret::Stamp { revision: 1, time: later(1), updater: String::new() };
    secret::delete_scope(&tx, uid(1), organization_scope(), later(99), &stamp).await.unwrap();
    assert!(!is_there(&tx, "secrets").await);
    tx.execute_unprepared("UPDATE secrets SET delete_time = NULL, purge_time = NULL, live = 1").await.unwrap();
    assert!(!is_there(&tx, "secrets").await);

    user::delete(&tx, uid(1), uid(30), later(1), later(99)).await.unwrap();
    tx.execute_unprepared("UPDATE users SET delete_time = NULL, purge_time = NULL, live = 1").await.unwrap();
    assert!(!is_there(&tx, "users").await);
}

async fn what_is_deleted_by_itself_comes_back_as_it_was(database: &TestDatabase) {
    rows(database).await;
    let tx = database.store.begin().await.unwrap();
    let stamp = secret::Stamp { revision: 1, time: later(1), updater: String::new() };
    secret::delete(&tx, uid(1), uid(50), later(99), &stamp).await.unwrap();
    assert!(secret::by_uid(&tx, uid(1), uid(50)).await.unwrap().unwrap().secret.delete_time.is_some());
    secret::undelete(&tx, uid(1), uid(50), &stamp).await.unwrap();
    assert!(is_there(&tx, "secrets").await);
}

async fn a_list_goes_on_behind_a_damaged_row(database: &TestDatabase) {
    fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    for number in 0..9 {
        fixture::user(&tx, uid(1), 30 + number, &format!("user-{number}")).await;
    }
    for id in ["user-0", "user-2", "user-3", "user-7"] {
        tx.execute_unprepared(&format!("UPDATE users SET state = 'ACTIVE' WHERE user_id = '{id}'")).await.unwrap();
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = user::list(&tx, uid(1), after.as_ref(), 2).await.unwrap();
        listed.extend(page.iter().map(|row| row.user_id.to_string()));
        let Some(last) = page.into_iter().nth(1) else { break };
        after = Some(last.user_id);
    }
    assert_eq!(listed, ["user-1", "user-4", "user-5", "user-6", "user-8"]);
}

async fn a_damaged_row_is_reported_once(database: &TestDatabase) {
    rows(database).await;
    let tx = database.store.begin().await.unwrap();
    assert_eq!(database.store.damaged_rows().take(), []);
    tx.execute_unprepared("UPDATE workspaces SET owner_uid = uid").await.unwrap();
    for _ in 0..3 {
        assert!(!is_there(&tx, "workspaces").await);
    }
    assert_eq!(database.store.damaged_rows().take(), [("workspaces", uid(20))]);
    assert_eq!(database.store.damaged_rows().take(), []);
}

async fn rows_of_another_key_are_absent(database: &TestDatabase) {
    rows(database).await;
    let other = database.store.with_row_key(row_key(8));
    let tx = other.begin().await.unwrap();
    for (table, _) in FREE {
        assert!(!is_there(&tx, table).await, "{table}");
    }
    let key = caller::CallerKey { credential: uid(100), principals: &[principal(30)], organization: Some(uid(1)) };
    assert!(caller::read(&tx, key).await.unwrap().is_none());
    let filter = CredentialFilter::default();
    assert_eq!(credential::list(&tx, Some(uid(1)), &filter, None, 10).await.unwrap(), []);
}

async fn rows_without_macs_get_them(database: &TestDatabase) {
    rows(database).await;
    let tx = database.store.begin().await.unwrap();
    credential::revoke(&tx, Some(uid(2)), uid(101), later(1)).await.unwrap();
    for (table, _) in FREE {
        tx.execute_unprepared(&format!("UPDATE {table} SET row_mac = NULL")).await.unwrap();
    }
    fill_row_macs(&tx).await.unwrap();
    for (table, _) in FREE {
        assert!(is_there(&tx, table).await, "{table}");
    }
    assert!(secret::by_uid(&tx, uid(2), uid(51)).await.unwrap().is_some(), "with its selection");
    tx.execute_unprepared("UPDATE credentials SET revoke_time = NULL").await.unwrap();
    assert!(credential::by_uid(&tx, Some(uid(2)), uid(101)).await.unwrap().is_none(), "what had ended got none");
}
