//! What the words of other tools are called here.

use super::SIGN_IN;

/// What another tool's flag of a command is called here.
pub(super) fn flag(command: &str, typed: &str) -> Option<&'static str> {
    Some(match (command, typed.split('=').next().unwrap_or_default()) {
        (_, "--json") => "`--output json`, or `-o json`, prints JSON",
        (_, "--token") => SIGN_IN,
        ("run", "--command" | "--cmd" | "-c") => "`secrets run --shell 'LINE'` runs a line with sh",
        ("run", "--env" | "--environment" | "--config" | "--stage" | "-e") => {
            "a context is named by `--project`, `--workspace` or `--org`"
        }
        ("set" | "edit", "--name" | "--key") => "the name comes first: `secrets set NAME`",
        _ => return None,
    })
}

/// What the words of other tools are called here.
pub(crate) const COMMANDS: &[(&[&str], &str)] = &[
    (&["delete", "remove", "del"], "`secrets rm NAME` deletes a secret"),
    (&["read", "cat", "reveal"], "`secrets get NAME --raw` prints a value; `secrets show NAME` prints its metadata"),
    (&["add", "create", "new", "put", "write"], "`secrets set NAME` creates a secret"),
    (&["update", "change", "modify"], "`secrets edit NAME` changes a secret; `secrets set NAME` gives it a new value"),
    (&["rotate", "generate"], "`secrets set NAME` gives a secret a new value, which it reads from stdin too"),
    (&["rename"], "`secrets set NEW` creates it under another name, and `secrets rm OLD` deletes the old one"),
    (&["move"], "`secrets mv NAME --to-project P` moves a secret into another scope, with its value"),
    (&["copy", "clone"], "`secrets cp NAME --to-project P` copies a secret into another scope, with its value"),
    (&["disable", "enable", "lock", "unlock"], "`secrets edit NAME` has --disable, --enable, --lock and --unlock"),
    (
        &["share"],
        "`secrets set NAME --project P` gives a secret to all of a project; `secrets member` manages who that is",
    ),
    (&["upload", "push", "load"], "`secrets import FILE` imports a .env, JSON or YAML file"),
    (&["export", "download", "pull"], "`secrets resolve --format dotenv` prints what a context gets, with values"),
    (&["exec", "start", "shell", "inject"], "`secrets run -- PROGRAM` starts a program with its secrets"),
    (
        &["env", "printenv", "vars", "variables"],
        "`secrets resolve` shows what a context gets; `secrets run -- PROGRAM` starts a program with it",
    ),
    (
        &["environments", "envs", "config-map", "folders"],
        "a scope is a project or a workspace: `secrets project list`, `secrets workspace list`",
    ),
    (&["search", "find", "grep"], "`secrets list --filter 'secret_id : \"AWS_*\"'` lists the names that match"),
    (&["compare"], "`secrets diff -p a -p b` shows where two scopes differ"),
    (&["kv", "vault", "secret", "secrets"], "`secrets list` lists secrets; `secrets set NAME` stores one"),
    (&["watch"], "`secrets run --watch -- PROGRAM` starts a program anew when a secret changes"),
    (&["status", "info", "me"], "`secrets whoami` shows who you are; `secrets doctor` checks the connection"),
    (
        &["setup", "configure", "link"],
        "`secrets login` signs in; `secrets init` writes a secrets.toml that names a directory's project",
    ),
    (&["open", "ui", "dashboard", "console"], "there is no page to open; `secrets list` lists secrets"),
    (&["why"], "`secrets explain NAME` shows where a secret comes from"),
    (&["signout"], "`secrets logout` ends the stored token, and removes it from this machine"),
    (&["switch", "account"], "`secrets profile use NAME` uses another account; `secrets profile list` shows yours"),
    (&["auth", "signin"], "`secrets login` signs in; `secrets whoami` shows as whom"),
    (&["version"], "`secrets --version` prints it"),
    (&["upgrade", "self-update"], "the program does not update itself; `secrets --version` prints its version"),
    (
        &["versions", "log", "logs"],
        "`secrets history NAME` lists a secret's versions; `secrets audit list` who did what",
    ),
    (
        &["restore", "recover"],
        "`secrets undelete NAME` restores a deleted secret; `secrets rollback NAME --to N` restores an old version",
    ),
    (&["organization", "organizations", "orgs"], "`secrets org` manages organizations"),
    (&["group", "team", "grant", "role", "access"], "`secrets member` manages roles"),
    (&["completions", "autocomplete"], "`secrets completion SHELL` prints what a shell needs to complete"),
];

/// What another tool's word is called here.
pub(crate) fn command(word: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, tip)| *tip)
}
