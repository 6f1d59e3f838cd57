//! What a person may have meant by a name that leads nowhere: among what they may list, with one call and little patience, since
//! the answer that they wait for is another.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use secrets_client::{ClientError, v1};
use secrets_core::{
    AccountName, NamePolicy, OrganizationId, ProjectId, ScopeName, SecretId, ServiceAccountId, ServiceAccountName,
    UserId, WorkspaceId,
};
use strsim::osa_distance;

use super::App;

/// How many names are compared.
const MAX_NAMES: u16 = 1_000;
/// How long a name can be that has one of them near.
const MAX_NAME_BYTES: usize = 127;
/// How many letters may be different in a name that was meant.
const MAX_DISTANCE: usize = 2;
/// How many names are shown.
const MAX_SHOWN: usize = 10;
/// How long a call may take whose answer is not what was asked for, and all of them together that look for one hint.
pub(super) const ASIDE_TIMEOUT: Duration = Duration::from_secs(2);

/// The answer to a call that only adds to an error; none if there is none soon.
pub(super) async fn aside<T>(call: impl Future<Output = Result<T, ClientError>>) -> Option<T> {
    tokio::time::timeout(ASIDE_TIMEOUT, call).await.ok()?.ok()
}

/// What several calls find that only add to an error; none if they don't find it soon.
pub(super) async fn soon<T>(looking: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::time::timeout(ASIDE_TIMEOUT, looking).await.ok().flatten()
}

impl App {
    /// The scopes of the same kind that the caller may see, by identifier.
    pub(super) async fn siblings(&self, scope: &ScopeName) -> Option<Vec<String>> {
        let (client, page_size) = (self.client().ok()?, MAX_NAMES.into());
        let parent = ScopeName::Organization(scope.organization().clone()).to_string();
        Some(match scope {
            ScopeName::Organization(_) => {
                let request = v1::ListOrganizationsRequest { page_size, ..Default::default() };
                let listed = aside(client.list_organizations(request)).await?.organizations;
                names::<OrganizationId>(listed.into_iter().map(|row| row.organization_id))
            }
            ScopeName::Project(..) => {
                let request = v1::ListProjectsRequest { parent, page_size, ..Default::default() };
                let listed = aside(client.list_projects(request)).await?.projects;
                names::<ProjectId>(listed.into_iter().map(|row| row.project_id))
            }
            ScopeName::Workspace(..) => {
                let request = v1::ListWorkspacesRequest { parent, page_size, ..Default::default() };
                let listed = aside(client.list_workspaces(request)).await?.workspaces;
                names::<WorkspaceId>(listed.into_iter().map(|row| row.workspace_id))
            }
            ScopeName::User(..) => {
                let request = v1::ListUsersRequest { parent, page_size, ..Default::default() };
                let listed = aside(client.list_users(request)).await?.users;
                names::<UserId>(listed.into_iter().map(|row| row.user_id))
            }
        })
    }

    /// The service accounts beside this one that the caller may see, by identifier.
    pub(super) async fn service_accounts(&self, beside: &ServiceAccountName) -> Option<Vec<String>> {
        let organization =
            beside.organization.clone().map(|organization| ScopeName::Organization(organization).to_string());
        let parent = organization.unwrap_or_else(|| "platform".to_owned());
        let request = v1::ListServiceAccountsRequest { parent, page_size: MAX_NAMES.into(), ..Default::default() };
        let listed = aside(self.client().ok()?.list_service_accounts(request)).await?.service_accounts;
        let beside = listed.into_iter().filter(|row| {
            row.name.parse::<ServiceAccountName>().is_ok_and(|name| name.organization == beside.organization)
        });
        Some(names::<ServiceAccountId>(beside.map(|row| row.service_account_id)))
    }

    /// Of an account that the caller's lists don't have: that it is not there, and which one was probably meant.
    pub(crate) async fn absent_account(&self, path: &str) -> Option<String> {
        let (noun, id, names) = match path.parse().ok()? {
            AccountName::User(user) => {
                let scope = ScopeName::User(user.organization, user.user);
                ("user", scope.id().to_owned(), self.siblings(&scope).await?)
            }
            AccountName::ServiceAccount(name) => {
                ("service account", name.id.to_string(), self.service_accounts(&name).await?)
            }
        };
        if names.contains(&id) {
            return None;
        }
        let meant = suggestion(&id, names).map(|meant| format!("; {meant}")).unwrap_or_default();
        Some(format!("you see no {noun} `{id}`{meant}"))
    }

    /// What a person may have meant by the name of a secret that their context does not have: the same in another scope, or
    /// one like it.
    pub(crate) async fn meant_in_context(&self, typed: &str) -> Option<String> {
        let meant = async {
            match self.elsewhere(typed).await {
                Some(elsewhere) => Some(elsewhere),
                None => self.similar_in_context(typed).await,
            }
        };
        soon(meant).await
    }

    /// Why the context lacks what has this name, or what a person may have meant by it.
    pub(crate) async fn left_out_or_meant(&self, typed: &str) -> Option<String> {
        let hint = async {
            match self.why_left_out(typed).await {
                Some(why) => Some(why),
                None => self.meant_in_context(typed).await,
            }
        };
        soon(hint).await
    }

    /// The name of a secret of the context that was probably meant by one that it does not have.
    pub(super) async fn similar_in_context(&self, typed: &str) -> Option<String> {
        let context = self.asked.borrow().context.clone();
        let request = v1::ExplainRequest { context, ..Default::default() };
        let rows = aside(self.client().ok()?.explain(request)).await?.explanations;
        let names = secret_ids(rows.into_iter().map(|row| row.secret_id));
        similar(typed, &names).map(|meant| format!("did you mean {meant}?"))
    }

    /// The names of the secrets of a scope.
    pub(super) async fn secret_names(&self, scope: &ScopeName) -> Option<Vec<String>> {
        let parent = scope.to_string();
        let request = v1::ListSecretsRequest { parent, page_size: MAX_NAMES.into(), ..Default::default() };
        let listed = aside(self.client().ok()?.list_secrets(request)).await?.secrets;
        Some(secret_ids(listed.into_iter().map(|secret| secret.secret_id)))
    }
}

/// Those that are names, and no more than were asked for: a service may send anything.
fn names<N: FromStr>(sent: impl Iterator<Item = String>) -> Vec<String> {
    sent.take(MAX_NAMES.into()).filter(|name| name.parse::<N>().is_ok()).collect()
}

fn secret_ids(sent: impl Iterator<Item = String>) -> Vec<String> {
    sent.take(MAX_NAMES.into()).filter(|name| SecretId::parse(name, NamePolicy::Relaxed).is_ok()).collect()
}

/// The name that one or two slips turn into `typed`.
pub(super) fn similar<'a>(typed: &str, names: &'a [String]) -> Option<&'a str> {
    // To compare them takes as long as one is times the other.
    if typed.len() > MAX_NAME_BYTES {
        return None;
    }
    let near = |name: &&String| {
        let distance = osa_distance(name, typed);
        // Two letters of three are another word.
        (1..=MAX_DISTANCE).contains(&distance) && 2 * distance < name.chars().count().max(2 * MAX_DISTANCE - 1)
    };
    // Names in upper case are typed in lower case, and with dashes.
    let letters = |name: &str| name.replace('-', "_").to_ascii_lowercase();
    let typed_letters = letters(typed);
    let same = names.iter().find(|name| *name != typed && letters(name) == typed_letters);
    same.or_else(|| names.iter().filter(near).min_by_key(|name| osa_distance(name, typed))).map(String::as_str)
}

/// What was meant, or what there is.
pub(super) fn suggestion(typed: &str, mut names: Vec<String>) -> Option<String> {
    names.retain(|name| name != typed);
    if let Some(meant) = similar(typed, &names) {
        return Some(format!("did you mean `{meant}`?"));
    }
    names.sort();
    let more = names.len().saturating_sub(MAX_SHOWN);
    names.truncate(MAX_SHOWN);
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("you may see: {}", names.join(", "))),
        (false, _) => Some(format!("you may see: {} and {more} more", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        let all = names(&["api", "web", "billing-service", "Bob", "LINEAR_API_KEY"]);
        for (typed, meant) in [
            ("apl", Some("api")),
            ("bililng-service", Some("billing-service")),
            ("bob", Some("Bob")),
            ("wbe", Some("web")),
            ("abc", None),
            ("nope", None),
            ("api", None),
            ("LINEAR_API_KEY", None),
            ("linear_api_key", Some("LINEAR_API_KEY")),
            ("linear-api-key", Some("LINEAR_API_KEY")),
        ] {
            assert_eq!(similar(typed, &all), meant, "{typed}");
        }
    }

    #[test]
    fn compares_no_more_than_a_name_with_as_many_as_were_asked_for() {
        let longest = "a".repeat(MAX_NAME_BYTES);
        let all = names(&[&longest]);
        assert_eq!(similar(&longest[1..], &all), Some(longest.as_str()));
        assert_eq!(similar(&format!("{longest}a"), &all), None);
        let sent = || (0..5_000).map(|n| format!("NAME_{n}"));
        assert_eq!(secret_ids(sent()).len(), 1_000);
        assert_eq!(super::names::<ProjectId>(sent().map(|name| name.to_lowercase().replace('_', "-"))).len(), 1_000);
    }

    #[test]
    fn shows_what_there_is_where_nothing_is_similar() {
        let listed = suggestion("nope", names(&["web", "api"]));
        assert_eq!(listed.as_deref(), Some("you may see: api, web"));
        let many = (0..25).map(|n| format!("team-{n:02}")).collect();
        let listed = suggestion("nope", many).unwrap();
        assert!(listed.ends_with("team-08, team-09 and 15 more"), "{listed}");
        assert_eq!(suggestion("nope", Vec::new()), None);
    }
}
