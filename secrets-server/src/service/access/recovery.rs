//! Recovery codes: a person's own way back in where their tokens are lost, past which nobody else has one.
//!
//! # Invariant
//!
//! Only a token that its person got within the last ten minutes, for an invitation's or a recovery code, makes recovery codes: a
//! token that was stolen does not, nor one that was signed in from another machine, since a stolen token makes these codes. Nobody
//! makes or sees them for somebody else. Inviting the person again ends them with all other credentials.

use std::time::Duration;

use secrets_core::{
    CredentialKind, OrganizationId, Principal, PrincipalKind, PrincipalRef, Resource, Timestamp, TokenName, right,
};
use zeroize::Zeroizing;

use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::{Credential, Origin};
use crate::store::{KeyedConnection, credential};

/// Codes of a set.
const CODES: usize = 8;
/// How long after entering a code its person makes recovery codes.
const FRESH_TIME: Duration = Duration::from_secs(10 * 60);

/// The recovery codes that a person has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCodesView {
    /// How many are left.
    pub remaining: u64,
    pub create_time: Timestamp,
    /// The token with which they were created.
    pub creator: Option<TokenName>,
}

impl RecoveryCodesView {
    fn new(organization: Option<&OrganizationId>, rows: &[Credential]) -> Option<Self> {
        let newest = rows.first()?;
        let creator = newest.creator.map(|uid| TokenName { organization: organization.cloned(), uid });
        Some(Self { remaining: rows.len() as u64, create_time: newest.create_time, creator })
    }
}

/// Recovery codes that were just created.
pub struct CreatedRecoveryCodes {
    /// The codes, shown once.
    pub codes: Vec<Zeroizing<String>>,
    pub set: Option<RecoveryCodesView>,
    /// How many from before ended.
    pub revoked: u64,
}

impl Service {
    /// Creates a set of recovery codes for the calling person, which takes the place of the one before.
    pub async fn create_recovery_codes(
        &self,
        call: &mut OpenCall,
        key: &IdempotencyKey<CreatedRecoveryCodes>,
    ) -> Result<MutationOutcome<CreatedRecoveryCodes>, Error> {
        let Principal::User { organization, user } = call.caller.principal else { return Err(Error::denied()) };
        let own = (Subject::new(organization, &call.caller.name, user), Resource::User { organization, user });
        let first = call.authorize::<right::CreateToken>(&own)?;
        let locked = self.lock(call, organization, first).await?;
        let mutation = match locked.mutate::<right::CreateToken, _>(call, &own, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let token = mutation.credential();
        if !(token.origin.is_fresh_sign_in() && call.now < token.create_time.saturating_add(FRESH_TIME)) {
            return Err(not_fresh());
        }
        let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
        let revoked = credential::revoke_recovery_codes(mutation.db(), organization, principal, call.now).await?;
        let (mut codes, mut rows) = (Vec::with_capacity(CODES), Vec::with_capacity(CODES));
        for _ in 0..CODES {
            let new_credential = NewCredential {
                kind: CredentialKind::RecoveryCode,
                organization: Some(organization),
                principal,
                display_name: String::new(),
                origin: Origin::Issued,
                creator: Some(token.uid),
                ttl: None,
                ends_by: None,
                sign_in_end_time: None,
            };
            let CreatedCredential { token: code, row } =
                self.create_credential(mutation.db(), new_credential, call.now, |_| ()).await?;
            // Shown to whoever asked for them: this once.
            codes.push(Zeroizing::new(code.expose().to_owned()));
            rows.push(row);
        }
        let set = RecoveryCodesView::new(call.caller.organization.as_ref().map(|own| &own.id), &rows);
        mutation.finish(call, key, CreatedRecoveryCodes { codes, set, revoked }).await
    }

    /// The recovery codes that the calling person has; none of another caller.
    pub(super) async fn own_recovery_codes(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
    ) -> Result<Option<RecoveryCodesView>, Error> {
        let Principal::User { organization, user } = call.caller.principal else { return Ok(None) };
        let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
        let rows = credential::recovery_codes(db, organization, principal, call.now).await?;
        Ok(RecoveryCodesView::new(call.caller.organization.as_ref().map(|own| &own.id), &rows))
    }
}

fn not_fresh() -> Error {
    let text = "recovery codes are created within ten minutes of entering an invitation's or a recovery code, with the token that \
                it was redeemed for; sign in with one, and ask again";
    Error::new(Reason::SignInRequired, text)
}
