//! Which variables a shell may get, beyond what a program may.

use secrets_client::v1;
use secrets_client::v1::target::Kind;
use secrets_core::reserved;

/// What shells take for their own: how they prompt, what they remember, and numbers that they compute. A `*` stands for the
/// rest. What else a shell has, its script finds there.
const OF_SHELLS: [&str; 51] = [
    "ARGV0",
    "BASH*",
    "BAUD",
    "CHILD_MAX",
    "CMD_DURATION",
    "COLUMNS",
    "COMP_*",
    "COMPREPLY",
    "COPROC",
    "DIRSTACK*",
    "EGID",
    "EPOCH*",
    "ERRNO",
    "EUID",
    "FCEDIT",
    "FIGNORE",
    "FISH*",
    "FUNCNAME",
    "FUNCNEST",
    "GID",
    "GROUPS",
    "HIST*",
    "HOSTTYPE",
    "IGNOREEOF",
    "KEYTIMEOUT",
    "LINENO",
    "LINES",
    "LISTMAX",
    "LOGCHECK",
    "MAIL*",
    "MAPFILE",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "PIPESTATUS",
    "POSTEDIT",
    "PPID",
    "PROMPT*",
    "PS3",
    "RANDOM",
    "READLINE*",
    "REPLY",
    "REPORT*",
    "RPROMPT*",
    "RPS*",
    "SECONDS",
    "SHLVL",
    "SPROMPT",
    "STTY",
    "TMOUT",
    "ZSH*",
];

/// Why a variable of this name is left out, if it is.
pub(super) fn refusal(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_plain) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("shells use lower-case names themselves".to_owned());
    }
    if let Some(row) = reserved::environment(name) {
        return Some(format!("it {}", row.reason));
    }
    let covers = |pattern: &&&str| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == **pattern,
    };
    OF_SHELLS.iter().find(covers).map(|_| "it is a variable of shells".to_owned())
}

/// Whether a secret becomes a variable, as one without a target does.
pub(super) fn is_variable(target: Option<&v1::Target>) -> bool {
    matches!(target.and_then(|target| target.kind.as_ref()), None | Some(Kind::EnvironmentVariable(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_shells_and_tools_act_upon() {
        for name in [
            "KUBECONFIG",
            "PAGER",
            "PATH",
            "PS1",
            "PS3",
            "PROMPT",
            "HISTSIZE",
            "BASH_X",
            "SECONDS",
            "path",
            "A-B",
            "1A",
            "",
        ] {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in
            ["LINEAR_API_KEY", "DATABASE_URL", "_A1", "USERNAME", "PSQL_URL", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"]
        {
            assert_eq!(refusal(name), None, "{name}");
        }
    }
}
