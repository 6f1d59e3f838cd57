//! `list`: the secrets of a scope, never a value.

use clap::Args;
use secrets_client::v1;
use secrets_core::{MASK, ScopeKind, ScopeName};
use serde_json::Value;

use crate::app::{App, all_pages};
use crate::args::scope::{self, ScopeArgs};
use crate::args::time;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table, Tone};
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Also list inherited secrets, which the project or workspace gets from broader scopes
    #[arg(long)]
    inherited: bool,
    /// Also list deleted secrets that can still be restored
    #[arg(long)]
    deleted: bool,
    /// Only secrets that match, for instance 'group = "aws"' or 'secret_id : "AWS_*"'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Order: `secret_id`, `create_time` or `update_time`, optionally followed by ` desc`
    #[arg(long, value_name = "ORDER")]
    order_by: Option<String>,
}

pub(crate) async fn list(app: &App, args: ListArgs) -> Result<(), CliError> {
    let scope = match args.scope.is_own() && args.inherited {
        true => inherited_scope(app).await?,
        false => app.scope(&args.scope).await?,
    };
    let client = app.client()?;
    let request = v1::ListSecretsRequest {
        parent: scope.to_string(),
        filter: args.filter.unwrap_or_default(),
        order_by: args.order_by.unwrap_or_default(),
        show_deleted: args.deleted,
        include_inherited: args.inherited,
        ..Default::default()
    };
    let secrets = all_pages(|page_token| {
        let request = v1::ListSecretsRequest { page_token, ..request.clone() };
        async { client.list_secrets(request).await.map(|page| (page.secrets, page.next_page_token)) }
    })
    .await?;
    let json = Value::Array(secrets.iter().map(json::secret).collect());
    let empty = match request.filter.is_empty() {
        true if scope.kind() == ScopeKind::User => {
            "You have no secrets of your own; `secrets set NAME` adds one.".into()
        }
        true => format!("No secrets in {}; `secrets set NAME{}` adds one.", scope::describe(&scope), args.scope.flag()),
        false => "No secret matches.".to_owned(),
    };
    app.output.list(&table(&secrets, scope.kind(), args.inherited, args.deleted), json, &empty)
}

/// Without a scope flag, the workspace or project of the default context.
async fn inherited_scope(app: &App) -> Result<ScopeName, CliError> {
    let defaults = app.defaults();
    let refused =
        || CliError::usage("--inherited needs a project or workspace").hint("name one with --project or --workspace");
    let organization = app.organization().await?;
    if let Some(workspace) = defaults.workspace.and_then(|id| id.parse().ok()) {
        return Ok(ScopeName::Workspace(organization, workspace));
    }
    let project = defaults.project.and_then(|id| id.parse().ok()).ok_or_else(refused)?;
    Ok(ScopeName::Project(organization, project))
}

fn table(secrets: &[v1::Secret], kind: ScopeKind, inherited: bool, deleted: bool) -> Table {
    let organization = kind == ScopeKind::Organization || inherited;
    let lockable = organization || kind == ScopeKind::Project;
    let columns: Vec<(&'static str, bool)> = vec![
        ("NAME", true),
        ("TARGET", true),
        ("SCOPE", true),
        ("WORKSPACES/PROJECTS", organization),
        ("LOCKED", lockable),
        ("DESCRIPTION", true),
        ("CREATED", true),
        ("VALUE", true),
        ("ACCESS", inherited),
        ("SHADOWED BY", inherited),
        ("DELETED UNTIL", deleted),
    ];
    let table = Table::new(columns.iter().filter(|(_, shown)| *shown).map(|(name, _)| *name).collect::<Vec<_>>());
    // Of a scope's own secrets, the scope is known; of inherited ones, it is what one looks for.
    let (expendable, spare): (&[&str], &[&str]) = match inherited {
        true => (&["VALUE"], &["CREATED", "WORKSPACES/PROJECTS", "LOCKED"]),
        false => (&["VALUE", "SCOPE"], &["CREATED"]),
    };
    let mut table = table.spare(expendable, spare).whole(&["VALUE"]);
    for secret in secrets {
        let cells = [
            name(secret),
            text::target(secret.target.as_ref()).into(),
            text::scope_of(&secret.name).into(),
            reach(secret).into(),
            match secret.override_policy() {
                v1::OverridePolicy::Locked => Cell::from("locked").toned(Some(Tone::Warning)),
                _ => Cell::default(),
            },
            secret.description.clone().into(),
            Cell::time(secret.create_time.as_ref()),
            if secret.masked_value.is_empty() { MASK } else { &secret.masked_value }.into(),
            if secret.read_only { "read-only" } else { "" }.into(),
            if secret.shadowed_by.is_empty() { String::new() } else { text::scope_of(&secret.shadowed_by) }.into(),
            Cell::time(secret.purge_time.as_ref()),
        ];
        let cells = cells.into_iter().zip(&columns).filter(|(_, (_, shown))| *shown).map(|(cell, _)| cell);
        table.row(cells.collect::<Vec<_>>());
    }
    table
}

/// The name, and what keeps it from being delivered.
fn name(secret: &v1::Secret) -> Cell {
    let state = match (secret.delete_time.is_some(), secret.disabled, has_expired(secret)) {
        (true, _, _) => "deleted",
        (_, true, _) => "disabled",
        (_, _, true) => "expired",
        (false, false, false) => return secret.secret_id.as_str().into(),
    };
    Cell::from(format!("{} ({state})", secret.secret_id)).toned(Some(Tone::Bad))
}

/// Which contexts an organization secret reaches: `all`, `ws1, web` or `nobody`.
pub(crate) fn reach(secret: &v1::Secret) -> String {
    match (&secret.visibility, secret.scope()) {
        (_, v1::ScopeKind::Project | v1::ScopeKind::Workspace | v1::ScopeKind::User) => String::new(),
        (Some(visibility), _) if visibility.mode() == v1::VisibilityMode::Selected => {
            let reached: Vec<&str> =
                visibility.workspaces.iter().chain(&visibility.projects).map(String::as_str).collect();
            if reached.is_empty() { "nobody".to_owned() } else { reached.join(", ") }
        }
        _ => "all".to_owned(),
    }
}

/// Whether the secret is no longer delivered because of its age.
pub(super) fn has_expired(secret: &v1::Secret) -> bool {
    secret.expire_time.is_some_and(|time| time.seconds <= time::now().seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> v1::Secret {
        v1::Secret {
            name: "organizations/acme/secrets/SENTRY_DSN".into(),
            secret_id: "SENTRY_DSN".into(),
            scope: v1::ScopeKind::Organization.into(),
            visibility: Some(v1::Visibility {
                mode: v1::VisibilityMode::Selected.into(),
                projects: vec!["web".into()],
                workspaces: vec!["ws1".into()],
            }),
            override_policy: v1::OverridePolicy::Locked.into(),
            description: "errors".into(),
            ..Default::default()
        }
    }

    #[test]
    fn shows_the_columns_of_organization_secrets() {
        let lines = table(&[secret()], ScopeKind::Organization, false, false).render(None, false);
        let words = |line: usize| lines.lines().nth(line).unwrap().split("  ").map(str::trim).filter(|w| !w.is_empty());
        assert_eq!(
            words(0).collect::<Vec<_>>(),
            ["NAME", "TARGET", "SCOPE", "WORKSPACES/PROJECTS", "LOCKED", "DESCRIPTION", "CREATED", "VALUE"]
        );
        assert_eq!(
            words(1).collect::<Vec<_>>(),
            ["SENTRY_DSN", "variable", "organization", "ws1, web", "locked", "errors", MASK]
        );
    }

    #[test]
    fn says_when_a_selection_is_empty() {
        let mut secret = secret();
        secret.visibility = Some(v1::Visibility { mode: v1::VisibilityMode::Selected.into(), ..Default::default() });
        assert_eq!(reach(&secret), "nobody");
    }
}
