//! How a credential came to be: it decides whether the credential ends with what made it.

use std::str::FromStr;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, ExprTrait};
use secrets_core::CredentialKind;

use super::Column;

/// How a credential was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// By the server itself, which had none.
    FirstStart,
    /// By redeeming an invitation's code, which is its creator.
    SignIn,
    /// By redeeming a recovery code, which is its creator.
    Recovery,
    /// By redeeming a code that a token of the same principal made for another machine. That token is its creator.
    AnotherMachine,
    /// With a token of the same principal.
    Own,
    /// With a credential on which it does not depend: of another principal, or as a recovery code.
    Issued,
    /// As a session, with a token or another session.
    Session,
    /// By a release that did not record it.
    Unknown,
}

impl Origin {
    const ALL: [Self; 8] = [
        Self::FirstStart,
        Self::SignIn,
        Self::Recovery,
        Self::AnotherMachine,
        Self::Own,
        Self::Issued,
        Self::Session,
        Self::Unknown,
    ];

    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstStart => "FIRST_START",
            Self::SignIn => "SIGN_IN",
            Self::Recovery => "RECOVERY",
            Self::AnotherMachine => "ANOTHER_MACHINE",
            Self::Own => "OWN",
            Self::Issued => "ISSUED",
            Self::Session => "SESSION",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether a person redeemed a code.
    pub const fn is_sign_in(self) -> bool {
        matches!(self, Self::SignIn | Self::Recovery | Self::AnotherMachine)
    }

    /// Whether a person redeemed a code that no token of theirs had made.
    pub const fn is_fresh_sign_in(self) -> bool {
        matches!(self, Self::SignIn | Self::Recovery)
    }
}

impl FromStr for Origin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text).ok_or(())
    }
}

/// What ends with its creator. A session does, whichever release created it.
pub(super) fn ends_with_creator() -> SimpleExpr {
    let origins = [Origin::SignIn, Origin::Recovery, Origin::AnotherMachine, Origin::Own];
    let own = Column::Origin.is_in(origins.map(Origin::as_str));
    is_session().or(own)
}

/// A token of another principal than the one that created it.
pub(super) fn is_issued_token() -> SimpleExpr {
    let codes = CredentialKind::ALL.iter().filter(|kind| kind.is_code()).map(|kind| kind.as_str());
    let is_token = Column::Kind.is_not_in(codes);
    Column::Origin.eq(Origin::Issued.as_str()).and(is_token)
}

/// The code of an invitation.
pub(super) fn is_invitation() -> SimpleExpr {
    Column::Kind.eq(CredentialKind::Invitation.as_str())
}

pub(super) fn is_session() -> SimpleExpr {
    Column::Kind.eq(CredentialKind::Session.as_str())
}
