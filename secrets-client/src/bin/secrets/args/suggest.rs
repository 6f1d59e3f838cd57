//! Reads the command line, and helps after a wrong word: clap suggests similar ones, and here are those that other tools
//! use. What could be a token is not repeated.

mod typo;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Args, Command, Parser};
use secrets_core::CredentialKind;

use super::global::Global;
use crate::ui::escape;

/// The command, or the end of the process with code 2 (or 0, after `--help`).
pub(crate) fn parse<A: Parser>() -> A {
    A::try_parse().unwrap_or_else(|error| {
        let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let error = with_suggestions(error, A::command(), &words);
        if error.use_stderr()
            && let Some(text) = printable(&error, &words)
        {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
            std::process::exit(error.exit_code())
        }
        error.exit()
    })
}

/// An error without the tokens and without the characters that were typed and a terminal would obey; none if it has
/// neither.
pub(crate) fn printable(error: &Error, words: &[String]) -> Option<String> {
    let text = error.to_string();
    let mut shown = without_tokens(&text).unwrap_or_else(|| text.clone());
    // What was typed goes first, as a whole: its line ends would be taken for those of the error.
    let typed = words.iter().flat_map(|word| std::iter::once(word.as_str()).chain(word.split(['=', ','])));
    for word in typed.filter(|word| word.contains('\n')) {
        shown = shown.replace(word, &escape::escape(word));
    }
    shown = escape::lines(&shown);
    (shown != text).then_some(shown)
}

/// An error with what the person may have meant by `words`.
pub(crate) fn with_suggestions(error: Error, root: Command, words: &[String]) -> Error {
    with_tip(with_similar(error, root, words), words)
}

/// An error with the command or flag that one typo made of another, in place of what clap finds similar.
fn with_similar(mut error: Error, root: Command, words: &[String]) -> Error {
    let typed = |kind| match error.get(kind) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => String::new(),
    };
    let (kind, meant) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let meant = typo::commands(root, words, &typed(ContextKind::InvalidSubcommand));
            (ContextKind::SuggestedSubcommand, (!meant.is_empty()).then_some(ContextValue::Strings(meant)))
        }
        ErrorKind::UnknownArgument => {
            let meant = typo::flag(root, words, &typed(ContextKind::InvalidArg));
            (ContextKind::SuggestedArg, meant.map(ContextValue::String))
        }
        _ => return error,
    };
    if let Some(meant) = meant {
        // What clap says to a word that resembles nothing.
        error.remove(ContextKind::Suggested);
        error.insert(kind, meant);
    }
    error
}

/// A text without the tokens that are in it; none if there are none.
pub(crate) fn without_tokens(text: &str) -> Option<String> {
    let mut hidden = text.to_owned();
    // What was typed where no credential belongs shows itself by its prefix.
    for prefix in CredentialKind::ALL.iter().map(|kind| kind.prefix()) {
        let pieces: Vec<&str> = hidden.split(prefix).collect();
        let (first, others) = pieces.split_first()?;
        let others = others.iter().map(|rest| {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            format!("{prefix}…{rest}")
        });
        hidden = std::iter::once((*first).to_owned()).chain(others).collect();
    }
    (hidden != text).then_some(hidden)
}

/// An error with what else the person may have meant.
fn with_tip(mut error: Error, words: &[String]) -> Error {
    let word = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(word)) => word.clone(),
        _ => String::new(),
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = word(&error, ContextKind::InvalidSubcommand);
            let is_first = words.iter().find(|word| !word.starts_with('-')) == Some(&typed);
            if is_first { other_tools_command(&typed).map(str::to_owned) } else { None }
        }
        ErrorKind::UnknownArgument => {
            let argument = word(&error, ContextKind::InvalidArg);
            // What clap says of a word with dashes: to give it as a value, which nobody meant.
            error.remove(ContextKind::Suggested);
            if CredentialKind::ALL.iter().any(|kind| argument.contains(kind.prefix())) {
                error.insert(ContextKind::InvalidArg, ContextValue::String("s…".to_owned()));
                error.remove(ContextKind::Suggested);
                Some(SIGN_IN.to_owned())
            } else if !argument.starts_with('-') && word_of_run(&error) {
                Some("the program and its arguments come after `--`: secrets run -- PROGRAM …".to_owned())
            } else {
                other_tools_flag(&argument)
                    .inspect(|_| drop(error.remove(ContextKind::SuggestedArg)))
                    .map(str::to_owned)
            }
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Whether it was `run` that got the argument: clap says so in the usage it shows.
fn word_of_run(error: &Error) -> bool {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => return false,
    };
    usage.contains("secrets run ")
}

/// How a token is given.
const SIGN_IN: &str = "`secrets login` asks for an invitation's code or a token, hidden";

/// What another tool's flag is called here.
fn other_tools_flag(flag: &str) -> Option<&'static str> {
    Some(match flag.split('=').next().unwrap_or_default() {
        "--json" => "`--output json`, or `-o json`, prints JSON",
        "--token" => SIGN_IN,
        _ => return None,
    })
}

/// What another tool's word is called here.
pub(crate) fn other_tools_command(word: &str) -> Option<&'static str> {
    Some(match word {
        "delete" | "remove" | "del" => "`secrets rm NAME` deletes a secret",
        "get" | "read" | "cat" | "reveal" => {
            "`secrets resolve NAME --raw` prints a value; `secrets show NAME` prints its metadata"
        }
        "add" | "create" | "new" | "put" => "`secrets set NAME` creates a secret",
        "update" | "change" | "modify" => {
            "`secrets edit NAME` changes a secret; `secrets set NAME` gives it a new value"
        }
        "export" | "download" | "pull" => "`secrets resolve --format dotenv` prints what a context gets, with values",
        "exec" => "`secrets run -- PROGRAM` starts a program with its secrets",
        "why" => "`secrets explain NAME` shows where a secret comes from",
        "signout" => "`secrets logout` ends the stored token, and removes it from this machine",
        "switch" | "account" => "`secrets profile use NAME` uses another account; `secrets profile list` shows yours",
        "auth" | "signin" => "`secrets login` signs in; `secrets whoami` shows as whom",
        "help" => "`secrets --help` lists the commands; `secrets COMMAND --help` explains one",
        "version" => "`secrets --version` prints it",
        "versions" | "log" => "`secrets history NAME` lists a secret's versions",
        "restore" => {
            "`secrets undelete NAME` restores a deleted secret; `secrets rollback NAME --to N` restores an old version"
        }
        "organization" | "organizations" | "orgs" => "`secrets org` manages organizations",
        "group" | "team" | "grant" | "role" => "`secrets member` manages roles",
        _ => return None,
    })
}

/// The flag of a command with the arguments `A` that a mistyped one resembles.
pub(crate) fn similar_flag<A: Args>(typed: &str) -> Option<String> {
    let flag = typed.split('=').next().filter(|flag| flag.starts_with("--"))?;
    let strict = Global::augment_args(A::augment_args(Command::new("secrets")))
        .mut_arg("misplaced", |argument| argument.allow_hyphen_values(false));
    let error = strict.clone().try_get_matches_from(["secrets", "NAME", flag]).err()?;
    match with_similar(error, strict, &[]).get(ContextKind::SuggestedArg)? {
        ContextValue::String(flag) => Some(flag.clone()),
        ContextValue::Strings(flags) => flags.first().cloned(),
        _ => None,
    }
}
