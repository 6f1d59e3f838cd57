//! `rm` and `undelete`.

use clap::Args;
use secrets_client::{ClientError, v1};
use secrets_core::ScopeName;
use serde_json::Value;

use crate::app::{App, audience};
use crate::args::scope::{self, ContextArgs, ScopeArgs};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};
use crate::ui::prompt;

#[derive(Args, Debug)]
pub(crate) struct RmArgs {
    /// The secrets' names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Destroy the secret now, so that it can't be restored
    #[arg(long)]
    purge: bool,
    /// Destroy the value of this old version only
    #[arg(long, value_name = "VERSION", conflicts_with = "purge")]
    version: Option<u32>,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct UndeleteArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Which of several deleted ones [default: the one deleted last]
    #[arg(long, value_name = "UID")]
    uid: Option<String>,
}

/// A secret that is to be deleted.
struct Deletion {
    id: String,
    /// Its resource path.
    name: String,
    etag: String,
    next: Next,
    /// Who gets it now, if that is known.
    audience: Option<String>,
}

pub(crate) async fn rm(app: &App, args: RmArgs) -> Result<(), CliError> {
    let scope = app.scope(&args.scope).await?;
    let mut ids: Vec<&str> = Vec::new();
    for id in &args.names {
        scope::parse_name(id)?;
        if !ids.contains(&id.as_str()) {
            ids.push(id);
        }
    }
    if let Some(version) = args.version {
        let [id] = ids.as_slice() else { return Err(CliError::usage("--version takes one name")) };
        app.asks_secret(id);
        return rm_version(app, &args, &scope, id, scope::secret_path(&scope, id)?, version).await;
    }
    let deletions = match find(app, &scope, &ids, &args).await {
        Ok(deletions) => deletions,
        Err(error) => return Err(none_deleted(app, error, ids.len()).await),
    };
    if !args.yes {
        confirm(app, &args, &scope, &deletions)?;
    }
    let mut deleted = Vec::new();
    for one in &deletions {
        match delete(app, &args, &scope, one).await {
            Ok(changed) => deleted.push(changed),
            Err(error) if deleted.is_empty() => return Err(none_deleted(app, error, ids.len()).await),
            Err(error) => return Err(stopped(&error, &deletions, deleted.len())),
        }
    }
    if !app.output.is_json() {
        return Ok(());
    }
    app.output.json(&match <[Value; 1]>::try_from(deleted) {
        Ok([one]) => one,
        Err(several) => Value::Array(several),
    })
}

/// All of the secrets, which are there and may be deleted, as far as that is known before.
async fn find(app: &App, scope: &ScopeName, ids: &[&str], args: &RmArgs) -> Result<Vec<Deletion>, CliError> {
    let mut deletions = Vec::new();
    for id in ids {
        app.asks_secret(id);
        let secret = app.secret(scope, id).await?;
        let name = scope::secret_path(scope, id)?;
        // Of several none is deleted where one can't be; and nobody is asked about what they may not delete.
        if ids.len() > 1 || !args.yes {
            rehearse(app, &name, &secret.etag, args.purge).await?;
        }
        let next = what_is_next(app, scope, &secret).await;
        let audience = if args.yes { None } else { audience::of_secret(app, scope, &secret).await };
        deletions.push(Deletion { id: (*id).to_owned(), name, etag: secret.etag, next, audience });
    }
    Ok(deletions)
}

/// Fails as the deletion would.
async fn rehearse(app: &App, name: &str, etag: &str, purge: bool) -> Result<(), CliError> {
    let (name, etag) = (name.to_owned(), etag.to_owned());
    let request = v1::DeleteSecretRequest { name, etag, purge, validate_only: true, ..Default::default() };
    app.client()?.delete_secret(request).await?;
    Ok(())
}

/// One question for all of them.
fn confirm(app: &App, args: &RmArgs, scope: &ScopeName, deletions: &[Deletion]) -> Result<(), CliError> {
    const OTHERWISE: &str = "Nothing was deleted.";
    let from = scope::describe(scope);
    let meaning = |one: &Deletion| one.next.clone().sentence(&one.id, one.audience.clone());
    let (question, them) = if let [one] = deletions {
        (format!("Delete {} from {from}? {}.", one.id, meaning(one)), "It")
    } else {
        for one in deletions {
            app.output.note(&format!("{}: {}.", one.id, meaning(one)));
        }
        (format!("Delete {} from {from}?", text::count(deletions.len(), "secret")), "They")
    };
    let ids: Vec<&str> = deletions.iter().map(|one| one.id.as_str()).collect();
    match args.purge {
        true => prompt::confirm_by_name(&format!("{question} {them} can't be restored."), &ids.join(" "), OTHERWISE),
        false => prompt::confirm_or_decline(&question, false, OTHERWISE),
    }
}

async fn delete(app: &App, args: &RmArgs, scope: &ScopeName, deletion: &Deletion) -> Result<Value, CliError> {
    let Deletion { id, name, etag, next, .. } = deletion;
    let (name, etag) = (name.clone(), etag.clone());
    let request = v1::DeleteSecretRequest { name, etag, purge: args.purge, ..Default::default() };
    let response = app.client()?.delete_secret(request).await?;
    let back = match response.secret.as_ref().and_then(|secret| secret.purge_time.as_ref()) {
        Some(until) => {
            let until = text::moment(Some(until));
            format!(" `secrets undelete {id}{}` restores it until {until}.", args.scope.flag())
        }
        None => String::new(),
    };
    let next = next.clone().sentence(id, None);
    app.output.note(&format!("{id} deleted from {}. {next}.{back}", scope::describe(scope)));
    Ok(json::changed(response.secret.as_ref(), &response.revision, &[]))
}

/// Of several, none is deleted where one can't be.
async fn none_deleted(app: &App, error: CliError, number: usize) -> CliError {
    if number < 2 {
        return error;
    }
    let error = app.clarify(error).await;
    CliError::new(error.exit, format!("{}; nothing was deleted", error.message()))
        .or_hint(error.next().map(str::to_owned))
}

/// Something changed between the check and the deletion.
fn stopped(error: &CliError, deletions: &[Deletion], deleted: usize) -> CliError {
    let left: Vec<&str> = deletions.iter().skip(deleted).map(|one| one.id.as_str()).collect();
    CliError::new(error.exit, format!("{}; not deleted: {}", error.message(), left.join(", ")))
}

async fn rm_version(
    app: &App,
    args: &RmArgs,
    scope: &ScopeName,
    id: &str,
    name: String,
    version: u32,
) -> Result<(), CliError> {
    if !args.yes {
        let secret = app.secret(scope, id).await?;
        // For whoever may destroy the secret.
        rehearse(app, &name, &secret.etag, false).await?;
        let of = format!("{id} of {}", scope::describe(scope));
        let question = format!("Destroy the value of version {version} of {of}? It can't be restored.");
        prompt::confirm_by_name(&question, id, "Nothing was destroyed.")?;
    }
    let request = v1::DestroySecretVersionRequest { name, version, ..Default::default() };
    let response = match app.client()?.destroy_secret_version(request).await {
        Ok(response) => response,
        Err(error) => return Err(app.not_found_here(error, scope, id).await),
    };
    let sentence = format!("The value of version {version} of {id} is destroyed.");
    app.output.done(&sentence, &json::secret_version(&response.version.unwrap_or_default()))
}

/// What those get in the place of a secret who get it now.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// As a sentence.
    Something(String),
    Nothing,
    /// Of an organization's secret: whatever narrower scopes have.
    Narrower,
}

impl Next {
    /// As a sentence; `who` gets the secret now, if that is known.
    fn sentence(self, id: &str, who: Option<String>) -> String {
        match self {
            Self::Something(sentence) => sentence,
            Self::Nothing => {
                let who = who.unwrap_or_else(|| format!("whoever gets {id} now"));
                format!("Nothing else has this name, so {who} will get none")
            }
            Self::Narrower => match who {
                Some(who) => format!("It is for {who}: whoever has no {id} of a narrower scope will get none"),
                None => format!("Whoever has no {id} of a narrower scope will get none"),
            },
        }
    }
}

/// What is used in the place of a secret in the scope's own context and, for a person's secret, in the one that is meant by
/// default.
async fn what_is_next(app: &App, scope: &ScopeName, secret: &v1::Secret) -> Next {
    let id = &secret.secret_id;
    let organization = scope.organization().to_string();
    let context = match scope {
        ScopeName::Organization(_) => return Next::Narrower,
        ScopeName::Project(_, project) => {
            v1::Context { organization, project: project.to_string(), ..Default::default() }
        }
        ScopeName::Workspace(_, workspace) => {
            v1::Context { organization, workspace: workspace.to_string(), ..Default::default() }
        }
        ScopeName::User(..) => ContextArgs::default().context(organization, &app.defaults()),
    };
    let request = v1::ExplainRequest { context: Some(context), secret_ids: vec![id.clone()], ..Default::default() };
    let hidden = || Next::Something(format!("What is used instead of {id} is not for you to see"));
    let Ok(client) = app.client() else { return hidden() };
    match client.explain(request).await {
        Ok(answer) => answer.explanations.first().map_or(Next::Nothing, |row| next_winner(row, secret)),
        // Who may delete a secret need not be allowed to see what else there is.
        Err(_) => hidden(),
    }
}

fn next_winner(row: &v1::Explanation, secret: &v1::Secret) -> Next {
    let id = &secret.secret_id;
    match &row.winner {
        Some(winner) if winner.secret != secret.name => {
            return Next::Something(format!("{} {id} is used already, and will be", owner(&winner.secret)));
        }
        Some(_) => {}
        None => return Next::Nothing,
    }
    let waiting = row.not_chosen.iter().find(|other| {
        other.blocked_by == secret.name
            && matches!(
                other.reason(),
                v1::NotChosenReason::LowerPrecedence
                    | v1::NotChosenReason::LockedAbove
                    | v1::NotChosenReason::GroupFromNarrowerScope
            )
    });
    match waiting.and_then(|other| other.secret.as_ref()) {
        Some(next) => Next::Something(format!("{} {id} will be used instead", owner(&next.secret))),
        None => Next::Nothing,
    }
}

/// At the beginning of a sentence: `The organization's`, `Project api's`, `Your own`.
fn owner(secret: &str) -> String {
    match text::scope_of(secret).as_str() {
        "organization" => "The organization's".to_owned(),
        user if user.starts_with("user ") => "Your own".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            format!("{}'s", first.into_iter().chain(letters).collect::<String>())
        }
    }
}

pub(crate) async fn undelete(app: &App, args: UndeleteArgs) -> Result<(), CliError> {
    let _held = app.output.hold_warnings();
    let scope = app.scope(&args.scope).await?;
    let name = scope::secret_path(&scope, &args.name)?;
    app.asks_secret(&args.name);
    let request = v1::UndeleteSecretRequest { name, uid: args.uid.unwrap_or_default(), ..Default::default() };
    let response = match app.client()?.undelete_secret(request).await {
        Ok(response) => response,
        Err(error) => return Err(not_deleted(app, error, &scope, &args.name).await),
    };
    let secret = response.secret.unwrap_or_default();
    let sentence = format!("{} is back, version {}, {}.", args.name, secret.current_version, scope::describe(&scope));
    app.output.warnings(&response.warnings);
    app.output.done(&sentence, &json::changed(Some(&secret), &response.revision, &response.warnings))
}

/// The error of an undelete, with a word about a secret that is there.
async fn not_deleted(app: &App, error: ClientError, scope: &ScopeName, name: &str) -> CliError {
    let error = CliError::from(error);
    let is_there = error.exit == ExitCode::NotFound && is_there(app, scope, name).await;
    let hint = match is_there {
        true => "the secret is there, and not deleted: `secrets show` shows it",
        false => "`secrets list --deleted` shows what can be undeleted, with the same flag for its scope",
    };
    error.or_hint(Some(hint.to_owned()))
}

async fn is_there(app: &App, scope: &ScopeName, name: &str) -> bool {
    let (Ok(client), Ok(name)) = (app.client(), scope::secret_path(scope, name)) else { return false };
    client.get_secret(v1::GetSecretRequest { name }).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "organizations/acme/users/bob/secrets/A";
    const ORGANIZATION: &str = "organizations/acme/secrets/A";

    fn explained(secret: &str) -> Option<v1::ExplainedSecret> {
        Some(v1::ExplainedSecret { secret: secret.into(), ..Default::default() })
    }

    fn something(sentence: &str) -> Next {
        Next::Something(sentence.to_owned())
    }

    fn secret() -> v1::Secret {
        v1::Secret { name: OWN.into(), secret_id: "A".into(), ..Default::default() }
    }

    #[test]
    fn says_what_wins_next() {
        let row = v1::Explanation {
            secret_id: "A".into(),
            winner: explained(OWN),
            not_chosen: vec![v1::NotChosen {
                secret: explained(ORGANIZATION),
                reason: v1::NotChosenReason::LowerPrecedence.into(),
                blocked_by: OWN.into(),
            }],
        };
        assert_eq!(next_winner(&row, &secret()), something("The organization's A will be used instead"));
    }

    #[test]
    fn says_that_nothing_does() {
        let expired = v1::NotChosen {
            secret: explained(ORGANIZATION),
            reason: v1::NotChosenReason::Expired.into(),
            blocked_by: String::new(),
        };
        let row = v1::Explanation { secret_id: "A".into(), winner: explained(OWN), not_chosen: vec![expired] };
        assert_eq!(next_winner(&row, &secret()), Next::Nothing);
    }

    #[test]
    fn says_that_it_was_not_used_anyway() {
        let row = v1::Explanation { secret_id: "A".into(), winner: explained(ORGANIZATION), not_chosen: vec![] };
        assert_eq!(next_winner(&row, &secret()), something("The organization's A is used already, and will be"));
    }
}
