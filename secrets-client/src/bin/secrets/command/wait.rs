//! `wait`: until the context has what is needed.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use secrets_client::{LiveNames, v1};
use secrets_core::CredentialKind;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::{App, LONG_WAIT};
use crate::args::scope::{self, ContextArgs};
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};

#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// The secrets to wait for
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// Give up after this long, for instance 5m [default: never]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    timeout: Option<Duration>,
}

/// Returns when all of the names are there.
pub(crate) async fn wait(app: &App, args: WaitArgs) -> Result<(), CliError> {
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let wanted: BTreeSet<String> = args.names.into_iter().collect();
    let start = Instant::now();
    let end = args.timeout.map(|timeout| start + timeout);
    // With hardly any time to wait, the command still says what is there.
    let answer_due = end.map(|end| end.max(start + LONG_WAIT));
    let Some(live) = by(answer_due, first_names(app, &args.context, &wanted)).await else {
        let text = format!("{} did not answer within {} s", app.settings.endpoint, start.elapsed().as_secs());
        return Err(
            CliError::new(ExitCode::Unavailable, text).hint("is the service running? `secrets doctor` finds problems")
        );
    };
    let mut live = live?;
    if let Some(waited) = by(end, wait_for_all(app, &wanted, &mut live)).await {
        waited?;
        return if app.output.is_json() { app.output.json(&json!({ "secret_ids": wanted })) } else { Ok(()) };
    }
    let (missing, seconds) = (missing(&wanted, &live), start.elapsed().as_secs());
    let first = missing.first().map(String::as_str).unwrap_or_default();
    let meant = match missing.as_slice() {
        [one] => app.left_out_or_meant(one).await,
        _ => None,
    };
    Err(CliError::new(ExitCode::Missing, format!("still missing after {seconds} s: {}", missing.join(", "))).hint(
        meant.unwrap_or_else(|| match app.credential_kind() {
            Some(CredentialKind::Session) => format!("whoever the session is for sets it with `secrets set {first}`"),
            _ => format!("`secrets set {first}` sets one of your own"),
        }),
    ))
}

/// Awaits `waiting` until `end`; without one, however long it takes.
async fn by<T>(end: Option<Instant>, waiting: impl Future<Output = T>) -> Option<T> {
    match end {
        Some(end) => timeout_at(end, waiting).await.ok(),
        None => Some(waiting.await),
    }
}

/// Follows the wanted names, and waits until the service has said which ones are there.
async fn first_names(app: &App, context: &ContextArgs, wanted: &BTreeSet<String>) -> Result<LiveNames, CliError> {
    let (context, secret_ids) = (app.context(context).await?, wanted.iter().cloned().collect());
    let mut live = app.client()?.live_names(v1::WatchRequest { context, secret_ids, ..Default::default() });
    match timeout(LONG_WAIT, live.next()).await {
        Ok(answered) => answered?,
        Err(_) => {
            app.say_still_waiting();
            live.next().await?;
        }
    }
    Ok(live)
}

/// Waits until nothing is missing.
async fn wait_for_all(app: &App, wanted: &BTreeSet<String>, live: &mut LiveNames) -> Result<(), CliError> {
    let mut announced = Vec::new();
    loop {
        let missing = missing(wanted, live);
        if missing.is_empty() {
            return Ok(());
        }
        if missing != announced {
            app.output.note(&format!("Waiting for {}.", missing.join(", ")));
            announced = missing;
        }
        live.next().await?;
    }
}

fn missing(wanted: &BTreeSet<String>, live: &LiveNames) -> Vec<String> {
    wanted.difference(live.names()).cloned().collect()
}
