//! For whom a set is resolved: from the identifiers of a context to its uids, and what is authorized for it.

use secrets_core::authorize::Resource;
use secrets_core::{
    AccountName, Binding, Context, ContextName, Principal, PrincipalKind, PrincipalName, PrincipalRef, RoleResource,
    ScopeKind, ScopeName, SecretId, SecretName, Uid, UserId,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::open_call::Located;
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, binding, context};

/// A context by name and by uid.
#[derive(Clone, Debug)]
pub struct LocatedContext {
    /// Its name, with the project that its workspace implies.
    pub name: ContextName,
    pub organization: Organization,
    /// Its uids; nil for what is named and does not exist.
    pub context: Context,
    /// The bindings of its user, which decide together with the caller's own.
    pub user_bindings: Vec<Binding>,
    pub resource: Resource,
    subject: Subject,
    /// A project is named beside a workspace that it does not have.
    contradiction: bool,
}

impl Located for LocatedContext {
    fn subject(&self) -> Subject {
        self.subject.clone()
    }

    fn resource(&self) -> Resource {
        self.resource
    }

    /// Its narrowest shared scope. Of a context that contradicts itself nobody learns anything: it may name a project that
    /// its workspace does not belong to.
    fn path(&self) -> Option<String> {
        (!self.contradiction).then(|| describe(&self.name))
    }

    fn membership(&self, of: RoleResource) -> Option<(String, String)> {
        let kind = match of {
            RoleResource::Platform => return None,
            RoleResource::Organization(_) => ScopeKind::Organization,
            RoleResource::Project { .. } => ScopeKind::Project,
            RoleResource::Workspace { .. } => ScopeKind::Workspace,
        };
        let path = |kind| self.name.scopes().find(|scope| scope.kind() == kind).map(|scope| scope.to_string());
        path(ScopeKind::User).zip(path(kind))
    }
}

impl LocatedContext {
    /// Refuses a context that names what does not exist or does not belong together. Call it after authorizing.
    pub fn must_exist(&self) -> Result<(), Error> {
        if self.contradiction {
            // One text for a workspace of another project, of none, and for none at all: whoever may resolve the project
            // learns nothing of what lies outside.
            let rule = "it has no such workspace; a workspace named alone implies its project";
            return Err(Error::field(Reason::ContextInvalid, "context.project", rule));
        }
        let missing = self.context.scopes().zip(self.name.scopes()).find(|(scope, _)| scope.uid.is_nil());
        match missing {
            Some((_, name)) => Err(Error::not_found(format_args!("{} `{name}`", super::noun(name.kind())))),
            None => Ok(()),
        }
    }

    /// The resource path of a secret in one of the context's scopes.
    pub fn secret_name(&self, scope: ScopeKind, secret_id: &SecretId) -> Option<SecretName> {
        let scope = self.name.scopes().find(|name| name.kind() == scope)?;
        Some(SecretName::new(scope, secret_id.clone()))
    }
}

impl Service {
    /// The context a call asks for: the session's own when none is named, and with the caller as its user when the caller is
    /// one and none is named, unless `without_user`.
    pub fn asked_context(
        &self,
        call: &Call,
        asked: Option<ContextName>,
        without_user: bool,
    ) -> Result<ContextName, Error> {
        let Some(mut name) = asked else {
            return match &call.caller.session {
                Some(session) => Ok(session.context.clone()),
                None => Err(Error::field(
                    Reason::ContextInvalid,
                    "context",
                    "only a session has a context of its own; name an organization, and a project or workspace in it",
                )),
            };
        };
        if name.user.is_none() && !without_user {
            name.user = match (&call.caller.principal, &call.caller.session) {
                (Principal::User { .. }, _) => own_id(call),
                (_, Some(session)) => session.context.user.clone(),
                _ => None,
            };
        }
        Ok(name)
    }

    /// The context of this name, and what is to be authorized for it.
    pub async fn locate_context(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        name: &ContextName,
    ) -> Result<LocatedContext, Error> {
        // The same refusal for an organization that is not the caller's and for one that does not exist.
        if call.caller.organization.as_ref().is_some_and(|own| own.id != name.organization) {
            return Err(Error::denied());
        }
        let Some(located) = context::locate(db, name).await? else {
            self.locate_organization(db, call, &name.organization).await?;
            return Err(Error::denied());
        };
        let mut name = name.clone();
        let implied = located.workspace.as_ref().and_then(|workspace| workspace.project);
        let named = name.project.as_ref().map(|_| located.project.as_ref().map_or(Uid::nil(), |project| project.uid));
        // A workspace of no project is no exception: a resolver of the project would get the secrets of any of these.
        let contradiction = name.project.is_some() && name.workspace.is_some() && implied != named;
        if name.project.is_none() {
            name.project = located.project.as_ref().map(|project| project.project_id.clone());
        }
        let context = Context {
            organization: located.organization.uid,
            project: named.or(implied),
            workspace: name.workspace.as_ref().map(|_| located.workspace.as_ref().map_or(Uid::nil(), |row| row.uid)),
            user: name.user.as_ref().map(|_| located.user.as_ref().map_or(Uid::nil(), |row| row.uid)),
        };
        let owner = located.workspace.as_ref().and_then(|workspace| workspace.owner);
        let own = call.caller.principal.reference();
        let user_bindings = match context.user {
            // The caller's own bindings are at hand, and for a session those of its user too.
            Some(user) if !user.is_nil() && own.uid != user && call.caller.session.is_none() => {
                let user = PrincipalRef { kind: PrincipalKind::User, uid: user };
                binding::of_principals(db, context.organization, &[user]).await?
            }
            _ => Vec::new(),
        };
        let narrowest = context.workspace.or(context.project).unwrap_or(context.organization);
        let subject = Subject::located(context.organization, describe(&name), narrowest);
        let resource = Resource::Context { context, owner };
        Ok(LocatedContext {
            name,
            organization: located.organization,
            context,
            user_bindings,
            resource,
            subject,
            contradiction,
        })
    }
}

/// The context in the audit log: its narrowest shared scope; a user in it is named by the event's principal or session.
fn describe(name: &ContextName) -> String {
    name.scopes()
        .filter(|scope| !matches!(scope, ScopeName::User(..)))
        .last()
        .map(|scope| scope.to_string())
        .unwrap_or_default()
}

fn own_id(call: &Call) -> Option<UserId> {
    match &call.caller.name {
        PrincipalName::Account(AccountName::User(name)) => Some(name.user.clone()),
        _ => None,
    }
}
