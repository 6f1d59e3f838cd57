//! `workspace`: workspaces of an organization.

use clap::Subcommand;
use secrets_client::v1;
use secrets_core::{OrganizationName, ProjectId, ScopeName, UserId, WorkspaceId};
use serde_json::{Value, json};

use crate::app::refusal::taken;
use crate::app::{App, all_pages, audience};
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum WorkspaceCommand {
    /// Create a workspace
    Create {
        /// Its identifier
        workspace_id: WorkspaceId,
        /// The project of the workspace, which can't be changed later
        #[arg(long, short, value_name = "PROJECT")]
        project: Option<ProjectId>,
        /// Owner of the workspace [default: you]
        #[arg(long, value_name = "USER")]
        owner: Option<UserId>,
        /// Name that people read
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// List the workspaces you may see
    #[command(visible_alias = "ls")]
    List,
    /// Show a workspace
    Show {
        /// Its identifier
        workspace_id: WorkspaceId,
    },
    /// Give a workspace to a new owner
    Transfer {
        /// Its identifier
        workspace_id: WorkspaceId,
        /// The new owner
        #[arg(long, value_name = "USER")]
        to: UserId,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// Delete a workspace and destroy its secrets
    Delete {
        /// Its identifier
        workspace_id: WorkspaceId,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

pub(crate) async fn run(app: &App, command: WorkspaceCommand) -> Result<(), CliError> {
    let organization = app.organization().await?;
    let parent = OrganizationName::new(organization.clone()).to_string();
    let client = app.client()?;
    let path = |id: &WorkspaceId| app.asked_name(ScopeName::Workspace(organization.clone(), id.clone()));
    match command {
        WorkspaceCommand::Create { workspace_id, project, owner, display_name } => {
            let owned = owner.clone().map(|id| ScopeName::User(organization.clone(), id));
            let within = project.clone().map(|id| ScopeName::Project(organization.clone(), id));
            owned.iter().chain(&within).for_each(|scope| app.asks(scope));
            let workspace = v1::Workspace {
                project: project.map(|id| id.to_string()).unwrap_or_default(),
                owner: owner.map(|id| id.to_string()).unwrap_or_default(),
                display_name: display_name.unwrap_or_default(),
                ..Default::default()
            };
            let request = v1::CreateWorkspaceRequest {
                parent: parent.clone(),
                workspace_id: workspace_id.to_string(),
                workspace: Some(workspace),
                ..Default::default()
            };
            let workspace = client
                .create_workspace(request)
                .await
                .map_err(|error| taken(error, "workspace", "workspace", workspace_id.as_str()))?
                .workspace
                .unwrap_or_default();
            let sentence = format!("Workspace {workspace_id} created, owner {}.", workspace.owner);
            app.output.done(&sentence, &output::json::workspace(&workspace))
        }
        WorkspaceCommand::List => {
            let workspaces = all_pages(|page_token| {
                let request = v1::ListWorkspacesRequest { parent: parent.clone(), page_token, ..Default::default() };
                async { client.list_workspaces(request).await.map(|page| (page.workspaces, page.next_page_token)) }
            })
            .await?;
            let mut table = Table::new(["NAME", "PROJECT", "OWNER", "DISPLAY NAME", "CREATED"]);
            for workspace in &workspaces {
                table.row([
                    workspace.workspace_id.clone().into(),
                    workspace.project.clone().into(),
                    owner(workspace).into(),
                    workspace.display_name.clone().into(),
                    Cell::time(workspace.create_time.as_ref()),
                ]);
            }
            let json = Value::Array(workspaces.iter().map(output::json::workspace).collect());
            app.output.list(&table, json, "No workspaces; `secrets workspace create NAME` creates one.")
        }
        WorkspaceCommand::Show { workspace_id } => {
            let request = v1::GetWorkspaceRequest { name: path(&workspace_id) };
            let workspace = client.get_workspace(request).await?.workspace.unwrap_or_default();
            app.output.fields(
                &[
                    ("name", workspace.workspace_id.clone()),
                    ("resource", workspace.name.clone()),
                    ("project", workspace.project.clone()),
                    ("owner", owner(&workspace)),
                    ("display name", workspace.display_name.clone()),
                    ("created", text::moment(workspace.create_time.as_ref())),
                ],
                &output::json::workspace(&workspace),
            )
        }
        WorkspaceCommand::Transfer { workspace_id, to, yes } => {
            let question = format!(
                "Transfer workspace {workspace_id} to {to}? If its owner has left and {to} is not a member of it, its \
                 values are destroyed."
            );
            if !yes {
                for scope in [
                    ScopeName::Workspace(organization.clone(), workspace_id.clone()),
                    ScopeName::User(organization.clone(), to.clone()),
                ] {
                    app.asks(&scope);
                    app.check_is_there(&scope).await?;
                }
                prompt::confirm_or_decline(&question, false, "Nothing was changed.")?;
            }
            let request = v1::TransferWorkspaceRequest {
                name: path(&workspace_id),
                new_owner: to.to_string(),
                ..Default::default()
            };
            let response = client.transfer_workspace(request).await?;
            let destroyed = usize::try_from(response.destroyed_secrets).unwrap_or(0);
            let lost = match destroyed {
                0 => String::new(),
                number => format!(" {} lost their values.", text::count(number, "secret")),
            };
            let json = output::json::workspace(&response.workspace.unwrap_or_default());
            let json = output::json::with(json, "destroyed_secrets", destroyed);
            app.output.done(&format!("Workspace {workspace_id} now belongs to {to}.{lost}"), &json)
        }
        WorkspaceCommand::Delete { workspace_id, yes } => {
            let scope = ScopeName::Workspace(organization.clone(), workspace_id.clone());
            let name = path(&workspace_id);
            if !yes {
                app.check_deletable(&scope).await?;
                let concerned = audience::of(app, &scope).await.map(|who| format!(" {who} can use them now."));
                let question = format!(
                    "Delete workspace {workspace_id} of organization {organization} and destroy its secrets?{} This can't be \
                     undone.",
                    concerned.unwrap_or_default()
                );
                prompt::confirm_by_name(&question, workspace_id.as_str(), "Nothing was deleted.")?;
            }
            client.delete_workspace(v1::DeleteWorkspaceRequest { name: name.clone(), ..Default::default() }).await?;
            app.output.done(&format!("Workspace {workspace_id} deleted."), &json!({ "name": name }))
        }
    }
}

fn owner(workspace: &v1::Workspace) -> String {
    if workspace.owner.is_empty() { "(has left)".to_owned() } else { workspace.owner.clone() }
}
