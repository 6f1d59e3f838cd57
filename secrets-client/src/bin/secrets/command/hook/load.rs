//! What a shell asks at a change of directory. The answer is read by its script: words that end with a NUL each. Nobody waits
//! for it for long, and a service that is away is no reason to say something at every step.

use std::time::Duration;

use clap::Args;
use secrets_client::{ResolvedSecret, v1};
use secrets_core::Target;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::place::Place;
use super::{names, trust};
use crate::app::App;
use crate::keyring::Unlocking;
use crate::ui::error::{CliError, ExitCode};

/// In all: a shell shows its prompt within two seconds.
const LOAD_TIMEOUT: Duration = Duration::from_millis(1_700);
/// What an answer takes that asks nobody.
const TO_ANSWER: Duration = Duration::from_millis(100);
/// A system starts no program whose environment is much larger, and a shell would not start any.
const MAX_BYTES: usize = 256 * 1024;
/// How many names a line has.
const MAX_NAMES_SHOWN: usize = 6;

#[derive(Args, Debug)]
pub(crate) struct LoadArgs {
    /// What the shell has loaded
    #[arg(long, value_name = "ID")]
    loaded: String,
    /// Say nothing that was said before
    #[arg(long)]
    quiet: bool,
}

enum Answer {
    /// What is loaded is right.
    Keep,
    /// There is nothing to load.
    Unload,
    /// Nothing is allowed yet; ask again at the next prompt.
    Ask,
    Load {
        id: String,
        secrets: Vec<ResolvedSecret>,
    },
}

pub(super) async fn load(app: &App, args: &LoadArgs) -> Result<(), CliError> {
    let deadline = Instant::now() + LOAD_TIMEOUT;
    let answer = match timeout_at(deadline, answer(app, args, deadline)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            if !args.quiet && error.exit != ExitCode::Unavailable {
                let next = error.next().map(|hint| format!("; {hint}")).unwrap_or_default();
                app.output.note(&format!("secrets: {}{next}", error.message()));
            }
            Answer::Unload
        }
        Err(_) => Answer::Unload,
    };
    app.output.bytes(&encoded(&answer))
}

async fn answer(app: &App, args: &LoadArgs, deadline: Instant) -> Result<Answer, CliError> {
    let place = Place::of_shell(app, &args.loaded, deadline - TO_ANSWER).await?;
    let Some(place) = place else { return Ok(Answer::Unload) };
    let (trusted, this) = (trust::read(&trust::path(app)?), place.trusted()?);
    if place.is_link || !trusted.contains(&this) {
        if !args.quiet {
            let path = place.path.display();
            app.output.note(&match place.is_link {
                true => format!("secrets: {path} is not loaded: it is a link"),
                false => format!(
                    "secrets: {path} {}is not loaded; `secrets hook allow` shows what it names, and asks",
                    this.since_allowed(&trusted)
                ),
            });
        }
        return Ok(Answer::Ask);
    }
    let id = place.id();
    if id == args.loaded {
        return Ok(Answer::Keep);
    }
    app.read_token(Unlocking::Never).await;
    let request = v1::ResolveRequest {
        context: app.context(&place.context).await?,
        secret_ids: place.names.clone(),
        kinds: vec![v1::TargetKind::EnvironmentVariable.into()],
        ..Default::default()
    };
    let set = app.client()?.resolve(request).await?;
    let is_variable = |secret: &ResolvedSecret| matches!(secret.target, Target::EnvironmentVariable);
    let (secrets, left_out): (Vec<_>, Vec<_>) = set
        .secrets
        .into_iter()
        .filter(is_variable)
        .partition(|secret| names::refusal(secret.secret_id().as_str()).is_none() && !secret.expose().contains(&0));
    let bytes: usize = secrets.iter().map(|secret| secret.secret_id().as_str().len() + secret.expose().len() + 2).sum();
    if bytes > MAX_BYTES {
        return Err(CliError::new(
            ExitCode::Failed,
            format!("{bytes} bytes of variables are too many for a shell; list the ones you need in secrets.toml"),
        ));
    }
    let loaded: Vec<&str> = secrets.iter().map(|secret| secret.secret_id().as_str()).collect();
    let missing = place.names.iter().filter(|name| !loaded.contains(&name.as_str())).count();
    let mut line = match loaded.as_slice() {
        [] => "secrets: no variables are loaded".to_owned(),
        loaded => format!("secrets: loaded {}", some_of(loaded)),
    };
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(|secret| secret.secret_id().as_str()).collect();
        line.push_str(&format!("; left out {}", some_of(&names)));
    }
    if missing > 0 {
        let verb = if missing == 1 { "is" } else { "are" };
        line.push_str(&format!("; {missing} of those it lists {verb} not there: `secrets check`"));
    }
    app.output.note(&line);
    Ok(Answer::Load { id, secrets })
}

fn some_of(names: &[&str]) -> String {
    let shown = names.get(..MAX_NAMES_SHOWN.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(MAX_NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The answer, and what belongs to it; an empty name ends the variables, so that one that was cut off is none.
fn encoded(answer: &Answer) -> Zeroizing<Vec<u8>> {
    let (word, id, secrets) = match answer {
        Answer::Keep => ("keep", "", None),
        Answer::Unload => ("unload", "", None),
        Answer::Ask => ("ask", "", None),
        Answer::Load { id, secrets } => ("load", id.as_str(), Some(secrets)),
    };
    let length =
        secrets.into_iter().flatten().map(|secret| secret.secret_id().as_str().len() + secret.expose().len() + 2);
    // As large as it will be: what grows is copied, and leaves values behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.sum::<usize>() + word.len() + id.len() + 3));
    let mut push = |word: &[u8]| {
        bytes.extend_from_slice(word);
        bytes.push(0);
    };
    push(word.as_bytes());
    push(id.as_bytes());
    if let Some(secrets) = secrets {
        for secret in secrets {
            push(secret.secret_id().as_str().as_bytes());
            push(secret.expose());
        }
        push(b"");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::secret;

    #[test]
    fn ends_each_word_and_the_whole() {
        assert_eq!(encoded(&Answer::Keep).as_slice(), b"keep\0\0");
        let secrets = vec![secret("A", b"x\ny", &Target::EnvironmentVariable)];
        assert_eq!(encoded(&Answer::Load { id: "7".into(), secrets }).as_slice(), b"load\x007\0A\0x\ny\0\0");
    }

    #[test]
    fn names_a_few() {
        assert_eq!(some_of(&["A", "B"]), "A, B");
        assert_eq!(some_of(&["A"; 8]), "A, A, A, A, A, A and 2 more");
    }
}
