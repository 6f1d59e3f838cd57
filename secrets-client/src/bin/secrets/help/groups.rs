//! The commands in groups, as `secrets --help` lists them.

use clap::Command;

use super::{MAX_COLUMNS, section};

/// What somebody needs first, then what they do every day, what concerns others, and what concerns this machine.
pub(crate) const GROUPS: [(&str, &[&str]); 5] = [
    ("Start here", &["login", "whoami", "init", "set", "run"]),
    (
        "Work with secrets",
        &[
            "list",
            "show",
            "get",
            "edit",
            "cp",
            "mv",
            "rm",
            "undelete",
            "history",
            "rollback",
            "import",
            "diff",
            "resolve",
            "explain",
            "check",
            "wait",
            "materialize",
            "redact",
        ],
    ),
    ("Share", &["project", "workspace", "member", "user"]),
    ("Administer", &["org", "service-account", "token", "session", "audit"]),
    ("Tools", &["logout", "profile", "config", "doctor", "hook", "completion", "man", "help"]),
];

/// All groups, with a line for each command.
pub(super) fn list(root: &Command) -> String {
    let widest = root.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or_default();
    let group = |(heading, names): &(&str, &[&str])| {
        let commands = names.iter().filter_map(|name| root.find_subcommand(name));
        let rows: Vec<String> = commands.map(|command| row(command.get_name(), &about(command), widest)).collect();
        section(root, heading, &rows.join("\n"))
    };
    GROUPS.iter().map(group).collect::<Vec<_>>().join("\n\n")
}

fn about(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    if aliases.is_empty() { about } else { format!("{about} [alias: {}]", aliases.join(", ")) }
}

/// A name and what it means, which goes on under itself.
pub(super) fn row(name: &str, about: &str, widest: usize) -> String {
    let indent = widest + 4;
    let mut text = format!("  {name:widest$}  ");
    for (at, line) in wrapped(about, MAX_COLUMNS - indent).iter().enumerate() {
        if at > 0 {
            text.push_str(&format!("\n{:indent$}", ""));
        }
        text.push_str(line);
    }
    text
}

/// A text in lines of at most `columns`, as far as its words are not longer.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn each_command_is_in_one_group() {
        let root = Arguments::command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut commands: Vec<&str> =
            root.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name).collect();
        listed.sort_unstable();
        commands.sort_unstable();
        assert_eq!(listed, commands);
    }

    #[test]
    fn goes_on_under_itself() {
        let row = row("name", &"word ".repeat(20), 6);
        assert_eq!(row.lines().next().unwrap(), format!("  name    word{}", " word".repeat(13)));
        assert_eq!(row.lines().nth(1).unwrap(), format!("          word{}", " word".repeat(5)));
    }
}
