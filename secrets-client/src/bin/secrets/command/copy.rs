//! `cp` and `mv`: a secret in another scope, with its value, which the service seals anew and this machine does not see.

use clap::Args;
use secrets_client::{Client, ClientError, Reason, v1};
use secrets_core::{ProjectId, ScopeName, WorkspaceId};
use serde_json::Value;

use super::member;
use super::set::warn_of_execute_bits;
use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::ui::error::CliError;
use crate::ui::output::{json, text};
use crate::ui::prompt;

/// Of those who will get it, how many are named.
const MAX_NAMED: usize = 5;

#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    from: FromArgs,
    #[command(flatten)]
    to: ToArgs,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask whether others shall get it
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Where the secret is; without a flag, among the caller's own.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
struct FromArgs {
    /// From the organization's secrets
    #[arg(long)]
    from_org: bool,
    /// From a project's secrets
    #[arg(long, value_name = "PROJECT")]
    from_project: Option<ProjectId>,
    /// From a workspace's secrets
    #[arg(long, value_name = "WORKSPACE")]
    from_workspace: Option<WorkspaceId>,
}

/// Where the secret goes; without a flag, among the caller's own.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
struct ToArgs {
    /// To the organization's secrets
    #[arg(long)]
    to_org: bool,
    /// To a project's secrets
    #[arg(long, value_name = "PROJECT")]
    to_project: Option<ProjectId>,
    /// To a workspace's secrets
    #[arg(long, value_name = "WORKSPACE")]
    to_workspace: Option<WorkspaceId>,
}

pub(crate) async fn cp(app: &App, args: CopyArgs) -> Result<(), CliError> {
    transfer(app, args, Transfer::Copy).await
}

pub(crate) async fn mv(app: &App, args: CopyArgs) -> Result<(), CliError> {
    transfer(app, args, Transfer::Move).await
}

#[derive(Clone, Copy, PartialEq)]
enum Transfer {
    Copy,
    Move,
}

/// What either answers.
struct Transferred {
    secret: v1::Secret,
    revision: String,
    warnings: Vec<v1::Warning>,
    /// The deleted source of a move.
    source: Option<v1::Secret>,
}

async fn transfer(app: &App, args: CopyArgs, kind: Transfer) -> Result<(), CliError> {
    let (from, to) = (ScopeArgs::from(&args.from), ScopeArgs::from(&args.to));
    let (source, destination) = (app.scope(&from).await?, app.scope(&to).await?);
    if source == destination {
        let where_it_is = scope::describe(&source);
        return Err(CliError::usage(format!("the secret is in {where_it_is} already")).hint(
            "--from-org, --from-project and --from-workspace say where it is, --to-org, --to-project and --to-workspace where it goes; \
             without a flag, either is your own secrets",
        ));
    }
    let path = scope::secret_path(&source, &args.name)?;
    app.asks_secret(&args.name);
    let way = format!("from {} to {}", scope::describe(&source), scope::describe(&destination));
    // Whatever refuses it does so before somebody is asked, and opens nothing.
    let client = app.client()?;
    let rehearsed = match kind.request(client, &path, &destination, true).await {
        Ok(rehearsed) => rehearsed,
        Err(error) => {
            let is_taken = error.reason() == Some(Reason::AlreadyExists);
            let error = app.not_found_where_it_comes_from(error, &source, &args.name).await;
            let remedy = is_taken.then(|| format!("`secrets rm {}{}` deletes that one", args.name, to.flag()));
            return Err(error.or_hint(remedy));
        }
    };
    let name = &args.name;
    if args.dry_run {
        let target = text::target(rehearsed.secret.target.as_ref());
        let sentence = format!("{name} would be {} {way}: {target}.", kind.done());
        app.output.done(&sentence, &kind.json(&rehearsed))?;
        app.output.warnings(&rehearsed.warnings);
        return Ok(());
    }
    let is_broader = destination.kind() < source.kind();
    if is_broader && !args.yes {
        let question = format!("{} {name} {way}? {}", kind.order(), audience(app, &destination).await);
        prompt::confirm_or_decline(&question, false, &format!("Nothing was {}.", kind.done()))?;
    }
    let left_behind = left_behind(client, &path).await;
    let transferred = kind.request(client, &path, &destination, false).await?;
    let target = text::target(transferred.secret.target.as_ref());
    let rest = match transferred.source.as_ref().and_then(|source| source.purge_time.as_ref()) {
        Some(until) => {
            let until = text::moment(Some(until));
            format!(" `secrets undelete {name}{}` restores it there until {until}.", from.flag())
        }
        None => " Each is changed by itself from now on.".to_owned(),
    };
    let sentence = format!("{name} {} {way}: {target}.{rest}", kind.done());
    app.output.done(&sentence, &kind.json(&transferred))?;
    app.output.warnings(&transferred.warnings);
    if !left_behind.is_empty() {
        app.output.warn(&format!("{name}: not {}: {}", kind.done(), left_behind.join(", ")));
    }
    warn_of_execute_bits(app, &destination, &transferred.secret);
    Ok(())
}

impl Transfer {
    async fn request(
        self,
        client: &Client,
        path: &str,
        destination: &ScopeName,
        validate_only: bool,
    ) -> Result<Transferred, ClientError> {
        let (name, parent) = (path.to_owned(), destination.to_string());
        match self {
            Self::Copy => {
                let request = v1::CopySecretRequest { name, parent, validate_only, ..Default::default() };
                let v1::CopySecretResponse { secret, revision, warnings } = client.copy_secret(request).await?;
                Ok(Transferred { secret: secret.unwrap_or_default(), revision, warnings, source: None })
            }
            Self::Move => {
                let request = v1::MoveSecretRequest { name, parent, validate_only, ..Default::default() };
                let v1::MoveSecretResponse { secret, revision, warnings, source } = client.move_secret(request).await?;
                Ok(Transferred { secret: secret.unwrap_or_default(), revision, warnings, source })
            }
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Copy => "Copy",
            Self::Move => "Move",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Copy => "copied",
            Self::Move => "moved",
        }
    }

    fn json(self, transferred: &Transferred) -> Value {
        let Transferred { secret, revision, warnings, source } = transferred;
        let mut changed = json::changed(Some(secret), revision, warnings);
        if let (Self::Move, Some(members)) = (self, changed.as_object_mut()) {
            members.insert("source".to_owned(), source.as_ref().map(json::secret).into());
        }
        changed
    }
}

/// Who else receives what the scope has, as a sentence.
async fn audience(app: &App, to: &ScopeName) -> String {
    let Ok(mut receivers) = receivers(app, to).await else {
        return "Whoever takes part there receives it.".to_owned();
    };
    if let Ok(me) = app.me().await {
        receivers.retain(|receiver| *receiver != me.principal);
    }
    // People first.
    receivers.sort_by_key(|receiver| (!receiver.contains("/users/"), receiver.clone()));
    receivers.dedup();
    let named: Vec<_> = receivers.iter().take(MAX_NAMED).map(|receiver| text::principal(receiver)).collect();
    match (named.split_last(), receivers.len().saturating_sub(named.len())) {
        (None, _) => "Nobody else takes part there yet; whoever does later receives it.".to_owned(),
        (Some((only, [])), 0) => format!("Then {only} receives it."),
        (Some((last, others)), 0) => format!("Then {} and {last} receive it.", others.join(", ")),
        (Some(_), more) => format!("Then {} and {} receive it.", named.join(", "), text::count(more, "other")),
    }
}

/// The people who take part in the scope, and the programs that resolve its contexts.
async fn receivers(app: &App, to: &ScopeName) -> Result<Vec<String>, CliError> {
    let mut receivers = Vec::new();
    let mut broader = vec![ScopeName::Organization(to.organization().clone())];
    if let ScopeName::Workspace(organization, _) = to {
        let request = v1::GetWorkspaceRequest { name: to.to_string() };
        let workspace = app.client()?.get_workspace(request).await?.workspace.unwrap_or_default();
        if let Ok(owner) = workspace.owner.parse() {
            receivers.push(ScopeName::User(organization.clone(), owner).to_string());
        }
        if let Ok(project) = workspace.project.parse() {
            broader.push(ScopeName::Project(organization.clone(), project));
        }
    }
    broader.retain(|scope| scope != to);
    for (scope, takes_part) in std::iter::once((to, true)).chain(broader.iter().map(|scope| (scope, false))) {
        let resource = scope.to_string();
        let bindings = member::bindings(app, &resource).await?.into_iter().filter(|each| each.resource == resource);
        let receives = |role| match role {
            v1::Role::Resolver => true,
            v1::Role::Admin | v1::Role::Member | v1::Role::Owner => takes_part,
            _ => false,
        };
        receivers.extend(bindings.filter(|each| receives(each.role())).map(|each| each.principal));
    }
    Ok(receivers)
}

/// What of the source the other scope does not get, in words.
async fn left_behind(client: &Client, path: &str) -> Vec<String> {
    // Who receives a secret need not be allowed to see this of it.
    let request = v1::GetSecretRequest { name: path.to_owned() };
    let Some(source) = client.get_secret(request).await.ok().and_then(|found| found.secret) else { return Vec::new() };
    let mut left = Vec::new();
    if !source.group.is_empty() {
        left.push(format!("its group {}", source.group));
    }
    if source.visibility.is_some_and(|visibility| visibility.mode() == v1::VisibilityMode::Selected) {
        left.push("its selection of projects and workspaces".to_owned());
    }
    left
}

impl From<&FromArgs> for ScopeArgs {
    fn from(args: &FromArgs) -> Self {
        let FromArgs { from_org, from_project, from_workspace } = args.clone();
        Self { org: from_org, project: from_project, workspace: from_workspace }
    }
}

impl From<&ToArgs> for ScopeArgs {
    fn from(args: &ToArgs) -> Self {
        let ToArgs { to_org, to_project, to_workspace } = args.clone();
        Self { org: to_org, project: to_project, workspace: to_workspace }
    }
}
