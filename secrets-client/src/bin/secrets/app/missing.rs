//! Secrets that a context lacks: why, from where they could come, and what to type. Never a value.

mod ask;

use secrets_client::v1;
use secrets_core::{CredentialKind, OrganizationId, ScopeName};
use serde_json::{Value, json};

use super::App;
use super::similar::aside;
use crate::args::scope::ContextArgs;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

/// What it takes to set a secret.
const WRITE_PERMISSION: &str = "secrets.write";

/// What a context has of the names that were asked for, and what it lacks.
pub(crate) struct Availability {
    pub(crate) context: Option<v1::Context>,
    /// In the order in which they were asked for.
    pub(crate) names: Vec<RequestedSecret>,
}

/// One name.
pub(crate) struct RequestedSecret {
    pub(crate) secret_id: String,
    /// What the repository needs it for.
    pub(crate) description: Option<String>,
    /// What is there under this name; the winner is missing where nothing is delivered.
    pub(crate) explanation: v1::Explanation,
    /// Where it could come from; empty if it is there.
    pub(crate) remedies: Vec<Remedy>,
}

/// A way to set the secret in one of the context's scopes.
pub(crate) struct Remedy {
    /// The scope's resource path.
    scope: String,
    command: String,
    /// Who may set it there.
    who: String,
    /// Whether the caller may.
    allowed: bool,
}

/// A scope of a context.
struct WritableScope {
    /// Its resource path.
    scope: String,
    /// The flag that means it.
    flag: String,
    /// Who may set secrets there.
    who: String,
    /// Whether the caller may.
    allowed: bool,
}

impl App {
    /// What there is of these names in the context.
    pub(crate) async fn availability(&self, context: &ContextArgs, names: &[String]) -> Result<Availability, CliError> {
        let request = v1::ExplainRequest {
            context: self.context(context).await?,
            secret_ids: names.to_vec(),
            ..Default::default()
        };
        let answer = self.client()?.explain(request).await?;
        let mut scopes = None;
        let mut found = Vec::new();
        for name in names {
            let explanation = answer.explanations.iter().find(|row| row.secret_id == *name).cloned();
            let explanation =
                explanation.unwrap_or_else(|| v1::Explanation { secret_id: name.clone(), ..Default::default() });
            let need = self.settings.repository.declared(name);
            let description = need.and_then(|need| need.description.clone());
            let remedies = match (&explanation.winner, &answer.context) {
                (None, Some(context)) => {
                    if scopes.is_none() {
                        scopes = Some(self.scopes(context).await?);
                    }
                    remedies(name, description.as_deref(), scopes.iter().flatten())
                }
                _ => Vec::new(),
            };
            found.push(RequestedSecret { secret_id: name.clone(), description, explanation, remedies });
        }
        Ok(Availability { context: answer.context, names: found })
    }

    /// The error that says what is missing and what to type, unless it is there by now.
    pub(crate) async fn refuse_missing(
        &self,
        context: &ContextArgs,
        required: &[String],
    ) -> Result<Option<CliError>, CliError> {
        let availability = self.availability(context, required).await?;
        let missing: Vec<&RequestedSecret> = availability.names.iter().filter(|name| name.is_missing()).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let details = missing.iter().flat_map(|name| name.lines(true, 1)).collect();
        let meant = match missing.as_slice() {
            [one] if one.is_unknown() => self.meant_in_context(&one.secret_id).await,
            _ => None,
        };
        let hint = meant.unwrap_or_else(|| self.every_way(&missing));
        Ok(Some(missing_error(&missing).hint(hint).with_details(details)))
    }

    /// Why a secret that is there is not in the context that was asked for.
    pub(super) async fn why_left_out(&self, name: &str) -> Option<String> {
        let context = self.asked.borrow().context.clone();
        let request = v1::ExplainRequest { context, secret_ids: vec![name.to_owned()], ..Default::default() };
        let rows = aside(self.client().ok()?.explain(request)).await?.explanations;
        let other = rows.iter().find(|row| row.secret_id == name)?.not_chosen.first()?;
        Some(format!("it is there, but {}", why_not(other)))
    }

    /// What shows more than the first way to set them.
    fn every_way(&self, missing: &[&RequestedSecret]) -> String {
        let is_declared = |name: &&RequestedSecret| self.settings.repository.declared(&name.secret_id).is_some();
        let names: Vec<&str> = missing.iter().map(|name| name.secret_id.as_str()).collect();
        let typed = if missing.iter().all(is_declared) { "" } else { &format!(" {}", names.join(" ")) };
        format!("`secrets check{typed}` shows every way to set what is missing")
    }

    /// The scopes of the context, first those where the caller may set secrets, of these the narrowest first.
    async fn scopes(&self, context: &v1::Context) -> Result<Vec<WritableScope>, CliError> {
        let mut scopes = scopes(context);
        // A session may set nothing, and not even ask.
        let is_session = self.credential_kind() == Some(CredentialKind::Session);
        for scope in scopes.iter_mut().filter(|_| !is_session) {
            let resource = scope.scope.clone();
            let request = v1::TestPermissionsRequest { resource, permissions: vec![WRITE_PERMISSION.to_owned()] };
            let answer = self.client()?.test_permissions(request).await?;
            scope.allowed = answer.permissions.iter().any(|permission| permission == WRITE_PERMISSION);
        }
        for scope in &mut scopes {
            if let Some(organization) = self.organization_flag() {
                scope.flag.push_str(&format!(" --organization {organization}"));
            }
        }
        scopes.sort_by_key(|scope| !scope.allowed);
        Ok(scopes)
    }
}

/// The error that names all of them.
pub(crate) fn missing_error(missing: &[&RequestedSecret]) -> CliError {
    let names: Vec<&str> = missing.iter().map(|name| name.secret_id.as_str()).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let number = text::count(names.len(), "secret");
    CliError::new(ExitCode::Missing, format!("{number} {verb} missing: {}", names.join(", ")))
}

impl RequestedSecret {
    pub(crate) fn is_missing(&self) -> bool {
        self.explanation.winner.is_none()
    }

    /// Whether no scope of the context has anything of this name.
    pub(crate) fn is_unknown(&self) -> bool {
        self.is_missing() && self.explanation.not_chosen.is_empty()
    }

    /// What it is for, why it is missing, and at most so many ways to set it.
    pub(crate) fn lines(&self, is_required: bool, most: usize) -> Vec<String> {
        let mut first = format!("{} is missing{}", self.secret_id, if is_required { "" } else { " (not required)" });
        if let Some(description) = &self.description {
            first.push_str(&format!(": {description}"));
        }
        let mut lines = vec![first];
        lines.extend(self.explanation.not_chosen.iter().map(|other| format!("  there, but {}", why_not(other))));
        lines.extend(self.remedies.iter().take(most).map(|remedy| match remedy.allowed {
            true => format!("  {}", remedy.command),
            false => format!("  {} may: {}", remedy.who, remedy.command),
        }));
        lines
    }

    pub(crate) fn json(&self, is_required: bool) -> Value {
        let mut json = crate::ui::output::json::explanation(&self.explanation);
        for (member, value) in [
            ("present", Value::Bool(!self.is_missing())),
            ("required", Value::Bool(is_required)),
            ("description", self.description.clone().map_or(Value::Null, Value::String)),
            ("remedies", self.remedies.iter().map(Remedy::json).collect()),
        ] {
            json = crate::ui::output::json::with(json, member, value);
        }
        json
    }
}

impl Remedy {
    fn json(&self) -> Value {
        json!({ "scope": self.scope, "command": self.command, "allowed": self.allowed, "who": self.who })
    }
}

/// The scopes of a context, the narrowest first; whether the caller may set secrets there is not known yet. A scope
/// whose identifier is empty or not valid is left out: no flag could name it.
fn scopes(context: &v1::Context) -> Vec<WritableScope> {
    let v1::Context { organization, project, workspace, user } = context;
    let Ok(organization) = organization.parse::<OrganizationId>() else { return Vec::new() };
    let scope = |name: ScopeName, flag: String, who: String| WritableScope {
        scope: name.to_string(),
        flag,
        who,
        allowed: false,
    };
    let mut scopes = Vec::new();
    if let Ok(id) = user.parse() {
        scopes.push(scope(ScopeName::User(organization.clone(), id), String::new(), user.clone()));
    }
    if let Ok(id) = workspace.parse() {
        let who = format!("the owner of workspace {workspace}");
        let name = ScopeName::Workspace(organization.clone(), id);
        scopes.push(scope(name, format!(" --workspace {workspace}"), who));
    }
    if let Ok(id) = project.parse() {
        let who = format!("an admin of project {project}");
        scopes.push(scope(ScopeName::Project(organization.clone(), id), format!(" --project {project}"), who));
    }
    let who = "an admin of the organization".to_owned();
    scopes.push(scope(ScopeName::Organization(organization), " --org".to_owned(), who));
    scopes
}

fn remedies<'a>(name: &str, description: Option<&str>, scopes: impl Iterator<Item = &'a WritableScope>) -> Vec<Remedy> {
    let description = description.map(|text| format!(" --description {}", quoted(text))).unwrap_or_default();
    let remedy = |scope: &WritableScope| Remedy {
        scope: scope.scope.clone(),
        command: format!("secrets set {name}{}{description}", scope.flag),
        who: scope.who.clone(),
        allowed: scope.allowed,
    };
    scopes.map(remedy).collect()
}

/// Why what is there is not delivered.
fn why_not(other: &v1::NotChosen) -> String {
    let path = other.secret.as_ref().map(|secret| secret.secret.as_str()).unwrap_or_default();
    format!("not delivered from {}: {}", text::scope_of(path), text::not_chosen(other.reason()))
}

/// As one word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(user: &str, workspace: &str, project: &str) -> v1::Context {
        v1::Context {
            organization: "acme".into(),
            user: user.into(),
            workspace: workspace.into(),
            project: project.into(),
        }
    }

    #[test]
    fn has_a_command_for_each_scope_of_the_context() {
        let commands = |context: &v1::Context, description| -> Vec<String> {
            remedies("A", description, scopes(context).iter()).into_iter().map(|remedy| remedy.command).collect()
        };
        assert_eq!(
            commands(&context("bob", "ws1", "api"), None),
            ["secrets set A", "secrets set A --workspace ws1", "secrets set A --project api", "secrets set A --org"]
        );
        // A service account has no scope of its own.
        assert_eq!(
            commands(&context("", "", "api"), Some("it's")),
            [r"secrets set A --project api --description 'it'\''s'", r"secrets set A --org --description 'it'\''s'"]
        );
    }

    #[test]
    fn names_the_resource_of_each_scope_and_none_without_a_valid_identifier() {
        let names = |context: &v1::Context| scopes(context).into_iter().map(|scope| scope.scope).collect::<Vec<_>>();
        assert_eq!(
            names(&context("bob", "ws1", "api")),
            [
                "organizations/acme/users/bob",
                "organizations/acme/workspaces/ws1",
                "organizations/acme/projects/api",
                "organizations/acme"
            ]
        );
        assert_eq!(names(&context("", "not an id", "")), ["organizations/acme"]);
        assert!(names(&v1::Context::default()).is_empty());
    }

    #[test]
    fn says_who_may_where_the_caller_may_not() {
        let named = RequestedSecret {
            secret_id: "A".into(),
            description: Some("the key".into()),
            explanation: v1::Explanation {
                not_chosen: vec![v1::NotChosen {
                    secret: Some(v1::ExplainedSecret {
                        secret: "organizations/acme/secrets/A".into(),
                        ..Default::default()
                    }),
                    reason: v1::NotChosenReason::Expired.into(),
                    blocked_by: String::new(),
                }],
                ..Default::default()
            },
            remedies: remedies("A", None, scopes(&context("bob", "", "")).iter()),
        };
        assert_eq!(
            named.lines(true, 1),
            [
                "A is missing: the key",
                "  there, but not delivered from organization: expired",
                "  bob may: secrets set A"
            ]
        );
        assert_eq!(named.lines(false, 9).len(), 4);
    }
}
