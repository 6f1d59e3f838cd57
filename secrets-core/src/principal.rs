//! Who calls.

use std::fmt;

use crate::Uid;
use crate::context::Context;

/// The kinds of principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// The operator of the platform.
    Operator,
    /// A person.
    User,
    /// A program.
    ServiceAccount,
    /// A token for exactly one context.
    Session,
}

crate::wire_enum::wire_enum!(PrincipalKind, "kind of principal", {
    Operator => "OPERATOR",
    User => "USER",
    ServiceAccount => "SERVICE_ACCOUNT",
    Session => "SESSION",
});

/// A principal as stored things refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalRef {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its uid; the nil uid for the operator, of whom there is one.
    pub uid: Uid,
}

/// Whoever can hold roles and tokens, and create sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A person.
    User {
        /// The organization they belong to.
        organization: Uid,
        /// The person.
        user: Uid,
    },
    /// A program.
    ServiceAccount {
        /// The organization it belongs to; `None`: the platform.
        organization: Option<Uid>,
        /// The program.
        service_account: Uid,
    },
}

/// The kinds of account, by who manages them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// A person.
    User,
    /// A program of one organization, whose admins make its tokens.
    ServiceAccount,
    /// A program of the platform, whose tokens only the operator makes.
    PlatformServiceAccount,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::User, Self::ServiceAccount, Self::PlatformServiceAccount];
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "a user",
            Self::ServiceAccount => "a service account of an organization",
            Self::PlatformServiceAccount => "a service account of the platform",
        })
    }
}

impl Account {
    /// What it is.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::User { .. } => AccountKind::User,
            Self::ServiceAccount { organization: Some(_), .. } => AccountKind::ServiceAccount,
            Self::ServiceAccount { organization: None, .. } => AccountKind::PlatformServiceAccount,
        }
    }

    /// The account as stored things refer to it.
    pub const fn reference(self) -> PrincipalRef {
        match self {
            Self::User { user, .. } => PrincipalRef { kind: PrincipalKind::User, uid: user },
            Self::ServiceAccount { service_account, .. } => {
                PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: service_account }
            }
        }
    }

    /// Whether it can have anything to do with the organization: its own, or any for a service account of the platform.
    pub fn may_enter(self, organization: Uid) -> bool {
        match self {
            Self::User { organization: own, .. } => own == organization,
            Self::ServiceAccount { organization: own, .. } => own.is_none_or(|own| own == organization),
        }
    }
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// The operator of the platform.
    Operator,
    /// A person.
    User {
        /// The organization they belong to.
        organization: Uid,
        /// The person.
        user: Uid,
    },
    /// A program.
    ServiceAccount {
        /// The organization it belongs to; `None`: the platform.
        organization: Option<Uid>,
        /// The program.
        service_account: Uid,
    },
    /// A token for exactly one context.
    Session {
        /// The session.
        session: Uid,
        /// The one context it serves.
        context: Context,
        /// Who created it. Of a session that a session created, whoever created the first one. It is good only while they
        /// may still create it.
        creator: Account,
    },
}

impl Principal {
    /// The principal as stored things refer to it.
    pub const fn reference(&self) -> PrincipalRef {
        match *self {
            Self::Operator => PrincipalRef { kind: PrincipalKind::Operator, uid: Uid::nil() },
            Self::User { user, .. } => PrincipalRef { kind: PrincipalKind::User, uid: user },
            Self::ServiceAccount { service_account, .. } => {
                PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: service_account }
            }
            Self::Session { session, .. } => PrincipalRef { kind: PrincipalKind::Session, uid: session },
        }
    }

    /// The account that calls; the operator and a session are none.
    pub const fn account(&self) -> Option<Account> {
        match *self {
            Self::User { organization, user } => Some(Account::User { organization, user }),
            Self::ServiceAccount { organization, service_account } => {
                Some(Account::ServiceAccount { organization, service_account })
            }
            Self::Operator | Self::Session { .. } => None,
        }
    }
}

impl From<Account> for Principal {
    fn from(account: Account) -> Self {
        match account {
            Account::User { organization, user } => Self::User { organization, user },
            Account::ServiceAccount { organization, service_account } => {
                Self::ServiceAccount { organization, service_account }
            }
        }
    }
}
