//! What a request presents of its caller, before anybody believes it.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, header};

use super::token::{InvalidToken, Token};
use crate::call::logged_caller::LoggedCaller;
use crate::call::lookup_turn::LookupTurns;
use crate::call::peer::{Peer, site};
use crate::call::purpose::Purpose;
use crate::call::request_id::RequestId;

/// What a request presents: a credential, if any, and where it came from.
pub struct RequestCredentials {
    pub(super) token: Result<Token, MissingCredential>,
    pub(super) request_id: String,
    pub(super) caller_request_id: String,
    pub(super) purpose: Option<Purpose>,
    pub(super) peer: String,
    /// Whose address that is, if it came over a network.
    pub(super) site: Option<IpAddr>,
    pub(super) lookups: LookupTurns,
    /// Where the log reads who it was.
    pub(super) logged_caller: LoggedCaller,
}

/// Why there is no token to look up. Says nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingCredential {
    /// There is no `authorization`.
    #[error("no credential; send `authorization: Bearer TOKEN`")]
    Absent,
    /// There are several: which of them is meant is not for us to guess.
    #[error("more than one `authorization`; send one")]
    Several,
    /// It is something else than a bearer token.
    #[error("`authorization` is not of the form `Bearer TOKEN`")]
    NotBearer,
    /// It is a bearer token of another make.
    #[error("{0}")]
    Invalid(InvalidToken),
}

impl RequestCredentials {
    /// What a request with these headers presents.
    pub fn new(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let request_id = extensions.get::<RequestId>();
        let given = request_id.and_then(RequestId::given);
        let peer = extensions.get::<Peer>();
        Self {
            token: bearer(headers),
            request_id: request_id.map(ToString::to_string).unwrap_or_default(),
            caller_request_id: given.map(ToOwned::to_owned).unwrap_or_default(),
            purpose: Purpose::of(headers),
            peer: peer.map(|peer| peer.address.to_string()).unwrap_or_default(),
            site: peer.map(|peer| site(peer.address.ip())),
            lookups: extensions.get().cloned().unwrap_or_default(),
            logged_caller: extensions.get().cloned().unwrap_or_default(),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<Token, MissingCredential> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(MissingCredential::Absent)?;
    if values.next().is_some() {
        return Err(MissingCredential::Several);
    }
    let text = value.to_str().map_err(|_| MissingCredential::NotBearer)?;
    let (scheme, token) = text.split_once(' ').ok_or(MissingCredential::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(MissingCredential::NotBearer);
    }
    Token::parse(token.trim()).map_err(MissingCredential::Invalid)
}

#[cfg(test)]
mod tests {
    use secrets_core::CredentialKind;

    use super::*;
    use crate::crypto::SystemRandom;

    fn presented(authorizations: &[&str]) -> Result<Token, MissingCredential> {
        let mut headers = HeaderMap::new();
        for text in authorizations {
            headers.append(header::AUTHORIZATION, text.parse().unwrap());
        }
        RequestCredentials::new(&headers, &Extensions::new()).token
    }

    #[test]
    fn accepts_a_bearer_token_and_nothing_else() {
        let token = Token::make(&SystemRandom, CredentialKind::Personal).unwrap();
        for scheme in ["Bearer ", "bearer ", "BEARER  "] {
            let text = format!("{scheme}{}", token.expose());
            assert_eq!(presented(&[&text]).ok().unwrap().expose(), token.expose());
        }
        assert_eq!(presented(&[]).err(), Some(MissingCredential::Absent));
        for text in ["Basic YTpi", "Bearer", token.expose()] {
            assert_eq!(presented(&[text]).err(), Some(MissingCredential::NotBearer), "{text}");
        }
        let message = presented(&["Bearer hunter2"]).err().unwrap();
        assert!(
            matches!(message, MissingCredential::Invalid(_)) && !message.to_string().contains("hunter2"),
            "{message}"
        );
    }

    #[test]
    fn refuses_more_than_one_authorization_even_if_they_are_alike() {
        let token = Token::make(&SystemRandom, CredentialKind::Personal).unwrap();
        let text = format!("Bearer {}", token.expose());
        for second in [text.as_str(), "Bearer hunter2", ""] {
            assert_eq!(presented(&[&text, second]).err(), Some(MissingCredential::Several), "{second}");
        }
    }
}
