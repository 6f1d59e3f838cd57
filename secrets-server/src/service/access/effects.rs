//! What an invitation has ended: whoever makes it is told, and whoever redeems it.

use secrets_core::{CredentialKind, PrincipalRef, Uid};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::Error;
use crate::store::KeyedConnection;
use crate::store::credential::{self, CredentialFilter};

/// How much of what a user had has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effects {
    pub tokens: u64,
    pub sessions: u64,
    pub recovery_codes: u64,
    /// Invitations, of the user and of others by them, and codes for other machines.
    pub codes: u64,
    pub destroyed_secrets: u64,
    /// Workspaces of others that the user was a member of.
    pub left_workspaces: u64,
}

impl Effects {
    /// The text to store; none where nothing has ended.
    pub(super) fn to_text(&self) -> Result<Option<String>, Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some).map_err(Error::internal)
    }

    /// What a stored text says, as far as this version knows it.
    pub(super) fn from_text(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Ends the credentials of a user but `kept`, and every session for them, whoever created it.
    pub(super) async fn end_credentials(
        &mut self,
        db: &impl KeyedConnection,
        call: &Call,
        organization: Uid,
        user: PrincipalRef,
        kept: Option<Uid>,
    ) -> Result<(), Error> {
        let count = async |kinds: &[CredentialKind]| {
            let kinds = kinds.to_vec();
            let live = CredentialFilter { kinds, principal: Some(user), live_at: Some(call.now), ..Default::default() };
            credential::count(db, Some(organization), &live).await
        };
        self.tokens = count(&[CredentialKind::Personal]).await?;
        self.recovery_codes = count(&[CredentialKind::RecoveryCode]).await?;
        self.codes = count(&[CredentialKind::Invitation, CredentialKind::SignInCode]).await?;
        let own = match kept {
            Some(kept) => {
                self.codes = self.codes.saturating_sub(1);
                credential::revoke_all_but(db, user, kept, call.now).await?
            }
            None => credential::revoke_of_principal(db, user, call.now).await?,
        };
        let of_others = credential::revoke_sessions_for_user(db, organization, user.uid, call.now).await?;
        self.sessions = own.sessions + of_others.sessions;
        self.codes += own.invitations;
        Ok(())
    }
}
