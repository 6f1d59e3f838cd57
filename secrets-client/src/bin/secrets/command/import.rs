//! `import`: a `.env`, JSON or YAML file, after a review.

mod document;
mod review;
mod yaml;

use std::path::PathBuf;

use clap::Args;
use secrets_client::v1;
use serde_json::{Value, json};

use self::document::{Document, Format};
use self::review::{Plan, table, warnings};
use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Args, Debug, Default)]
pub(crate) struct ImportArgs {
    /// The file, or `-` for stdin
    file: PathBuf,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Format of the file [default: by its name, or dotenv]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Import only these names
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Replace the values of secrets that exist
    #[arg(long)]
    overwrite: bool,
    /// Take `${NAME}` and references of other tools, such as op://, as they stand
    #[arg(long)]
    literal: bool,
    /// Take numbers and booleans of JSON and YAML as they are spelled
    #[arg(long)]
    stringify: bool,
    /// Give entries whose names are not valid those that the review suggests
    #[arg(long)]
    rename: bool,
    /// Leave rejected entries out, and import the rest
    #[arg(long)]
    skip_rejected: bool,
    /// Show the review, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(crate) async fn import(app: &App, args: ImportArgs) -> Result<(), CliError> {
    let scope = app.scope(&args.scope).await?;
    let place = scope::describe(&scope);
    let document = Document::read(&args.file, args.format(), args.stringify)?;
    let request = v1::ImportSecretsRequest {
        parent: scope.to_string(),
        source: Some(document.source()),
        conflict_policy: if args.overwrite { v1::ConflictPolicy::Overwrite } else { v1::ConflictPolicy::Skip }.into(),
        // Each entry is judged; what that means for the whole is decided below.
        on_rejected: v1::RejectedPolicy::Skip.into(),
        only_secret_ids: args.only.clone(),
        literal: args.literal,
        stringify: args.stringify,
        rename: args.rename,
        validate_only: true,
        ..Default::default()
    };
    let client = app.client()?;
    let mut reviewed = client.import_secrets(request.clone()).await.map_err(|error| document.refused(error))?;
    document.number(&mut reviewed.entries);
    let plan = Plan::new(&reviewed, &args);
    let blocked = plan.rejected > 0 && !args.skip_rejected;
    let ends_here = args.dry_run || plan.changes() == 0 || (blocked && (args.yes || !can_ask(&args)));
    // Whoever is not asked sees what was done, in place of what would be.
    let reviews = ends_here || !args.yes;
    if !app.output.is_json() && reviews {
        app.output.list(&table(&reviewed.entries, false), Value::Null, "The file has no entries.")?;
    }
    if reviews {
        warn(app, &reviewed);
    }
    if blocked || (reviews && !app.output.is_json() && !reviewed.entries.is_empty()) {
        app.output.note(&plan.summary(args.skip_rejected));
    }
    if ends_here {
        if app.output.is_json() {
            app.output.json(&json(&reviewed))?;
        }
        return match blocked {
            true => {
                let entries = if plan.rejected == 1 { "entry" } else { "entries" };
                let error = format!("{} {entries} rejected; nothing was imported", plan.rejected);
                Err(CliError::new(ExitCode::Failed, error))
            }
            false => {
                if plan.changes() == 0 {
                    app.output.note("Nothing to import.");
                }
                Ok(())
            }
        };
    }
    let left_out = if plan.rejected > 0 { format!(", and leave {} out", plan.rejected) } else { String::new() };
    let question = format!("Import {} into {place}{left_out}?", text::count(plan.changes(), "secret"));
    if !args.yes {
        prompt::confirm_or_decline(&question, args.is_stdin(), "Nothing was imported.")?;
    }
    let import = client.import_secrets(v1::ImportSecretsRequest { validate_only: false, ..request });
    let progress = format!("Importing {} into {place}", text::count(plan.changes(), "secret"));
    let mut applied = app.output.during(&progress, import).await?;
    document.number(&mut applied.entries);
    let done = Plan::new(&applied, &args);
    let sentence = format!("Imported into {place}: {}.", done.done());
    if reviews && done != plan {
        app.output.warn("the result differs from the review: secrets changed in between");
    }
    if !app.output.is_json() && (!reviews || done != plan) {
        app.output.list(&table(&applied.entries, true), Value::Null, "")?;
    }
    app.output.done(&sentence, &json(&applied))?;
    if !reviews {
        warn(app, &applied);
    }
    Ok(())
}

impl ImportArgs {
    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn format(&self) -> Format {
        self.format.unwrap_or_else(|| Format::of_file(&self.file))
    }
}

/// Whether a person can be asked, who may then leave the rejected entries out.
fn can_ask(args: &ImportArgs) -> bool {
    if args.is_stdin() { std::fs::File::open("/dev/tty").is_ok() } else { prompt::stdin_is_terminal() }
}

fn warn(app: &App, response: &v1::ImportSecretsResponse) {
    app.output.warnings(&response.warnings);
    for warning in warnings(&response.entries) {
        app.output.warn(&warning);
    }
}

fn json(response: &v1::ImportSecretsResponse) -> Value {
    json!({
        "entries": response.entries.iter().map(output::json::imported_entry).collect::<Vec<_>>(),
        "applied": response.applied,
        "created": response.created,
        "updated": response.updated,
        "revision": response.revision,
        "warnings": response.warnings.iter().map(output::json::warning).collect::<Vec<_>>(),
    })
}
