//! `service-account`: programs' identities, of an organization or of the platform.

use clap::Subcommand;
use secrets_client::v1;
use secrets_core::{Action, Entitlement, ScopeName, ServiceAccountId, ServiceAccountName};
use serde_json::{Value, json};

use crate::app::refusal::taken;
use crate::app::{App, all_pages};
use crate::ui::error::refusal::{Refusal, Resource};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum ServiceAccountCommand {
    /// Create a service account
    Create {
        /// Its identifier
        id: ServiceAccountId,
        /// For the platform rather than an organization (operator)
        #[arg(long)]
        platform: bool,
        /// Name that people read
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// List the service accounts you may see
    #[command(visible_alias = "ls")]
    List {
        /// A service account of the platform
        #[arg(long)]
        platform: bool,
    },
    /// Show a service account
    Show {
        /// Its identifier
        id: ServiceAccountId,
        /// A service account of the platform
        #[arg(long)]
        platform: bool,
    },
    /// Delete a service account; its tokens, and the sessions that they created, end at once
    Delete {
        /// Its identifier
        id: ServiceAccountId,
        /// A service account of the platform
        #[arg(long)]
        platform: bool,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

pub(crate) async fn run(app: &App, command: ServiceAccountCommand) -> Result<(), CliError> {
    let client = app.client()?;
    match command {
        ServiceAccountCommand::Create { id, platform, display_name } => {
            let account = v1::ServiceAccount { display_name: display_name.unwrap_or_default(), ..Default::default() };
            let request = v1::CreateServiceAccountRequest {
                parent: parent(app, platform).await?,
                service_account_id: id.to_string(),
                service_account: Some(account),
                ..Default::default()
            };
            let account = client
                .create_service_account(request)
                .await
                .map_err(|error| taken(error, "service-account", "service account", id.as_str()))?
                .service_account
                .unwrap_or_default();
            let sentence = format!("Service account {id} created.");
            app.output.done(&sentence, &output::json::service_account(&account))
        }
        ServiceAccountCommand::List { platform } => {
            let parent = parent(app, platform).await?;
            let accounts = all_pages(|page_token| {
                let request =
                    v1::ListServiceAccountsRequest { parent: parent.clone(), page_token, ..Default::default() };
                async {
                    let page = client.list_service_accounts(request).await?;
                    Ok((page.service_accounts, page.next_page_token))
                }
            })
            .await?;
            let mut table = Table::new(["NAME", "OF", "DISPLAY NAME", "CREATED"]);
            for account in &accounts {
                table.row([
                    account.service_account_id.clone().into(),
                    if account.name.starts_with("serviceAccounts/") { "platform" } else { "organization" }.into(),
                    account.display_name.clone().into(),
                    Cell::time(account.create_time.as_ref()),
                ]);
            }
            let json = Value::Array(accounts.iter().map(output::json::service_account).collect());
            app.output.list(&table, json, "No service accounts; `secrets service-account create NAME` creates one.")
        }
        ServiceAccountCommand::Show { id, platform } => {
            let name = path(app, &id, platform).await?;
            let request = v1::GetServiceAccountRequest { name };
            let account = client.get_service_account(request).await?.service_account.unwrap_or_default();
            app.output.fields(
                &[
                    ("name", account.service_account_id.clone()),
                    ("resource", account.name.clone()),
                    ("display name", account.display_name.clone()),
                    ("created", text::moment(account.create_time.as_ref())),
                ],
                &output::json::service_account(&account),
            )
        }
        ServiceAccountCommand::Delete { id, platform, yes } => {
            let name = path(app, &id, platform).await?;
            if !yes {
                client.get_service_account(v1::GetServiceAccountRequest { name: name.clone() }).await?;
                check_deletable(app, &name).await?;
                let owner = match name.strip_prefix("organizations/").and_then(|rest| rest.split('/').next()) {
                    Some(organization) => format!("organization {organization}"),
                    None => "the platform".to_owned(),
                };
                let question = format!(
                    "Delete service account {id} of {owner}? Its tokens, and the sessions that they created, end at once."
                );
                prompt::confirm_or_decline(&question, false, "Nothing was deleted.")?;
            }
            let request = v1::DeleteServiceAccountRequest { name: name.clone(), ..Default::default() };
            client.delete_service_account(request).await?;
            app.output.done(&format!("Service account {id} deleted."), &json!({ "name": name }))
        }
    }
}

/// Fails as the deletion would, if the caller may not delete it. Of the platform's accounts that is not told before.
async fn check_deletable(app: &App, name: &str) -> Result<(), CliError> {
    let Some(organization) = name.parse::<ServiceAccountName>().ok().and_then(|name| name.organization) else {
        return Ok(());
    };
    let (permission, resource) = (Action::ManageServiceAccounts, ScopeName::Organization(organization));
    let permissions = vec![permission.as_str().to_owned()];
    let request = v1::TestPermissionsRequest { resource: resource.to_string(), permissions: permissions.clone() };
    if app.client()?.test_permissions(request).await?.permissions == permissions {
        return Ok(());
    }
    let (resource, needs) = (Resource::Scope(resource), vec![Entitlement::Admin]);
    let refusal = Refusal { permission, resource, needs, non_member: None };
    Err(app.known(CliError::new(ExitCode::NotAllowed, "permission denied"), &refusal).await)
}

async fn parent(app: &App, platform: bool) -> Result<String, CliError> {
    if app.means_platform(platform).await? { Ok("platform".to_owned()) } else { app.organization_path().await }
}

async fn path(app: &App, id: &ServiceAccountId, platform: bool) -> Result<String, CliError> {
    let platform = app.means_platform(platform).await?;
    app.service_account(id.as_str(), platform).await
}
