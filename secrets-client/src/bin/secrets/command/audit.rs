//! `audit`: who did what, and who received which secret.

mod action;
mod exposure;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use secrets_client::v1;
use secrets_core::{OrganizationName, PrincipalName, ScopeName, SecretName};
use serde_json::Value;

use self::action::action;
use super::session;
use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::args::time;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table, Tone};
use crate::ui::output::{json, text};

/// A page may be empty although more follow: after so many the rest is left, however many the service promises.
const MAX_PAGES: usize = 1_000;

#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// List events, newest first
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show what somebody received that is still current
    Exposure(exposure::ExposureArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only events about this secret, and its deliveries; your own, unless a flag names its scope
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The same, as a flag
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    secret: Option<String>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Only events caused by this user or service account: `bob`, `service:ci`, or a resource path
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// Only events caused by this session, by its identifier
    #[arg(long, value_name = "ID", conflicts_with = "principal")]
    session: Option<String>,
    /// Only this action, as the list names it: `UpdateSecret`
    #[arg(long, value_name = "NAME", value_parser = action)]
    action: Option<String>,
    /// Only calls that were not allowed
    #[arg(long)]
    denied: bool,
    /// Also what shells have listed to complete names, which is left out otherwise
    #[arg(long)]
    completion: bool,
    /// Only events since this time, for instance 24h or 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = time::moment)]
    since: Option<time::TimeArg>,
    /// Only events before this time
    #[arg(long, value_name = "WHEN", value_parser = time::moment)]
    until: Option<time::TimeArg>,
    /// Maximum number of events
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Events outside any organization (operator)
    #[arg(long, conflicts_with_all = ["name", "secret", "org", "project", "workspace"])]
    platform: bool,
    /// Print all of it at once, also what is longer than the screen
    #[arg(long)]
    no_pager: bool,
}

impl ListArgs {
    fn secret_named(&self) -> Option<&String> {
        self.name.as_ref().or(self.secret.as_ref())
    }
}

pub(crate) async fn run(app: &App, command: AuditCommand) -> Result<(), CliError> {
    match command {
        AuditCommand::List(args) => list(app, args).await,
        AuditCommand::Exposure(args) => exposure::exposure(app, args).await,
    }
}

async fn list(app: &App, args: ListArgs) -> Result<(), CliError> {
    let secret = secret(app, &args).await?;
    let within = within(app, &args).await?;
    let named = secret.as_ref().map(|secret| &secret.scope).or(within.as_ref());
    let parent = match (named, app.means_platform(args.platform).await?) {
        (_, true) => "platform".to_owned(),
        // The path of what is named has its organization.
        (Some(scope), false) if app.organization_flag().is_none() => {
            OrganizationName::new(scope.organization().clone()).to_string()
        }
        _ => app.organization_path().await?,
    };
    let principal = match (&args.principal, &args.session) {
        (Some(principal), _) => app.principal(principal, args.platform).await?,
        (None, Some(session)) => session::path(app, session).await?,
        (None, None) => String::new(),
    };
    let mut request = v1::ListAuditEventsRequest {
        parent,
        secret: secret.as_ref().map(ToString::to_string).unwrap_or_default(),
        principal,
        start_time: args.since.map(time::TimeArg::ago),
        end_time: args.until.map(time::TimeArg::ago),
        action: args.action.unwrap_or_default(),
        outcome: if args.denied { v1::AuditOutcome::Denied.into() } else { 0 },
        scope: within.as_ref().map(ToString::to_string).unwrap_or_default(),
        exclude_completion: !args.completion,
        ..Default::default()
    };
    let client = app.client()?;
    let mut events: Vec<v1::AuditEvent> = Vec::new();
    let (mut pages, mut left_out) = (0, 0_u64);
    let has_more = loop {
        pages += 1;
        request.page_size = i32::try_from((args.limit - events.len()).clamp(1, 1000)).unwrap_or(1000);
        let page = match (client.list_audit_events(request.clone()).await, &secret) {
            (Ok(page), _) => page,
            (Err(error), Some(SecretName { scope, secret_id })) => {
                return Err(app.not_found_here(error, scope, secret_id.as_str()).await);
            }
            (Err(error), None) => return Err(error.into()),
        };
        left_out = left_out.saturating_add(page.excluded_count.into());
        events.extend(page.events.into_iter().filter(|event| is_asked_for(event, &request)));
        if page.next_page_token.is_empty() || events.len() >= args.limit || pages >= MAX_PAGES {
            break !page.next_page_token.is_empty() || events.len() > args.limit;
        }
        request.page_token = page.next_page_token;
    };
    events.truncate(args.limit);
    let json = Value::Array(events.iter().map(json::audit_event).collect());
    let sessions = match events.iter().any(is_of_a_session) {
        true if !app.output.is_json() => session::bearers(app, &request.parent).await,
        _ => BTreeMap::new(),
    };
    app.output.long_list(&table(&events, &request.parent, &sessions), &json, "No events.", !args.no_pager)?;
    if events.is_empty()
        && args.principal.is_some()
        && let Some(absent) = app.absent_account(&request.principal).await
    {
        app.output.note(&format!("hint: {absent}"));
    }
    if left_out > 0 {
        let are = if left_out == 1 { "listing by completion is" } else { "listings by completion are" };
        app.output.note(&format!("{left_out} {are} left out: --completion shows them too."));
    }
    if has_more {
        app.output.note("There are older events: --limit NUMBER shows more, --since and --until choose.");
    }
    Ok(())
}

/// The secret that is named: by its name in the scope of the flags, or by its resource path.
async fn secret(app: &App, args: &ListArgs) -> Result<Option<SecretName>, CliError> {
    let Some(named) = args.secret_named() else {
        return match args.scope.org {
            false => Ok(None),
            true => Err(CliError::usage("--org says whose secret is meant")
                .hint("name the secret: `secrets audit list NAME --org`")),
        };
    };
    if named.contains('/') {
        let parsed = named.parse::<SecretName>().map_err(|error| CliError::usage(format!("secret: {error}")))?;
        return match app.organization_flag().filter(|flag| *flag != parsed.scope.organization()) {
            Some(other) => Err(CliError::usage(format!("`{named}` is not in organization {other}"))
                .hint("leave --organization out: the path has its own")),
            None => Ok(Some(parsed)),
        };
    }
    let (scope, name) = (app.scope(&args.scope).await?, scope::parse_name(named)?);
    app.asks_secret(named);
    Ok(Some(SecretName::new(scope, name)))
}

/// The project or workspace that is named without a secret: what concerns it.
async fn within(app: &App, args: &ListArgs) -> Result<Option<ScopeName>, CliError> {
    match args.secret_named().is_none() && !args.scope.is_own() {
        true => app.scope(&args.scope).await.map(Some),
        false => Ok(None),
    }
}

/// A service of an older release does not know these parts of a question, and answers the rest of it.
fn is_asked_for(event: &v1::AuditEvent, request: &v1::ListAuditEventsRequest) -> bool {
    let is_in = |resource: &str, path: &str| {
        resource.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // What was copied has left the one scope and is in the other.
    let is_below = |path: &str| is_in(&event.resource, path) || is_in(&event.source, path);
    (request.action.is_empty() || event.action == request.action)
        && (request.outcome == 0 || event.outcome == request.outcome)
        && (request.scope.is_empty() || is_below(&request.scope))
}

fn is_of_a_session(event: &v1::AuditEvent) -> bool {
    matches!(event.principal.parse(), Ok(PrincipalName::Session(_)))
}

/// The events of `parent`; `sessions` maps the resource path of a session to whose it is.
fn table(events: &[v1::AuditEvent], parent: &str, sessions: &BTreeMap<String, String>) -> Table {
    let headings = ["TIME", "PRINCIPAL", "ACTION", "RESOURCE", "OUTCOME", "DETAILS"];
    let mut table = Table::new(headings).whole(&["ACTION"]).last_below();
    for event in events {
        let principal = match sessions.get(&event.principal) {
            Some(bearer) => bearer.clone(),
            None if event.principal.is_empty() => "nobody".to_owned(),
            None => text::principal(&event.principal),
        };
        let within = event.resource.strip_prefix(parent).and_then(|path| path.strip_prefix('/'));
        let tone = match event.outcome() {
            v1::AuditOutcome::Denied => Some(Tone::Bad),
            v1::AuditOutcome::Failed => Some(Tone::Warning),
            _ => None,
        };
        table.row([
            Cell::from(text::second(event.event_time.as_ref())),
            principal.into(),
            text::method(&event.action).into(),
            within.unwrap_or(&event.resource).into(),
            Cell::from(text::outcome(event.outcome())).toned(tone),
            details(event).into(),
        ]);
    }
    table
}

/// Why it failed; what was delivered, what was changed, and which reserved names were allowed or no longer are: `+PAGER, -KUBECONFIG`;
/// and what it was for.
fn details(event: &v1::AuditEvent) -> String {
    // That somebody was not allowed to is what the outcome says.
    let reason = Some(&event.reason).filter(|reason| !["", "PERMISSION_DENIED"].contains(&reason.as_str()));
    let reason = reason.map(|reason| reason.to_ascii_lowercase().replace('_', " "));
    let delivered = event.delivered.iter().map(delivered);
    let allowed = event.allowed_reserved.iter().map(|entry| format!("+{entry}"));
    let disallowed = event.disallowed_reserved.iter().map(|entry| format!("-{entry}"));
    // What was allowed says more than that something was.
    let has_entries = !event.allowed_reserved.is_empty() || !event.disallowed_reserved.is_empty();
    let changed = event.changed_fields.iter().filter(|field| !(has_entries && *field == "allowed_reserved"));
    let changed = changed.map(|field| format!("{} changed", field.replace('_', " ")));
    let delivered = delivered.chain(source(event));
    let purpose = (event.purpose() == v1::CallPurpose::Completion).then(|| "by completion".to_owned());
    let changed = reason.into_iter().chain(changed);
    changed.chain(delivered).chain(allowed).chain(disallowed).chain(purpose).collect::<Vec<_>>().join(", ")
}

/// Where what was copied has come from.
fn source(event: &v1::AuditEvent) -> Option<String> {
    match event.source.parse::<SecretName>() {
        Ok(name) => Some(format!("from {}", scope::describe(&name.scope))),
        // Somebody's own: its uid is with what was delivered.
        Err(_) => (!event.source.is_empty()).then(|| "from somebody's own secrets".to_owned()),
    }
}

/// `LINEAR_API_KEY v2`, or the uid of a secret that is not for the reader to see.
fn delivered(secret: &v1::DeliveredSecret) -> String {
    let name = if secret.secret.is_empty() { secret.uid.clone() } else { text::secret_id(&secret.secret) };
    format!("{name} v{}", secret.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_delivered_to_whom() {
        let event = v1::AuditEvent {
            principal: "organizations/acme/users/bob".into(),
            action: "secretsapi.v1.ResolveService/Resolve".into(),
            resource: "organizations/acme/workspaces/ws1".into(),
            outcome: v1::AuditOutcome::Allowed.into(),
            delivered: vec![
                v1::DeliveredSecret { secret: "organizations/acme/secrets/A".into(), uid: "u1".into(), version: 2 },
                v1::DeliveredSecret { secret: String::new(), uid: "7d2f".into(), version: 1 },
            ],
            ..Default::default()
        };
        let lines = table(&[event], "organizations/acme", &BTreeMap::new()).render(None, false);
        let row = lines.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(row, "bob Resolve workspaces/ws1 allowed A v2, 7d2f v1");
    }

    #[test]
    fn says_where_a_copy_has_come_from_and_finds_it_by_that() {
        let copy = |source: &str| v1::AuditEvent {
            resource: "organizations/acme/projects/web/secrets/A".into(),
            source: source.into(),
            delivered: vec![v1::DeliveredSecret { secret: source.into(), uid: "7d2f".into(), version: 2 }],
            ..Default::default()
        };
        let of_api = copy("organizations/acme/projects/api/secrets/A");
        assert_eq!(details(&of_api), "A v2, from project api");
        let uid = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
        let of_somebody = v1::AuditEvent { source: uid.into(), ..copy("") };
        assert_eq!(details(&of_somebody), "7d2f v2, from somebody's own secrets");
        assert_eq!(details(&copy("")), "7d2f v2");
        let asked = |event: &v1::AuditEvent, project: &str| {
            let scope = format!("organizations/acme/projects/{project}");
            is_asked_for(event, &v1::ListAuditEventsRequest { scope, ..Default::default() })
        };
        assert!(asked(&of_api, "api") && asked(&of_api, "web"));
        assert!(!asked(&of_api, "ap") && !asked(&of_somebody, "api"));
    }

    #[test]
    fn says_what_was_changed_but_not_twice() {
        let fields = |fields: &[&str]| fields.iter().map(|&field| field.to_owned()).collect();
        let event = v1::AuditEvent { changed_fields: fields(&["value", "expire_time"]), ..Default::default() };
        assert_eq!(details(&event), "value changed, expire time changed");
        for (reason, said) in [("SECRET_NOT_FOUND", "secret not found"), ("PERMISSION_DENIED", ""), ("", "")] {
            let event = v1::AuditEvent { reason: reason.into(), ..Default::default() };
            assert_eq!(details(&event), said);
        }
        let event = v1::AuditEvent { purpose: v1::CallPurpose::Completion.into(), ..Default::default() };
        assert_eq!(details(&event), "by completion");
        let event = v1::AuditEvent {
            changed_fields: fields(&["limits", "allowed_reserved"]),
            allowed_reserved: fields(&["PAGER"]),
            ..Default::default()
        };
        assert_eq!(details(&event), "limits changed, +PAGER");
    }

    #[test]
    fn shows_nothing_that_an_older_service_did_not_filter() {
        let request = v1::ListAuditEventsRequest {
            action: "a".into(),
            outcome: v1::AuditOutcome::Denied.into(),
            scope: "organizations/acme/projects/api".into(),
            ..Default::default()
        };
        let asked = v1::AuditEvent {
            action: "a".into(),
            outcome: v1::AuditOutcome::Denied.into(),
            resource: "organizations/acme/projects/api/secrets/A".into(),
            ..Default::default()
        };
        assert!(is_asked_for(&asked, &request));
        for other in [
            v1::AuditEvent { action: "b".into(), ..asked.clone() },
            v1::AuditEvent { outcome: v1::AuditOutcome::Failed.into(), ..asked.clone() },
            v1::AuditEvent { resource: "organizations/acme/projects/api2".into(), ..asked },
        ] {
            assert!(!is_asked_for(&other, &request), "{other:?}");
            assert!(is_asked_for(&other, &v1::ListAuditEventsRequest::default()));
        }
    }

    #[test]
    fn says_what_was_allowed_and_what_no_longer_is() {
        let event = v1::AuditEvent {
            allowed_reserved: vec!["PAGER".into()],
            disallowed_reserved: vec!["KUBECONFIG".into()],
            ..Default::default()
        };
        assert_eq!(details(&event), "+PAGER, -KUBECONFIG");
    }

    #[test]
    fn says_whose_session_it_was() {
        const UID: &str = "7d2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
        let event = v1::AuditEvent { principal: format!("organizations/acme/sessions/{UID}"), ..Default::default() };
        let sessions = [(event.principal.clone(), "bob's session sbx-91".to_owned())].into();
        let known = table(std::slice::from_ref(&event), "organizations/acme", &sessions).render(None, false);
        assert!(known.contains("bob's session sbx-91"), "{known}");
        assert!(
            table(&[event], "organizations/acme", &BTreeMap::new())
                .render(None, false)
                .contains(&format!("session {UID}"))
        );
    }
}
