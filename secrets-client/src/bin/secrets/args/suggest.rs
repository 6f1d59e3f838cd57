//! Reads the command line, and helps after a wrong word: clap suggests similar ones, and here are those that other tools
//! use. What could be a token is not repeated.

pub(crate) mod other_tools;
mod typo;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Args, Command, Parser};
use secrets_core::{CredentialKind, OrganizationId};

use super::global::Global;
use super::leading;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::escape;

/// The command that this process was called with, or the end of the process with code 2 (or 0, after `--help`).
/// `with_help` adds what is in the help.
pub(crate) fn parse<A: Parser>(with_help: fn(Command) -> Command) -> A {
    parse_words(with_help, std::env::args_os().skip(1).collect())
}

/// The same for other words behind the program's name.
pub(crate) fn parse_words<A: Parser>(with_help: fn(Command) -> Command, words: Vec<OsString>) -> A {
    let command = with_help(A::command());
    let words = leading::behind_the_command(&command, &words);
    let named = std::iter::once(OsString::from(command.get_name())).chain(words.iter().cloned());
    let parsed = command.clone().try_get_matches_from(named).and_then(|matches| A::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| {
        let error = error.with_cmd(&command);
        let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
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
    let command = typo::reached(root.clone(), words);
    with_tip(with_similar(error, root, words), &command, words)
}

/// An error with the command or flag that one typo made of another, in place of what clap finds similar.
fn with_similar(mut error: Error, root: Command, words: &[String]) -> Error {
    let usage = typo::reached(root.clone(), words).render_usage();
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
    } else if let Some(ContextValue::String(similar)) = error.get(ContextKind::SuggestedArg)
        && !typo::resembles(similar, &typed(ContextKind::InvalidArg))
    {
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
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

/// An error with what else the person may have meant, who typed `words`, which lead to `command`.
fn with_tip(mut error: Error, command: &Command, words: &[String]) -> Error {
    let word = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(word)) => word.clone(),
        _ => String::new(),
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = word(&error, ContextKind::InvalidSubcommand);
            let is_first = words.iter().find(|word| !word.starts_with('-')) == Some(&typed);
            if is_first { other_tools::command(&typed).map(str::to_owned) } else { None }
        }
        ErrorKind::UnknownArgument => {
            let argument = word(&error, ContextKind::InvalidArg);
            // What clap says of a word with dashes: to give it as a value, which nobody meant.
            error.remove(ContextKind::Suggested);
            if CredentialKind::ALL.iter().any(|kind| argument.contains(kind.prefix())) {
                error.insert(ContextKind::InvalidArg, ContextValue::String("s…".to_owned()));
                error.remove(ContextKind::Suggested);
                Some(SIGN_IN.to_owned())
            } else if let Some(tip) = value_of_switch(command, words, &argument) {
                Some(tip)
            } else if !argument.starts_with('-') && command.get_name() == "run" {
                Some("the program and its arguments come after `--`: secrets run -- PROGRAM …".to_owned())
            } else {
                other_tools::flag(command.get_name(), &argument)
                    .inspect(|_| drop(error.remove(ContextKind::SuggestedArg)))
                    .map(str::to_owned)
            }
        }
        // `--org=acme`
        ErrorKind::TooManyValues => {
            let switch = word(&error, ContextKind::InvalidArg);
            let switch = switch.split([' ', '=']).next().unwrap_or_default();
            takes_no_value(command, switch).then(|| no_value_of(switch, &word(&error, ContextKind::InvalidValue)))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// What is said of a word behind a flag that takes none, as in `--org acme`.
fn value_of_switch(command: &Command, words: &[String], word: &str) -> Option<String> {
    let at = words.iter().take_while(|other| *other != "--").position(|other| other == word)?;
    let switch = at.checked_sub(1).and_then(|before| words.get(before)).filter(|_| !word.starts_with('-'))?;
    takes_no_value(command, switch).then(|| no_value_of(switch, word))
}

/// An error about a thing that was not found, where the name of an organization stands behind `--org` as if it were its value.
pub(crate) fn with_organization_flag(error: CliError) -> CliError {
    match error.exit {
        ExitCode::NotFound | ExitCode::Missing => error.or_hint(behind_org().map(|word| no_value_of("--org", &word))),
        _ => error,
    }
}

/// The word behind `--org` that could be an organization's name.
pub(super) fn behind_org() -> Option<String> {
    let words = std::env::args_os().take_while(|word| word != "--");
    let words: Vec<String> = words.filter_map(|word| word.into_string().ok()).collect();
    words.windows(2).find_map(|pair| match pair {
        [switch, word] if switch == "--org" && word.parse::<OrganizationId>().is_ok() => Some(word.clone()),
        _ => None,
    })
}

fn takes_no_value(command: &Command, flag: &str) -> bool {
    let long = flag.strip_prefix("--").filter(|long| !long.is_empty());
    let named = command.get_arguments().find(|arg| long.is_some() && arg.get_long() == long);
    named.is_some_and(|arg| !arg.get_action().takes_values())
}

pub(super) fn no_value_of(switch: &str, word: &str) -> String {
    match word.parse::<OrganizationId>() {
        Ok(organization) if switch == "--org" => {
            format!(
                "`--org` takes no value, and means your own organization; another one is `--organization {organization}`"
            )
        }
        _ => format!("`{switch}` takes no value"),
    }
}

/// How a token is given.
pub(super) const SIGN_IN: &str = "`secrets login` asks for an invitation's code or a token, hidden";

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
