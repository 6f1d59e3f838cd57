//! Words that stand for others: one typo turns them into those (a letter more, fewer or different, or two swapped), or
//! other tools mean the same. clap suggests what is similar as a whole, finds words of three letters too different after
//! a single typo, and knows no meanings.

use clap::Command;
use strsim::osa_distance;

/// The commands, aliases included, that `typed` may stand for, where `words` led on the command line.
pub(super) fn commands(root: Command, words: &[String], typed: &str) -> Vec<String> {
    let meant = reached(root, words);
    let names: Vec<&str> = meant.get_subcommands().flat_map(Command::get_name_and_visible_aliases).collect();
    let typos: Vec<String> =
        names.iter().filter(|name| osa_distance(name, typed) == 1).map(|name| (*name).to_owned()).collect();
    if !typos.is_empty() {
        return typos;
    }
    let alike = SYNONYMS.iter().find(|words| words.contains(&typed)).copied().unwrap_or_default();
    names.iter().filter(|name| alike.contains(*name)).map(|name| (*name).to_owned()).collect()
}

/// Words that mean alike; what of them a command has below it is suggested.
const SYNONYMS: [&[&str]; 4] = [
    &["delete", "remove", "rm", "del", "destroy", "revoke", "unset", "drop", "end"],
    &["create", "add", "new", "invite", "create", "make", "grant"],
    &["show", "get", "describe", "info", "view", "read"],
    &["list", "ls", "all"],
];

/// The flag, with its dashes, that `typed` may stand for, where `words` led on the command line.
pub(super) fn flag(root: Command, words: &[String], typed: &str) -> Option<String> {
    let typed = typed.split('=').next()?.strip_prefix("--")?;
    let meant = reached(root, words);
    let mut flags = meant.get_arguments().filter_map(|argument| argument.get_long());
    flags.find(|flag| osa_distance(flag, typed) == 1).map(|flag| format!("--{flag}"))
}

/// Whether a person can have meant the flag by what they typed: more than half of its letters are right.
pub(super) fn resembles(flag: &str, typed: &str) -> bool {
    let bare = |text: &str| text.split('=').next().unwrap_or_default().trim_start_matches('-').to_owned();
    let (flag, typed) = (bare(flag), bare(typed));
    2 * osa_distance(&flag, &typed) < flag.chars().count() || flag.starts_with(&typed) || typed.starts_with(&flag)
}

/// The command that the words name, as far as they name one.
pub(super) fn reached(root: Command, words: &[String]) -> Command {
    // Built, a command has also the flags that hold everywhere.
    let mut command = root;
    command.build();
    for word in words.iter().take_while(|word| *word != "--") {
        if let Some(inner) = command.find_subcommand(word) {
            command = inner.clone();
        }
    }
    command
}
