//! A secret that is not where it was looked for: in which other scope it is, or which name was meant.

use secrets_client::{ClientError, Reason, v1};
use secrets_core::{ScopeName, SecretName};
use strsim::osa_distance;

use super::App;
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::CliError;
use crate::ui::output::text;

/// How many names of the scope are compared.
const MAX_NAMES: i32 = 1_000;
/// How many letters may be different in a name that was meant.
const MAX_DISTANCE: usize = 2;

impl App {
    /// A secret of a scope, without its value.
    pub(crate) async fn secret(&self, scope: &ScopeName, name: &str) -> Result<v1::Secret, CliError> {
        let request = v1::GetSecretRequest { name: scope::secret_path(scope, name)? };
        match self.client()?.get_secret(request).await {
            Ok(found) => Ok(found.secret.unwrap_or_default()),
            Err(error) => Err(self.not_found_here(error, scope, name).await),
        }
    }

    /// Says where the secret is, or which one was meant, as far as the caller may know.
    pub(crate) async fn not_found_here(&self, error: ClientError, scope: &ScopeName, name: &str) -> CliError {
        if error.reason() != Some(Reason::SecretNotFound) {
            return error.into();
        }
        let hint = match self.other_scope(scope, name).await {
            Some(other) => Some(has_one(scope, &other)),
            None => self.similar(scope, name).await.map(|similar| format!("did you mean {similar}?")),
        };
        let error = CliError::from(error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Another scope of the caller's own context that has a secret of this name.
    async fn other_scope(&self, scope: &ScopeName, name: &str) -> Option<ScopeName> {
        let context = ContextArgs::default().context(scope.organization().to_string(), &self.defaults());
        let request =
            v1::ExplainRequest { context: Some(context), secret_ids: vec![name.to_owned()], ..Default::default() };
        let answer = self.client().ok()?.explain(request).await.ok()?;
        let row = answer.explanations.into_iter().next()?;
        let winner = row.winner.into_iter().map(|winner| winner.secret);
        let paths = winner.chain(row.not_chosen.into_iter().filter_map(|other| other.secret).map(|other| other.secret));
        paths.filter_map(|path| path.parse::<SecretName>().ok()).map(|found| found.scope).find(|found| found != scope)
    }

    /// A name of the scope that one or two slips turn into this one.
    async fn similar(&self, scope: &ScopeName, name: &str) -> Option<String> {
        let request = v1::ListSecretsRequest { parent: scope.to_string(), page_size: MAX_NAMES, ..Default::default() };
        let listed = self.client().ok()?.list_secrets(request).await.ok()?.secrets;
        let distance = |other: &String| osa_distance(other, name);
        let names = listed.into_iter().map(|secret| secret.secret_id);
        names.filter(|other| distance(other) <= MAX_DISTANCE).min_by_key(distance)
    }
}

/// Which flag means the scope that has the secret.
fn has_one(asked: &ScopeName, other: &ScopeName) -> String {
    match other {
        ScopeName::Organization(_) => "the organization has one: add --org".to_owned(),
        ScopeName::Project(_, project) => format!("{} has one: add --project {project}", text::scope(other)),
        ScopeName::Workspace(_, workspace) => format!("{} has one: add --workspace {workspace}", text::scope(other)),
        ScopeName::User(..) => {
            let flag = match asked {
                ScopeName::Project(..) => "--project",
                ScopeName::Workspace(..) => "--workspace",
                ScopeName::Organization(_) | ScopeName::User(..) => "--org",
            };
            format!("you have one of your own: leave out {flag}")
        }
    }
}
