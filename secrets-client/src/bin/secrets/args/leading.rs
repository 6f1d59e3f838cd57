//! Scope flags before the command: `secrets -p api list` is read as `secrets list -p api`.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// The words with the scope flags that stand before the last command's name moved behind it; others stay where they are.
pub(super) fn behind_the_command(root: &Command, words: &[OsString]) -> Vec<OsString> {
    let (mut kept, mut moved) = (Vec::new(), Vec::new());
    let mut command = root;
    let mut rest = words.iter();
    while command.has_subcommands() {
        let Some(word) = rest.next() else { return words.to_vec() };
        if let Some(takes_value) = scope_flag(word) {
            moved.push(word.clone());
            if takes_value {
                moved.extend(rest.next().cloned());
            }
        } else if word == "--" {
            return words.to_vec();
        } else if word.as_encoded_bytes().starts_with(b"-") {
            kept.push(word.clone());
            if takes_value(root, word) {
                kept.extend(rest.next().cloned());
            }
        } else if let Some(inner) = command.find_subcommand(word) {
            kept.push(word.clone());
            command = inner;
        } else {
            return words.to_vec();
        }
    }
    kept.into_iter().chain(moved).chain(rest.cloned()).collect()
}

/// Whether a word is a scope flag, and then whether its value is the next word.
fn scope_flag(word: &OsStr) -> Option<bool> {
    let word = word.to_str()?;
    match word {
        "--org" => Some(false),
        "--project" | "--workspace" | "-p" | "-w" => Some(true),
        _ if ["--project=", "--workspace=", "--org="].iter().any(|flag| word.starts_with(flag)) => Some(false),
        _ if ["-p", "-w"].iter().any(|flag| word.starts_with(flag)) => Some(false),
        _ => None,
    }
}

/// Whether the next word is the value of an option that holds everywhere.
fn takes_value(root: &Command, word: &OsStr) -> bool {
    let Some(word) = word.to_str() else { return false };
    let is_named = |arg: &&Arg| match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => arg.get_long() == Some(long),
        (None, Some(short)) => arg.get_short().is_some_and(|letter| short.chars().eq([letter])),
        (None, None) => false,
    };
    root.get_arguments().find(is_named).is_some_and(|arg| arg.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn moves_a_scope_behind_the_command_and_leaves_the_rest() {
        for (typed, read) in [
            ("-p api list", "list -p api"),
            ("-o json --project=api member list --inherited", "-o json member list --project=api --inherited"),
            ("--org list A", "list --org A"),
            ("member -papi list", "member list -papi"),
            ("-w ws1 run -- env -p x", "run -w ws1 -- env -p x"),
            ("--endpoint list -p api list", "--endpoint list list -p api"),
            ("list -p api", "list -p api"),
            ("-p api", "-p api"),
            ("-p api nope", "-p api nope"),
            ("-p", "-p"),
            ("-- -p", "-- -p"),
        ] {
            let words: Vec<OsString> = typed.split(' ').map(Into::into).collect();
            let moved: Vec<String> = behind_the_command(&Arguments::command(), &words)
                .into_iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            assert_eq!(moved.join(" "), read, "{typed}");
        }
    }
}
