//! Redeeming a code for a personal token: an invitation's, a recovery code, or one that was made for another machine. The code is
//! the credential of the call.
//!
//! # Invariant
//!
//! No code leads to more than it came from: what another machine gets ends with the token that made its code, and lives by use no
//! longer. Only an invitation's and a recovery code begin another year, for no token makes these by itself.

use std::time::Duration;

use secrets_core::{
    Binding, CredentialKind, Principal, PrincipalKind, PrincipalName, PrincipalRef, Resource, Role, RoleResource,
    Scope, ScopeKind, Timestamp, Uid, right,
};
use zeroize::Zeroizing;

use super::effects::Effects;
use super::invitation::start_anew;
use super::token::{MAX_TOKEN_TTL, TokenView};
use crate::audit::Subject;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::mutation::{IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::binding::BindingRecord;
use crate::store::credential::{Origin, Revoked, SIGN_IN_TTL};
use crate::store::user::UserState;
use crate::store::{binding, credential, user};

/// How long after its person has entered a code use extends a token at the latest.
const MAX_SIGN_IN: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What redeeming a code is asked for.
pub struct Redemption {
    /// For people.
    pub display_name: String,
    pub ttl: Option<Duration>,
}

/// What RedeemRecoveryCode is asked for.
pub struct RecoveryRedemption {
    pub redemption: Redemption,
    /// The person's other credentials go on.
    pub keep_others: bool,
}

/// What a code was redeemed for.
pub struct Redeemed {
    /// The personal token, shown once.
    pub token: Zeroizing<String>,
    pub metadata: TokenView,
    /// Resource path of the user.
    pub user: String,
    /// What the invitation had ended, or has ended now.
    pub effects: Effects,
}

/// What a recovery code was redeemed for.
pub struct Recovered {
    pub redeemed: Redeemed,
    /// The other credentials that it ended.
    pub revoked: Revoked,
    /// How many recovery codes are left.
    pub remaining: u64,
}

/// A code that is being redeemed, under the lock of its organization.
struct Redeeming<'a> {
    mutation: Mutation<'a, right::CreateToken>,
    organization: Uid,
    user: PrincipalRef,
}

/// How the token comes to be, and when it ends at the latest.
struct SignIn {
    origin: Origin,
    creator: Uid,
    ends_by: Option<Timestamp>,
    sign_in_end_time: Option<Timestamp>,
}

impl Service {
    /// Redeems an invitation's code.
    pub async fn redeem_invitation(
        &self,
        call: &mut OpenCall,
        input: &Redemption,
        key: &IdempotencyKey<Redeemed>,
    ) -> Result<MutationOutcome<Redeemed>, Error> {
        let mut redeeming = self.begin_redemption(call).await?;
        let (organization, user) = (redeeming.organization, redeeming.user.uid);
        let code = redeeming.mutation.credential();
        let effects = match code.granted_role {
            Some(role) => self.take_role(call, &mut redeeming, role).await?,
            None => Effects::from_text(code.effects.as_deref()),
        };
        user::set_state(redeeming.mutation.db(), organization, user, UserState::Active).await?;
        let sign_in = SignIn::anew(call, input, Origin::SignIn);
        let redeemed = Redeemed { effects, ..self.sign_in(call, &redeeming, input, sign_in).await? };
        redeeming.mutation.finish(call, key, redeemed).await
    }

    /// Makes the invited an administrator, for whom the operator has invited them: without what somebody had under this name.
    async fn take_role(&self, call: &OpenCall, redeeming: &mut Redeeming<'_>, role: Role) -> Result<Effects, Error> {
        let Redeeming { mutation, organization, user } = redeeming;
        let scope = Scope::new(ScopeKind::User, user.uid);
        let effects = start_anew(mutation, call, scope, true, Some(call.caller.credential)).await?;
        let binding = Binding { principal: *user, role, resource: RoleResource::Organization(*organization) };
        if binding::find(mutation.db(), &binding).await?.is_none() {
            let creator = PrincipalName::Operator.to_string();
            let record = BindingRecord { uid: self.uid()?, binding, create_time: call.now, creator };
            binding::insert(mutation.db(), &record).await?;
        }
        mutation.bump(Scope::new(ScopeKind::Organization, *organization)).await?;
        Ok(effects)
    }

    /// Redeems a recovery code, and ends the person's other tokens, sessions and codes for other machines, unless they are to be
    /// kept. The other recovery codes go on.
    pub async fn redeem_recovery_code(
        &self,
        call: &mut OpenCall,
        input: &RecoveryRedemption,
        key: &IdempotencyKey<Recovered>,
    ) -> Result<MutationOutcome<Recovered>, Error> {
        let mut redeeming = self.begin_redemption(call).await?;
        let (organization, user) = (redeeming.organization, redeeming.user);
        let revoked = match input.keep_others {
            true => Revoked::default(),
            false => credential::revoke_all_but_recovery_codes(redeeming.mutation.db(), user, call.now).await?,
        };
        if revoked.total() > 0 {
            redeeming.mutation.bump(Scope::new(ScopeKind::Organization, organization)).await?;
        }
        let sign_in = SignIn::anew(call, &input.redemption, Origin::Recovery);
        let redeemed = self.sign_in(call, &redeeming, &input.redemption, sign_in).await?;
        user::set_recovery_time(redeeming.mutation.db(), organization, user.uid, call.now).await?;
        let remaining =
            credential::recovery_codes(redeeming.mutation.db(), organization, user, call.now).await?.len() as u64;
        redeeming.mutation.finish(call, key, Recovered { redeemed, revoked, remaining }).await
    }

    /// Redeems a code that a token made for another machine.
    pub async fn redeem_sign_in_code(
        &self,
        call: &mut OpenCall,
        input: &Redemption,
        key: &IdempotencyKey<Redeemed>,
    ) -> Result<MutationOutcome<Redeemed>, Error> {
        let redeeming = self.begin_redemption(call).await?;
        let maker = credential::creator(redeeming.mutation.db(), redeeming.mutation.credential()).await?;
        let maker = maker.filter(|maker| !maker.has_ended(call.now)).ok_or_else(maker_has_ended)?;
        let latest = maker.sign_in_end_time;
        let sign_in = SignIn {
            origin: Origin::AnotherMachine,
            creator: maker.uid,
            ends_by: latest.or(maker.expire_time),
            sign_in_end_time: latest.filter(|_| input.ttl.is_none()),
        };
        let redeemed = self.sign_in(call, &redeeming, input, sign_in).await?;
        redeeming.mutation.finish(call, key, redeemed).await
    }

    /// A code is redeemed once: a repeat is too late, and of two who redeem it at the same time one finds here that it has ended.
    async fn begin_redemption(&self, call: &mut OpenCall) -> Result<Redeeming<'_>, Error> {
        let Principal::User { organization, user } = call.caller.principal else { return Err(Error::denied()) };
        let own = (Subject::new(organization, &call.caller.name, user), Resource::User { organization, user });
        let first = call.authorize::<right::CreateToken>(&own)?;
        let locked = self.lock(call, organization, first).await?;
        let permit = locked.authorize::<right::CreateToken>(call, &own)?;
        let mutation = locked.mutate_anew(call, permit);
        Ok(Redeeming { mutation, organization, user: PrincipalRef { kind: PrincipalKind::User, uid: user } })
    }

    /// Creates the token, and ends the code.
    async fn sign_in(
        &self,
        call: &mut OpenCall,
        redeeming: &Redeeming<'_>,
        input: &Redemption,
        sign_in: SignIn,
    ) -> Result<Redeemed, Error> {
        let Redeeming { mutation, organization, user } = redeeming;
        let new_credential = NewCredential {
            kind: CredentialKind::Personal,
            organization: Some(*organization),
            principal: *user,
            display_name: input.display_name.clone(),
            origin: sign_in.origin,
            creator: Some(sign_in.creator),
            ttl: Some(lifetime("ttl", input.ttl, SIGN_IN_TTL, MAX_TOKEN_TTL)?),
            ends_by: sign_in.ends_by,
            sign_in_end_time: sign_in.sign_in_end_time,
        };
        let address = call.address();
        let CreatedCredential { token, row } =
            self.create_credential(mutation.db(), new_credential, call.now, |row| row.address = address).await?;
        let code = call.caller.credential;
        if !credential::redeem(mutation.db(), *organization, code, row.uid, call.now).await? {
            return Err(Error::internal(format!("code {code} has ended under the lock")));
        }
        let id = call.caller.organization.as_ref().map(|organization| organization.id.clone());
        let metadata = TokenView { organization: id, principal: call.caller.name.to_string(), row };
        call.identify(Subject::new(*organization, metadata.name(), metadata.row.uid));
        // Shown to whoever redeemed the code: this once.
        let token = Zeroizing::new(token.expose().to_owned());
        Ok(Redeemed { token, metadata, user: call.caller.name.to_string(), effects: Effects::default() })
    }
}

impl SignIn {
    /// Of a code that begins another year.
    fn anew(call: &OpenCall, input: &Redemption, origin: Origin) -> Self {
        Self {
            origin,
            creator: call.caller.credential,
            ends_by: None,
            // Who chooses a lifetime means it.
            sign_in_end_time: input.ttl.is_none().then(|| call.now.saturating_add(MAX_SIGN_IN)),
        }
    }
}

fn maker_has_ended() -> Error {
    let command = CredentialKind::SignInCode;
    let text = format!(
        "the code `{}…` ended with the token that made it; sign in there again, and make another one: `secrets login \
         --another-machine`",
        command.prefix()
    );
    Error::new(Reason::Unauthenticated, text)
}
