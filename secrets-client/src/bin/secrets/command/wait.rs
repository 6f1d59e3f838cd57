//! `wait`: until the context has what is needed.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use secrets_client::{Watch, WatchEventKind, v1};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::App;
use crate::args::scope::{self, ContextArgs};
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};

/// After this long a person wants to know that nobody answers.
const SOON: Duration = Duration::from_secs(3);

#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// The secrets that must be there
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// Give up after this long, for instance `5m`; without it, never
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    timeout: Option<Duration>,
}

/// Returns when all of the names are there.
pub(crate) async fn wait(app: &App, args: WaitArgs) -> Result<(), CliError> {
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let mut wanted = Wanted::of(args.names);
    let _session = app.keep_session()?;
    let begun = Instant::now();
    let end = args.timeout.map(|patience| begun + patience);
    // Whoever has no time to wait still wants to know what is there.
    let answered = end.map(|end| end.max(begun + SOON));
    let Some(watch) = by(answered, wanted.begin(app, &args.context)).await else {
        let text = format!("{} did not answer within {} s", app.settings.endpoint, begun.elapsed().as_secs());
        return Err(
            CliError::new(ExitCode::Unavailable, text).hint("is it running? `secrets doctor` looks for what is wrong")
        );
    };
    if let Some(waited) = by(end, wanted.wait(app, watch?)).await {
        waited?;
        return if app.output.is_json() { app.output.json(&json!({ "secret_ids": wanted.names })) } else { Ok(()) };
    }
    let (missing, seconds) = (wanted.missing(), begun.elapsed().as_secs());
    let first = missing.first().map(String::as_str).unwrap_or_default();
    Err(CliError::new(ExitCode::Missing, format!("not there after {seconds} s: {}", missing.join(", ")))
        .hint(format!("`secrets set {first}` gives your own sandboxes one")))
}

/// What comes of `waiting` until `end`; without one, however late.
async fn by<T>(end: Option<Instant>, waiting: impl Future<Output = T>) -> Option<T> {
    match end {
        Some(end) => timeout_at(end, waiting).await.ok(),
        None => Some(waiting.await),
    }
}

impl App {
    /// Watches what the context gets of these names, or of all when there are none.
    pub(crate) async fn watch(&self, context: &ContextArgs, names: &BTreeSet<String>) -> Result<Watch, CliError> {
        let (context, secret_ids) = (self.context(context).await?, names.iter().cloned().collect());
        Ok(self.client()?.watch(v1::WatchRequest { context, secret_ids, ..Default::default() }))
    }
}

/// The names that are waited for.
struct Wanted {
    names: BTreeSet<String>,
    /// Those that are there, as far as is known.
    there: BTreeSet<String>,
}

impl Wanted {
    fn of(names: Vec<String>) -> Self {
        Self { names: names.into_iter().collect(), there: BTreeSet::new() }
    }

    /// Opens the watch, and hears what is there.
    async fn begin(&mut self, app: &App, context: &ContextArgs) -> Result<Watch, CliError> {
        let mut watch = app.watch(context, &self.names).await?;
        let first = match timeout(SOON, watch.next()).await {
            Ok(first) => first?,
            Err(_) => {
                app.output.note(&format!("Waiting for the service at {}.", app.settings.endpoint));
                watch.next().await?
            }
        };
        self.happened(first.kind);
        Ok(watch)
    }

    /// Hears of changes until nothing is missing.
    async fn wait(&mut self, app: &App, mut watch: Watch) -> Result<(), CliError> {
        let mut announced = Vec::new();
        loop {
            let missing = self.missing();
            if missing.is_empty() {
                return Ok(());
            }
            if missing != announced {
                app.output.note(&format!("Waiting for {}.", missing.join(", ")));
                announced = missing;
            }
            self.happened(watch.next().await?.kind);
        }
    }

    fn happened(&mut self, happened: WatchEventKind) {
        match happened {
            WatchEventKind::Set(set) => self.there = set.secrets.into_iter().map(|secret| secret.secret_id).collect(),
            WatchEventKind::Changed(change) => {
                self.there.extend(change.added.into_iter().map(|secret| secret.secret_id));
                self.there.retain(|name| !change.removed.contains(name));
            }
            WatchEventKind::Unchanged => {}
        }
    }

    fn missing(&self) -> Vec<String> {
        self.names.difference(&self.there).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(names: &[&str]) -> Vec<v1::WatchedSecret> {
        names.iter().map(|name| v1::WatchedSecret { secret_id: (*name).into(), ..Default::default() }).collect()
    }

    #[test]
    fn knows_what_is_missing_through_changes_and_interruptions() {
        let mut wanted = Wanted::of(vec!["B".into(), "A".into(), "A".into()]);
        assert_eq!(wanted.missing(), ["A", "B"]);
        wanted.happened(WatchEventKind::Set(v1::WatchedSet { secrets: secrets(&["A"]), ..Default::default() }));
        assert_eq!(wanted.missing(), ["B"]);
        let change = v1::WatchedChange { added: secrets(&["B"]), removed: vec!["A".into()], ..Default::default() };
        wanted.happened(WatchEventKind::Changed(change));
        assert_eq!(wanted.missing(), ["A"]);
        // After an interruption everything is told anew.
        wanted.happened(WatchEventKind::Set(v1::WatchedSet { secrets: secrets(&["A", "B"]), ..Default::default() }));
        assert!(wanted.missing().is_empty());
    }
}
