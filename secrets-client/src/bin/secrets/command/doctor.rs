//! `doctor`: looks at everything between this command and the service, and says of each what to do.
//!
//! To add a check: a function in `doctor/` that returns a [`Check`], and a line in [`examine`].

mod service;
mod setup;

use std::fmt::Write as _;

use secrets_client::{ClientError, ConfigError, Settings};
use serde_json::{Value, json};

use crate::ui::error::{CliError, ExitCode};
use crate::ui::escape::escape;
use crate::ui::output::Output;
use crate::ui::output::table::wrapped;

/// What was looked at, and how it is.
#[derive(Debug)]
struct Check {
    name: &'static str,
    state: State,
    finding: String,
    remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, and will not always.
    Warn,
    /// It keeps the command from working.
    Fail,
    /// The service can't be reached, so that no more can be looked at.
    Unreachable,
}

impl Check {
    fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, state: State::Ok, finding: finding.into(), remedy: None }
    }

    fn warn(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, state: State::Warn, finding: finding.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, state: State::Fail, finding: finding.into(), remedy: Some(remedy.into()) }
    }

    /// A call or a connection that did not work, as any other command would report it.
    fn from_error(name: &'static str, error: ClientError) -> Self {
        let error = CliError::from(error);
        let state = if error.exit == ExitCode::Unavailable { State::Unreachable } else { State::Fail };
        Self { name, state, finding: error.message().to_owned(), remedy: error.next().map(str::to_owned) }
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail | Self::Unreachable => "fail",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Fail | Self::Unreachable => "\x1b[1;31m",
        }
    }
}

/// Looks, prints what it sees, and fails with 6 when the service can't be reached, else with 1 when something else fails.
pub(crate) async fn doctor(settings: Result<Settings, ConfigError>, output: Output) -> Result<(), CliError> {
    let checks = examine(settings).await;
    if output.is_json() {
        output.json(&json!({
            "client_version": env!("CARGO_PKG_VERSION"),
            "checks": checks.iter().map(as_json).collect::<Vec<Value>>(),
        }))?;
    } else {
        output.styled(&lines(&checks, output.width(), output.colors_results()))?;
    }
    let failed: Vec<&str> = checks
        .iter()
        .filter(|check| matches!(check.state, State::Fail | State::Unreachable))
        .map(|check| check.name)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let unreachable = checks.iter().any(|check| check.state == State::Unreachable);
    let exit = if unreachable { ExitCode::Unavailable } else { ExitCode::Failed };
    Err(CliError::new(exit, format!("{} failed", failed.join(", "))))
}

async fn examine(settings: Result<Settings, ConfigError>) -> Vec<Check> {
    let mut settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            let error = CliError::from(error);
            let remedy = error.next().unwrap_or("fix the file, or move it away");
            return vec![Check::fail("configuration", error.message(), remedy)];
        }
    };
    let mut checks = vec![setup::configuration(&settings)];
    checks.extend(setup::context(&settings));
    checks.extend(setup::token_file(&settings));
    checks.extend(setup::keyring(&mut settings).await);
    checks.push(setup::endpoint(&settings));
    if settings.endpoint.is_exposed() && !settings.is_insecure() {
        return checks;
    }
    checks.extend(setup::proxy(&settings));
    checks.extend(service::connection(&settings).await);
    if checks.iter().all(|check| check.state != State::Unreachable) {
        checks.extend(service::answers(&settings).await);
    }
    checks
}

fn as_json(check: &Check) -> Value {
    json!({ "check": check.name, "state": check.state.word().to_uppercase(), "finding": check.finding, "remedy": check.remedy })
}

fn lines(checks: &[Check], width: Option<usize>, color: bool) -> String {
    let longest = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let indent = longest + 8;
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(20));
    let mut text = String::new();
    for check in checks {
        let (on, off) = if color { (check.state.color(), "\x1b[0m") } else { ("", "") };
        let finding = wrapped(&escape(&check.finding), room).join(&format!("\n{:indent$}", ""));
        let _ = writeln!(text, "{on}{:4}{off}  {:longest$}  {finding}", check.state.word(), check.name);
        if let Some(remedy) = &check.remedy {
            let remedy = wrapped(&escape(remedy), room.saturating_sub(2)).join(&format!("\n{:indent$}  ", ""));
            let _ = writeln!(text, "{:indent$}→ {remedy}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_of_each_what_to_do() {
        let checks = [Check::ok("clock", "within 1 s"), Check::warn("version", "older", "update it")];
        assert_eq!(
            lines(&checks, None, false),
            "ok    clock    within 1 s\nwarn  version  older\n               → update it\n"
        );
        assert!(lines(&checks, None, true).starts_with("\x1b[32mok  \x1b[0m  clock"));
        assert_eq!(as_json(&checks[1])["state"], "WARN");
    }

    #[test]
    fn breaks_lines_between_words_where_the_terminal_ends() {
        let checks = [Check::warn("token", "user ann, organization acme, admin", "make another in time, please")];
        let lines = lines(&checks, Some(34), false);
        assert!(lines.lines().all(|line| line.chars().count() <= 34), "{lines}");
        assert!(
            lines.contains("\n             organization") && lines.contains("\n               time, please"),
            "{lines}"
        );
    }
}
