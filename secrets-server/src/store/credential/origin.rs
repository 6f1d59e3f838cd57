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
    /// By redeeming a code, which is its creator.
    SignIn,
    /// With a token of the same principal.
    Own,
    /// With a credential of another principal, on whom it does not depend.
    Issued,
    /// As a session, with a token or another session.
    Session,
    /// By a release that did not record it.
    Unknown,
}

impl Origin {
    const ALL: [Self; 6] = [Self::FirstStart, Self::SignIn, Self::Own, Self::Issued, Self::Session, Self::Unknown];

    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstStart => "FIRST_START",
            Self::SignIn => "SIGN_IN",
            Self::Own => "OWN",
            Self::Issued => "ISSUED",
            Self::Session => "SESSION",
            Self::Unknown => "UNKNOWN",
        }
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
    let own = Column::Origin.is_in([Origin::SignIn, Origin::Own].map(Origin::as_str));
    is_session().or(own)
}

/// A token of another principal than the one that created it.
pub(super) fn is_issued_token() -> SimpleExpr {
    let is_token = Column::Kind.ne(CredentialKind::Invitation.as_str());
    Column::Origin.eq(Origin::Issued.as_str()).and(is_token)
}

pub(super) fn is_session() -> SimpleExpr {
    Column::Kind.eq(CredentialKind::Session.as_str())
}
