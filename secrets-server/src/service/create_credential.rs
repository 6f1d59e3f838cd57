//! Creating credentials: a random token whose MAC is stored and whose text is shown once.

use std::time::Duration;

use secrets_core::{CredentialKind, PrincipalRef, Timestamp, Uid};

use crate::auth::token::Token;
use crate::error::Error;
use crate::service::Service;
use crate::store::KeyedConnection;
use crate::store::credential::{self, Credential, Origin};

/// What a new credential is for. A session fills in its context and what narrows it.
pub struct NewCredential {
    pub kind: CredentialKind,
    /// The organization it belongs to; none for the platform.
    pub organization: Option<Uid>,
    /// For whom it speaks; for a session, who created it.
    pub principal: PrincipalRef,
    /// For people.
    pub display_name: String,
    /// How it comes to be.
    pub origin: Origin,
    /// The credential with which it is created.
    pub creator: Option<Uid>,
    /// How long it lives; none: until it is revoked.
    pub ttl: Option<Duration>,
    /// By when it ends in any case.
    pub ends_by: Option<Timestamp>,
    /// Until when use extends it.
    pub sign_in_end_time: Option<Timestamp>,
}

/// A credential that was just created.
pub struct CreatedCredential {
    /// Its text, to be shown this once.
    pub token: Token,
    pub row: Credential,
}

impl Service {
    /// Creates a credential and stores its MAC; `complete` fills in what only some kinds have.
    pub async fn create_credential(
        &self,
        db: &impl KeyedConnection,
        new: NewCredential,
        now: Timestamp,
        complete: impl FnOnce(&mut Credential),
    ) -> Result<CreatedCredential, Error> {
        let token = Token::make(self.random.as_ref(), new.kind)?;
        let pepper = self.keys.peppers().last().ok_or_else(|| Error::internal("there is no pepper"))?;
        let mut row = Credential {
            uid: self.uid()?,
            kind: new.kind,
            organization: new.organization,
            principal: new.principal,
            mac: token.mac(pepper),
            pepper_version: pepper.version(),
            display_name: new.display_name,
            create_time: now,
            expire_time: earlier(new.ttl.map(|ttl| now.saturating_add(ttl)), new.ends_by),
            revoke_time: None,
            last_used_time: None,
            origin: new.origin,
            creator: new.creator,
            external_id: None,
            context_project: None,
            context_workspace: None,
            context_user: None,
            restrictions: None,
            sign_in_end_time: new.sign_in_end_time,
            address: None,
            redeemed_for: None,
            start_time: None,
            granted_role: None,
            effects: None,
            period_start_time: (new.kind == CredentialKind::Session).then_some(now),
        };
        complete(&mut row);
        credential::insert(db, &row).await?;
        Ok(CreatedCredential { token, row })
    }
}

/// A requested lifetime: `default` when unset, refused when not positive or longer than `max`.
pub fn lifetime(
    field: &'static str,
    asked: Option<Duration>,
    default: Duration,
    max: Duration,
) -> Result<Duration, Error> {
    match asked {
        None => Ok(default),
        Some(ttl) if ttl.is_zero() => Err(Error::invalid(field, "must be greater than zero")),
        Some(ttl) if ttl > max => {
            Err(Error::invalid(field, format!("must be at most {} s (got {} s)", max.as_secs(), ttl.as_secs())))
        }
        Some(ttl) => Ok(ttl),
    }
}

/// The earlier of two ends, where none is never.
pub fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (only, None) | (None, only) => only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_end_counts() {
        let (soon, late) = (Some(Timestamp::from_micros(1)), Some(Timestamp::from_micros(2)));
        assert_eq!(earlier(late, soon), soon);
        assert_eq!(earlier(late, None), late);
        assert_eq!(earlier(None, None), None);
    }

    #[test]
    fn a_lifetime_is_bounded_and_has_a_default() {
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
        assert_eq!(lifetime("ttl", None, hour, day).unwrap(), hour);
        assert_eq!(lifetime("ttl", Some(day), hour, day).unwrap(), day);
        assert!(lifetime("ttl", Some(day + hour), hour, day).unwrap_err().message().contains("86400"));
        assert!(lifetime("ttl", Some(Duration::ZERO), hour, day).is_err());
    }
}
