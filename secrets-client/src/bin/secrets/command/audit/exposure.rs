//! `audit exposure`: what somebody received that is still in use.

use clap::Args;
use secrets_client::v1::{self, ExposureState};
use secrets_core::{AccountName, PrincipalName};

use self::received::{MAX_PAGES, Received};
use super::session;
use crate::app::App;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{json, text};

mod received;

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ExposureArgs {
    /// What this user or service account received, with their sessions: `bob`, `service:ci`, or a resource path
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// What this session received, by its identifier
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

pub(crate) async fn exposure(app: &App, args: ExposureArgs) -> Result<(), CliError> {
    let principal = match (&args.principal, &args.session) {
        (Some(principal), _) => app.principal(principal, false).await?,
        (None, session) => session::path(app, session.as_deref().unwrap_or_default()).await?,
    };
    let parent = parent(app, &principal).await?;
    let client = app.client()?;
    let mut request = v1::ListExposureRequest { parent, principal, ..Default::default() };
    let mut received = Received::default();
    let is_complete = loop {
        let page = client.list_exposure(request.clone()).await?;
        let next = received.add(page)?;
        if next.is_empty() || received.pages() >= MAX_PAGES {
            break next.is_empty();
        }
        request.page_token = next;
    };
    let json = json::with(received.json(), "is_complete", is_complete);
    let who = text::principal(&request.principal);
    app.output.list(&table(&received), json, &format!("Nothing that {who} received is still current."))?;
    if !is_complete {
        // A person who relies on it has to know, and so has a program that reads nothing else.
        app.output.warn("there are too many events for all of them to be looked at: this is what the newest ones say");
    }
    if received.copies_incomplete {
        app.output
            .warn("there are too many copies of what was received for all of them to be looked at: some are missing");
    }
    if !app.output.is_json() {
        for note in notes(&received, &request.principal) {
            app.output.note(&note);
        }
    }
    Ok(())
}

/// The organization of whose secrets it is about: the one that the principal is of, unless a flag says another.
async fn parent(app: &App, principal: &str) -> Result<String, CliError> {
    let named = principal.parse::<PrincipalName>().ok().and_then(|name| name.organization().cloned());
    match named {
        Some(organization) if app.organization_flag().is_none() => {
            Ok(secrets_core::OrganizationName::new(organization).to_string())
        }
        _ => app.organization_path().await,
    }
}

fn table(received: &Received) -> Table {
    let headings = ["NAME", "SCOPE", "VERSION", "FIRST RECEIVED", "LAST RECEIVED", "TIMES", "BY"];
    let mut table = Table::new(headings)
        .whole(&["FIRST RECEIVED", "LAST RECEIVED", "TIMES"])
        .spare(&["BY"], &["TIMES", "FIRST RECEIVED"]);
    for secret in received.current() {
        let (name, scope) = match secret.secret.as_str() {
            // It is somebody's own: whose, and its name, are theirs to know.
            "" => (secret.uid.clone(), "somebody's own".to_owned()),
            path => (text::secret_id(path), text::scope_of(path)),
        };
        let actions: Vec<&str> = secret.actions.iter().map(|action| text::method(action)).collect();
        table.row([
            name.into(),
            scope.into(),
            secret.version.to_string().into(),
            Cell::time(secret.first_time.as_ref()),
            Cell::time(secret.last_time.as_ref()),
            secret.count.to_string().into(),
            Cell::from(match secret.copied_from.is_empty() {
                true => actions.join(", "),
                false => format!("{}, as a copy", actions.join(", ")),
            }),
        ]);
    }
    table
}

/// What is not in the table, from when on it is complete, and what to do.
fn notes(received: &Received, principal: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let left_out: Vec<String> = [
        (ExposureState::Replaced, "with another version since"),
        (ExposureState::Inactive, "disabled or expired"),
        (ExposureState::Deleted, "deleted"),
    ]
    .into_iter()
    .map(|(state, what)| (received.count(state), what))
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", text::count(count, "secret")))
    .collect();
    if !left_out.is_empty() {
        notes.push(format!("Not shown: {}.", left_out.join(", ")));
    }
    if let Some(time) = &received.complete_since {
        notes.push(format!("Complete since {}: older deliveries are not kept.", text::moment(Some(time))));
    }
    if let Some(time) = &received.sessions_complete_since {
        let time = text::moment(Some(time));
        notes.push(format!("Without sessions that ended before {time}: it is not kept whose they were."));
    }
    if received.current().next().is_some() {
        notes.push(advice(principal));
    }
    notes
}

/// How it ends that somebody can use what was received.
fn advice(principal: &str) -> String {
    let set = "store a new value of each with `secrets set NAME`";
    match principal.parse() {
        Ok(PrincipalName::Session(name)) => {
            format!("If others may have them: end the session (`secrets session revoke {}`), then {set}.", name.uid)
        }
        Ok(PrincipalName::Account(AccountName::ServiceAccount(name))) => {
            let platform = if name.organization.is_none() { " --platform" } else { "" };
            let revoke = format!("`secrets token revoke TOKEN --service-account {}{platform}`", name.id);
            format!("If others may have them: end its tokens ({revoke}), then {set}.")
        }
        _ => format!("If others may have them: end tokens and sessions (`secrets session revoke ID`), then {set}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    }

    fn received(secret: &str, state: ExposureState) -> v1::ReceivedSecret {
        v1::ReceivedSecret {
            secret: secret.into(),
            uid: format!("uid of {secret}"),
            version: 3,
            state: state.into(),
            first_time: at(0),
            last_time: at(60),
            count: 2,
            actions: vec!["secretsapi.v1.ResolveService/Resolve".into()],
            copied_from: String::new(),
        }
    }

    fn page(secrets: Vec<v1::ReceivedSecret>) -> Received {
        let mut received = Received::default();
        let page = v1::ListExposureResponse {
            secrets,
            complete_since: at(0),
            sessions_complete_since: at(3_600),
            ..Default::default()
        };
        received.add(page).unwrap();
        received
    }

    #[test]
    fn shows_what_is_current_and_counts_the_rest() {
        let received = page(vec![
            received("organizations/acme/projects/api/secrets/STRIPE_SECRET", ExposureState::Current),
            received("", ExposureState::Current),
            received("organizations/acme/secrets/A", ExposureState::Replaced),
            received("organizations/acme/secrets/B", ExposureState::Replaced),
            received("organizations/acme/secrets/C", ExposureState::Deleted),
        ]);
        let lines = table(&received).render(None, false);
        let lines: Vec<String> =
            lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "NAME SCOPE VERSION FIRST RECEIVED LAST RECEIVED TIMES BY",
                "STRIPE_SECRET project api 3 1970-01-01 00:00Z 1970-01-01 00:01Z 2 Resolve",
                "uid of somebody's own 3 1970-01-01 00:00Z 1970-01-01 00:01Z 2 Resolve",
            ]
        );
        let notes = notes(&received, "organizations/acme/users/bob");
        assert_eq!(notes[0], "Not shown: 2 secrets with another version since, 1 secret deleted.");
        assert_eq!(notes[1], "Complete since 1970-01-01 00:00Z: older deliveries are not kept.");
        assert!(notes[2].contains("1970-01-01 01:00Z"), "{notes:?}");
        assert!(notes[3].contains("secrets set NAME"), "{notes:?}");
    }

    #[test]
    fn advises_what_fits_the_principal() {
        for (principal, expected) in [
            (SESSION, "session revoke 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11"),
            ("organizations/acme/serviceAccounts/ci", "token revoke TOKEN --service-account ci`"),
            ("serviceAccounts/ci", "--service-account ci --platform`"),
            ("organizations/acme/users/bob", "session revoke ID"),
            ("operator", "secrets set NAME"),
        ] {
            assert!(advice(principal).contains(expected), "{principal}: {}", advice(principal));
        }
        assert!(
            notes(&page(vec![received("", ExposureState::Inactive)]), SESSION)
                .iter()
                .all(|note| !note.contains("If others"))
        );
    }
}
