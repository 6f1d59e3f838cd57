//! `org allow` and `org disallow`: reserved names and paths that an organization's secrets may have.

use clap::Args;
use prost_types::FieldMask;
use secrets_client::v1;
use secrets_core::{AllowedReserved, Reserved, reserved};

use crate::app::App;
use crate::args::target::in_home;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output;

#[derive(Args, Debug)]
pub(crate) struct ReservedArgs {
    /// Names of environment variables, or paths of files
    #[arg(required = true, value_name = "NAME|PATH")]
    entries: Vec<String>,
}

impl ReservedArgs {
    /// The entries; a shell that expands `~` knows only its own home.
    fn entries(&self) -> impl Iterator<Item = String> {
        let home = std::env::var("HOME").ok();
        self.entries.iter().map(move |entry| in_home(entry, home.as_deref()))
    }
}

pub(super) async fn allow(app: &App, args: &ReservedArgs) -> Result<(), CliError> {
    let entries: Vec<String> = args.entries().collect();
    AllowedReserved::new(&entries).map_err(|error| CliError::usage(error.to_string()))?;
    let mut organization = current(app).await?;
    let list = entries.iter().map(|entry| explained(entry)).collect::<Vec<_>>().join(", ");
    organization.allowed_reserved.extend(entries);
    let changed = update(app, organization).await?;
    let sentence =
        format!("Allowed in {}: {list}. Whoever sets a shared secret may use that.", changed.organization_id);
    app.output.done(&sentence, &output::json::organization(&changed))
}

pub(super) async fn disallow(app: &App, args: &ReservedArgs) -> Result<(), CliError> {
    let entries: Vec<String> = args.entries().collect();
    let mut organization = current(app).await?;
    if let Some(entry) = entries.iter().find(|entry| !organization.allowed_reserved.contains(entry)) {
        let message = format!("`{entry}` is not allowed in {}; nothing was changed", organization.organization_id);
        return Err(CliError::new(ExitCode::NotFound, message).hint("`secrets org show` lists what is"));
    }
    organization.allowed_reserved.retain(|allowed| !entries.contains(allowed));
    let changed = update(app, organization).await?;
    let sentence = format!(
        "No longer allowed in {}: {}. Values that are stored stay; new ones are refused.",
        changed.organization_id,
        entries.join(", ")
    );
    app.output.done(&sentence, &output::json::organization(&changed))
}

async fn current(app: &App) -> Result<v1::Organization, CliError> {
    let name = app.organization_path().await?;
    let response = app.client()?.get_organization(v1::GetOrganizationRequest { name }).await?;
    Ok(response.organization.unwrap_or_default())
}

async fn update(app: &App, organization: v1::Organization) -> Result<v1::Organization, CliError> {
    let request = v1::UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(FieldMask { paths: vec!["allowed_reserved".to_owned()] }),
        ..Default::default()
    };
    let response = app.client()?.update_organization(request).await?;
    Ok(response.organization.unwrap_or_default())
}

/// `PAGER (names what shows text)`.
fn explained(entry: &str) -> String {
    match row(entry) {
        Some(row) => format!("{entry} ({})", row.reason),
        None => entry.to_owned(),
    }
}

fn row(entry: &str) -> Option<&'static Reserved> {
    if entry.contains('/') { reserved::path(entry) } else { reserved::environment(entry) }
}
