//! The desktop's keyring, where a login leaves its token on request: the Secret Service of freedesktop.org, over the session bus.
//!
//! Invariants:
//! - a use takes [`USE_TIMEOUT`] at most, except where a person unlocks the keyring in its own window, which only a command on a
//!   terminal makes it open;
//! - an outage is an error of its own, and never the same as a token that is not there;
//! - of what the bus and the service answer, nothing but names of D-Bus errors is shown.
//!
//! Absent: the kernel's keys, which end with the session, and the encryption of what goes over the bus: whoever can read a
//! person's own socket is that person.

mod bus;
mod service;

use std::io::IsTerminal as _;
use std::time::Duration;

use secrets_client::{Credential, KeyringItem};

use self::service::SecretService;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::prompt;

/// How long the bus and the service may take, for one use.
const USE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a person may take to unlock the keyring.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// More than an answer takes: a token, and what describes it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Whether the keyring may ask for its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlocking {
    /// A person is there, and waits for it.
    Asks,
    Never,
}

/// Why the keyring does not give a token, or does not take one.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    #[error("the keyring can't be reached: {0}")]
    NoBus(String),
    #[error("the keyring can't be reached: no program provides `org.freedesktop.secrets` on the session bus")]
    NoService,
    #[error("the keyring did not answer within {} s", USE_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the keyring is locked")]
    Locked,
    #[error("the keyring was not unlocked")]
    NotUnlocked,
    #[error("the keyring has no default collection to keep a token in")]
    NoCollection,
    #[error("the token is not in the keyring any more")]
    Gone,
    #[error("the keyring refused: {0}")]
    Refused(String),
    #[error("the keyring's answer is not valid: {0}")]
    Malformed(&'static str),
}

impl Unlocking {
    /// A person who reads the terminal sees that a window asks them; nobody else is asked.
    pub(crate) fn on_terminal() -> Self {
        if prompt::stdin_is_terminal() && std::io::stderr().is_terminal() { Self::Asks } else { Self::Never }
    }
}

/// Returns the token of an item.
pub(crate) async fn read(item: &KeyringItem, unlocking: Unlocking) -> Result<Credential, KeyringError> {
    SecretService::open(unlocking).await?.read(item).await
}

/// Makes sure that the keyring takes a token, before there is one.
pub(crate) async fn prepare(unlocking: Unlocking) -> Result<(), KeyringError> {
    SecretService::open(unlocking).await?.default_collection().await.map(drop)
}

/// Stores a token, and reads it again: nobody else knows it.
pub(crate) async fn write(
    item: &KeyringItem,
    label: &str,
    token: &Credential,
    unlocking: Unlocking,
) -> Result<(), KeyringError> {
    let service = SecretService::open(unlocking).await?;
    service.write(item, label, token).await?;
    match service.read(item).await? {
        kept if kept.expose() == token.expose() => Ok(()),
        _ => Err(KeyringError::Malformed("it returns another token than the one that it was given")),
    }
}

/// Deletes an item; one that is not there counts as deleted.
pub(crate) async fn delete(item: &KeyringItem, unlocking: Unlocking) -> Result<(), KeyringError> {
    match SecretService::open(unlocking).await?.delete(item).await {
        Err(KeyringError::Gone) => Ok(()),
        ended => ended,
    }
}

impl KeyringError {
    /// What to do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::NoBus(_) => {
                "is this a session of your desktop, as the one that you signed in from? Elsewhere SECRETS_TOKEN brings a token along, \
                 and `secrets login` without --keyring stores one in a file"
            }
            Self::NoService | Self::TimedOut => {
                "is your desktop's keyring (GNOME Keyring, KWallet, KeePassXC) running? SECRETS_TOKEN brings a token along, and `secrets \
                 login` without --keyring stores one in a file"
            }
            Self::Locked => {
                "unlock it on your desktop, or run `secrets whoami` on a terminal there, which makes it ask for its password"
            }
            Self::NotUnlocked => "try again, and enter the keyring's password in its window",
            Self::NoCollection => "create one in your desktop's password manager, and make it the default",
            Self::Gone => {
                "was it deleted there? `secrets login --keyring` signs in again, and `secrets config unset token` forgets where it was; \
                 until it is revoked or expires, the token itself is valid"
            }
            Self::Refused(_) | Self::Malformed(_) => {
                "look into your desktop's password manager; `secrets login` without --keyring stores a token in a file"
            }
        }
    }
}

impl From<KeyringError> for CliError {
    fn from(error: KeyringError) -> Self {
        Self::new(ExitCode::Unavailable, error.to_string()).hint(error.remedy())
    }
}
