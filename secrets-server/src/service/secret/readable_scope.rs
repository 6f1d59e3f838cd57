//! Looking at the secrets of a scope: who may, and how much of it they see.

use secrets_core::authorize::{Entitlement, Listing, Permit, Resource};
use secrets_core::{Principal, ScopeName, SecretName, right};

use super::view::{self, SecretView};
use super::{missing, named};
use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::open_call::{Located, OpenCall};
use crate::store::{KeyedConnection, secret, workspace};

/// A scope that its caller may look at.
pub(super) struct ReadableScope {
    /// The scope; it exists.
    pub located: LocatedScope,
    /// How much of it the caller sees.
    pub listing: Listing,
}

impl Service {
    /// Locates a scope, authorizes looking at its secrets, and only then says whether it exists. `secret` is the one that the
    /// call is about, if it is about one.
    pub(super) async fn read_secrets(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        scope: &ScopeName,
        secret: Option<&SecretName>,
    ) -> Result<ReadableScope, Error> {
        let located = self.locate_scope(db, call, scope).await?;
        let subject = match secret {
            Some(name) => named(&located.organization, name),
            None => located.subject(),
        };
        let permit = call.authorize::<right::ListSecrets>(&(subject, located.resource, scope))?;
        located.must_exist()?;
        let listing = self.listing_of(db, call, &permit).await?;
        Ok(ReadableScope { located, listing })
    }

    /// How much the holder of the permit sees.
    pub(in crate::service) async fn listing_of(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        permit: &Permit<right::ListSecrets>,
    ) -> Result<Listing, Error> {
        let own = match (permit.resource(), permit.principal()) {
            (Resource::Organization(organization), Principal::User { user, .. })
                if permit.entitlement() == Entitlement::Member =>
            {
                workspace::owned_by(db, *organization, *user).await?
            }
            _ => Vec::new(),
        };
        Ok(Listing::new(permit, &call.caller.bindings, own.into_iter().map(|workspace| workspace.uid)))
    }

    /// The live secret of this name, if the caller sees it. What is hidden is as absent as what is not there.
    pub(super) async fn find_shown(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        name: &SecretName,
    ) -> Result<SecretView, Error> {
        let ReadableScope { located, listing } = self.read_secrets(db, call, &name.scope, Some(name)).await?;
        let current = secret::current_evenly(db, located.organization.uid, located.scope, &name.secret_id).await?;
        let current = current.ok_or_else(|| missing(name))?;
        let uid = current.secret.uid;
        let shown = view::show(db, &name.scope, current, &listing).await?.ok_or_else(|| missing(name))?;
        call.identify(Subject::new(located.organization.uid, name, uid));
        Ok(shown)
    }
}
