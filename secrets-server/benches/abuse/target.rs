//! What an attacker knows and has.

use serde::{Deserialize, Serialize};

/// What an attacker knows and has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) ports: Vec<u16>,
    /// A person of the calm caller's organization, who has a full scope of their own.
    pub(crate) member: Account,
    /// A session of that person.
    pub(crate) session: Account,
    /// The administrator of another organization.
    pub(crate) administrator: Account,
    /// A service account of that organization, which may write there.
    pub(crate) service_account: Account,
    pub(crate) dropping: bool,
}

/// A credential, and a scope that it may write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) token: String,
    pub(crate) scope: String,
    pub(crate) organization: String,
    pub(crate) project: String,
}

/// A `.env` document of `count` entries; every `turn` has other values.
pub(crate) fn document(count: usize, turn: u64) -> String {
    (0..count).map(|index| format!("SERVICE_{index}_API_KEY=sk_bench_{turn:020}_{index:020}\n")).collect()
}
