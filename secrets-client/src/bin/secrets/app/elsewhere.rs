//! A secret that is not where it was looked for: in which other scope it is, or which name was meant.

use secrets_client::{ClientError, Reason, v1};
use secrets_core::{CredentialKind, OrganizationId, ScopeKind, ScopeName, SecretName};

use super::App;
use super::asked::typed_instead;
use super::similar::{aside, similar, soon};
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::CliError;
use crate::ui::output::text;

/// In how many projects, and in how many workspaces, a secret is looked for: whoever sees more knows what the flags are for.
const MAX_LOOKED_AT: usize = 8;

impl App {
    /// A secret of a scope, without its value.
    pub(crate) async fn secret(&self, scope: &ScopeName, name: &str) -> Result<v1::Secret, CliError> {
        let request = v1::GetSecretRequest { name: scope::secret_path(scope, name)? };
        self.asks_secret(name);
        match self.client()?.get_secret(request).await {
            Ok(found) => Ok(found.secret.unwrap_or_default()),
            Err(error) => Err(self.not_found_here(error, scope, name).await),
        }
    }

    /// Says where the secret is, or which one was meant, as far as the caller may know.
    pub(crate) async fn not_found_here(&self, error: ClientError, scope: &ScopeName, name: &str) -> CliError {
        self.not_found_in(error, scope, name, "--").await
    }

    /// The same of a secret that is copied from there.
    pub(crate) async fn not_found_where_it_comes_from(
        &self,
        error: ClientError,
        scope: &ScopeName,
        name: &str,
    ) -> CliError {
        self.not_found_in(error, scope, name, "--from-").await
    }

    async fn not_found_in(&self, error: ClientError, scope: &ScopeName, name: &str, flag: &str) -> CliError {
        if error.reason() != Some(Reason::SecretNotFound) {
            return error.into();
        }
        let hint = async {
            let other = match self.other_scope(scope, name).await {
                Some(other) => Some(other),
                None => self.among_visible(scope.organization(), std::slice::from_ref(scope), name).await,
            };
            match other {
                Some(other) => Some(has_one(scope, &other, flag)),
                None => {
                    let names = self.secret_names(scope).await?;
                    similar(name, &names).map(|similar| format!("did you mean {similar}?"))
                }
            }
        };
        CliError::from(error).or_hint(soon(hint).await)
    }

    /// Which project or workspace, of those that the context is not of, has a secret that it lacks.
    pub(super) async fn elsewhere(&self, name: &str) -> Option<String> {
        // A session sees no scope, and what it is refused would stand in the audit log.
        if self.credential_kind() == Some(CredentialKind::Session) {
            return None;
        }
        let context = self.asked.borrow().context.clone()?;
        let organization: OrganizationId = context.organization.parse().ok()?;
        let project = context.project.parse().ok().map(|id| ScopeName::Project(organization.clone(), id));
        let workspace = context.workspace.parse().ok().map(|id| ScopeName::Workspace(organization.clone(), id));
        let asked: Vec<ScopeName> = project.into_iter().chain(workspace).collect();
        let found = self.among_visible(&organization, &asked, name).await?;
        let (flag, id) = match found.kind() {
            ScopeKind::Project => ("project", &context.project),
            _ => ("workspace", &context.workspace),
        };
        let place = format!("{} has one", text::scope(&found));
        Some(match typed_instead(found.kind(), id) {
            Some(typed) => format!("{place}: --{flag} {} instead of {typed}", found.id()),
            None => format!("{place}: add --{flag} {}", found.id()),
        })
    }

    /// A project or workspace that the caller may see, other than those `asked`, that has a secret of this name.
    async fn among_visible(&self, organization: &OrganizationId, asked: &[ScopeName], name: &str) -> Option<ScopeName> {
        let client = self.client().ok()?;
        for part in ["projects", "workspaces"] {
            let any: ScopeName = format!("{}/{part}/a", ScopeName::Organization(organization.clone())).parse().ok()?;
            let ids = self.siblings(&any).await.unwrap_or_default();
            for id in ids.iter().filter(|_| ids.len() <= MAX_LOOKED_AT) {
                let path = format!("organizations/{organization}/{part}/{id}/secrets/{name}");
                let Ok(found) = path.parse::<SecretName>() else { continue };
                if !asked.contains(&found.scope) && client.get_secret(v1::GetSecretRequest { name: path }).await.is_ok()
                {
                    return Some(found.scope);
                }
            }
        }
        None
    }

    /// Another scope of the caller's own context that has a secret of this name.
    async fn other_scope(&self, scope: &ScopeName, name: &str) -> Option<ScopeName> {
        let context = ContextArgs::default().context(scope.organization().to_string(), &self.defaults());
        let request =
            v1::ExplainRequest { context: Some(context), secret_ids: vec![name.to_owned()], ..Default::default() };
        let answer = aside(self.client().ok()?.explain(request)).await?;
        let row = answer.explanations.into_iter().next()?;
        let winner = row.winner.into_iter().map(|winner| winner.secret);
        let paths = winner.chain(row.not_chosen.into_iter().filter_map(|other| other.secret).map(|other| other.secret));
        paths.filter_map(|path| path.parse::<SecretName>().ok()).map(|found| found.scope).find(|found| found != scope)
    }
}

/// What the scope that was asked lacks, and which flag means the scope that has the secret; `flag` is how flags of scopes begin.
fn has_one(asked: &ScopeName, other: &ScopeName, flag: &str) -> String {
    let flag = match other {
        ScopeName::Organization(_) => format!("{flag}org"),
        ScopeName::Project(_, project) => format!("{flag}project {project}"),
        ScopeName::Workspace(_, workspace) => format!("{flag}workspace {workspace}"),
        ScopeName::User(..) => {
            let scope = match asked {
                ScopeName::Project(..) => "project",
                ScopeName::Workspace(..) => "workspace",
                ScopeName::Organization(_) | ScopeName::User(..) => "org",
            };
            return format!("you have one of your own: leave out {flag}{scope}");
        }
    };
    let place = match other {
        ScopeName::Organization(_) => "the organization".to_owned(),
        other => text::scope(other),
    };
    match asked {
        ScopeName::User(..) => format!("you have none of your own; {place} has one: add {flag}"),
        _ => format!("{place} has one: {flag}"),
    }
}
