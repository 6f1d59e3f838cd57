//! `session`: tokens for exactly one context.

mod revoke;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret as _;
use secrets_client::v1;
use secrets_core::{CredentialKind, OrganizationName, ProjectId, SessionName, UserId, WorkspaceId};
use serde_json::Value;

use super::identifier::{self, Identifier};
use super::token;
use crate::app::{self, App, all_pages};
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};

#[derive(Subcommand, Debug)]
pub(crate) enum SessionCommand {
    /// Create a session, and print its token this once
    Create(CreateArgs),
    /// List sessions
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this sandbox or job
        #[arg(long, value_name = "ID")]
        external_id: Option<String>,
        /// Also those that have ended
        #[arg(long)]
        all: bool,
    },
    /// Extend a session, for its program or, with a token of whoever created it, into another period
    Renew {
        /// Its name or identifier, as `session list` prints it [default: the session that calls]
        session: Option<String>,
        /// New lifetime, counted from now [default: 1h]
        #[arg(long, value_parser = time::duration)]
        ttl: Option<Duration>,
    },
    /// End sessions, and every session created with them, at once
    Revoke {
        /// Names or identifiers, as `session list` prints them [default: the session that calls]
        sessions: Vec<String>,
        /// All sessions of this sandbox or job
        #[arg(long, value_name = "ID", conflicts_with = "sessions")]
        external_id: Option<String>,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// For this user [default: you]
    #[arg(long, value_name = "USER")]
    user: Option<UserId>,
    /// In this project
    #[arg(long, short, value_name = "PROJECT")]
    project: Option<ProjectId>,
    /// In this workspace
    #[arg(long, short, value_name = "WORKSPACE")]
    workspace: Option<WorkspaceId>,
    /// Lifetime of the session [default: 1h]
    #[arg(long, value_parser = time::duration)]
    ttl: Option<Duration>,
    /// Your own identifier of the sandbox or job
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Name of the session in the list of sessions
    #[arg(long, value_name = "NAME", alias = "display-name")]
    name: Option<String>,
    /// Deliver only these secrets
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Deliver only these kinds of target
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Deliver only from these scopes
    #[arg(long, value_enum, value_name = "SCOPE", value_delimiter = ',')]
    from: Vec<From>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Env,
    File,
    Registry,
    ApiOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    Organization,
    Project,
    Workspace,
    User,
}

pub(crate) async fn run(app: &App, command: SessionCommand) -> Result<(), CliError> {
    match command {
        SessionCommand::Create(args) => create(app, args).await,
        SessionCommand::List { external_id, all } => {
            let sessions = sessions(app, external_id.unwrap_or_default(), all).await?;
            let json = Value::Array(sessions.iter().map(output::json::session).collect());
            app.output.list(&table(&sessions), json, "No sessions.")
        }
        SessionCommand::Renew { session, ttl } => {
            let name = match session {
                Some(session) => path(app, &session).await?,
                None => String::new(),
            };
            let request = v1::RenewSessionRequest { name, ttl: time::ttl(ttl) };
            let session = app.client()?.renew_session(request).await?.session.unwrap_or_default();
            let until = text::moment(session.expire_time.as_ref());
            let renewable = text::moment(session.renewal_end_time.as_ref());
            let sentence = format!("The session lives until {until}, and renews itself until {renewable}.");
            app.output.done(&sentence, &output::json::session(&session))
        }
        SessionCommand::Revoke { sessions, external_id, yes } => revoke::revoke(app, sessions, external_id, yes).await,
    }
}

async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    let names_nothing = args.user.is_none() && args.project.is_none() && args.workspace.is_none();
    let from_session = app.credential_kind() == Some(CredentialKind::Session);
    let context = if from_session && names_nothing && app.organization_flag().is_none() {
        None // the session's own
    } else {
        Some(v1::Context {
            organization: app.organization().await?.to_string(),
            project: text(args.project.as_ref().map(ProjectId::as_str)),
            workspace: text(args.workspace.as_ref().map(WorkspaceId::as_str)),
            user: text(args.user.as_ref().map(UserId::as_str)),
        })
    };
    if let Some(context) = &context {
        app.asks_context(context);
    }
    let request = v1::CreateSessionRequest {
        context,
        ttl: time::ttl(args.ttl),
        display_name: args.name.clone().unwrap_or_default(),
        external_id: args.external_id.clone().unwrap_or_default(),
        restrictions: args.allow(),
        ..Default::default()
    };
    let client = app.client()?;
    let created = client.create_session(request).await?;
    let (token, details) = (created.secret.expose_secret(), &created.details);
    let sentence = format!(
        "Session {} for {}, expires {}. Its token is shown only this once.",
        text::session_id(&details.name),
        describe(details.context.as_ref()),
        text::moment(details.expire_time.as_ref())
    );
    let json = output::json::with(output::json::session(details), "token", token);
    let printed = app.output.credential(&sentence, token, &json);
    let revoke = v1::RevokeSessionRequest { name: details.name.clone(), ..Default::default() };
    app::or_take_back(printed, "the session", async { Ok(client.revoke_session(revoke).await?) }).await
}

impl CreateArgs {
    /// What narrows the session; none if no flag does.
    fn allow(&self) -> Option<v1::SessionRestrictions> {
        let kinds = self.kind.iter().map(|kind| match kind {
            Kind::Env => v1::TargetKind::EnvironmentVariable.into(),
            Kind::File => v1::TargetKind::File.into(),
            Kind::Registry => v1::TargetKind::Registry.into(),
            Kind::ApiOnly => v1::TargetKind::ApiOnly.into(),
        });
        let scopes = self.from.iter().map(|scope| match scope {
            From::Organization => v1::ScopeKind::Organization.into(),
            From::Project => v1::ScopeKind::Project.into(),
            From::Workspace => v1::ScopeKind::Workspace.into(),
            From::User => v1::ScopeKind::User.into(),
        });
        // Without the flag, nothing is restricted: an empty list would leave nothing.
        let restrictions = v1::SessionRestrictions {
            secret_ids: (!self.only.is_empty()).then(|| v1::SecretIdList { values: self.only.clone() }),
            kinds: (!self.kind.is_empty()).then(|| v1::TargetKindList { values: kinds.collect() }),
            scopes: (!self.from.is_empty()).then(|| v1::ScopeKindList { values: scopes.collect() }),
        };
        (restrictions != v1::SessionRestrictions::default()).then_some(restrictions)
    }
}

/// Those of the organization that is meant; whoever belongs to none, as a platform's account, sees those of all.
async fn sessions(app: &App, external_id: String, show_ended: bool) -> Result<Vec<v1::Session>, CliError> {
    let mut sessions = Vec::new();
    for organization in app.organization_paths().await? {
        sessions.extend(list(app, organization, external_id.clone(), show_ended).await?);
    }
    Ok(sessions)
}

/// Whose each session of an organization is, by resource path, as far as the caller may see them: `bob's session sbx-91`.
pub(crate) async fn bearers(app: &App, organization: &str) -> BTreeMap<String, String> {
    let sessions = list(app, organization.to_owned(), String::new(), true).await.unwrap_or_default();
    sessions.into_iter().map(|session| (session.name.clone(), bearer(&session))).collect()
}

fn bearer(session: &v1::Session) -> String {
    let user = session.context.as_ref().map_or("", |context| context.user.as_str());
    let whose = if user.is_empty() { text::principal(&session.creator) } else { user.to_owned() };
    let called = [&session.external_id, &session.display_name].into_iter().find(|name| !name.is_empty());
    match called {
        Some(called) => format!("{whose}'s session {called}"),
        None => format!("{whose}'s session"),
    }
}

async fn list(app: &App, parent: String, external_id: String, show_ended: bool) -> Result<Vec<v1::Session>, CliError> {
    let client = app.client()?;
    let request = v1::ListSessionsRequest { parent, external_id, show_ended, ..Default::default() };
    all_pages(|page_token| {
        let request = v1::ListSessionsRequest { page_token, ..request.clone() };
        async { client.list_sessions(request).await.map(|page| (page.sessions, page.next_page_token)) }
    })
    .await
}

/// The resource path of a session given by path or by its identifier alone.
pub(super) async fn path(app: &App, session: &str) -> Result<String, CliError> {
    if session.contains('/') {
        return Ok(session.to_owned());
    }
    // It may be a token, which goes to nobody.
    if session.contains('_') {
        return Err(CliError::usage("name the session by its identifier, not by its token")
            .hint("`secrets session list` prints the identifiers"));
    }
    let uid = match identifier::parse(session, "session")? {
        Identifier::Whole(uid) => uid,
        Identifier::Beginning(beginning) => {
            let all = sessions(app, String::new(), true).await?;
            return identifier::only(beginning, all.into_iter().map(|session| session.name), "session");
        }
    };
    let organizations = app.organization_paths().await?;
    if let [organization] = organizations.as_slice()
        && let Ok(OrganizationName { organization }) = organization.parse()
    {
        return Ok(SessionName { organization, uid }.to_string());
    }
    let all = sessions(app, String::new(), true).await?;
    let is_meant = |name: &String| name.parse::<SessionName>().is_ok_and(|name| name.uid == uid);
    let found = all.into_iter().map(|session| session.name).find(is_meant);
    found.ok_or_else(|| CliError::new(ExitCode::NotFound, format!("there is no session `{session}`")))
}

fn table(sessions: &[v1::Session]) -> Table {
    let organization = |session: &v1::Session| session.context.clone().unwrap_or_default().organization;
    let several = sessions.iter().any(|session| sessions.first().map(organization) != Some(organization(session)));
    let headings = ["ID", "FOR", "NAME", "EXTERNAL ID", "BY", "CREATED", "EXPIRES", "STATE"];
    let mut table = Table::new(headings).identifiers(&["ID"]).spare(&["CREATED"], &["NAME", "BY"]);
    for session in sessions {
        let context = describe(session.context.as_ref());
        table.row([
            text::session_id(&session.name).into(),
            if several { format!("{}: {context}", organization(session)) } else { context }.into(),
            session.display_name.clone().into(),
            session.external_id.clone().into(),
            text::principal(&session.creator).into(),
            Cell::time(session.create_time.as_ref()),
            Cell::time(session.expire_time.as_ref()),
            token::state(session.revoke_time.is_some(), session.expire_time.as_ref()),
        ]);
    }
    table
}

/// `user bob, workspace ws1`.
fn describe(context: Option<&v1::Context>) -> String {
    let Some(context) = context else { return String::new() };
    let parts: Vec<String> =
        [("user", &context.user), ("project", &context.project), ("workspace", &context.workspace)]
            .into_iter()
            .filter(|(_, id)| !id.is_empty())
            .map(|(noun, id)| format!("{noun} {id}"))
            .collect();
    if parts.is_empty() { format!("organization {}", context.organization) } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        create: CreateArgs,
    }

    fn allow(line: &str) -> Option<v1::SessionRestrictions> {
        Cli::parse_from(line.split(' ')).create.allow()
    }

    #[test]
    fn narrows_only_when_told() {
        assert_eq!(allow("create --user bob"), None);
        let restrictions = allow("create --only A,B --kind env --from user,project").unwrap();
        assert_eq!(restrictions.secret_ids.unwrap().values, ["A", "B"]);
        let kinds = restrictions.kinds.unwrap();
        assert_eq!(kinds.values().collect::<Vec<_>>(), [v1::TargetKind::EnvironmentVariable]);
        let scopes = restrictions.scopes.unwrap();
        assert_eq!(scopes.values().collect::<Vec<_>>(), [v1::ScopeKind::User, v1::ScopeKind::Project]);
        assert_eq!(allow("create --only A").unwrap().kinds, None);
    }

    #[test]
    fn describes_a_context() {
        let context = v1::Context { organization: "acme".into(), ..Default::default() };
        assert_eq!(describe(Some(&context)), "organization acme");
        let context = v1::Context { user: "bob".into(), workspace: "ws1".into(), ..context };
        assert_eq!(describe(Some(&context)), "user bob, workspace ws1");
    }
}
