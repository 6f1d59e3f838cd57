//! `run`: one resolve, then a program with the values in its environment.

mod child;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use clap::Args;
use secrets_client::{ResolvedSecret, v1};

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::words;
use crate::resolve::is_variable;
use crate::scope::{self, ContextArgs};

/// What a program must not get: it has its secrets, and the token would give it more.
const STRIPPED: [&str; 2] = ["SECRETS_TOKEN", "SECRETS_TOKEN_FILE"];

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave the program's output as it is
    #[arg(long)]
    no_masking: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// What the program's environment gets, and what it does not.
struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// Names, with their targets, of what is no variable.
    elsewhere: Vec<String>,
}

/// Runs the program, and returns its own code, or 128 and the signal that ended it.
pub(crate) async fn run(app: &App, args: RunArgs) -> Result<u8, Failure> {
    let set = resolve(app, &args).await.map_err(|failure| failure.with_exit(Exit::NotStarted))?;
    let environment = Environment::of(&set).map_err(|failure| failure.with_exit(Exit::NotStarted))?;
    drop(set);
    let replaced: Vec<String> = environment
        .variables
        .iter()
        .filter(|(name, _)| std::env::var_os(name).is_some())
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    if !replaced.is_empty() {
        app.output.note(&format!("secrets: {} replaced what the environment had", replaced.join(", ")));
    }
    if !environment.elsewhere.is_empty() {
        let number = words::count(environment.elsewhere.len(), "secret");
        app.output.warn(&format!(
            "`run` delivers environment variables only; {number} not delivered: {}",
            environment.elsewhere.join(", ")
        ));
    }
    if !args.no_masking {
        let number = words::count(environment.variables.len(), "variable");
        app.output.note(&format!("secrets: {number}; the program's output is not masked"));
    }
    child::run(&args.command, environment.variables, &STRIPPED).await
}

async fn resolve(app: &App, args: &RunArgs) -> Result<Vec<ResolvedSecret>, Failure> {
    for name in &args.only {
        scope::parse_name(name)?;
    }
    let request = v1::ResolveRequest {
        context: app.context(&args.context).await?,
        secret_ids: args.only.clone(),
        required_secret_ids: args.only.clone(),
        ..Default::default()
    };
    let set = app.client()?.resolve(request).await?;
    app.output.warnings(&set.warnings);
    Ok(set.secrets)
}

impl Environment {
    fn of(secrets: &[ResolvedSecret]) -> Result<Self, Failure> {
        let mut environment = Self { variables: Vec::new(), elsewhere: Vec::new() };
        for secret in secrets {
            if !is_variable(secret) {
                let target = words::target(Some(&secret.target));
                environment.elsewhere.push(format!("{} ({target})", secret.secret_id));
            } else if secret.expose().contains(&0) {
                let message = format!("{} holds a NUL, which no variable can", secret.secret_id);
                return Err(Failure::new(Exit::Failed, message));
            } else {
                let value = OsString::from_vec(secret.expose().to_vec());
                environment.variables.push((secret.secret_id.clone().into(), value));
            }
        }
        Ok(environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, value: &[u8], target: Option<v1::target::Kind>) -> ResolvedSecret {
        v1::ResolvedSecret {
            secret_id: name.into(),
            value: value.into(),
            target: target.map(|kind| v1::Target { kind: Some(kind) }),
            ..Default::default()
        }
        .into()
    }

    #[test]
    fn injects_variables_and_names_the_rest() {
        let file = v1::target::Kind::File(v1::FileTarget { path: "~/.ssh/key".into(), mode: 0o600 });
        let set = [secret("A", "gr\u{fc}n".as_bytes(), None), secret("KEY", b"\0", Some(file))];
        let environment = Environment::of(&set).unwrap();
        assert_eq!(environment.variables, [("A".into(), "gr\u{fc}n".into())]);
        assert_eq!(environment.elsewhere, ["KEY (file ~/.ssh/key (0600))"]);
    }

    #[test]
    fn refuses_a_variable_that_no_environment_can_hold() {
        assert!(Environment::of(&[secret("A", b"a\0b", None)]).is_err());
    }
}
