//! `import`: a `.env` or JSON file, after a review.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrets_client::v1::import_secrets_request::Source;
use secrets_client::v1::{self, ImportOutcome};
use secrets_core::Limits;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::Table;
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The file, or `-` for stdin
    file: PathBuf,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Format of the file [default: json if its name ends in .json, else dotenv]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Import only these names
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Replace the values of secrets that exist
    #[arg(long)]
    overwrite: bool,
    /// Take `${…}` and references of other tools (`op://…`) as they stand
    #[arg(long)]
    literal: bool,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Dotenv,
    Json,
}

pub(crate) async fn import(app: &App, args: ImportArgs) -> Result<(), CliError> {
    let scope = app.scope(&args.scope).await?;
    let place = scope::describe(&scope);
    let document = read(&args)?;
    let review = v1::ImportSecretsRequest {
        parent: scope.to_string(),
        source: Some(match args.format() {
            Format::Dotenv => Source::Dotenv(document.to_vec()),
            Format::Json => Source::Json(document.to_vec()),
        }),
        conflict_policy: if args.overwrite { v1::ConflictPolicy::Overwrite } else { v1::ConflictPolicy::Skip }.into(),
        // Each entry is judged; what that means for the whole is decided below.
        on_rejected: v1::RejectedPolicy::Skip.into(),
        only_secret_ids: args.only.clone(),
        literal: args.literal,
        validate_only: true,
        ..Default::default()
    };
    let client = app.client()?;
    let reviewed = client.import_secrets(review.clone()).await?;
    let plan = Plan::new(&reviewed);
    let blocked = plan.rejected > 0 && !args.skip_rejected;
    let ends_here = args.dry_run || plan.changes() == 0 || (blocked && (args.yes || !can_ask(&args)));
    // Whoever is not asked sees what was done, in place of what would be.
    let reviews = ends_here || !args.yes;
    if !app.output.is_json() && reviews {
        app.output.list(&table(&reviewed.entries, false), Value::Null, "The file has no entries.")?;
    }
    app.output.warnings(&reviewed.warnings);
    for warning in warnings(&reviewed.entries) {
        app.output.warn(&warning);
    }
    if blocked || (reviews && !app.output.is_json() && !reviewed.entries.is_empty()) {
        app.output.note(&plan.summary(blocked));
    }
    if ends_here {
        if app.output.is_json() {
            app.output.json(&json(&reviewed))?;
        }
        return match blocked {
            true => Err(CliError::new(
                ExitCode::Failed,
                format!(
                    "{} rejected; nothing was imported",
                    text::count(plan.rejected, "entry").replace("entrys", "entries")
                ),
            )),
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
    let import = client.import_secrets(v1::ImportSecretsRequest { validate_only: false, ..review });
    let progress = format!("Importing {} into {place}", text::count(plan.changes(), "secret"));
    let applied = app.output.during(&progress, import).await?;
    let done = Plan::new(&applied);
    let sentence = format!("Imported into {place}: {} created, {} changed.", applied.created, applied.updated);
    if reviews && done != plan {
        app.output.warn("the result differs from the review: secrets changed in between");
    }
    if !app.output.is_json() && (!reviews || done != plan) {
        app.output.list(&table(&applied.entries, true), Value::Null, "")?;
    }
    app.output.done(&sentence, &json(&applied))
}

impl ImportArgs {
    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn format(&self) -> Format {
        let by_name = if self.file.extension().is_some_and(|extension| extension == "json") {
            Format::Json
        } else {
            Format::Dotenv
        };
        self.format.unwrap_or(by_name)
    }
}

/// Whether a person can be asked, who may then leave the rejected entries out.
fn can_ask(args: &ImportArgs) -> bool {
    if args.is_stdin() { std::fs::File::open("/dev/tty").is_ok() } else { prompt::stdin_is_terminal() }
}

/// Reads the document, and not more of it than shows that it is too large.
fn read(args: &ImportArgs) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let most = Limits::default().import_bytes;
    let source = if args.is_stdin() { "stdin".to_owned() } else { format!("`{}`", args.file.display()) };
    let failed = |error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { ExitCode::NotFound } else { ExitCode::Failed };
        CliError::new(exit, format!("{source}: {error}"))
    };
    let mut document = Zeroizing::new(Vec::new());
    if args.is_stdin() {
        std::io::stdin().lock().take(most + 1).read_to_end(&mut document).map_err(failed)?;
    } else {
        let file = std::fs::File::open(&args.file).map_err(failed)?;
        file.take(most + 1).read_to_end(&mut document).map_err(failed)?;
    }
    if document.len() as u64 > most {
        return Err(CliError::new(
            ExitCode::Failed,
            format!("{source} must be at most {most} bytes; nothing was imported"),
        ));
    }
    Ok(document)
}

/// How many entries an import creates, changes, skips, and rejects.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    created: usize,
    updated: usize,
    skipped: usize,
    rejected: usize,
}

impl Plan {
    fn new(response: &v1::ImportSecretsResponse) -> Self {
        let count = |outcome| response.entries.iter().filter(|entry| entry.outcome() == outcome).count();
        let (created, updated) = (count(ImportOutcome::Created), count(ImportOutcome::Updated));
        let rejected = count(ImportOutcome::Rejected);
        Self { created, updated, skipped: response.entries.len() - created - updated - rejected, rejected }
    }

    fn changes(&self) -> usize {
        self.created + self.updated
    }

    /// `1 will be created, 1 skipped; 2 can't be imported.`
    fn summary(&self, blocked: bool) -> String {
        let counts = [(self.created, "will be created"), (self.updated, "will be changed"), (self.skipped, "skipped")];
        let parts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let mut groups = Vec::from_iter((!parts.is_empty()).then(|| parts.join(", ")));
        if self.rejected > 0 {
            groups.push(format!("{} can't be imported", self.rejected));
        }
        let hint = if blocked { ": --skip-rejected imports the rest." } else { "." };
        format!("{}{hint}", groups.join("; "))
    }
}

fn table(entries: &[v1::ImportedEntry], applied: bool) -> Table {
    let mut table = Table::new(["LINE", "NAME", "OUTCOME", "NOTE"]).wrapped(&["NOTE"]);
    for entry in entries {
        let outcome = match (entry.outcome(), applied) {
            (ImportOutcome::Created, false) => "will be created",
            (ImportOutcome::Created, true) => "created",
            (ImportOutcome::Updated, false) => "will be changed",
            (ImportOutcome::Updated, true) => "changed",
            (ImportOutcome::SkippedExists, _) => "exists, skipped",
            (ImportOutcome::SkippedEmpty, _) => "empty, skipped",
            (ImportOutcome::OverriddenLater, _) => "given again later",
            (ImportOutcome::Rejected, _) => "rejected",
            (ImportOutcome::SkippedNotSelected, _) => "not selected",
            (ImportOutcome::Unspecified, _) => "",
        };
        table.row([format!("{:>4}", entry.line), entry.secret_id.clone(), outcome.to_owned(), note(entry)]);
    }
    table
}

fn note(entry: &v1::ImportedEntry) -> String {
    match entry.outcome() {
        ImportOutcome::SkippedExists => "--overwrite replaces it".to_owned(),
        // They are in `warnings`.
        ImportOutcome::Created | ImportOutcome::Updated => String::new(),
        _ => with_flags(&entry.reason),
    }
}

/// What to know of entries that are imported: a line for each reason, with the names.
fn warnings(entries: &[v1::ImportedEntry]) -> Vec<String> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        if matches!(entry.outcome(), ImportOutcome::Created | ImportOutcome::Updated) && !entry.reason.is_empty() {
            names.entry(&entry.reason).or_default().push(&entry.secret_id);
        }
    }
    names.into_iter().map(|(reason, names)| format!("{}: {}", text::first_names(&names), with_flags(reason))).collect()
}

/// A sentence of the service with the flags in the place of its request's fields.
fn with_flags(reason: &str) -> String {
    reason.replace("`literal`", "--literal")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: i32, name: &str, outcome: ImportOutcome, reason: &str, suggestion: &str) -> v1::ImportedEntry {
        v1::ImportedEntry {
            line,
            secret_id: name.into(),
            outcome: outcome.into(),
            reason: reason.into(),
            suggested_secret_id: suggestion.into(),
        }
    }

    #[test]
    fn reviews_each_line() {
        let entries = [
            entry(2, "DATABASE_URL", ImportOutcome::Created, "", ""),
            entry(3, "STRIPE_SECRET", ImportOutcome::SkippedExists, "exists", ""),
            entry(5, "PATH", ImportOutcome::Rejected, "reserved: changes which programs run", ""),
            entry(
                7,
                "npm_token",
                ImportOutcome::Rejected,
                "names must be upper case; did you mean `NPM_TOKEN`?",
                "NPM_TOKEN",
            ),
        ];
        assert_eq!(
            table(&entries, false).render(None, false),
            "LINE  NAME           OUTCOME          NOTE\n\
             \u{20}  2  DATABASE_URL   will be created\n\
             \u{20}  3  STRIPE_SECRET  exists, skipped  --overwrite replaces it\n\
             \u{20}  5  PATH           rejected         reserved: changes which programs run\n\
             \u{20}  7  npm_token      rejected         names must be upper case; did you mean `NPM_TOKEN`?\n"
        );
        let narrow = table(&entries, false).render(Some(60), false);
        assert!(narrow.contains("NPM_TOKEN`?\n") && !narrow.contains('…'), "{narrow}");
        let plan = Plan::new(&v1::ImportSecretsResponse { entries: entries.into(), ..Default::default() });
        assert_eq!((plan.changes(), plan.rejected), (1, 2));
    }

    #[test]
    fn tells_a_format_by_the_files_name_unless_told() {
        let args = |file: &str, format| ImportArgs {
            file: file.into(),
            scope: ScopeArgs::default(),
            format,
            only: vec![],
            overwrite: false,
            literal: false,
            skip_rejected: false,
            dry_run: false,
            yes: false,
        };
        assert_eq!(args(".env", None).format(), Format::Dotenv);
        assert_eq!(args("secrets.json", None).format(), Format::Json);
        assert_eq!(args("-", Some(Format::Json)).format(), Format::Json);
        assert!(args("-", None).is_stdin());
    }
}
