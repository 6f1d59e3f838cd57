//! How a workspace changes hands: by its owner, or by an administrator once the owner has left.

use secrets_core::{Binding, PrincipalKind, PrincipalRef, Right, Role, RoleResource, ScopeName, UserId, right};

use super::user::takes_part;
use super::workspace::{WorkspaceView, name_workspace};
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::mutation::{Begun, IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::{binding, secret, user, workspace};

/// What TransferWorkspace is asked for.
pub struct Transfer {
    pub name: ScopeName,
    pub new_owner: UserId,
}

/// A workspace that changed hands.
#[derive(Clone, Debug)]
pub struct Transferred {
    pub workspace: WorkspaceView,
    /// How many secrets lost their values.
    pub destroyed_secrets: u64,
}

impl Service {
    /// Gives a workspace to a new owner. Its owner hands it over as it is; an administrator reassigns one whose owner has
    /// left, and then what its members could not get the new owner does not get either: its values are destroyed.
    pub async fn transfer_workspace(
        &self,
        call: &mut OpenCall,
        input: &Transfer,
        key: &IdempotencyKey<Transferred>,
    ) -> Result<MutationOutcome<Transferred>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, input.name.organization()).await?;
        let first = self.locate_scope(self.store.reader(), call, &input.name).await?;
        let locked = match call.authorize::<right::TransferWorkspace>(&first) {
            Ok(first) => self.lock(call, organization.uid, first).await?,
            // Whoever has neither right is told of the owner's.
            Err(refused) => {
                let first = call.authorize::<right::ReassignWorkspace>(&first).map_err(|_| refused)?;
                self.lock(call, organization.uid, first).await?
            }
        };
        let located = self.locate_scope(locked.db(), call, &input.name).await?;
        match locked.authorize::<right::TransferWorkspace>(call, &located) {
            Ok(permit) => match locked.mutate_with(call, permit, key).await? {
                Begun::Replayed(outcome) => Ok(outcome),
                Begun::New(mutation) => self.transfer_or_reassign(call, input, key, mutation, &located, false).await,
            },
            Err(_) => match locked.mutate::<right::ReassignWorkspace, _>(call, &located, key).await? {
                Begun::Replayed(outcome) => Ok(outcome),
                Begun::New(mutation) => self.transfer_or_reassign(call, input, key, mutation, &located, true).await,
            },
        }
    }

    /// The second half, to which two rights lead.
    async fn transfer_or_reassign<A: Right>(
        &self,
        call: &mut OpenCall,
        input: &Transfer,
        key: &IdempotencyKey<Transferred>,
        mut mutation: Mutation<'_, A>,
        located: &LocatedScope,
        is_reassigned: bool,
    ) -> Result<MutationOutcome<Transferred>, Error> {
        located.must_exist()?;
        let (organization, scope) = (&located.organization, located.scope);
        let within = organization.uid;
        let new_owner = user::by_id(mutation.db(), within, &input.new_owner).await?.ok_or_else(|| {
            let organization = input.name.organization();
            Error::not_found(format_args!("user `organizations/{organization}/users/{}`", input.new_owner))
        })?;
        if !takes_part(mutation.db(), within, new_owner.uid).await? {
            let text = "must be a member of the organization; give the user the role MEMBER first";
            return Err(Error::invalid("new_owner", text));
        }
        let principal = PrincipalRef { kind: PrincipalKind::User, uid: new_owner.uid };
        let on = RoleResource::Workspace { organization: within, workspace: scope.uid };
        let membership = binding::find(mutation.db(), &Binding { principal, role: Role::Member, resource: on }).await?;
        let destroyed_secrets = if is_reassigned && membership.is_none() {
            secret::purge_scope(mutation.db(), within, scope).await?
        } else {
            0
        };
        if let Some(membership) = membership {
            // An owner needs no membership, and keeps none when the workspace goes on to somebody else.
            binding::delete(mutation.db(), Some(within), membership.uid).await?;
        }
        workspace::transfer(mutation.db(), within, scope.uid, Some(new_owner.uid)).await?;
        mutation.bump(scope).await?;
        let row = workspace::by_uids(mutation.db(), within, [scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::internal("a workspace vanished while it was locked"))?;
        let workspace = name_workspace(mutation.db(), organization, row).await?;
        mutation.finish(call, key, Transferred { workspace, destroyed_secrets }).await
    }
}
