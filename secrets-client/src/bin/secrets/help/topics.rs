//! What is not about one command: the words that are used everywhere, variables, files and exit codes. Help and manual pages
//! have the same texts.

use strsim::osa_distance;

use super::MAX_COLUMNS;
use super::groups::wrapped;

/// A topic of `secrets help`.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    /// As a section of a manual page is called.
    pub(crate) section: &'static str,
    pub(crate) about: &'static str,
    pub(crate) terms: &'static [(&'static str, &'static str)],
}

pub(crate) const CONCEPTS: Topic = Topic {
    name: "concepts",
    section: "CONCEPTS",
    about: "The words that the commands use",
    terms: &[
        (
            "organization",
            "A company or a team. It has members and administrators, and shares nothing with another organization.",
        ),
        ("project", "What its members work on, for instance a code base. Its secrets reach everybody who works in it."),
        (
            "workspace",
            "Where one person or agent works, such as a sandbox or a dev environment. It has an owner, and may belong to a project.",
        ),
        ("user", "A person of an organization. Nobody else sets or lists a user's own secrets."),
        (
            "secret",
            "A value under a name such as LINEAR_API_KEY, and where it lands (its target): in a variable of that name, in a file, or as the \
             credential of a container registry. It lives in one scope: an organization, a project, a workspace or a user.",
        ),
        (
            "context",
            "For whom a set of secrets is resolved: an organization, and in it at most one project, one workspace and one user. A workspace \
             brings its project along. `run`, `resolve` and `explain` take the context from -p, -w or --org, else from SECRETS_PROJECT and \
             SECRETS_WORKSPACE, else from secrets.toml, else from your configuration; the user is you.",
        ),
        (
            "precedence",
            "Where several scopes of a context have a secret of the same name, the narrowest wins: the user's over the workspace's, the \
             workspace's over the project's, the project's over the organization's. `secrets explain` shows what won and why.",
        ),
        (
            "lock",
            "A locked secret of an organization or a project turns that around: no narrower scope replaces it (`set --lock`, `edit --unlock`).",
        ),
        (
            "visibility",
            "A secret of the organization reaches every context of it, or only those of the projects and workspaces that it names (`set \
             --for-project`, `--for-workspace`).",
        ),
        (
            "group",
            "Secrets that belong together, such as a key and its identifier (`set --group aws`). A context gets a group from one scope as a \
             whole, never a part of it from another one.",
        ),
        (
            "role",
            "What somebody may do, and where: an admin manages an organization or a project and its secrets, a member uses them, an auditor \
             reads who did what (`secrets member`). A workspace's owner manages its secrets.",
        ),
        (
            "session",
            "A token for exactly one context, for a sandbox or a job. It ends by itself, and with the token that created it.",
        ),
        ("profile", "Your account at one service, stored on this machine (`secrets profile`, --profile)."),
    ],
};

pub(crate) const ENVIRONMENT: Topic = Topic {
    name: "environment",
    section: "ENVIRONMENT",
    about: "Variables that the commands read, before secrets.toml and your configuration",
    terms: &[
        ("SECRETS_ENDPOINT", "Address of the service. Default: http://127.0.0.1:50051."),
        ("SECRETS_TOKEN", "Your token."),
        ("SECRETS_TOKEN_FILE", "A file that holds your token."),
        ("SECRETS_PROFILE", "The profile, where --profile names none."),
        ("SECRETS_ORGANIZATION", "The organization of commands that name none."),
        ("SECRETS_PROJECT", "The project of the context, where none is named."),
        ("SECRETS_WORKSPACE", "The workspace of the context, where none is named."),
        ("SECRETS_INSECURE", "1 means the same as --insecure."),
        ("SECRETS_CA_FILE", "A certificate authority to trust in addition to the system's."),
        ("HTTPS_PROXY", "The proxy to a service with TLS."),
        ("NO_PROXY", "Hosts that are reached without the proxy."),
        ("NO_COLOR", "Turns colours off."),
        (
            "SECRETS_PAGER, PAGER",
            "What `audit list` shows a log with that is longer than the screen; `less`, where neither is set, and nothing where it is empty.",
        ),
        ("XDG_CONFIG_HOME", "Where your configuration is kept. Default: ~/.config."),
        ("XDG_RUNTIME_DIR", "Where `run` writes files of secrets without a path of their own."),
    ],
};

pub(crate) const FILES: Topic = Topic {
    name: "files",
    section: "FILES",
    about: "Files that the commands read and write",
    terms: &[
        (
            "secrets.toml",
            "In this directory or one above: the project or workspace of the context, and the secrets that a repository needs, without \
             values.",
        ),
        (
            "~/.config/secrets/config.toml",
            "Your configuration and the token that `secrets login` stored, readable by you alone. `secrets config path` prints where it is.",
        ),
        (
            "~/.local/state/secrets",
            "What your last changes were, so that the next command sees them whichever server answers it.",
        ),
    ],
};

pub(crate) const EXIT_CODES: Topic = Topic {
    name: "exit-codes",
    section: "EXIT STATUS",
    about: "Exit codes",
    terms: &[
        ("0", "Done."),
        ("1", "Failed, or a question was answered with no."),
        ("2", "Wrong usage, or a question that nobody could answer."),
        ("3", "Not found."),
        ("4", "Not signed in, or not allowed."),
        ("5", "A required secret is missing."),
        ("6", "The service, or the keyring that has your token, can't be reached or can't answer now."),
        ("125", "`run` failed before it started the program. Every other code of `run` is its program's."),
        ("126", "`run` found the program, which can't be executed."),
        ("127", "`run` found no program of that name."),
        ("130", "Ctrl-C at a question."),
    ],
};

pub(crate) const TOPICS: [&Topic; 4] = [&CONCEPTS, &ENVIRONMENT, &FILES, &EXIT_CODES];

pub(crate) fn find(name: &str) -> Option<&'static Topic> {
    TOPICS.into_iter().find(|topic| topic.name == name)
}

/// The topic that was probably meant by a word which is none.
pub(crate) fn similar(typed: &str) -> Option<&'static Topic> {
    TOPICS.into_iter().find(|topic| {
        let stems = [topic.name, topic.name.trim_end_matches('s'), topic.name.trim_end_matches("codes")];
        stems.iter().any(|name| osa_distance(name, typed) <= 1)
    })
}

impl Topic {
    /// As `secrets help` prints it.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.about);
        for (term, meaning) in self.terms {
            text.push_str(&format!("\n{term}\n"));
            for line in wrapped(meaning, MAX_COLUMNS - 4) {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn no_topic_is_called_as_a_command_is() {
        for topic in TOPICS {
            assert!(Arguments::command().find_subcommand(topic.name).is_none(), "{}", topic.name);
        }
    }

    #[test]
    fn finds_the_topic_that_was_meant() {
        for (typed, meant) in [
            ("concept", Some("concepts")),
            ("exit-code", Some("exit-codes")),
            ("exit", Some("exit-codes")),
            ("file", Some("files")),
            ("enviroment", Some("environment")),
            ("env", None),
            ("stats", None),
        ] {
            assert_eq!(similar(typed).map(|topic| topic.name), meant, "{typed}");
        }
    }

    #[test]
    fn says_what_each_word_means_within_80_columns() {
        let text = CONCEPTS.text();
        for word in ["organization", "project", "workspace", "context", "precedence", "lock", "group"] {
            assert!(text.contains(&format!("\n{word}\n    ")), "{text}");
        }
        for line in TOPICS.iter().map(|topic| topic.text()).collect::<String>().lines() {
            assert!(line.chars().count() <= MAX_COLUMNS, "{line}");
        }
    }
}
