//! The keys: the root key behind a provider, the root seed under it, and the data keys of organizations.

pub mod data_key;
pub mod keyring;
pub mod provider;
pub mod root_seed;
pub mod row_key;

pub use data_key::DataKey;
pub use keyring::{Keyring, KeyringError};
pub use provider::{RootKeyError, RootKeyProvider, file::FileRootKey};
pub use root_seed::{KeyIdentity, KeyPurpose, RootSeed};
pub use row_key::RowMacs;
