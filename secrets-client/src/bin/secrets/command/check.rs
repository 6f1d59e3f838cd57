//! `check`: whether a context has what is needed, and how to get there what is missing. Never a value.

use clap::Args;
use serde_json::{Value, json};

use crate::app::App;
use crate::app::missing::{self, RequestedSecret};
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table, Tone};
use crate::ui::output::{self, text};

const AFTER_HELP: &str = "\
The file secrets.toml, in this directory or above, lists the secrets that a
repository needs:
  [secrets.LINEAR_API_KEY]
  description = \"your own key, from https://linear.app/settings/api\"

  [secrets.SENTRY_DSN]
  required = false

`run` and `materialize` fail without the required ones, unless --only names what they need.";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// The names to check [default: those in secrets.toml]
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
}

pub(crate) async fn check(app: &App, args: CheckArgs) -> Result<(), CliError> {
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let repository = &app.settings.repository;
    let names: Vec<String> = match args.names.as_slice() {
        [] => repository.secrets.keys().map(|name| name.as_str().to_owned()).collect(),
        names => names.to_vec(),
    };
    if names.is_empty() {
        return Err(CliError::usage("no names to check")
            .hint("name them, as in `secrets check NAME`, or list them in secrets.toml (see `secrets check --help`)"));
    }
    let availability = app.availability(&args.context, &names).await?;
    let is_required = |name: &RequestedSecret| {
        !args.names.is_empty() || repository.declared(&name.secret_id).is_none_or(|secret| secret.required)
    };
    let missing: Vec<&RequestedSecret> =
        availability.names.iter().filter(|name| name.is_missing() && is_required(name)).collect();

    let rows: Vec<Value> = availability.names.iter().map(|name| name.json(is_required(name))).collect();
    let json = json!({
        "complete": missing.is_empty(),
        "secrets": rows,
        "context": output::json::context(availability.context.as_ref()),
    });
    app.output.list(&table(&availability.names, is_required), json, "")?;
    if !app.output.is_json() {
        let missing = availability.names.iter().filter(|name| name.is_missing());
        for line in missing.flat_map(|name| name.lines(is_required(name), usize::MAX)) {
            app.output.note(&line);
        }
    }
    match missing.as_slice() {
        [] => Ok(()),
        [one] if one.is_unknown() => {
            Err(missing::missing_error(&missing).or_hint(app.meant_in_context(&one.secret_id).await))
        }
        _ => Err(missing::missing_error(&missing)),
    }
}

fn table(names: &[RequestedSecret], is_required: impl Fn(&RequestedSecret) -> bool) -> Table {
    let mut table = Table::new(["NAME", "STATE", "FROM", "DESCRIPTION"]);
    for name in names {
        let winner = name.explanation.winner.as_ref();
        let (state, tone) = match (winner, is_required(name)) {
            (Some(_), _) => ("there", None),
            (None, true) => ("missing", Some(Tone::Bad)),
            (None, false) => ("missing, not required", None),
        };
        let description = name.description.clone();
        table.row([
            name.secret_id.clone().into(),
            Cell::from(state).toned(tone),
            winner.map(|winner| text::scope_of(&winner.secret)).unwrap_or_default().into(),
            description.or_else(|| winner.map(|winner| winner.description.clone())).unwrap_or_default().into(),
        ]);
    }
    table
}
