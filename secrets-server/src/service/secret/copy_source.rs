//! The secret that is copied or moved: who may, and which ones are.

use secrets_core::authorize::{Permit, right};
use secrets_core::{OverridePolicy, Visibility};

use super::copy::CopySecret;
use super::receivable::{does_not_receive, first_delivered, is_resolver, receives_nothing};
use super::{etag, missing, named};
use crate::audit::Subject;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::open_call::OpenCall;
use crate::store::KeyedConnection;
use crate::store::secret::{self, SecretWithVersion};

/// A secret that may be copied.
pub(super) struct CopySource {
    pub current: SecretWithVersion,
    /// Whoever copies it gets it.
    _permit: Permit<right::ReceiveValues>,
}

impl Service {
    /// Locates the scope of the source, for a caller who may receive what one of its contexts gets, and who may change its secrets
    /// where the source is to be deleted. It depends on no secret.
    pub(super) async fn locate_source(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        input: &CopySecret,
    ) -> Result<LocatedScope, Error> {
        let located = self.locate_scope(db, call, &input.name.scope).await?;
        let subject = named(&located.organization, &input.name);
        if input.deletes_source {
            call.require::<right::WriteSecrets>(&(subject.clone(), located.resource, &located.name))?;
        }
        call.identify(subject);
        if self.receiving_contexts(db, call, &located, &[&Visibility::All]).await?.is_empty() {
            return Err(receives_nothing(call, &located));
        }
        located.must_exist()?;
        Ok(located)
    }

    /// The secret that is copied, if it is one that the caller would get.
    pub(super) async fn find_source(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        located: &LocatedScope,
        input: &CopySecret,
    ) -> Result<CopySource, Error> {
        let name = &input.name;
        // Asked before it is known whether there is one: what is hidden takes no more than what is not there.
        let listing = match call.permit::<right::ListSecrets>(&located.resource) {
            Ok(permit) => Some(self.listing_of(db, call, &permit).await?),
            Err(_) => None,
        };
        let current = secret::current_evenly(db, located.organization.uid, located.scope, &name.secret_id).await?;
        let Some(current) = current else {
            // Of one that is hidden from a resolver it is asked whether a context of theirs has it.
            if is_resolver(call) {
                let nowhere = Visibility::Selected { projects: Default::default(), workspaces: Default::default() };
                self.receiving_contexts(db, call, located, &[&nowhere]).await?;
            }
            return Err(missing(name));
        };
        let secret = &current.secret;
        call.identify(Subject::new(secret.organization, name, secret.uid));
        let is_listed = listing.as_ref().is_some_and(|listing| listing.shows(&secret.visibility).is_some());
        // Only a resolver may receive what it does not list.
        if !is_listed && !is_resolver(call) {
            return Err(missing(name));
        }
        let receiving = self.receiving_contexts(db, call, located, &[&secret.visibility]).await?;
        if receiving.is_empty() {
            return Err(if is_listed { does_not_receive(name) } else { missing(name) });
        }
        etag::check(input.etag.as_deref(), secret)?;
        let refuse = |why: &str| Error::new(Reason::SecretNotCopyable, format!("`{name}` is not copied: {why}"));
        if secret.disabled {
            return Err(refuse("it is disabled; enable it first"));
        }
        if secret.expire_time.is_some_and(|end| end <= call.now) {
            return Err(refuse("it has expired; give it a later expiry first"));
        }
        if secret.override_policy == OverridePolicy::Locked {
            return Err(refuse("it is locked, so that contexts get no other one in its place; unlock it first"));
        }
        match first_delivered(db, call, receiving, &current).await? {
            Some(permit) => Ok(CopySource { current, _permit: permit }),
            None => Err(refuse("another secret is delivered in its place: a locked one, or one of a narrower scope")),
        }
    }
}
