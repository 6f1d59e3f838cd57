//! `org`: organizations.

mod admin;
mod reserved;

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use prost_types::FieldMask;
use secrecy::ExposeSecret as _;
use secrets_client::v1;
use secrets_core::{OrganizationId, OrganizationName, ScopeName, UserId};
use serde_json::{Value, json};

use self::admin::InviteAdminArgs;
use self::reserved::ReservedArgs;
use crate::app::refusal::taken;
use crate::app::{self, App, audience};
use crate::args::time;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum OrganizationCommand {
    /// Create an organization, and print an invitation code for its first administrator (operator)
    Create(CreateArgs),
    /// List the organizations you may see
    #[command(visible_alias = "ls")]
    List,
    /// Show an organization
    Show {
        /// Its identifier [default: your own]
        organization: Option<OrganizationId>,
    },
    /// Change an organization's display name, name policy or limits
    Edit(EditArgs),
    /// Allow its secrets to become reserved variables or files that redirect or intercept, such as
    /// KUBECONFIG
    Allow(ReservedArgs),
    /// No longer allow reserved variables or files
    Disallow(ReservedArgs),
    /// Invite somebody as an administrator where none can sign in any more, and print the code; otherwise
    /// it works after 72 hours, and every member is told (operator)
    InviteAdmin(InviteAdminArgs),
    /// Revoke an invitation by which the operator makes somebody an administrator
    RefuseAdmin {
        /// Its identifier, as `whoami` and `org show` print it
        invitation: String,
    },
    /// Delete an organization for good, with all of its secrets (operator)
    Delete {
        /// Its identifier
        organization: OrganizationId,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// Identifier of the organization
    organization_id: OrganizationId,
    /// Identifier of its first administrator
    #[arg(long, value_name = "USER")]
    admin: UserId,
    /// How long the code can be redeemed [default: 7d]
    #[arg(long, value_parser = time::duration)]
    ttl: Option<Duration>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Args, Debug)]
pub(crate) struct EditArgs {
    /// Its identifier [default: your own]
    id: Option<OrganizationId>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Args, Debug)]
struct SettingsArgs {
    /// Name that people read
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Which names secrets may have
    #[arg(long, value_enum, value_name = "POLICY")]
    name_policy: Option<NamePolicy>,
    /// Maximum bytes of a value
    #[arg(long, value_name = "NUMBER")]
    value_bytes: Option<u32>,
    /// Maximum number of secrets in a scope
    #[arg(long, value_name = "NUMBER")]
    secrets_per_scope: Option<u32>,
    /// Maximum bytes of all values in a scope
    #[arg(long, value_name = "NUMBER")]
    bytes_per_scope: Option<u32>,
    /// Maximum number of versions kept of a secret
    #[arg(long, value_name = "NUMBER")]
    versions_per_secret: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NamePolicy {
    /// Upper-case letters, digits and `_`
    Strict,
    /// Lower-case letters too
    Relaxed,
}

pub(crate) async fn run(app: &App, command: OrganizationCommand) -> Result<(), CliError> {
    match command {
        OrganizationCommand::Create(args) => create(app, args).await,
        OrganizationCommand::List => list(app).await,
        OrganizationCommand::Show { organization } => show(app, organization).await,
        OrganizationCommand::Edit(args) => edit(app, args).await,
        OrganizationCommand::Allow(args) => reserved::allow(app, &args).await,
        OrganizationCommand::Disallow(args) => reserved::disallow(app, &args).await,
        OrganizationCommand::InviteAdmin(args) => admin::invite(app, args).await,
        OrganizationCommand::RefuseAdmin { invitation } => admin::refuse(app, &invitation).await,
        OrganizationCommand::Delete { organization, yes } => delete(app, &organization, yes).await,
    }
}

async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let request = v1::CreateOrganizationRequest {
        organization_id: args.organization_id.to_string(),
        organization: Some(args.settings.apply().0),
        admin_user_id: args.admin.to_string(),
        invitation_ttl: time::ttl(args.ttl),
        ..Default::default()
    };
    let client = app.client()?;
    let created = client.create_organization(request).await;
    let (organization, invitation) =
        created.map_err(|error| taken(error, "org", "organization", args.organization_id.as_str()))?;
    let code = invitation.secret.expose_secret();
    let json = json!({
        "organization": output::json::organization(&organization),
        "invitation": output::json::invitation(&invitation.details, code),
    });
    let until = text::moment(invitation.details.expire_time.as_ref());
    let sentence = format!(
        "Organization {} created. {} signs in with this code until {until}: {}",
        args.organization_id,
        args.admin,
        app.sign_in_command()
    );
    let printed = app.output.credential(&sentence, code, &json);
    // Without its code, the organization is of no use.
    let delete = v1::DeleteOrganizationRequest { name: organization.name.clone(), ..Default::default() };
    let what = format!("organization {} with its code", args.organization_id);
    app::or_take_back(printed, &what, async { Ok(client.delete_organization(delete).await?) }).await
}

async fn list(app: &App) -> Result<(), CliError> {
    let organizations = app.organizations().await?;
    let mut table = Table::new(["NAME", "DISPLAY NAME", "CREATED"]);
    for organization in &organizations {
        table.row([
            organization.organization_id.clone().into(),
            organization.display_name.clone().into(),
            Cell::time(organization.create_time.as_ref()),
        ]);
    }
    let json = Value::Array(organizations.iter().map(output::json::organization).collect());
    app.output.list(&table, json, "No organizations; `secrets org create NAME --admin USER` creates one.")
}

async fn show(app: &App, id: Option<OrganizationId>) -> Result<(), CliError> {
    let name = path(app, id).await?;
    let response = app.client()?.get_organization(v1::GetOrganizationRequest { name }).await?;
    let organization = response.organization.unwrap_or_default();
    print(app, &organization)?;
    if !app.output.is_json() && !organization.admin_invitations.is_empty() {
        let now = app.me().await?.server_time;
        for invitation in &organization.admin_invitations {
            app.output.warn(&text::admin_invitation(invitation, now.as_ref()));
        }
    }
    Ok(())
}

async fn edit(app: &App, args: EditArgs) -> Result<(), CliError> {
    let (mut organization, paths) = args.settings.apply();
    if paths.is_empty() {
        return Err(CliError::usage("nothing to change").hint("for instance --display-name or --name-policy"));
    }
    organization.name = path(app, args.id).await?;
    let client = app.client()?;
    if let Some(changed) = organization.limits {
        // A limit of 0 keeps the service's own, not the organization's: those that no flag names are read first.
        let request = v1::GetOrganizationRequest { name: organization.name.clone() };
        let before = client.get_organization(request).await?.organization.and_then(|stored| stored.limits);
        organization.limits = Some(keep(changed, before.unwrap_or_default()));
    }
    let request = v1::UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    };
    let response = client.update_organization(request).await?;
    print(app, &response.organization.unwrap_or_default())
}

fn keep(changed: v1::OrganizationLimits, before: v1::OrganizationLimits) -> v1::OrganizationLimits {
    let or = |new: u32, old: u32| if new == 0 { old } else { new };
    v1::OrganizationLimits {
        value_bytes: or(changed.value_bytes, before.value_bytes),
        secrets_per_scope: or(changed.secrets_per_scope, before.secrets_per_scope),
        bytes_per_scope: or(changed.bytes_per_scope, before.bytes_per_scope),
        versions_per_secret: or(changed.versions_per_secret, before.versions_per_secret),
    }
}

async fn delete(app: &App, id: &OrganizationId, yes: bool) -> Result<(), CliError> {
    let scope = ScopeName::Organization(id.clone());
    let name = scope.to_string();
    if !yes {
        app.check_deletable(&scope).await?;
        let concerned = audience::of(app, &scope).await.map(|who| format!(" with {who}"));
        let question = format!(
            "Delete organization {id}{} at {}? Nobody will be able to recover its secrets, not even you.",
            concerned.unwrap_or_default(),
            app.settings.endpoint
        );
        prompt::confirm_by_name(&question, id.as_str(), "Nothing was deleted.")?;
    }
    let request = v1::DeleteOrganizationRequest { name: name.clone(), ..Default::default() };
    app.client()?.delete_organization(request).await?;
    app.output.done(&format!("Organization {id} deleted."), &json!({ "name": name }))
}

fn print(app: &App, organization: &v1::Organization) -> Result<(), CliError> {
    let limits = organization.limits.unwrap_or_default();
    let policy = match organization.name_policy() {
        v1::NamePolicy::Relaxed => "relaxed: letters, digits and _",
        _ => "strict: upper-case letters, digits and _",
    };
    app.output.fields(
        &[
            ("name", organization.organization_id.clone()),
            ("display name", organization.display_name.clone()),
            ("secret names", policy.to_owned()),
            ("allowed reserved", or_none(&organization.allowed_reserved)),
            ("value bytes", limits.value_bytes.to_string()),
            ("secrets per scope", limits.secrets_per_scope.to_string()),
            ("bytes per scope", limits.bytes_per_scope.to_string()),
            ("versions per secret", limits.versions_per_secret.to_string()),
            ("created", text::moment(organization.create_time.as_ref())),
        ],
        &output::json::organization(organization),
    )
}

fn or_none(entries: &[String]) -> String {
    if entries.is_empty() { "none".to_owned() } else { entries.join(", ") }
}

async fn path(app: &App, id: Option<OrganizationId>) -> Result<String, CliError> {
    match id {
        Some(id) => Ok(OrganizationName::new(id).to_string()),
        None => app.organization_path().await,
    }
}

impl SettingsArgs {
    /// An organization with these settings, and which of its fields they are.
    fn apply(&self) -> (v1::Organization, Vec<String>) {
        let mut organization = v1::Organization::default();
        let mut paths = Vec::new();
        if let Some(display_name) = &self.display_name {
            organization.display_name.clone_from(display_name);
            paths.push("display_name".to_owned());
        }
        if let Some(policy) = self.name_policy {
            let policy = match policy {
                NamePolicy::Strict => v1::NamePolicy::Strict,
                NamePolicy::Relaxed => v1::NamePolicy::Relaxed,
            };
            organization.name_policy = policy.into();
            paths.push("name_policy".to_owned());
        }
        let limits = v1::OrganizationLimits {
            value_bytes: self.value_bytes.unwrap_or_default(),
            secrets_per_scope: self.secrets_per_scope.unwrap_or_default(),
            bytes_per_scope: self.bytes_per_scope.unwrap_or_default(),
            versions_per_secret: self.versions_per_secret.unwrap_or_default(),
        };
        if limits != v1::OrganizationLimits::default() {
            organization.limits = Some(limits);
            paths.push("limits".to_owned());
        }
        (organization, paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_limits_that_no_flag_names() {
        let before = v1::OrganizationLimits { value_bytes: 1024, secrets_per_scope: 50, ..Default::default() };
        let changed = v1::OrganizationLimits { secrets_per_scope: 60, ..Default::default() };
        let kept = keep(changed, before);
        assert_eq!((kept.value_bytes, kept.secrets_per_scope), (1024, 60));
    }
}
