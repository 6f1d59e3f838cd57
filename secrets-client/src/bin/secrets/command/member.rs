//! `member`: who has which role on an organization, project or workspace, or on the platform.

use clap::{Args, Subcommand, ValueEnum};
use secrets_client::v1;
use serde_json::{Value, json};

use crate::app::{App, all_pages};
use crate::args::scope::ScopeArgs;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum MemberCommand {
    /// Give a user or service account a role
    Add {
        /// `bob`, `service:ci`, or a resource path
        principal: String,
        /// The role
        #[arg(long, value_enum, default_value_t = RoleArg::Member)]
        role: RoleArg,
        #[command(flatten)]
        on: ResourceArgs,
    },
    /// List who has which role
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        on: ResourceArgs,
    },
    /// Remove a role, or all roles
    #[command(visible_alias = "rm")]
    Remove {
        /// `bob`, `service:ci`, or a resource path
        principal: String,
        /// Only this role
        #[arg(long, value_enum)]
        role: Option<RoleArg>,
        #[command(flatten)]
        on: ResourceArgs,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

/// Where; without a flag, the organization.
#[derive(Args, Debug)]
pub(crate) struct ResourceArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// On the platform, which holds for every organization
    #[arg(long, conflicts_with_all = ["org", "project", "workspace"])]
    platform: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Manages an organization or project and its secrets
    Admin,
    /// Uses the secrets of an organization or project
    Member,
    /// Reads an organization's audit events, not its secrets
    Auditor,
    /// Resolves contexts without a user (service accounts)
    Resolver,
    /// Creates sessions on behalf of users (service accounts; by the operator)
    Delegate,
    /// Manages projects, workspaces and memberships, and sees no secret (service accounts; by the operator)
    Provisioner,
}

pub(crate) async fn run(app: &App, command: MemberCommand) -> Result<(), CliError> {
    match command {
        MemberCommand::Add { principal, role, on } => add(app, &principal, role, &on).await,
        MemberCommand::List { on } => list(app, &on).await,
        MemberCommand::Remove { principal, role, on, yes } => remove(app, &principal, role, &on, yes).await,
    }
}

async fn add(app: &App, principal: &str, role: RoleArg, on: &ResourceArgs) -> Result<(), CliError> {
    let parent = on.path(app).await?;
    let binding = v1::Binding {
        principal: app.principal(principal, on.platform).await?,
        role: role.role().into(),
        ..Default::default()
    };
    let request = v1::CreateBindingRequest { parent, binding: Some(binding), ..Default::default() };
    let binding = app.client()?.create_binding(request).await?.binding.unwrap_or_default();
    let (who, what) = (text::principal(&binding.principal), text::role(binding.role()));
    let sentence = format!("{who} is now {what} of {}.", text::resource(&binding.resource));
    app.output.done(&sentence, &output::json::binding(&binding))
}

async fn list(app: &App, on: &ResourceArgs) -> Result<(), CliError> {
    let mut bindings = bindings(app, &on.path(app).await?).await?;
    // The service lists them by an identifier that nobody sees.
    bindings.sort_by(|a, b| (&a.principal, a.role).cmp(&(&b.principal, b.role)));
    let mut table = Table::new(["PRINCIPAL", "ROLE", "ON", "SINCE", "BY"]);
    for binding in &bindings {
        table.row([
            text::principal(&binding.principal).into(),
            text::role(binding.role()).into(),
            text::resource(&binding.resource).into(),
            Cell::time(binding.create_time.as_ref()),
            text::principal(&binding.creator).into(),
        ]);
    }
    app.output.list(&table, Value::Array(bindings.iter().map(output::json::binding).collect()), "No members.")
}

async fn remove(
    app: &App,
    principal: &str,
    role: Option<RoleArg>,
    on: &ResourceArgs,
    yes: bool,
) -> Result<(), CliError> {
    let resource = on.path(app).await?;
    let path = app.principal(principal, on.platform).await?;
    let role = role.map(RoleArg::role);
    let found: Vec<v1::Binding> = bindings(app, &resource)
        .await?
        .into_iter()
        .filter(|binding| binding.principal == path && binding.resource == resource)
        .filter(|binding| role.is_none_or(|role| binding.role() == role))
        .collect();
    let place = text::resource(&resource);
    if found.is_empty() {
        let absent = app.absent_account(&path).await;
        let hint = absent.unwrap_or_else(|| "`secrets member list` shows who has which role".to_owned());
        let what = role.map_or_else(|| "no role".to_owned(), |role| format!("not the role {}", text::role(role)));
        return Err(CliError::new(ExitCode::NotFound, format!("{principal} has {what} on {place}")).hint(hint));
    }
    let roles: Vec<String> = found.iter().map(|binding| text::role(binding.role())).collect();
    let roles = roles.join(", ");
    if !yes {
        let question = format!(
            "Remove {principal} as {roles} of {place}? {principal} no longer gets what that role gives, at once."
        );
        prompt::confirm_or_decline(&question, false, "Nothing was changed.")?;
    }
    for binding in &found {
        let request = v1::DeleteBindingRequest { name: binding.name.clone(), ..Default::default() };
        app.client()?.delete_binding(request).await?;
    }
    let json = json!(found.iter().map(output::json::binding).collect::<Vec<_>>());
    app.output.done(&format!("{principal} is no longer {roles} of {place}."), &json)
}

pub(super) async fn bindings(app: &App, parent: &str) -> Result<Vec<v1::Binding>, CliError> {
    let client = app.client()?;
    all_pages(|page_token| {
        let request = v1::ListBindingsRequest { parent: parent.to_owned(), page_token, ..Default::default() };
        async { client.list_bindings(request).await.map(|page| (page.bindings, page.next_page_token)) }
    })
    .await
}

impl ResourceArgs {
    async fn path(&self, app: &App) -> Result<String, CliError> {
        if self.platform {
            return Ok("platform".to_owned());
        }
        let organization = app.organization().await?;
        let scope = ScopeArgs { org: self.scope.org || self.scope.is_own(), ..self.scope.clone() };
        scope
            .named(organization)
            .map(|name| app.asked_name(name))
            .ok_or_else(|| CliError::usage("no resource is named"))
    }
}

impl RoleArg {
    fn role(self) -> v1::Role {
        match self {
            Self::Admin => v1::Role::Admin,
            Self::Member => v1::Role::Member,
            Self::Auditor => v1::Role::Auditor,
            Self::Resolver => v1::Role::Resolver,
            Self::Delegate => v1::Role::Delegate,
            Self::Provisioner => v1::Role::Provisioner,
        }
    }
}
