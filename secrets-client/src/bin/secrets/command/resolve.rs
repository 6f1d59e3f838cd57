//! `resolve`: what a context gets; values only when asked for.

use clap::Args;
use secrets_client::validation::wire_target;
use secrets_client::{ResolvedSecret, ResolvedSet, v1};
use secrets_core::MASK;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::scope::{self, ContextArgs};
use crate::format::{Format, UnfitPolicy};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::Table;
use crate::ui::output::{self, text};

#[derive(Args, Debug)]
pub(crate) struct ResolveArgs {
    /// Only these secrets, which must be there [default: all]
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// Show the values
    #[arg(long)]
    show_values: bool,
    /// Print the value of one secret alone, byte for byte
    #[arg(long, conflicts_with_all = ["show_values", "format"])]
    raw: bool,
    /// Print names and values in this format, keeping every value as it is
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "show_values")]
    format: Option<Format>,
    /// Leave out values that the format can't carry, and name them
    #[arg(long, requires = "format")]
    skip_unrepresentable: bool,
}

impl ResolveArgs {
    /// One secret, whose value is printed alone where `raw`.
    pub(crate) fn one(name: String, context: ContextArgs, raw: bool) -> Self {
        Self { names: vec![name], context, show_values: false, raw, format: None, skip_unrepresentable: false }
    }
}

pub(crate) async fn resolve(app: &App, args: ResolveArgs) -> Result<(), CliError> {
    if args.raw && args.names.len() != 1 {
        return Err(CliError::usage("--raw needs exactly one name").hint("secrets resolve NAME --raw"));
    }
    if app.output.is_json() && (args.raw || args.format.is_some()) {
        return Err(CliError::usage(
            "--output json can't be combined with --raw or --format; with --show-values it prints the values",
        ));
    }
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let request = v1::ResolveRequest {
        context: app.context(&args.context).await?,
        secret_ids: args.names.clone(),
        required_secret_ids: args.names.clone(),
        ..Default::default()
    };
    let set = app.client()?.resolve(request).await?;
    app.print_notices(&set);
    if let Some(name) = args.names.first().filter(|_| args.raw) {
        let missing = || CliError::new(ExitCode::Missing, "there is no such secret");
        let secret = set.secret(name).ok_or_else(missing)?;
        app.output.bytes(secret.expose())?;
        // What a terminal shows next has a line of its own.
        return if app.output.is_on_terminal() && !secret.expose().ends_with(b"\n") {
            app.output.bytes(b"\n")
        } else {
            Ok(())
        };
    }
    let Some(format) = args.format else { return print(app, &set, args.show_values) };
    let unfit = if args.skip_unrepresentable { UnfitPolicy::Skip } else { UnfitPolicy::Refuse };
    let document = format.write(&set.secrets, unfit)?;
    if !document.left_out.is_empty() {
        let number = text::count(document.left_out.len(), "secret");
        let contents = format.contents();
        app.output.note(&format!("{number} left out, as only {contents} fit: {}", document.left_out.join(", ")));
    }
    if let Some((number, whose)) = &document.skipped {
        let value = if *number == 1 { "the value" } else { "the values" };
        let number = text::count(*number, "secret");
        app.output.warn(&format!("{number} left out, as {} can't carry {value}: {whose}", format.name()));
    }
    app.output.bytes(&document.text)
}

fn print(app: &App, set: &ResolvedSet, show_values: bool) -> Result<(), CliError> {
    let mut table = Table::new(["NAME", "VALUE", "FROM", "TARGET"]);
    for secret in &set.secrets {
        let value = match (show_values, std::str::from_utf8(secret.expose())) {
            (false, _) => MASK.to_owned(),
            (true, Ok(text)) => text.to_owned(),
            (true, Err(_)) => format!("({}; --raw prints them)", text::count(secret.expose().len(), "byte")),
        };
        let target = text::checked_target(&secret.target);
        table.row([secret.secret_id().to_string(), value, text::scope(&secret.name.scope), target]);
    }
    let rows = set.secrets.iter().map(|secret| row(secret, show_values)).collect();
    let json = json!({
        "secrets": Value::Array(rows),
        "context": output::json::context(Some(&set.context())),
        "etag": set.etag,
        "revision": set.revision,
        "next_change_time": output::json::time(set.next_change_time.as_ref()),
    });
    app.output.list(&table, json, "This context gets no secrets; `secrets explain` shows why.")
}

fn row(secret: &ResolvedSecret, show_values: bool) -> Value {
    let row = json!({
        "secret": secret.name.to_string(),
        "secret_id": secret.secret_id().as_str(),
        "scope": secret.scope().as_str(),
        "target": output::json::target(Some(&wire_target(&secret.target))),
        "version": secret.version,
    });
    match (show_values, std::str::from_utf8(secret.expose())) {
        (false, _) => output::json::with(row, "masked_value", MASK),
        (true, Ok(text)) => output::json::with(row, "value", text),
        (true, Err(_)) => {
            output::json::with(row, "value", Value::Array(secret.expose().iter().map(|b| (*b).into()).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::Target;

    use super::*;
    use crate::test_set::secret;

    #[test]
    fn masks_unless_told_otherwise() {
        let secret = secret("A", b"canary", &Target::EnvironmentVariable);
        assert!(!row(&secret, false).to_string().contains("canary"));
        assert_eq!(row(&secret, true)["value"], "canary");
    }
}
