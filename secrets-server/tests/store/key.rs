//! The rows of the key hierarchy.

use secrets_server::store::key::{self, DataKeyRecord, DataKeyState, RootKeyRecord, SystemKeyRecord};
use secrets_server::store::{StoreError, UniqueIndex};

use crate::store::fixture::{self, NOW};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    keeps_root_and_system_keys_in_order,
    retires_and_destroys_data_keys,
    destroys_all_data_keys_of_an_organization
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
