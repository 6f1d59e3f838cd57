//! The names of tokens, sessions and codes.

use std::fmt;
use std::str::FromStr;

use super::{InvalidResourceName, segments, uid};
use crate::Uid;
use crate::identifier::OrganizationId;

/// The name of a token: `organizations/{organization}/tokens/{uid}`, or `tokens/{uid}` for one of the platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenName {
    /// The organization it belongs to; `None`: the platform.
    pub organization: Option<OrganizationId>,
    /// The uid of the token.
    pub uid: Uid,
}

impl FromStr for TokenName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str = "`organizations/{organization}/tokens/{uid}`, or `tokens/{uid}` for one of the platform";
        match segments(text, SHAPES)?.as_slice() {
            ["tokens", id] => Ok(Self { organization: None, uid: uid(id, SHAPES)? }),
            ["organizations", organization, "tokens", id] => {
                Ok(Self { organization: Some(organization.parse()?), uid: uid(id, SHAPES)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
        }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(organization) = &self.organization {
            write!(f, "organizations/{organization}/")?;
        }
        write!(f, "tokens/{}", self.uid)
    }
}

/// The name of a session: `organizations/{organization}/sessions/{uid}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName {
    /// The organization of its context.
    pub organization: OrganizationId,
    /// The uid of the session.
    pub uid: Uid,
}

impl FromStr for SessionName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "`organizations/{organization}/sessions/{uid}`";
        match segments(text, SHAPE)?.as_slice() {
            ["organizations", organization, "sessions", id] => {
                Ok(Self { organization: organization.parse()?, uid: uid(id, SHAPE)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPE }),
        }
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organizations/{}/sessions/{}", self.organization, self.uid)
    }
}

/// The name of a code for another machine: `organizations/{organization}/signInCodes/{uid}`. It does not hold the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInCodeName {
    /// The organization of its person.
    pub organization: OrganizationId,
    /// The uid of the code.
    pub uid: Uid,
}

impl FromStr for SignInCodeName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "`organizations/{organization}/signInCodes/{uid}`";
        match segments(text, SHAPE)?.as_slice() {
            ["organizations", organization, "signInCodes", id] => {
                Ok(Self { organization: organization.parse()?, uid: uid(id, SHAPE)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPE }),
        }
    }
}

impl fmt::Display for SignInCodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organizations/{}/signInCodes/{}", self.organization, self.uid)
    }
}

/// The name of an invitation by which the operator makes somebody an administrator:
/// `organizations/{organization}/adminInvitations/{uid}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdminInvitationName {
    /// The organization.
    pub organization: OrganizationId,
    /// The uid of the invitation.
    pub uid: Uid,
}

impl FromStr for AdminInvitationName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "`organizations/{organization}/adminInvitations/{uid}`";
        match segments(text, SHAPE)?.as_slice() {
            ["organizations", organization, "adminInvitations", id] => {
                Ok(Self { organization: organization.parse()?, uid: uid(id, SHAPE)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPE }),
        }
    }
}

impl fmt::Display for AdminInvitationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organizations/{}/adminInvitations/{}", self.organization, self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";

    #[test]
    fn reads_tokens_sessions_and_codes() {
        for text in [format!("organizations/acme/tokens/{UID}"), format!("tokens/{UID}")] {
            assert_eq!(text.parse::<TokenName>().unwrap().to_string(), text);
        }
        let text = format!("organizations/acme/sessions/{UID}");
        assert_eq!(text.parse::<SessionName>().unwrap().to_string(), text);
        let text = format!("organizations/acme/signInCodes/{UID}");
        assert_eq!(text.parse::<SignInCodeName>().unwrap().to_string(), text);
        assert!(text.parse::<SessionName>().is_err() && text.parse::<TokenName>().is_err());
        let text = format!("organizations/acme/adminInvitations/{UID}");
        assert_eq!(text.parse::<AdminInvitationName>().unwrap().to_string(), text);
        assert!(text.parse::<SignInCodeName>().is_err());
    }

    #[test]
    fn refuses_what_is_no_session() {
        for text in [
            UID.to_owned(),
            format!("sessions/{UID}"),
            "organizations/acme/sessions/".to_owned(),
            "organizations/acme/sessions/7".to_owned(),
            format!("organizations/acme/tokens/{UID}"),
            format!("organizations/acme/xsessions/{UID}"),
            format!("organizations/acme/sessions/{}", UID.to_uppercase()),
            format!("organizations/acme/sessions/{}", UID.replace('-', "")),
            format!("organizations/acme/projects/api/sessions/{UID}"),
        ] {
            assert!(text.parse::<SessionName>().is_err(), "{text}");
        }
    }
}
