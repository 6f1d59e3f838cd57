//! `--fallback`: the last set that the service gave, sealed under a key of the caller's own, for when it gives none.
//!
//! Invariants:
//! - it is used only when the service is unavailable, never after an answer: what was denied stays denied;
//! - it opens only for the endpoint, credential, context and names for which it was sealed, and not after its age;
//! - the file is worth nothing without the key, which this program never makes, keeps or shows.

mod key;
mod sealed;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use prost::Message as _;
use prost_types::Timestamp;
use secrets_client::{Resolved, v1};
use tokio::time::timeout;
use zeroize::{Zeroize as _, Zeroizing};

use self::key::Key;
use self::sealed::{FallbackBinding, OpenError};
use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::args::time;
use crate::delivery::private_file;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

/// How long the service has before the fallback is used.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(3);
/// How old a fallback may be, unless told otherwise.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Far more than a full set of four scopes takes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Args, Debug)]
pub(crate) struct FallbackArgs {
    /// Keep the set sealed in this file, and use that when the service is unavailable for 3 s
    #[arg(long, value_name = "FILE", requires = "fallback_key_file")]
    fallback: Option<PathBuf>,
    /// With --fallback: the key, 32 bytes or 64 hexadecimal digits as of `openssl rand -hex 32`
    #[arg(long, value_name = "FILE", requires = "fallback")]
    fallback_key_file: Option<PathBuf>,
    /// With --fallback: use none that is older [default: 7d]
    #[arg(long, value_name = "DURATION", requires = "fallback", value_parser = time::duration)]
    fallback_max_age: Option<Duration>,
    /// With --fallback: use it without asking the service
    #[arg(long, requires = "fallback", conflicts_with = "watch")]
    fallback_only: bool,
}

/// A file, and what opens it.
struct Fallback<'a> {
    path: &'a Path,
    key: Key,
    binding: FallbackBinding,
    max_age: Duration,
}

impl FallbackArgs {
    /// What the context gets: from the service, or where that is allowed, from the fallback.
    pub(crate) async fn receive(
        &self,
        app: &App,
        context: &ContextArgs,
        only: &[String],
    ) -> Result<Resolved, CliError> {
        // A key that is no use is told of while the service is there, and not when the fallback is needed.
        let Some(fallback) = self.fallback(app, context, only)? else { return app.receive(context, only).await };
        if self.fallback_only {
            let (set, age) = fallback.open(time::now())?;
            complete(&set, &app.required(only))?;
            app.output.note(&format!("secrets: as of {}, without asking the service", ago(age)));
            return Ok(set);
        }
        let asked = timeout(SERVICE_TIMEOUT, app.receive(context, only)).await;
        let unavailable = match asked {
            Ok(Ok(set)) => {
                if let Err(failure) = fallback.seal(&set, time::now()) {
                    app.output.warn(&format!("there is no new fallback: {}", failure.message()));
                }
                return Ok(set);
            }
            Ok(Err(failure)) if failure.exit == ExitCode::Unavailable => failure.message().to_owned(),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => format!("{} did not answer within {} s", app.settings.endpoint, SERVICE_TIMEOUT.as_secs()),
        };
        match fallback.open(time::now()) {
            Ok((set, age)) => {
                complete(&set, &app.required(only))?;
                app.output.warn(&format!("{unavailable}; using what it gave {}", ago(age)));
                Ok(set)
            }
            Err(refused) => {
                Err(CliError::new(ExitCode::Unavailable, format!("{unavailable}; and {}", refused.message())))
            }
        }
    }

    /// Keeps a set that came later, if one is to be kept.
    pub(crate) fn keep(
        &self,
        app: &App,
        context: &ContextArgs,
        only: &[String],
        set: &Resolved,
    ) -> Result<(), CliError> {
        match self.fallback(app, context, only)? {
            Some(fallback) => fallback.seal(set, time::now()),
            None => Ok(()),
        }
    }

    fn fallback(&self, app: &App, context: &ContextArgs, only: &[String]) -> Result<Option<Fallback<'_>>, CliError> {
        let (Some(path), Some(key)) = (&self.fallback, &self.fallback_key_file) else { return Ok(None) };
        let (key, binding) = (Key::read(key)?, binding(app, context, only));
        Ok(Some(Fallback { path, key, binding, max_age: self.fallback_max_age.unwrap_or(MAX_AGE) }))
    }
}

impl Fallback<'_> {
    fn seal(&self, set: &Resolved, now: Timestamp) -> Result<(), CliError> {
        let mut answer = to_response(set);
        let mut plain = Zeroizing::new(Vec::with_capacity(answer.encoded_len() + sealed::TAG_BYTES));
        let encoded = answer.encode(&mut *plain);
        answer.secrets.iter_mut().for_each(|secret| secret.value.zeroize());
        encoded.map_err(|error| self.fails(&error.to_string()))?;
        let bytes = sealed::seal(&self.key, &self.binding, now.seconds, &mut plain)
            .ok_or_else(|| self.fails("it can't be sealed"))?;
        private_file::replace(self.path, &bytes).map_err(|error| self.fails(&error.to_string()))
    }

    /// The set, and how old it is.
    fn open(&self, now: Timestamp) -> Result<(Resolved, Duration), CliError> {
        let mut bytes = Vec::new();
        std::fs::File::open(self.path)
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
            .map_err(|error| self.fails(&error.to_string()))?;
        let (sealed_at, plain) =
            sealed::open(&self.key, &self.binding, bytes).map_err(|refused| self.fails(reason(refused)))?;
        let age = Duration::from_secs(u64::try_from(now.seconds.saturating_sub(sealed_at)).unwrap_or_default());
        if age > self.max_age {
            return Err(self.fails(&format!("it is of {}, and --fallback-max-age allows less", ago(age))));
        }
        let answer = v1::ResolveResponse::decode(plain.as_slice())
            .map_err(|_| self.fails("it holds no set; another version wrote it"))?;
        if answer.next_change_time.as_ref().is_some_and(|time| time.seconds <= now.seconds) {
            return Err(self.fails("a secret of it has expired since"));
        }
        Ok((answer.into(), age))
    }

    fn fails(&self, why: &str) -> CliError {
        CliError::new(ExitCode::Failed, format!("fallback `{}`: {why}", self.path.display()))
    }
}

/// A set that was sealed before something became necessary is not enough.
fn complete(set: &Resolved, required: &[String]) -> Result<(), CliError> {
    let is_there = |name: &String| set.secrets.iter().any(|secret| secret.secret_id == *name);
    let missing: Vec<&str> = required.iter().filter(|name| !is_there(name)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let number = text::count(missing.len(), "secret");
    Err(CliError::new(ExitCode::Missing, format!("{number} missing in the fallback: {}", missing.join(", ")))
        .hint("a run while the service is there keeps a new one"))
}

fn reason(refused: OpenError) -> &'static str {
    match refused {
        OpenError::NotAFallback => "it is no fallback",
        OpenError::OtherKey => "it is sealed under another key",
        OpenError::OtherBinding => "it is for another endpoint, credential, context or choice of names",
        OpenError::Altered => "it was altered",
    }
}

/// For whom a set is, as far as it is known without asking the service.
fn binding(app: &App, context: &ContextArgs, only: &[String]) -> FallbackBinding {
    let organization = app.organization_flag().map(ToString::to_string).or(app.defaults().organization);
    let asked = context.context(organization.unwrap_or_default(), &app.defaults());
    let token = app.settings.credential.as_ref().map(|credential| credential.expose()).unwrap_or_default();
    let mut names: Vec<&str> = only.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    FallbackBinding::new(
        &[app.settings.endpoint.as_str(), token, &asked.organization, &asked.project, &asked.workspace],
        &names,
    )
}

/// The answer that this set came from.
fn to_response(set: &Resolved) -> v1::ResolveResponse {
    let secrets = set.secrets.iter().map(|secret| v1::ResolvedSecret {
        secret: secret.resource.clone(),
        secret_id: secret.secret_id.clone(),
        target: Some(secret.target.clone()),
        value: secret.expose().to_vec(),
        scope: secret.scope.into(),
        version: secret.version,
        redaction: secret.redaction.into(),
    });
    v1::ResolveResponse {
        secrets: secrets.collect(),
        etag: set.etag.clone(),
        next_change_time: set.next_change_time,
        revision: set.revision.clone(),
        environment_bytes: set.environment_bytes,
        context: set.context.clone(),
        ..Default::default()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn set(next_change: Option<i64>) -> Resolved {
        let secret = v1::ResolvedSecret {
            secret: "organizations/acme/secrets/A".into(),
            secret_id: "A".into(),
            value: vec![0, 255, 7],
            version: 3,
            target: Some(v1::Target::default()),
            ..Default::default()
        };
        let next_change_time = next_change.map(at);
        v1::ResolveResponse { secrets: vec![secret], etag: "e".into(), next_change_time, ..Default::default() }.into()
    }

    fn fallback<'a>(path: &'a Path, key: u8, endpoint: &str) -> Fallback<'a> {
        let binding = FallbackBinding::new(&[endpoint], &[]);
        Fallback { path, key: Key::from_bytes([key; 32]), binding, max_age: Duration::from_secs(3600) }
    }

    fn why(result: Result<(Resolved, Duration), CliError>) -> String {
        result.err().unwrap().message().to_owned()
    }

    #[test]
    fn gives_back_what_it_was_given_as_long_as_it_is_not_too_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fallback");
        let fallback = fallback(&path, 1, "http://e");
        fallback.seal(&set(None), at(NOW)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(3).any(|window| window == [0, 255, 7]));
        let (found, age) = fallback.open(at(NOW + 3600)).unwrap();
        assert_eq!((found.secrets[0].expose(), found.secrets[0].version, age.as_secs()), (&[0, 255, 7][..], 3, 3600));
        assert_eq!((found.etag.as_str(), found.secrets[0].resource.as_str()), ("e", "organizations/acme/secrets/A"));
        assert!(why(fallback.open(at(NOW + 3601))).contains("--fallback-max-age"));
        fallback.seal(&set(Some(NOW + 60)), at(NOW)).unwrap();
        assert!(fallback.open(at(NOW + 59)).is_ok());
        assert!(why(fallback.open(at(NOW + 60))).contains("expired"));
    }

    #[test]
    fn says_why_it_does_not_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fallback");
        let open = |key, endpoint: &str| fallback(&path, key, endpoint).open(at(NOW));
        assert!(why(open(1, "http://e")).contains("No such file"));
        fallback(&path, 1, "http://e").seal(&set(None), at(NOW)).unwrap();
        assert!(open(1, "http://e").is_ok());
        assert!(why(open(2, "http://e")).contains("another key"));
        assert!(why(open(1, "http://f")).contains("another endpoint"));
        std::fs::write(&path, "DATABASE_URL=x").unwrap();
        assert!(why(open(1, "http://e")).contains("no fallback"));
    }
}
