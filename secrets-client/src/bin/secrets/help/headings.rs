//! Headings between the options of a command that has many.

use clap::{Arg, Command};

/// Options that several commands take from one type, whose name their group has.
const TYPES: [(&str, &str); 8] = [
    ("ScopeArgs", "Scope (your own secrets, where none is named)"),
    ("FromArgs", "Where it is (among your own secrets, where none is named)"),
    ("ToArgs", "Where it goes (among your own secrets, where none is named)"),
    ("ContextArgs", "Context (your default one, where none is named)"),
    ("TargetArgs", "Where it lands"),
    ("ValueArgs", "Value"),
    ("WatchArgs", "When a secret changes"),
    ("FallbackArgs", "When the service is unavailable"),
];

/// Options of single commands.
const OPTIONS: [(&[&str], &str, &[&str]); 8] = [
    (
        &["set", "edit"],
        "Metadata",
        &[
            "description",
            "labels",
            "remove_label",
            "group",
            "no_group",
            "expires",
            "never_expires",
            "no_redact",
            "redact",
        ],
    ),
    (
        &["set", "edit"],
        "Who gets it",
        &[
            "for_project",
            "for_workspace",
            "for_all",
            "add_project",
            "add_workspace",
            "remove_project",
            "remove_workspace",
            "lock",
            "unlock",
            "disable",
            "enable",
        ],
    ),
    (&["resolve"], "Values", &["show_values", "raw", "format", "skip_unrepresentable"]),
    (&["run"], "Variables of the program", &["preserve_env", "clean_env", "keep", "pass_session"]),
    (&["run"], "Output of the program", &["unmask", "verbose", "no_masking", "ci"]),
    (&["login"], "With an invitation's code", &["invite", "name", "ttl"]),
    (&["login"], "Recovery codes", &["recovery", "keep_others", "recovery_codes"]),
    (&["session create"], "Restrictions", &["only", "kind", "from"]),
];

/// A command whose options stand under headings; `path` leads to it.
pub(super) fn with_headings(command: Command, path: &str) -> Command {
    let of_type: Vec<(String, &str)> = command
        .get_groups()
        .filter_map(|group| Some((group, TYPES.iter().find(|(name, _)| group.get_id() == *name)?.1)))
        .flat_map(|(group, heading)| group.get_args().map(move |arg| (arg.to_string(), heading)))
        .collect();
    command.mut_args(|arg| {
        let own = OPTIONS.iter().filter(|(commands, ..)| commands.contains(&path));
        let own = own.filter(|(.., ids)| ids.iter().any(|id| arg.get_id() == *id)).map(|(_, heading, _)| *heading);
        let typed = of_type.iter().filter(|(id, _)| arg.get_id() == id.as_str()).map(|(_, heading)| *heading);
        let heading = own.chain(typed).next();
        match heading {
            Some(heading) if !arg.is_positional() => Arg::help_heading(arg, heading),
            _ => arg,
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn each_heading_is_of_options_that_exist() {
        let root = Arguments::command();
        let find = |path: &str| path.split(' ').fold(&root, |command, name| command.find_subcommand(name).unwrap());
        for (commands, heading, ids) in OPTIONS {
            let known =
                |id: &&str| commands.iter().any(|path| find(path).get_arguments().any(|arg| arg.get_id() == *id));
            let unknown: Vec<&&str> = ids.iter().filter(|id| !known(id)).collect();
            assert!(unknown.is_empty(), "{heading}: {unknown:?}");
        }
        for (group, _) in TYPES {
            let has = |command: &Command| command.get_groups().any(|known| known.get_id() == group);
            assert!(root.get_subcommands().any(has), "{group}");
        }
    }
}
