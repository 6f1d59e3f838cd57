//! `project`: projects of an organization.

use clap::Subcommand;
use secrets_client::v1;
use secrets_core::{OrganizationName, ProjectId, ScopeName};
use serde_json::{Value, json};

use crate::app::refusal::taken;
use crate::app::{App, all_pages, audience};
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum ProjectCommand {
    /// Create a project
    Create {
        /// Its identifier
        project_id: ProjectId,
        /// Name that people read
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// List the projects you may see
    #[command(visible_alias = "ls")]
    List,
    /// Show a project
    Show {
        /// Its identifier
        project_id: ProjectId,
    },
    /// Delete a project and its secrets
    Delete {
        /// Its identifier
        project_id: ProjectId,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

pub(crate) async fn run(app: &App, command: ProjectCommand) -> Result<(), CliError> {
    let organization = app.organization().await?;
    let parent = OrganizationName::new(organization.clone()).to_string();
    let client = app.client()?;
    match command {
        ProjectCommand::Create { project_id, display_name } => {
            let project = v1::Project { display_name: display_name.unwrap_or_default(), ..Default::default() };
            let request = v1::CreateProjectRequest {
                parent,
                project_id: project_id.to_string(),
                project: Some(project),
                ..Default::default()
            };
            let project = client
                .create_project(request)
                .await
                .map_err(|error| taken(error, "project", "project", project_id.as_str()))?
                .project
                .unwrap_or_default();
            app.output.done(&format!("Project {project_id} created."), &output::json::project(&project))
        }
        ProjectCommand::List => {
            let projects = all_pages(|page_token| {
                let request = v1::ListProjectsRequest { parent: parent.clone(), page_token, ..Default::default() };
                async { client.list_projects(request).await.map(|page| (page.projects, page.next_page_token)) }
            })
            .await?;
            let mut table = Table::new(["NAME", "DISPLAY NAME", "CREATED"]);
            for project in &projects {
                let created = Cell::time(project.create_time.as_ref());
                table.row([project.project_id.clone().into(), project.display_name.clone().into(), created]);
            }
            let json = Value::Array(projects.iter().map(output::json::project).collect());
            app.output.list(&table, json, "No projects; `secrets project create NAME` creates one.")
        }
        ProjectCommand::Show { project_id } => {
            let name = app.asked_name(ScopeName::Project(organization, project_id));
            let project = client.get_project(v1::GetProjectRequest { name }).await?.project.unwrap_or_default();
            app.output.fields(
                &[
                    ("name", project.project_id.clone()),
                    ("resource", project.name.clone()),
                    ("display name", project.display_name.clone()),
                    ("created", text::moment(project.create_time.as_ref())),
                ],
                &output::json::project(&project),
            )
        }
        ProjectCommand::Delete { project_id, yes } => {
            let scope = ScopeName::Project(organization.clone(), project_id.clone());
            let name = app.asked_name(scope.clone());
            if !yes {
                app.check_deletable(&scope).await?;
                let concerned = audience::of(app, &scope).await.map(|who| format!(" {who} can use them now."));
                let question = format!(
                    "Delete project {project_id} of organization {organization} with its secrets?{} This can't be undone.",
                    concerned.unwrap_or_default()
                );
                prompt::confirm_by_name(&question, project_id.as_str(), "Nothing was deleted.")?;
            }
            let request = v1::DeleteProjectRequest { name: name.clone(), ..Default::default() };
            client.delete_project(request).await?;
            app.output.done(&format!("Project {project_id} deleted."), &json!({ "name": name }))
        }
    }
}
