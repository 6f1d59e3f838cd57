//! `--fallback`: the last set that the service delivered, used while the service is unavailable.
//!
//! It is never used after an answer of the service: what was denied stays denied. The file itself is the library's
//! [`Fallback`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secrets_client::{
    Fallback, FallbackBinding, FallbackError, FallbackKey, FallbackProblem, FallbackSet, InvalidFallbackKey, Question,
    ResolvedSet, v1,
};
use tokio::time::timeout;

use super::App;
use crate::args::scope::ContextArgs;
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

/// How long the service may take before the fallback is used.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Args, Debug)]
pub(crate) struct FallbackArgs {
    /// Keep the secrets encrypted in this file, and use it when the service is unavailable for 3 s
    #[arg(long, value_name = "FILE", requires = "fallback_key_file")]
    fallback: Option<PathBuf>,
    /// With --fallback: the key, 32 bytes or 64 hexadecimal digits, as `openssl rand -hex 32` prints
    #[arg(long, value_name = "FILE", requires = "fallback")]
    fallback_key_file: Option<PathBuf>,
    /// With --fallback: do not use a file older than this [default: 7d]
    #[arg(long, value_name = "DURATION", requires = "fallback", value_parser = time::duration)]
    fallback_max_age: Option<Duration>,
    /// With --fallback: use the file without asking the service
    #[arg(long, requires = "fallback", conflicts_with = "watch")]
    fallback_only: bool,
}

impl FallbackArgs {
    /// Returns what the context gets: from the service, or, where that is allowed, from the fallback. What is missing is said in
    /// the service's own words: [`App::explain_missing`] says more.
    pub(crate) async fn receive(
        &self,
        app: &App,
        context: &ContextArgs,
        only: &[String],
    ) -> Result<ResolvedSet, CliError> {
        // An invalid key is reported while the service is available, and not when the fallback is needed.
        let ask = || app.resolve(context, only, app.required(only));
        let Some(fallback) = self.fallback(app, context, only)? else { return ask().await };
        if self.fallback_only {
            let FallbackSet { set, age } = fallback.open(&question(only), time::now())?;
            check_complete(&set, &app.required(only))?;
            app.print_notices(&set);
            app.output.note(&format!("secrets: as of {}, without asking the service", ago(age)));
            return Ok(set);
        }
        app.wait_silently();
        let asked = timeout(SERVICE_TIMEOUT, ask()).await;
        let unavailable = match asked {
            Ok(Ok(set)) => {
                if let Err(error) = fallback.seal(&set, time::now()) {
                    app.output.warn(&format!("the fallback was not updated: {error}"));
                }
                return Ok(set);
            }
            Ok(Err(error)) if error.exit == ExitCode::Unavailable => error.message().to_owned(),
            Ok(Err(error)) => return Err(error),
            Err(_) => format!("{} did not answer within {} s", app.settings.endpoint, SERVICE_TIMEOUT.as_secs()),
        };
        match fallback.open(&question(only), time::now()) {
            Ok(FallbackSet { set, age }) => {
                check_complete(&set, &app.required(only))?;
                app.print_notices(&set);
                app.output.warn(&format!("{unavailable}; using what it gave {}", ago(age)));
                Ok(set)
            }
            Err(error) => {
                let error = CliError::from(error);
                Err(CliError::new(ExitCode::Unavailable, format!("{unavailable}; and {}", error.message())))
            }
        }
    }

    /// Whether the service is not asked at all.
    pub(crate) fn is_offline(&self) -> bool {
        self.fallback_only
    }

    /// Seals a set that the service delivered later, if there is a fallback.
    pub(crate) fn keep(
        &self,
        app: &App,
        context: &ContextArgs,
        only: &[String],
        set: &ResolvedSet,
    ) -> Result<(), CliError> {
        match self.fallback(app, context, only)? {
            Some(fallback) => Ok(fallback.seal(set, time::now())?),
            None => Ok(()),
        }
    }

    fn fallback(&self, app: &App, context: &ContextArgs, only: &[String]) -> Result<Option<Fallback>, CliError> {
        let (Some(path), Some(key)) = (&self.fallback, &self.fallback_key_file) else { return Ok(None) };
        // It belongs to a token: one that the keyring does not give now is not the same as none.
        app.check_token()?;
        Ok(Some(Fallback {
            path: path.clone(),
            key: FallbackKey::from_file(key).map_err(|error| key_error(key, &error))?,
            binding: binding(app, context, only),
            max_age: self.fallback_max_age.unwrap_or(Fallback::DEFAULT_MAX_AGE),
        }))
    }
}

impl From<FallbackError> for CliError {
    fn from(error: FallbackError) -> Self {
        let too_old = match &error.problem {
            FallbackProblem::TooOld { age, .. } => {
                Some(format!("the set is from {}, which is older than --fallback-max-age allows", ago(*age)))
            }
            _ => None,
        };
        let message = match too_old {
            Some(problem) => format!("fallback `{}`: {problem}", error.path.display()),
            None => error.to_string(),
        };
        Self::new(ExitCode::Failed, message)
    }
}

fn key_error(path: &Path, error: &InvalidFallbackKey) -> CliError {
    let failed = CliError::new(ExitCode::Failed, format!("fallback key `{}`: {error}", path.display()));
    match error {
        InvalidFallbackKey::File(_) => failed,
        InvalidFallbackKey::Exposed => failed.hint(format!("chmod 600 {}", path.display())),
        InvalidFallbackKey::Malformed => failed.hint(format!("openssl rand -hex 32 > {}", path.display())),
    }
}

/// Refuses a set that lacks a required secret, for instance because it was sealed before the secret became required.
fn check_complete(set: &ResolvedSet, required: &[String]) -> Result<(), CliError> {
    let is_there = |name: &String| set.secret(name).is_some();
    let missing: Vec<&str> = required.iter().filter(|name| !is_there(name)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let number = text::count(missing.len(), "secret");
    Err(CliError::new(ExitCode::Missing, format!("{number} missing in the fallback: {}", missing.join(", ")))
        .hint("the next run while the service is available keeps a new one"))
}

/// What a fallback is asked for. The context is that of its binding; what is required is looked for later.
fn question(only: &[String]) -> Question {
    Question::from(&v1::ResolveRequest { secret_ids: only.to_vec(), ..Default::default() })
}

/// What a set is for, as far as that is known without asking the service.
fn binding(app: &App, context: &ContextArgs, only: &[String]) -> FallbackBinding {
    let organization = app.organization_flag().map(ToString::to_string).or(app.defaults().organization);
    let asked = context.context(organization.unwrap_or_default(), &app.defaults());
    let token = app.credential().map(|credential| credential.expose()).unwrap_or_default();
    let mut names: Vec<&str> = only.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    FallbackBinding::new(
        &[app.settings.endpoint.as_str(), token, &asked.organization, &asked.project, &asked.workspace],
        &names,
    )
}

fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let (number, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7199 => (seconds / 60, "min"),
        7200..=172_799 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit} ago")
}
