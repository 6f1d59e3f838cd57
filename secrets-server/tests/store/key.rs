//! The rows of the key hierarchy.

use sea_orm::ConnectionTrait as _;
use secrets_server::store::key::{self, DataKeyRecord, DataKeyState, RootKeyRecord, SystemKeyRecord};
use secrets_server::store::{self, KeyState, StoreError, UniqueIndex};

use crate::store::fixture::{self, NOW};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    keeps_root_and_system_keys_in_order,
    retires_and_destroys_data_keys,
    destroys_all_data_keys_of_an_organization,
    tells_before_a_migration_what_a_root_key_has_to_fit
);

fn data_key(organization: secrets_core::Uid, version: u32, state: DataKeyState) -> DataKeyRecord {
    DataKeyRecord { organization, version, state, sealed: vec![9; 60], root_key_version: 1, create_time: NOW }
}

async fn keeps_root_and_system_keys_in_order(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    let root = |version, provider: &str| RootKeyRecord {
        version,
        provider: provider.to_owned(),
        wrapped_seed: vec![1, 2, 3],
        create_time: NOW,
    };
    key::insert_root_key(db, &root(2, "kms")).await.unwrap();
    key::insert_root_key(db, &root(1, "file")).await.unwrap();
    assert_eq!(key::root_keys(db).await.unwrap(), [root(1, "file"), root(2, "kms")]);
    let system = |purpose: &str, version, active| SystemKeyRecord {
        purpose: purpose.to_owned(),
        version,
        sealed: vec![4, 5],
        root_key_version: 1,
        active,
        create_time: NOW,
    };
    key::insert_system_key(db, &system("PEPPER", 2, true)).await.unwrap();
    key::insert_system_key(db, &system("PEPPER", 1, false)).await.unwrap();
    key::insert_system_key(db, &system("AUDIT", 1, true)).await.unwrap();
    let peppers = key::system_keys(db, "PEPPER").await.unwrap();
    assert_eq!(peppers, [system("PEPPER", 1, false), system("PEPPER", 2, true)]);
    let again = key::insert_root_key(db, &root(1, "file")).await;
    assert_eq!(again, Err(StoreError::UniqueViolation(UniqueIndex::Other)));
}

async fn retires_and_destroys_data_keys(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let db = &database.store.begin().await.unwrap();
    assert_eq!(key::active_data_key(db, acme).await.unwrap(), None);
    key::insert_data_key(db, &data_key(acme, 1, DataKeyState::Active)).await.unwrap();
    assert!(key::set_data_key_state(db, acme, 1, DataKeyState::DecryptOnly).await.unwrap());
    key::insert_data_key(db, &data_key(acme, 2, DataKeyState::Active)).await.unwrap();
    assert_eq!(key::active_data_key(db, acme).await.unwrap(), Some(data_key(acme, 2, DataKeyState::Active)));
    assert!(key::set_data_key_state(db, acme, 1, DataKeyState::Destroyed).await.unwrap());
    assert!(!key::set_data_key_state(db, acme, 1, DataKeyState::Active).await.unwrap(), "gone is gone");
    let destroyed = DataKeyRecord { sealed: Vec::new(), ..data_key(acme, 1, DataKeyState::Destroyed) };
    assert_eq!(key::data_keys(db, acme).await.unwrap(), [destroyed, data_key(acme, 2, DataKeyState::Active)]);
}

async fn destroys_all_data_keys_of_an_organization(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let globex = fixture::organization(&database.store, 2, "globex").await;
    let db = &database.store.begin().await.unwrap();
    key::insert_data_key(db, &data_key(acme, 1, DataKeyState::DecryptOnly)).await.unwrap();
    key::insert_data_key(db, &data_key(acme, 2, DataKeyState::Active)).await.unwrap();
    key::insert_data_key(db, &data_key(globex, 1, DataKeyState::Active)).await.unwrap();
    assert_eq!(key::destroy_data_keys(db, acme).await.unwrap(), 2);
    assert!(key::data_keys(db, acme).await.unwrap().iter().all(|key| key.sealed.is_empty()));
    assert_eq!(key::active_data_key(db, acme).await.unwrap(), None);
    assert!(key::active_data_key(db, globex).await.unwrap().is_some());
}

async fn tells_before_a_migration_what_a_root_key_has_to_fit(database: &TestDatabase) {
    let execute = async |sql: &str| {
        let transaction = database.store.begin().await.unwrap();
        transaction.execute_unprepared(sql).await.unwrap();
        store::commit(transaction).await.unwrap();
    };
    let state = || database.store.key_state();
    assert_eq!(state().await.unwrap(), KeyState::default());

    fixture::organization(&database.store, 1, "acme").await;
    let transaction = database.store.begin().await.unwrap();
    for version in [2, 1] {
        let wrapped_seed = vec![u8::try_from(version).unwrap(); 3];
        let row = RootKeyRecord { version, provider: "file".to_owned(), wrapped_seed, create_time: NOW };
        key::insert_root_key(&transaction, &row).await.unwrap();
    }
    store::commit(transaction).await.unwrap();
    let both = KeyState { wrapped_seeds: vec![(1, vec![1; 3]), (2, vec![2; 3])], has_sealed: true };
    assert_eq!(state().await.unwrap(), both);

    // As the first releases have left it: without what came to these tables later.
    execute("DELETE FROM seaql_migrations WHERE version > 'm0006'").await;
    for column in ["allowed_reserved", "delete_time", "purge_time"] {
        execute(&format!("ALTER TABLE organizations DROP COLUMN {column}")).await;
    }
    database.statements.take();
    assert_eq!(state().await.unwrap(), both);
    let statements = database.statements.take();
    assert!(statements.len() <= 5 && statements.iter().all(|sql| sql.starts_with("SELECT")), "{statements:?}");

    // Tables that no release of ours has made are none of ours.
    execute("DELETE FROM seaql_migrations").await;
    assert_eq!(state().await.unwrap(), KeyState::default());
    execute("DROP TABLE seaql_migrations").await;
    assert_eq!(state().await.unwrap(), KeyState::default());
}
