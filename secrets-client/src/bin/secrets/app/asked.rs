//! The names that a command asks about, and where each of them came from: of what is refused a person has to know both.

use secrets_client::{Repository, v1};
use secrets_core::{ScopeKind, ScopeName};

use super::App;

/// The scopes and the secret that a command asks about.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The narrowest last.
    pub(super) scopes: Vec<ScopeName>,
    pub(super) secret: Option<String>,
    /// None: a session's own.
    pub(super) context: Option<v1::Context>,
}

impl App {
    /// Keeps the name of a scope that is asked about.
    pub(crate) fn asks(&self, scope: &ScopeName) {
        let mut asked = self.asked.borrow_mut();
        asked.scopes.retain(|known| known != scope);
        asked.scopes.push(scope.clone());
    }

    /// The same; returns its resource path.
    pub(crate) fn asked_name(&self, scope: ScopeName) -> String {
        self.asks(&scope);
        scope.to_string()
    }

    /// The same of a secret in it.
    pub(crate) fn asks_secret(&self, name: &str) {
        self.asked.borrow_mut().secret = Some(name.to_owned());
    }

    /// The same of all that a context names.
    pub(crate) fn asks_context(&self, context: &v1::Context) {
        self.asked.borrow_mut().context = Some(context.clone());
        let v1::Context { organization, project, workspace, user } = context;
        let path = |part: &str, id: &str| format!("organizations/{organization}{part}{id}");
        let named = [("/users/", user), ("/projects/", project), ("/workspaces/", workspace)];
        let named = named.into_iter().filter(|(_, id)| !id.is_empty()).map(|(part, id)| path(part, id));
        for scope in std::iter::once(path("", "")).chain(named).filter_map(|path| path.parse().ok()) {
            self.asks(&scope);
        }
    }

    /// Whether somebody named the scope: a person does not name themselves.
    pub(super) fn is_named(&self, scope: &ScopeName) -> bool {
        scope.kind() != ScopeKind::User
            || std::env::args_os().skip(1).any(|word| word.to_str().is_some_and(|word| word.contains(scope.id())))
    }

    /// A scope as the person wrote it, with where it came from: ``project `api` (secrets.toml line 2)``.
    pub(super) fn as_written(&self, scope: &ScopeName) -> String {
        let (kind, id) = (scope.kind(), scope.id());
        let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        match flag(&words, kind, id).or_else(|| self.source(kind, id)) {
            Some(origin) => format!("{kind} `{id}` ({origin})"),
            None => format!("{kind} `{id}`"),
        }
    }

    /// The variable, the line or the configuration that a name comes from which was not typed.
    fn source(&self, kind: ScopeKind, id: &str) -> Option<String> {
        let words: Vec<_> = std::env::args_os().skip(1).collect();
        if words.iter().any(|word| word.to_str() == Some(id)) {
            return None;
        }
        let (variable, key) = match kind {
            ScopeKind::Organization => ("SECRETS_ORGANIZATION", "organization"),
            ScopeKind::Project => ("SECRETS_PROJECT", "project"),
            ScopeKind::Workspace => ("SECRETS_WORKSPACE", "workspace"),
            ScopeKind::User => return None,
        };
        let has = |defaults: &secrets_client::Defaults| {
            let found = match kind {
                ScopeKind::Organization => &defaults.organization,
                ScopeKind::Project => &defaults.project,
                _ => &defaults.workspace,
            };
            found.as_deref() == Some(id)
        };
        match self.settings.layers.iter().position(has)? {
            0 => Some(variable.to_owned()),
            1 => {
                let path = self.settings.repository_path.as_deref()?;
                let line = Repository::line(path, key).map(|line| format!(" line {line}")).unwrap_or_default();
                let here = std::env::current_dir().unwrap_or_default();
                Some(format!("{}{line}", path.strip_prefix(here).unwrap_or(path).display()))
            }
            _ if kind == ScopeKind::Organization && self.settings.signed_in => None,
            _ => Some("your configuration".to_owned()),
        }
    }
}

/// What was typed that another scope of this kind can't stand beside in a context: the one that it has, or that it has none.
pub(super) fn typed_instead(kind: ScopeKind, id: &str) -> Option<String> {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    instead(&words, kind, id)
}

fn instead(words: &[String], kind: ScopeKind, id: &str) -> Option<String> {
    let is_org = || words.iter().take_while(|word| *word != "--").any(|word| word == "--org");
    match flag(words, kind, id) {
        Some(flag) => Some(format!("{flag} {id}")),
        None => is_org().then(|| "--org".to_owned()),
    }
}

/// The flag by which a scope was named on the command line.
fn flag(words: &[String], kind: ScopeKind, id: &str) -> Option<String> {
    let flags: &[&str] = match kind {
        ScopeKind::Organization => &["--organization"],
        ScopeKind::Project => &["--project", "-p", "--from-project", "--to-project"],
        ScopeKind::Workspace => &["--workspace", "-w", "--from-workspace", "--to-workspace"],
        ScopeKind::User => &["--user", "--owner", "--to", "--admin"],
    };
    let words = || words.iter().take_while(|word| *word != "--").map(String::as_str);
    let split = words().zip(words().skip(1)).find(|(flag, value)| flags.contains(flag) && *value == id);
    let joined =
        || words().filter_map(|word| word.split_once('=')).find(|(flag, value)| flags.contains(flag) && *value == id);
    // `-papi`.
    let clung = || {
        let short = flags.iter().filter(|flag| !flag.starts_with("--"));
        short.map(|flag| (*flag, id)).find(|(flag, id)| words().any(|word| word.strip_prefix(flag) == Some(*id)))
    };
    let (flag, _) = split.or_else(joined).or_else(clung).filter(|_| !id.is_empty())?;
    Some(flag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_flag_that_names_a_scope() {
        let flag = |line: &str, kind, id: &str| {
            flag(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), kind, id).unwrap_or_default()
        };
        assert_eq!(flag("set A --project api", ScopeKind::Project, "api"), "--project");
        assert_eq!(flag("--organization=acme list", ScopeKind::Organization, "acme"), "--organization");
        assert_eq!(flag("workspace transfer ws1 --to carl", ScopeKind::User, "carl"), "--to");
        assert_eq!(flag("project delete --yes api", ScopeKind::Project, "api"), "");
        assert_eq!(flag("cp A --from-project=web --to-project api", ScopeKind::Project, "api"), "--to-project");
        assert_eq!(flag("set A --project api", ScopeKind::Workspace, "api"), "");
        assert_eq!(flag("run -- x --project api", ScopeKind::Project, "api"), "");
        assert_eq!(flag("get A -papi", ScopeKind::Project, "api"), "-p");
        assert_eq!(flag("get A -p", ScopeKind::Project, ""), "");
    }

    #[test]
    fn finds_what_another_scope_takes_the_place_of() {
        let instead = |line: &str, kind, id: &str| {
            instead(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), kind, id).unwrap_or_default()
        };
        assert_eq!(instead("get A --project web", ScopeKind::Project, "web"), "--project web");
        assert_eq!(instead("get A --project web", ScopeKind::Workspace, ""), "");
        assert_eq!(instead("get A --org", ScopeKind::Project, ""), "--org");
        // The configuration's.
        assert_eq!(instead("run -- x --org", ScopeKind::Project, "web"), "");
    }
}
