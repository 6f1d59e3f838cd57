//! Whether all that is stored can be opened: the check of a backup.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use secrets_core::Uid;

use crate::crypto::{ValueIdentity, data_key_version};
use crate::error::Error;
use crate::keys::DataKey;
use crate::keys::keyring::Keyring;
use crate::store::key::{self, DataKeyState};
use crate::store::sealed_value::{self, SealedValue};

/// Values of one query.
const PAGE_VALUES: u64 = 500;
/// Damaged records that are named; more are only counted.
const MAX_NAMED: usize = 20;

/// What came of the check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Values that open.
    pub values: u64,
    /// Records that do not.
    pub damaged: u64,
    /// The first of these, and why.
    pub named: Vec<String>,
}

impl Verified {
    fn damage(&mut self, record: String) {
        self.damaged += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(record);
        }
    }
}

/// The data keys of an organization, opened once.
struct OpenedKeys {
    keys: Vec<DataKey>,
    /// Nothing under these is expected to open.
    destroyed: Vec<u32>,
}

/// Opens every value that is not destroyed, and the data keys they are sealed under. No value leaves this function.
pub async fn verify_records(db: &impl ConnectionTrait, keyring: &Keyring) -> Result<Verified, Error> {
    let (mut verified, mut organizations) = (Verified::default(), HashMap::new());
    let mut after = None;
    loop {
        let (page, last) = sealed_value::page(db, after, PAGE_VALUES).await?;
        for row in page {
            match row {
                Ok(value) => verify(db, keyring, &mut organizations, &mut verified, &value).await?,
                Err(error) => verified.damage(error.to_string()),
            }
        }
        match last {
            Some(last) => after = Some(last),
            None => return Ok(verified),
        }
    }
}

async fn verify(
    db: &impl ConnectionTrait,
    keyring: &Keyring,
    organizations: &mut HashMap<Uid, OpenedKeys>,
    verified: &mut Verified,
    value: &SealedValue,
) -> Result<(), Error> {
    let opened = match organizations.get(&value.organization) {
        Some(opened) => opened,
        None => {
            let opened = open_keys(db, keyring, verified, value.organization).await?;
            organizations.entry(value.organization).or_insert(opened)
        }
    };
    match opens(opened, value) {
        Ok(true) => verified.values += 1,
        Ok(false) => {}
        Err(cause) => {
            let SealedValue { secret, version, .. } = value;
            verified.damage(format!("version {} of secret {}: {cause}", version.version, secret.uid));
        }
    }
    Ok(())
}

async fn open_keys(
    db: &impl ConnectionTrait,
    keyring: &Keyring,
    verified: &mut Verified,
    organization: Uid,
) -> Result<OpenedKeys, Error> {
    let mut opened = OpenedKeys { keys: Vec::new(), destroyed: Vec::new() };
    for row in key::data_keys(db, organization).await? {
        if row.state == DataKeyState::Destroyed {
            opened.destroyed.push(row.version);
            continue;
        }
        match keyring.open_data_key(&row) {
            Ok(key) => opened.keys.push(key),
            Err(error) => {
                error.log_cause();
                verified.damage(format!("data key {} of organization {organization} does not open", row.version));
            }
        }
    }
    Ok(opened)
}

/// Whether the value opens; false when it is not meant to, because its organization was deleted.
fn opens(opened: &OpenedKeys, value: &SealedValue) -> Result<bool, String> {
    let SealedValue { organization, secret, version } = value;
    let key_version = data_key_version(&version.blob).map_err(|error| error.to_string())?;
    let Some(key) = opened.keys.iter().find(|key| key.version() == key_version) else {
        let is_destroyed = opened.destroyed.contains(&key_version);
        return if is_destroyed { Ok(false) } else { Err(format!("data key {key_version} is missing")) };
    };
    let identity = ValueIdentity {
        organization: *organization,
        scope: secret.scope,
        secret: secret.uid,
        secret_id: &secret.secret_id,
        version: version.version,
        target: &version.target,
    };
    key.open(&identity, &version.blob).map(|_| true).map_err(|error| error.to_string())
}
