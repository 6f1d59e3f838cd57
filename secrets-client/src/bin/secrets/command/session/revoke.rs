//! `session revoke`.

use secrets_client::v1;
use secrets_core::CredentialKind;
use serde_json::json;

use super::{bearer, path, sessions};
use crate::app::App;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;
use crate::ui::prompt;

/// As many sessions are named in a question; more are counted.
const MAX_NAMED: usize = 3;

pub(super) async fn revoke(
    app: &App,
    named: Vec<String>,
    external_id: Option<String>,
    yes: bool,
) -> Result<(), CliError> {
    let mut names = Vec::new();
    for session in &named {
        names.push(path(app, session).await?);
    }
    let mut known = None;
    if let Some(id) = external_id {
        let found = sessions(app, id.clone(), false).await?;
        names = found.iter().map(|session| session.name.clone()).collect();
        known = Some(found);
        if names.is_empty() {
            return Err(CliError::new(ExitCode::NotFound, format!("no session of `{id}` is open")));
        }
    } else if names.is_empty() {
        if app.credential_kind() != Some(CredentialKind::Session) {
            return Err(CliError::usage("no session is named").hint("`secrets session list` prints the identifiers"));
        }
        names.push(String::new()); // the caller's own
    }
    if !yes && prompt::stdin_is_terminal() {
        let known = match known {
            Some(known) => known,
            None if names.iter().all(String::is_empty) => Vec::new(),
            // Whoever may revoke one need not see all.
            None => sessions(app, String::new(), false).await.unwrap_or_default(),
        };
        let with = if names.len() == 1 { "it" } else { "one of them" };
        let whose = whose(&names, &known);
        let question = format!("Revoke {whose}? Every session that was created with {with} ends too, at once.");
        prompt::confirm_or_decline(&question, false, "Nothing was revoked.")?;
    }
    let mut ended = 0_i32;
    for name in &names {
        let request = v1::RevokeSessionRequest { name: name.clone(), ..Default::default() };
        ended = ended.saturating_add(app.client()?.revoke_session(request).await?.revoked_sessions);
    }
    let sentence = match usize::try_from(ended).unwrap_or(0) {
        0 => "The session had ended before.".to_owned(),
        count => format!("{} ended.", text::count(count, "session")),
    };
    app.output.done(&sentence, &json!({ "revoked_sessions": ended }))
}

/// Whose sessions these are: `bob's session sbx-91`, `5 sessions: bob's session sbx-91, … and 2 more`.
fn whose(names: &[String], known: &[v1::Session]) -> String {
    let named = names.iter().take(MAX_NAMED).map(|name| match known.iter().find(|session| session.name == *name) {
        Some(session) => bearer(session),
        None if name.is_empty() => "your own session".to_owned(),
        None => format!("session {}", text::session_id(name)),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 if names.len() == 1 => named,
        0 => format!("{}: {named}", text::count(names.len(), "session")),
        more => format!("{}: {named} and {more} more", text::count(names.len(), "session")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_whose_sessions_are_revoked_and_counts_the_rest() {
        let name = |id: u32| format!("organizations/acme/sessions/{id:08}-0a5c-4d9d-9f3b-1d1f6b7c2e11");
        let context = Some(v1::Context { user: "bob".into(), ..Default::default() });
        let known = [v1::Session { name: name(1), context, external_id: "sbx-91".into(), ..Default::default() }];
        assert_eq!(whose(&[name(1)], &known), "bob's session sbx-91");
        assert_eq!(whose(&[String::new()], &[]), "your own session");
        assert_eq!(whose(&[name(2)], &known), "session 00000002-0a5c-4d9d-9f3b-1d1f6b7c2e11");
        let all: Vec<String> = (1..=5).map(name).collect();
        let said = whose(&all, &known);
        assert!(said.starts_with("5 sessions: bob's session sbx-91, session 0"), "{said}");
        assert!(said.ends_with(" and 2 more"), "{said}");
    }
}
