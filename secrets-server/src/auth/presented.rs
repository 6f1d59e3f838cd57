//! What a request presents of its caller, before anybody believes it.

use tonic::Request;
use tonic::metadata::MetadataMap;

use super::token::{InvalidToken, Token};
use crate::server::{Peer, RequestId};

/// What a request presents: a credential, if any, and where it came from.
pub struct Presented {
    pub(super) token: Result<Token, NoToken>,
    pub(super) request_id: String,
    pub(super) peer: String,
}

/// Why there is no token to look up. Says nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
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

impl Presented {
    /// What the metadata of a request presents.
    pub fn of<M>(request: &Request<M>) -> Self {
        Self { token: bearer(request.metadata()), ..Self::anonymous(request) }
    }

    /// A request that carries its credential elsewhere: `code`.
    pub fn with_code<M>(request: &Request<M>, code: &str) -> Self {
        Self { token: Token::parse(code).map_err(NoToken::Invalid), ..Self::anonymous(request) }
    }

    fn anonymous<M>(request: &Request<M>) -> Self {
        let extensions = request.extensions();
        Self {
            token: Err(NoToken::Absent),
            request_id: extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
            peer: extensions.get::<Peer>().map(|peer| peer.address.to_string()).unwrap_or_default(),
        }
    }
}

fn bearer(metadata: &MetadataMap) -> Result<Token, NoToken> {
    let value = metadata.get("authorization").ok_or(NoToken::Absent)?;
    let text = value.to_str().map_err(|_| NoToken::NotBearer)?;
    let (scheme, token) = text.split_once(' ').ok_or(NoToken::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::NotBearer);
    }
    Token::parse(token.trim()).map_err(NoToken::Invalid)
}
