//! Codes with which a person who is signed in on one machine signs in on another.

use std::time::Duration;

use secrets_core::{CredentialKind, Principal, PrincipalKind, PrincipalRef, Resource, SignInCodeName, Uid, right};
use zeroize::Zeroizing;

use super::token::TokenView;
use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::{Credential, Origin};
use crate::store::{KeyedConnection, credential};

/// How long a code can be redeemed.
const CODE_TTL: Duration = Duration::from_secs(10 * 60);

/// A code in words, without the code.
#[derive(Clone, Debug)]
pub struct SignInCodeView {
    pub name: SignInCodeName,
    pub row: Credential,
    /// What it was redeemed for.
    pub token: Option<TokenView>,
}

/// A code that was just created.
pub struct CreatedSignInCode {
    /// The code, shown once.
    pub code: Zeroizing<String>,
    pub view: SignInCodeView,
}

/// A person and the organization that they belong to.
struct Person {
    organization: Uid,
    user: Uid,
}

impl Person {
    /// The caller, if it is a person with a token of theirs.
    fn calling(call: &Call) -> Result<Self, Error> {
        match call.caller.principal {
            Principal::User { organization, user } => Ok(Self { organization, user }),
            _ => Err(Error::denied()),
        }
    }

    /// What is authorized: the person. Nobody else has a part in their codes.
    fn resource(&self) -> Resource {
        Resource::User { organization: self.organization, user: self.user }
    }

    fn reference(&self) -> PrincipalRef {
        PrincipalRef { kind: PrincipalKind::User, uid: self.user }
    }
}

impl Service {
    /// Creates a code for another machine of the calling person. It ends with the calling token, which a code must have been
    /// redeemed for: what other tokens make ends with them, and is no way to sign in.
    pub async fn create_sign_in_code(
        &self,
        call: &mut OpenCall,
        key: &IdempotencyKey<CreatedSignInCode>,
    ) -> Result<MutationOutcome<CreatedSignInCode>, Error> {
        let person = Person::calling(call)?;
        let own = (Subject::new(person.organization, &call.caller.name, person.user), person.resource());
        let first = call.authorize::<right::CreateToken>(&own)?;
        let locked = self.lock(call, person.organization, first).await?;
        let mutation = match locked.mutate::<right::CreateToken, _>(call, &own, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let maker = mutation.credential();
        // What took the place of a sign-in is the same sign-in.
        if !(maker.origin.is_sign_in() || maker.sign_in_end_time.is_some()) {
            let text = "a code for another machine is created with a token that signed in itself, and this one was created with \
                        another token; sign in with a code, and ask again";
            return Err(Error::new(Reason::SignInRequired, text));
        }
        let new_credential = NewCredential {
            kind: CredentialKind::SignInCode,
            organization: Some(person.organization),
            principal: person.reference(),
            display_name: String::new(),
            origin: Origin::Own,
            creator: Some(maker.uid),
            ttl: Some(CODE_TTL),
            ends_by: maker.expire_time,
            sign_in_end_time: None,
        };
        let CreatedCredential { token: code, row } =
            self.create_credential(mutation.db(), new_credential, call.now, |_| ()).await?;
        let view = SignInCodeView { name: own_code(call, row.uid)?, row, token: None };
        call.identify(Subject::new(person.organization, &view.name, view.row.uid));
        // Shown to whoever asked for it, who types it on the other machine: this once.
        let code = Zeroizing::new(code.expose().to_owned());
        mutation.finish(call, key, CreatedSignInCode { code, view }).await
    }

    /// Returns a code of the calling person, and what it was redeemed for.
    pub async fn get_sign_in_code(&self, call: &mut OpenCall, name: SignInCodeName) -> Result<SignInCodeView, Error> {
        let person = Person::calling(call)?;
        let db = &self.read(call).await?;
        call.require::<right::CreateToken>(&(Subject::new(person.organization, &name, name.uid), person.resource()))?;
        view(db, call, &person, &name).await
    }

    /// Ends a code of the calling person that was not redeemed; says what it was redeemed for if it was.
    pub async fn revoke_sign_in_code(
        &self,
        call: &mut OpenCall,
        name: &SignInCodeName,
        key: &IdempotencyKey<SignInCodeView>,
    ) -> Result<MutationOutcome<SignInCodeView>, Error> {
        let person = Person::calling(call)?;
        let own = (Subject::new(person.organization, name, name.uid), person.resource());
        let first = call.authorize::<right::CreateToken>(&own)?;
        let locked = self.lock(call, person.organization, first).await?;
        let mutation = match locked.mutate::<right::CreateToken, _>(call, &own, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        view(mutation.db(), call, &person, name).await?;
        credential::revoke_alone(mutation.db(), Some(person.organization), name.uid, call.now).await?;
        let revoked = view(mutation.db(), call, &person, name).await?;
        mutation.finish(call, key, revoked).await
    }
}

/// The name of a code of the calling person.
fn own_code(call: &Call, uid: Uid) -> Result<SignInCodeName, Error> {
    let organization = call.caller.organization.as_ref().ok_or_else(Error::denied)?;
    Ok(SignInCodeName { organization: organization.id.clone(), uid })
}

/// A code of a person; those of others are not there.
async fn view(
    db: &impl KeyedConnection,
    call: &Call,
    person: &Person,
    name: &SignInCodeName,
) -> Result<SignInCodeView, Error> {
    let is_own = |row: &Credential| row.kind == CredentialKind::SignInCode && row.principal == person.reference();
    let found = match own_code(call, name.uid)? == *name {
        true => credential::by_uid(db, Some(person.organization), name.uid).await?.filter(is_own),
        false => None,
    };
    let row = found.ok_or_else(|| Error::not_found(format_args!("code `{name}`")))?;
    let token = match row.redeemed_for {
        Some(uid) => credential::by_uid(db, Some(person.organization), uid).await?,
        None => None,
    };
    let principal = call.caller.name.to_string();
    let organization = Some(name.organization.clone());
    Ok(SignInCodeView { name: name.clone(), row, token: token.map(|row| TokenView { organization, principal, row }) })
}
