//! What a request presents of its caller, before anybody believes it.

use tonic::Request;
use tonic::metadata::MetadataMap;

use super::token::{InvalidToken, Token};
use crate::call::peer::Peer;
use crate::call::request_id::RequestId;
use crate::process::shutdown::{InFlightGuard, Shutdown};

/// What a request presents: a credential, if any, and where it came from.
pub struct RequestCredentials {
    pub(super) token: Result<Token, MissingCredential>,
    pub(super) request_id: String,
    pub(super) peer: String,
    /// Counts the call among the work in flight, for as long as it may outlive its caller.
    pub(crate) in_flight: Option<InFlightGuard>,
}

/// Why there is no token to look up. Says nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingCredential {
    /// There is no `authorization`.
    #[error("no credential; send `authorization: Bearer TOKEN`")]
    Absent,
    /// It is something else than a bearer token.
    #[error("`authorization` is not of the form `Bearer TOKEN`")]
    NotBearer,
    /// It is a bearer token of another make.
    #[error("{0}")]
    Invalid(InvalidToken),
}

impl RequestCredentials {
    /// What the metadata of a request presents.
    pub fn from_request<M>(request: &Request<M>) -> Self {
        Self { token: bearer(request.metadata()), ..Self::anonymous(request) }
    }

    /// The same, no longer counted: a stream is, for as long as its answer is on its way.
    #[must_use]
    pub(crate) fn not_in_flight(self) -> Self {
        Self { in_flight: None, ..self }
    }

    /// A request that carries its credential elsewhere: `code`.
    pub fn with_code<M>(request: &Request<M>, code: &str) -> Self {
        Self { token: Token::parse(code).map_err(MissingCredential::Invalid), ..Self::anonymous(request) }
    }

    fn anonymous<M>(request: &Request<M>) -> Self {
        let extensions = request.extensions();
        Self {
            token: Err(MissingCredential::Absent),
            request_id: extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
            peer: extensions.get::<Peer>().map(|peer| peer.address.to_string()).unwrap_or_default(),
            in_flight: extensions.get::<Shutdown>().map(|shutdown| shutdown.calls.token()),
        }
    }
}

fn bearer(metadata: &MetadataMap) -> Result<Token, MissingCredential> {
    let value = metadata.get("authorization").ok_or(MissingCredential::Absent)?;
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

    fn presented(authorization: Option<&str>) -> RequestCredentials {
        let mut request = Request::new(());
        if let Some(text) = authorization {
            request.metadata_mut().insert("authorization", text.parse().unwrap());
        }
        RequestCredentials::from_request(&request)
    }

    #[test]
    fn accepts_a_bearer_token_and_nothing_else() {
        let token = Token::make(&SystemRandom, CredentialKind::Personal).unwrap();
        for scheme in ["Bearer ", "bearer ", "BEARER  "] {
            let text = format!("{scheme}{}", token.expose());
            assert_eq!(presented(Some(&text)).token.ok().unwrap().expose(), token.expose());
        }
        assert_eq!(presented(None).token.err(), Some(MissingCredential::Absent));
        for text in ["Basic YTpi", "Bearer", token.expose()] {
            assert_eq!(presented(Some(text)).token.err(), Some(MissingCredential::NotBearer), "{text}");
        }
        let message = presented(Some("Bearer hunter2")).token.err().unwrap();
        assert!(
            matches!(message, MissingCredential::Invalid(_)) && !message.to_string().contains("hunter2"),
            "{message}"
        );
    }

    #[test]
    fn a_call_is_in_flight_as_long_as_what_it_presents() {
        let shutdown = Shutdown::default();
        let mut request = Request::new(());
        request.extensions_mut().insert(shutdown.clone());
        let presented = RequestCredentials::from_request(&request);
        drop(request);
        assert_eq!(shutdown.calls.len(), 1);
        drop(presented);
        assert_eq!(shutdown.calls.len(), 0);
    }
}
