//! `history` and `rollback`.

use clap::Args;
use secrets_client::v1;
use secrets_core::MASK;
use serde_json::Value;

use super::set::RUNNING_PROGRAMS_NOTE;
use crate::app::{App, all_pages};
use crate::args::scope::{self, ScopeArgs};
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    /// The secret's name
    name: String,
    /// The version whose value and target come back
    #[arg(long, value_name = "VERSION")]
    to: u32,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) async fn history(app: &App, args: HistoryArgs) -> Result<(), CliError> {
    let scope = app.scope(&args.scope).await?;
    let parent = app.secret(&scope, &args.name).await?.name;
    let client = app.client()?;
    let versions = all_pages(|page_token| {
        let request = v1::ListSecretVersionsRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_secret_versions(request).await.map(|page| (page.versions, page.next_page_token)) }
    })
    .await?;
    let mut table = Table::new(["VERSION", "CREATED", "BY", "TARGET", "VALUE", "NOTE"]).spare(&["VALUE"], &[]);
    for version in &versions {
        let mut notes = Vec::new();
        if version.current {
            notes.push("current".to_owned());
        }
        if version.source_version != 0 {
            notes.push(format!("from version {}", version.source_version));
        }
        if let Some(time) = &version.destroy_time {
            notes.push(format!("destroyed {}", text::moment(Some(time))));
        }
        table.row([
            version.version.to_string().into(),
            Cell::time(version.create_time.as_ref()),
            text::principal(&version.creator).into(),
            text::target(version.target.as_ref()).into(),
            if version.destroy_time.is_some() { "" } else { MASK }.into(),
            notes.join(", ").into(),
        ]);
    }
    app.output.list(&table, Value::Array(versions.iter().map(json::secret_version).collect()), "No versions.")
}

pub(crate) async fn rollback(app: &App, args: RollbackArgs) -> Result<(), CliError> {
    let _held = app.output.hold_warnings();
    let scope = app.scope(&args.scope).await?;
    let name = scope::secret_path(&scope, &args.name)?;
    app.asks_secret(&args.name);
    let request = v1::RollbackSecretRequest { name, version: args.to, ..Default::default() };
    let response = match app.client()?.rollback_secret(request).await {
        Ok(response) => response,
        Err(error) => return Err(app.not_found_here(error, &scope, &args.name).await),
    };
    app.output.warnings(&response.warnings);
    let secret = response.secret.unwrap_or_default();
    let version = secret.current_version;
    let sentence = if !response.value_unchanged {
        format!("{} is as in version {} again, now version {version}. {RUNNING_PROGRAMS_NOTE}", args.name, args.to)
    } else if version == args.to {
        format!("{} is unchanged: version {version} is the current one.", args.name)
    } else {
        format!("{} is unchanged: version {version}, the current one, has what version {} has.", args.name, args.to)
    };
    let changed = json::changed_value(&secret, response.value_unchanged, &response.revision, &response.warnings);
    app.output.done(&sentence, &changed)
}
