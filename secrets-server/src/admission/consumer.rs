//! Whom a call counts for.

use secrets_core::{CredentialKind, Uid};

use crate::store::credential::Credential;

/// Whom a call counts for, and with which credential it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    pub key: ConsumerKey,
    pub credential: Uid,
    /// Whether that is a session, whoever it counts for.
    pub is_session: bool,
    /// None for the platform's, which have no share.
    pub organization: Option<Uid>,
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsumerKey {
    Operator,
    /// A person, with the sessions that serve them, whoever created these.
    User(Uid),
    /// A session that serves nobody.
    Session(Uid),
    ServiceAccount(Uid),
}

/// Who has the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerClass {
    /// A person with their sessions, or a session that serves nobody.
    Person,
    /// A service account, which calls for many; the operator too.
    ServiceAccount,
}

impl Consumer {
    /// Whom the calls of a credential count for. A session counts for the user whom it serves, and not for the control plane
    /// that created it: no sandbox can stop the control plane.
    pub fn new(credential: &Credential) -> Self {
        let principal = credential.principal.uid;
        let key = match (credential.kind, credential.context_user) {
            (CredentialKind::Operator, _) => ConsumerKey::Operator,
            (
                CredentialKind::Personal
                | CredentialKind::Invitation
                | CredentialKind::RecoveryCode
                | CredentialKind::SignInCode,
                _,
            ) => ConsumerKey::User(principal),
            (CredentialKind::ServiceAccount, _) => ConsumerKey::ServiceAccount(principal),
            (CredentialKind::Session, Some(user)) => ConsumerKey::User(user),
            (CredentialKind::Session, None) => ConsumerKey::Session(credential.uid),
        };
        Self {
            key,
            credential: credential.uid,
            is_session: credential.kind == CredentialKind::Session,
            organization: credential.organization,
        }
    }
}

impl ConsumerKey {
    pub fn class(self) -> ConsumerClass {
        match self {
            Self::User(_) | Self::Session(_) => ConsumerClass::Person,
            Self::Operator | Self::ServiceAccount(_) => ConsumerClass::ServiceAccount,
        }
    }
}
