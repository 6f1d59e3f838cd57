//! Whom a change concerns, for the question before it: how many people and workspaces get what a scope has.
//!
//! A question is asked of a person and never fails for this: who may not list them is told nothing.

use std::collections::BTreeSet;

use secrets_client::v1;
use secrets_core::ScopeName;

use super::App;
use crate::ui::output::text;

/// The most of a list that is looked at; where there is more, the question says so.
const MAX_LISTED: i32 = 1_000;

/// `3 people and 2 workspaces`; none where there are none, or the caller does not see them.
pub(crate) async fn of(app: &App, scope: &ScopeName) -> Option<String> {
    match scope {
        ScopeName::Organization(_) => {
            let organization = scope.to_string();
            let people = users(app, &organization).await?;
            Some(sentence(people, workspaces(app, &organization, |_| true).await.unwrap_or_default()))
        }
        ScopeName::Project(organization, project) => {
            let people = members(app, scope).await?.len();
            let organization = ScopeName::Organization(organization.clone()).to_string();
            let is_of = |workspace: &v1::Workspace| workspace.project == project.as_str();
            Some(sentence(people, workspaces(app, &organization, is_of).await.unwrap_or_default()))
        }
        ScopeName::Workspace(..) => {
            let mut people = members(app, scope).await?;
            let request = v1::GetWorkspaceRequest { name: scope.to_string() };
            let workspace = app.client().ok()?.get_workspace(request).await.ok()?.workspace.unwrap_or_default();
            if !workspace.owner.is_empty() {
                people.insert(ScopeName::User(scope.organization().clone(), workspace.owner.parse().ok()?).to_string());
            }
            Some(sentence(people.len(), 0))
        }
        ScopeName::User(..) => None,
    }
    .filter(|sentence| !sentence.is_empty())
}

/// The same of those who get a secret of the scope: a selection, where it has one.
pub(crate) async fn of_secret(app: &App, scope: &ScopeName, secret: &v1::Secret) -> Option<String> {
    match secret.visibility.as_ref().filter(|visibility| visibility.mode() == v1::VisibilityMode::Selected) {
        Some(selected) => {
            let counted = [(selected.projects.len(), "project"), (selected.workspaces.len(), "workspace")];
            let counted = counted.into_iter().filter(|(number, _)| *number > 0);
            let named: Vec<String> = counted.map(|(number, noun)| text::count(number, noun)).collect();
            (!named.is_empty()).then(|| named.join(" and "))
        }
        None => of(app, scope).await,
    }
}

/// `3 people and 2 workspaces`; nothing where there is nobody.
fn sentence(people: usize, workspaces: usize) -> String {
    let people = match people {
        0 => String::new(),
        1 => "1 person".to_owned(),
        several => text::count(several, "person").replace("persons", "people"),
    };
    let workspaces = if workspaces == 0 { String::new() } else { text::count(workspaces, "workspace") };
    [people, workspaces].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" and ")
}

async fn users(app: &App, organization: &str) -> Option<usize> {
    let request = v1::ListUsersRequest { parent: organization.to_owned(), page_size: 1, ..Default::default() };
    usize::try_from(app.client().ok()?.list_users(request).await.ok()?.total_size).ok()
}

/// How many workspaces of an organization match; none where there are too many to look at.
pub(crate) async fn workspaces(
    app: &App,
    organization: &str,
    is_meant: impl Fn(&v1::Workspace) -> bool,
) -> Option<usize> {
    let request =
        v1::ListWorkspacesRequest { parent: organization.to_owned(), page_size: MAX_LISTED, ..Default::default() };
    let page = app.client().ok()?.list_workspaces(request).await.ok()?;
    page.next_page_token.is_empty().then(|| page.workspaces.iter().filter(|workspace| is_meant(workspace)).count())
}

/// The people who take part in a project or workspace by a role on it.
async fn members(app: &App, scope: &ScopeName) -> Option<BTreeSet<String>> {
    let resource = scope.to_string();
    let request = v1::ListBindingsRequest { parent: resource.clone(), page_size: MAX_LISTED, ..Default::default() };
    let page = app.client().ok()?.list_bindings(request).await.ok()?;
    let takes_part = |binding: &v1::Binding| {
        binding.resource == resource && matches!(binding.principal.parse(), Ok(ScopeName::User(..)))
    };
    let people = page.bindings.into_iter().filter(takes_part).map(|binding| binding.principal).collect();
    page.next_page_token.is_empty().then_some(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_people_and_workspaces_and_leaves_out_what_there_is_none_of() {
        for (people, workspaces, said) in [
            (0, 0, ""),
            (1, 0, "1 person"),
            (3, 2, "3 people and 2 workspaces"),
            (0, 1, "1 workspace"),
            (1_200, 1, "1,200 people and 1 workspace"),
        ] {
            assert_eq!(sentence(people, workspaces), said);
        }
    }
}
