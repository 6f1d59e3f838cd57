//! The keys at work: what the root key opens of the rows in the database. It joins `crypto`, which knows no database, and
//! `store`, which knows no cryptography.

use std::sync::Arc;

use sea_orm::ConnectionTrait;
use secrets_core::{Timestamp, Uid};

use super::{DataKey, KeyIdentity, KeyPurpose, RootKeyError, RootKeyProvider, RootSeed, RowMacs};
use crate::crypto::{MacKey, OpenError, Random, RandomError, SealError};
use crate::error::Error;
use crate::store::key::{DataKeyRecord, DataKeyState, RootKeyRecord, SystemKeyRecord};
use crate::store::{self, RowKey, Store, StoreError, fill_row_macs, key, organization, revision};

/// Why the keys can't be opened at start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The root key is not the one the database was made with, or can't be reached.
    #[error("{0}; the database's keys were not touched")]
    RootKey(#[from] RootKeyError),
    /// The database holds what was sealed under a root key, whose row is not there: making a new one would lose it.
    #[error("the database was used, and has no root key row; restore the row from a backup")]
    RootKeyRowMissing,
    /// The database was never used by a server.
    #[error("the database has no keys: no server has ever used it")]
    NeverUsed,
    /// A stored system key does not open.
    #[error("the system key {purpose} of version {version} does not open: {cause}")]
    SystemKey { purpose: &'static str, version: u32, cause: OpenError },
    /// Every row has a MAC, and the key for them is gone: with another one, none of them would verify.
    #[error(
        "the database has no system key ROW, without which none of its rows verifies; restore that row from a backup"
    )]
    RowKeyMissing,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key can't be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The opened root seed and system keys.
pub struct Keyring {
    seeds: Vec<RootSeed>,
    peppers: Vec<MacKey>,
    fingerprint: MacKey,
    rows: Arc<RowMacs>,
    random: Arc<dyn Random>,
}

impl Keyring {
    /// Opens the keys, or makes them when the database is empty. A wrong root key is refused. The rows of a database that was
    /// filled without MACs get theirs.
    pub async fn open(
        store: &Store,
        provider: &dyn RootKeyProvider,
        random: Arc<dyn Random>,
        now: Timestamp,
    ) -> Result<Self, KeyringError> {
        let transaction = store.begin().await?;
        // Of two replicas that start on an empty database, one makes the keys and the other finds them.
        revision::lock_platform(&transaction).await?;
        let mut roots = key::root_keys(&transaction).await?;
        let is_new = roots.is_empty();
        if is_new {
            if organization::count(&transaction).await? > 0 {
                return Err(KeyringError::RootKeyRowMissing);
            }
            let seed = RootSeed::make(random.as_ref(), 1)?;
            let row = RootKeyRecord {
                version: 1,
                provider: provider.name().to_owned(),
                wrapped_seed: seed.wrap(provider).await?,
                create_time: now,
            };
            key::insert_root_key(&transaction, &row).await?;
            roots.push(row);
        }
        let mut seeds = unwrap(provider, &roots).await?;
        let peppers = system_keys(&transaction, &seeds, random.as_ref(), KeyPurpose::Pepper, now).await?;
        let mut fingerprints = system_keys(&transaction, &seeds, random.as_ref(), KeyPurpose::Fingerprint, now).await?;
        let fingerprint = fingerprints.pop().ok_or(KeyringError::RootKeyRowMissing)?;
        let rows = Arc::new(row_macs(&transaction, &seeds, random.as_ref(), is_new, now).await?);
        let transaction = transaction.with_row_key(Arc::clone(&rows) as Arc<dyn RowKey>);
        if !seeds.iter().any(RootSeed::rows_have_macs) {
            fill_row_macs(&transaction).await?;
            note_row_macs(&transaction, &mut seeds, provider).await?;
        }
        store::commit(transaction).await?;
        Ok(Self { seeds, peppers, fingerprint, rows, random })
    }

    /// Opens the keys that are there and makes none: for a copy of a database.
    pub async fn load(
        db: &impl ConnectionTrait,
        provider: &dyn RootKeyProvider,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyringError> {
        let seeds = unwrap(provider, &key::root_keys(db).await?).await?;
        let peppers = open_system_keys(stored(db, KeyPurpose::Pepper).await?, &seeds, KeyPurpose::Pepper)?;
        let fingerprints = stored(db, KeyPurpose::Fingerprint).await?;
        let fingerprint = open_system_keys(fingerprints, &seeds, KeyPurpose::Fingerprint)?.pop();
        let rows = open_system_keys(stored(db, KeyPurpose::Row).await?, &seeds, KeyPurpose::Row)?;
        let (fingerprint, rows) = (fingerprint.ok_or(KeyringError::NeverUsed)?, Arc::new(RowMacs::new(rows)));
        Ok(Self { seeds, peppers, fingerprint, rows, random })
    }

    /// Whether the database still has the keys that are open: one of them opens again.
    pub async fn verify(&self, db: &impl ConnectionTrait) -> Result<(), KeyringError> {
        let fingerprints = stored(db, KeyPurpose::Fingerprint).await?;
        open_system_keys(fingerprints, &self.seeds, KeyPurpose::Fingerprint)?.pop().ok_or(KeyringError::NeverUsed)?;
        Ok(())
    }

    /// The peppers, the one in use last: a token was stored under one of them.
    pub fn peppers(&self) -> &[MacKey] {
        &self.peppers
    }

    /// The key of request fingerprints and page tokens.
    pub fn fingerprint(&self) -> &MacKey {
        &self.fingerprint
    }

    /// The key of the rows.
    pub fn rows(&self) -> Arc<dyn RowKey> {
        Arc::clone(&self.rows) as Arc<dyn RowKey>
    }

    /// Makes the first data key of a new organization.
    pub async fn make_data_key(
        &self,
        db: &impl ConnectionTrait,
        organization: Uid,
        now: Timestamp,
    ) -> Result<(), Error> {
        let seed = self.seeds.last().ok_or_else(|| Error::internal("there is no root seed"))?;
        let data_key = DataKey::make(self.random.as_ref(), 1)?;
        let sealed =
            seed.seal_key(self.random.as_ref(), &KeyIdentity::data(organization, data_key.version()), data_key.key())?;
        let row = DataKeyRecord {
            organization,
            version: data_key.version(),
            state: DataKeyState::Active,
            sealed,
            root_key_version: seed.version(),
            create_time: now,
        };
        Ok(key::insert_data_key(db, &row).await?)
    }

    /// The organization's active data key, its row locked shared so that it is not destroyed while a value is sealed.
    pub async fn active_data_key(&self, db: &impl ConnectionTrait, organization: Uid) -> Result<DataKey, Error> {
        let row = key::active_data_key(db, organization)
            .await?
            .ok_or_else(|| Error::internal(format!("organization {organization} has no active data key")))?;
        self.open_data_key(&row)
    }

    /// The same, not held: what is sealed under it is stored only where the held one is the same.
    pub async fn current_data_key(&self, db: &impl ConnectionTrait, organization: Uid) -> Result<DataKey, Error> {
        let row = key::current_data_key(db, organization)
            .await?
            .ok_or_else(|| Error::internal(format!("organization {organization} has no active data key")))?;
        self.open_data_key(&row)
    }

    /// All data keys of the organization that still open something: one query, however many values there are. One that
    /// does not open itself is logged and left out: what it sealed can't be read, and the rest can.
    pub async fn data_keys(&self, db: &impl ConnectionTrait, organization: Uid) -> Result<Vec<DataKey>, Error> {
        let rows = key::data_keys(db, organization).await?;
        let usable = rows.iter().filter(|row| row.state != DataKeyState::Destroyed);
        Ok(usable.filter_map(|row| self.open_data_key(row).inspect_err(Error::log_cause).ok()).collect())
    }

    /// Opens a data key.
    pub(crate) fn open_data_key(&self, row: &DataKeyRecord) -> Result<DataKey, Error> {
        let what = || format!("data key {} of organization {}", row.version, row.organization);
        let seed = self
            .seeds
            .iter()
            .find(|seed| seed.version() == row.root_key_version)
            .ok_or_else(|| Error::internal(format!("{}: root key {} is missing", what(), row.root_key_version)))?;
        let opened = seed
            .open_key(&KeyIdentity::data(row.organization, row.version), &row.sealed)
            .map_err(|error| Error::internal(format!("{}: {error}", what())))?;
        Ok(DataKey::new(row.version, opened))
    }
}

/// Whether the root key is the one that has wrapped these seeds: before anything else of the database is read or changed.
pub(crate) async fn check_root_key(
    provider: &dyn RootKeyProvider,
    wrapped_seeds: &[(u32, Vec<u8>)],
) -> Result<(), KeyringError> {
    for (version, wrapped) in wrapped_seeds {
        RootSeed::unwrap(provider, *version, wrapped).await?;
    }
    Ok(())
}

async fn unwrap(provider: &dyn RootKeyProvider, roots: &[RootKeyRecord]) -> Result<Vec<RootSeed>, KeyringError> {
    let mut seeds = Vec::with_capacity(roots.len());
    for root in roots {
        seeds.push(RootSeed::unwrap(provider, root.version, &root.wrapped_seed).await?);
    }
    Ok(seeds)
}

/// The key of the rows. It is made once: with the database, or for the rows of one that was filled without.
async fn row_macs(
    db: &impl ConnectionTrait,
    seeds: &[RootSeed],
    random: &dyn Random,
    is_new: bool,
    now: Timestamp,
) -> Result<RowMacs, KeyringError> {
    let is_due = is_new || !seeds.iter().any(RootSeed::rows_have_macs);
    if !is_due && stored(db, KeyPurpose::Row).await?.is_empty() {
        return Err(KeyringError::RowKeyMissing);
    }
    Ok(RowMacs::new(system_keys(db, seeds, random, KeyPurpose::Row, now).await?))
}

/// Notes it where nobody without the root key can take it back: rows that lose their MACs later do not get others.
async fn note_row_macs(
    db: &impl ConnectionTrait,
    seeds: &mut [RootSeed],
    provider: &dyn RootKeyProvider,
) -> Result<(), KeyringError> {
    for seed in seeds {
        seed.note_row_macs();
        key::rewrap_root_key(db, seed.version(), seed.wrap(provider).await?).await?;
    }
    Ok(())
}

/// The keys of a purpose, the active one last; the first is made when there is none.
async fn system_keys(
    db: &impl ConnectionTrait,
    seeds: &[RootSeed],
    random: &dyn Random,
    purpose: KeyPurpose,
    now: Timestamp,
) -> Result<Vec<MacKey>, KeyringError> {
    let mut rows = stored(db, purpose).await?;
    if rows.is_empty() {
        let seed = seeds.last().ok_or(KeyringError::RootKeyRowMissing)?;
        let made = MacKey::make(random, 1)?;
        let row = SystemKeyRecord {
            purpose: purpose.as_str().to_owned(),
            version: made.version(),
            sealed: seed.seal_key(random, &KeyIdentity::system(purpose, made.version()), made.key())?,
            root_key_version: seed.version(),
            active: true,
            create_time: now,
        };
        key::insert_system_key(db, &row).await?;
        rows.push(row);
    }
    open_system_keys(rows, seeds, purpose)
}

async fn stored(db: &impl ConnectionTrait, purpose: KeyPurpose) -> Result<Vec<SystemKeyRecord>, KeyringError> {
    Ok(key::system_keys(db, purpose.as_str()).await?)
}

/// All keys of a purpose, the active one last.
fn open_system_keys(
    mut rows: Vec<SystemKeyRecord>,
    seeds: &[RootSeed],
    purpose: KeyPurpose,
) -> Result<Vec<MacKey>, KeyringError> {
    rows.sort_by_key(|row| (row.active, row.version));
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let refused = |cause| KeyringError::SystemKey { purpose: purpose.as_str(), version: row.version, cause };
        let seed =
            seeds.iter().find(|seed| seed.version() == row.root_key_version).ok_or(KeyringError::RootKeyRowMissing)?;
        let opened = seed.open_key(&KeyIdentity::system(purpose, row.version), &row.sealed).map_err(refused)?;
        keys.push(MacKey::new(row.version, opened));
    }
    Ok(keys)
}
