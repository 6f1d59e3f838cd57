//! Help as a person reads it: the commands in groups, examples under each one, and what holds everywhere last.
//!
//! To add a command: its group in [`groups`], and its examples in `help/examples.txt`.

pub(crate) mod examples;
pub(crate) mod groups;
mod headings;
pub(crate) mod topics;

use clap::builder::{PossibleValue, StyledStr};
use clap::{Arg, ArgAction, Command};

/// How many columns a text of ours has at most, so that it is never wrapped by the terminal.
pub(crate) const MAX_COLUMNS: usize = 80;

const GLOBAL_OPTIONS: &str = "Global options";
const LEARN_MORE: [&str; 3] = [
    "  secrets help COMMAND      a command, with examples",
    "  secrets help concepts     what organization, project, context and others are",
    "  secrets help environment  variables; further topics: files, exit-codes",
];

/// The program's command with all of this in the help of each command, which is short with `-h` and `--help` alike.
pub(crate) fn with_help(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").help("Print help").action(ArgAction::HelpShort).global(true);
    let version = Arg::new("version").short('V').long("version").help("Print version").action(ArgAction::Version);
    let root = command.disable_help_flag(true).disable_version_flag(true).arg(help).arg(version);
    let everywhere = global_options(root.get_arguments().filter(|arg| arg.is_global_set()));
    let at_root = global_options(root.get_arguments().filter(|arg| is_listed_last(arg)));
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{after-help}}", groups::list(&root));
    let examples = examples::Examples::load();
    let learn_more = section(&root, "Learn more", &LEARN_MORE.join("\n"));
    let root = below(root, "", &examples, &everywhere).help_template(template);
    let header = *root.get_styles().get_header();
    let last = format!("{learn_more}\n\n{header}{GLOBAL_OPTIONS}:{header:#}\n{at_root}");
    root.after_help(StyledStr::from(last))
}

/// The program's command as the manual shows it: each one under its full name, with headings between its options.
pub(crate) fn manual(command: Command) -> Command {
    let mut manual = command.disable_help_flag(true).disable_version_flag(true);
    manual = with_all_headings(manual, "");
    manual.build();
    manual
}

fn with_all_headings(command: Command, path: &str) -> Command {
    let command =
        headings::with_headings(command, path).subcommand_help_heading("COMMANDS").subcommand_value_name("COMMAND");
    let command = command.mut_args(|arg| if is_listed_last(&arg) { arg.help_heading(GLOBAL_OPTIONS) } else { arg });
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        with_all_headings(inner, path.trim_start())
    })
}

/// A command and those below it; `path` leads to it.
fn below(command: Command, path: &str, examples: &examples::Examples, global_options: &str) -> Command {
    let command = headings::with_headings(command, path);
    let mut sections: Vec<String> = command.get_arguments().filter_map(|arg| values(&command, arg)).collect();
    sections.extend(command.get_after_help().map(|text| reflowed(&text.ansi().to_string())));
    let typed = examples.of(path).map(|example| format!("  {}:\n    {}", example.about, example.line));
    let typed: Vec<String> = typed.collect();
    if !typed.is_empty() {
        sections.push(section(&command, "Examples", &typed.join("\n")));
    }
    sections.push(section(&command, GLOBAL_OPTIONS, global_options));
    let command = command.mut_args(|arg| {
        // They are in a section of their own.
        let arg = if has_described_values(&arg) { arg.hide_possible_values(true) } else { arg };
        if is_listed_last(&arg) { arg.hide_short_help(true) } else { arg }
    });
    let command = command.after_help(StyledStr::from(sections.join("\n\n")));
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        below(inner, path.trim_start(), examples, global_options)
    })
}

/// A text whose paragraphs no terminal wraps; what is indented, and the line above it, stays as it is.
fn reflowed(text: &str) -> String {
    let paragraph = |paragraph: &str| match paragraph.lines().any(|line| line.starts_with(' ')) {
        true => paragraph.to_owned(),
        false => groups::wrapped(paragraph, MAX_COLUMNS).join("\n"),
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// Whether an option is the same everywhere.
fn is_listed_last(arg: &Arg) -> bool {
    arg.is_global_set() || arg.get_id() == "version"
}

/// The options that every command has, a line each.
fn global_options<'a>(options: impl Iterator<Item = &'a Arg>) -> String {
    let flags = |arg: &Arg| {
        let short = arg.get_short().map_or_else(|| "   ".to_owned(), |short| format!("-{short},"));
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).and_then(|names| names.first());
        let value = value.map(|name| format!(" <{name}>")).unwrap_or_default();
        format!("  {short} --{}{value}", arg.get_long().unwrap_or_default())
    };
    let rows: Vec<(String, String)> =
        options.map(|arg| (flags(arg), arg.get_help().map(ToString::to_string).unwrap_or_default())).collect();
    let widest = rows.iter().map(|(flags, _)| flags.len()).max().unwrap_or_default();
    let lines: Vec<String> = rows.iter().map(|(flags, about)| format!("{flags:widest$}  {about}")).collect();
    lines.join("\n")
}

/// What each value of an option means, where that is said.
fn values(command: &Command, arg: &Arg) -> Option<String> {
    let described = has_described_values(arg) && !is_listed_last(arg);
    let heading = match (arg.get_long(), arg.get_value_names().and_then(|names| names.first())) {
        (Some(long), _) => format!("Values of --{long}"),
        (None, Some(name)) => format!("Values of {name}"),
        (None, None) => return None,
    };
    let values: Vec<PossibleValue> =
        arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect();
    let widest = values.iter().map(|value| value.get_name().len()).max().unwrap_or_default();
    let line = |value: &PossibleValue| {
        let about = value.get_help().map(ToString::to_string).unwrap_or_default();
        groups::row(value.get_name(), &about, widest)
    };
    described.then(|| section(command, &heading, &values.iter().map(line).collect::<Vec<_>>().join("\n")))
}

fn has_described_values(arg: &Arg) -> bool {
    arg.get_action().takes_values() && arg.get_possible_values().iter().any(|value| value.get_help().is_some())
}

fn section(command: &Command, heading: &str, text: &str) -> String {
    let header = command.get_styles().get_header();
    format!("{header}{heading}:{header:#}\n{text}")
}
