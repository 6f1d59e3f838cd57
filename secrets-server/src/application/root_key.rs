//! The root key of a start: read from its file, compared with what the database has, or made for one that was never used.

use std::sync::Arc;

use super::open::OpenError;
use crate::config::Config;
use crate::crypto::Random;
use crate::keys::FileRootKey;
use crate::keys::keyring::{self, KeyringError};
use crate::keys::provider::file::{RootKeyFileError, RootKeyFileProblem};
use crate::store::{KeyState, Store, key};

/// Reads the root key, if there is one.
pub(super) fn read(config: &Config, random: &Arc<dyn Random>) -> Result<Option<FileRootKey>, RootKeyFileError> {
    match FileRootKey::load(&config.root_key_file, Arc::clone(random)) {
        Err(RootKeyFileError { problem: RootKeyFileProblem::Missing, .. }) => Ok(None),
        loaded => loaded.map(Some),
    }
}

/// Refuses a root key that is not the database's, and none where the database needs one, before anything is migrated: whoever
/// starts the release before, or with the right key, still can. The keyring looks again, under its lock.
pub(super) async fn check(
    config: &Config,
    store: &Store,
    random: &Arc<dyn Random>,
    root_key: Option<FileRootKey>,
) -> Result<Option<FileRootKey>, OpenError> {
    let state = store.key_state().await?;
    let is_used = state.has_sealed || !state.wrapped_seeds.is_empty();
    let root_key = match root_key {
        // Another server that starts with this one may have made it meanwhile.
        None if is_used => read(config, random)?,
        root_key => root_key,
    };
    match &root_key {
        Some(root_key) => belongs(root_key, &state).await?,
        None if !state.wrapped_seeds.is_empty() => return Err(lost(config)),
        None if state.has_sealed => return Err(KeyringError::RootKeyRowMissing.into()),
        None => {}
    }
    Ok(root_key)
}

/// The same for whoever only migrates: that needs no root key, and one that was read is to be the right one. Whoever migrates may be
/// somebody else than the server, to whom its key file is closed.
pub(crate) async fn check_if_readable(
    config: &Config,
    store: &Store,
    random: &Arc<dyn Random>,
) -> Result<(), OpenError> {
    match read(config, random) {
        Ok(None) => {}
        Ok(Some(root_key)) => belongs(&root_key, &store.key_state().await?).await?,
        Err(error) => {
            tracing::warn!(%error, "whether the root key is the database's is not known; migrating without it")
        }
    }
    Ok(())
}

async fn belongs(root_key: &FileRootKey, state: &KeyState) -> Result<(), KeyringError> {
    if state.wrapped_seeds.is_empty() && state.has_sealed {
        return Err(KeyringError::RootKeyRowMissing);
    }
    keyring::check_root_key(root_key, &state.wrapped_seeds).await
}

/// Makes the root key that was not there: only for a database that was never set up with one. Another one would open nothing
/// of what is stored.
pub(super) async fn make_missing(
    config: &Config,
    store: &Store,
    random: &Arc<dyn Random>,
) -> Result<FileRootKey, OpenError> {
    // Another server that starts with this one may have made it meanwhile.
    if let Some(made) = read(config, random)? {
        return Ok(made);
    }
    if !key::root_keys(store.reader()).await?.is_empty() {
        return Err(lost(config));
    }
    let path = &config.root_key_file;
    let made = FileRootKey::create(path, Arc::clone(random))?;
    tracing::info!(path = %path.display(), "created the root key; keep a copy apart from the database's backups");
    Ok(made)
}

fn lost(config: &Config) -> OpenError {
    OpenError::RootKeyLost { path: config.root_key_file.clone() }
}
