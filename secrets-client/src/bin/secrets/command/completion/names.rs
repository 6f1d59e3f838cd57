//! The names that the service has. Nobody waits long for a completion, and nobody wants an error in the middle of a
//! line: what does not come within [`LOOKUP_TIMEOUT`] is not there.

use std::str::FromStr;
use std::time::Duration;

use secrets_client::{Choice, Config, Endpoint, ProfileName, Settings, v1};

use super::typed::Typed;
use crate::app::{App, all_pages};
use crate::args::scope::{ContextArgs, ScopeArgs};
use crate::keyring::Unlocking;
use crate::ui::error::CliError;
use crate::ui::escape::escape;
use crate::ui::output::{Format, Output};

/// How long a person waits in all, the connection included.
const LOOKUP_TIMEOUT: Duration = Duration::from_millis(900);

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The secrets of the scope that the flags mean.
    Secrets,
    /// Those that were deleted and can come back.
    DeletedSecrets,
    /// What the context that the flags mean gets.
    ReceivedSecrets,
    Projects,
    Workspaces,
    /// The person's own profiles, for which nobody is asked.
    Profiles,
}

/// A name, and a line on what it is.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) about: Option<String>,
}

/// Asks the service; nothing when there is no answer in time.
pub(super) fn ask(names: Names, typed: &Typed) -> Vec<Candidate> {
    if names == Names::Profiles {
        return profiles().unwrap_or_default();
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let answer = runtime.block_on(async { tokio::time::timeout(LOOKUP_TIMEOUT, look_up(names, typed)).await });
    // A name look-up may still be stuck in a thread of its own.
    runtime.shutdown_background();
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

async fn look_up(names: Names, typed: &Typed) -> Result<Vec<Candidate>, CliError> {
    let profile =
        typed.profile.as_ref().map(|name| name.parse::<ProfileName>().map_err(|_| CliError::usage("no such profile")));
    let choice = Choice { profile: profile.transpose()?, ..Choice::default() };
    let settings = Settings::from_environment_with(choice)?;
    // Nothing is sent to an endpoint because somebody types it: whoever presses a key has not sent the command yet.
    if typed.endpoint.as_ref().is_some_and(|typed| typed.parse::<Endpoint>().as_ref() != Ok(&settings.endpoint)) {
        return Ok(Vec::new());
    }
    let app = App::new(settings, Output::new(Format::Table), id(typed.organization.as_ref()));
    let app = app.with_purpose(v1::CallPurpose::Completion);
    app.read_token(Unlocking::Never).await;
    match names {
        Names::Projects => projects(&app).await,
        Names::Workspaces => workspaces(&app, typed).await,
        Names::ReceivedSecrets => received(&app, typed).await,
        Names::Secrets => secrets(&app, typed, false).await,
        Names::DeletedSecrets => secrets(&app, typed, true).await,
        Names::Profiles => Ok(Vec::new()),
    }
}

fn profiles() -> Result<Vec<Candidate>, CliError> {
    let config = Config::load(&Config::path(|name| std::env::var(name).ok())?)?;
    let candidates = config.profiles.into_iter().filter_map(|(name, profile)| {
        let endpoint = profile.endpoint.map(|endpoint| endpoint.to_string()).unwrap_or_default();
        found(name.to_string(), &endpoint)
    });
    Ok(candidates.collect())
}

async fn secrets(app: &App, typed: &Typed, deleted: bool) -> Result<Vec<Candidate>, CliError> {
    let scope =
        ScopeArgs { org: typed.org, project: id(typed.project.as_ref()), workspace: id(typed.workspace.as_ref()) };
    let parent = app.scope(&scope).await?.to_string();
    let client = app.client()?;
    let request = v1::ListSecretsRequest { parent, show_deleted: deleted, ..Default::default() };
    let secrets = all_pages(|page_token| {
        let request = v1::ListSecretsRequest { page_token, ..request.clone() };
        async { client.list_secrets(request).await.map(|page| (page.secrets, page.next_page_token)) }
    })
    .await?;
    let wanted = secrets.into_iter().filter(|secret| !deleted || secret.delete_time.is_some());
    Ok(wanted.filter_map(|secret| found(secret.secret_id, &secret.description)).collect())
}

async fn received(app: &App, typed: &Typed) -> Result<Vec<Candidate>, CliError> {
    let context =
        ContextArgs { org: typed.org, project: id(typed.project.as_ref()), workspace: id(typed.workspace.as_ref()) };
    let request = v1::ExplainRequest { context: app.context(&context).await?, ..Default::default() };
    let rows = app.client()?.explain(request).await?.explanations.into_iter();
    Ok(rows
        .filter_map(|row| {
            let about = row.winner.map(|winner| winner.description).unwrap_or_default();
            found(row.secret_id, &about)
        })
        .collect())
}

async fn projects(app: &App) -> Result<Vec<Candidate>, CliError> {
    let (client, parent) = (app.client()?, app.organization_path().await?);
    let projects = all_pages(|page_token| {
        let request = v1::ListProjectsRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_projects(request).await.map(|page| (page.projects, page.next_page_token)) }
    })
    .await?;
    Ok(projects.into_iter().filter_map(|project| found(project.project_id, &project.display_name)).collect())
}

/// The workspaces; when a project was typed, its own.
async fn workspaces(app: &App, typed: &Typed) -> Result<Vec<Candidate>, CliError> {
    let (client, parent) = (app.client()?, app.organization_path().await?);
    let workspaces = all_pages(|page_token| {
        let request = v1::ListWorkspacesRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_workspaces(request).await.map(|page| (page.workspaces, page.next_page_token)) }
    })
    .await?;
    let of_project = workspaces
        .into_iter()
        .filter(|workspace| typed.project.as_ref().is_none_or(|project| workspace.project == *project));
    Ok(of_project.filter_map(|workspace| found(workspace.workspace_id, &workspace.display_name)).collect())
}

fn id<T: FromStr>(typed: Option<&String>) -> Option<T> {
    typed.and_then(|text| text.parse().ok())
}

/// A name as it may stand on a command line, where the shell has its own ideas of other characters.
fn found(name: String, about: &str) -> Option<Candidate> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_safe = !name.starts_with('-') && name.bytes().all(is_plain);
    is_safe.then(|| Candidate { name, about: (!about.is_empty()).then(|| escape(about)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_names_that_mean_themselves_in_a_shell() {
        for (name, is_safe) in [("LINEAR_API_KEY", true), ("my-project.2", true), ("$(id)", false), ("--yes", false)] {
            assert_eq!(found(name.to_owned(), "").is_some(), is_safe, "{name}");
        }
        assert_eq!(found("A".to_owned(), "two\nlines").unwrap().about.as_deref(), Some("two\\nlines"));
    }
}
