//! One page of the manual, in the language of `man`.

use std::io::Result;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::help::examples::{Example, Examples};
use crate::help::groups::GROUPS;
use crate::help::topics::{CONCEPTS, ENVIRONMENT, EXIT_CODES, FILES, Topic};

/// The section of commands, and the one of what is none.
pub(super) const COMMANDS: &str = "1";
const MISCELLANEOUS: &str = "7";

const SOURCE: &str = concat!("secrets ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "Secrets";
/// A page says what release it is of rather than when it was written; without a word there, what follows would move up.
const NO_DATE: &str = " ";

/// A page: the name of its file, and its text.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) section: &'static str,
    pub(super) roff: Vec<u8>,
}

/// The page of a command, which `path` leads to.
pub(super) fn command(command: &Command, path: &str, examples: &Examples) -> Result<Page> {
    let man = Man::new(command.clone()).date(NO_DATE).source(SOURCE).manual(MANUAL);
    let mut roff = Vec::new();
    man.render_title(&mut roff)?;
    man.render_name_section(&mut roff)?;
    man.render_synopsis_section(&mut roff)?;
    man.render_description_section(&mut roff)?;
    if let Some(more) = command.get_after_help() {
        prose(&more.to_string()).to_writer(&mut roff)?;
    }
    roff.extend(options(command, &man)?);
    if path.is_empty() {
        groups(command).to_writer(&mut roff)?;
    } else if command.has_subcommands() {
        man.render_subcommands_section(&mut roff)?;
    }
    self::examples(examples.of(path)).to_writer(&mut roff)?;
    for topic in [&FILES, &ENVIRONMENT, &EXIT_CODES] {
        terms(topic).to_writer(&mut roff)?;
    }
    see_also(&related(command, path)).to_writer(&mut roff)?;
    Ok(Page { name: man.get_filename(), section: COMMANDS, roff })
}

/// The page of the words that the commands use.
pub(super) fn concepts() -> Result<Page> {
    let mut roff = Roff::new();
    let name = format!("secrets-{}", CONCEPTS.name);
    roff.control("TH", [name.as_str(), MISCELLANEOUS, NO_DATE, SOURCE, MANUAL]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", lower_first(CONCEPTS.about)))]);
    let mut text = roff.to_roff().into_bytes();
    terms(&CONCEPTS).to_writer(&mut text)?;
    see_also(&["secrets".to_owned(), "secrets-explain".to_owned(), "secrets-member".to_owned()])
        .to_writer(&mut text)?;
    Ok(Page { name: format!("{name}.{MISCELLANEOUS}"), section: MISCELLANEOUS, roff: text })
}

/// The options, whose headings are those of parts of one section.
fn options(command: &Command, man: &Man) -> Result<Vec<u8>> {
    let mut roff = Vec::new();
    man.render_options_section(&mut roff)?;
    let mut text = String::from_utf8_lossy(&roff).into_owned();
    for heading in command.get_arguments().filter_map(|arg| arg.get_help_heading()) {
        let (mut section, mut part) = (Roff::new(), Roff::new());
        section.control("SH", [heading.to_uppercase().as_str()]);
        part.control("SS", [heading]);
        text = text.replace(&section.to_roff(), &part.to_roff());
    }
    // The empty line before the values of an option is one line, and not a line, a paragraph and a line.
    text = text.replace(".br\n\n.br\n", ".sp\n");
    if !text.is_empty() && !text.contains(".SH OPTIONS") {
        text.insert_str(0, ".SH OPTIONS\n");
    }
    Ok(text.into_bytes())
}

/// The commands in their groups.
fn groups(root: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for (heading, names) in GROUPS {
        roff.control("SS", [heading]);
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            roff.control("TP", []);
            roff.text([bold(format!("secrets-{}({COMMANDS})", command.get_name()))]);
            roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
        }
    }
    roff
}

/// What was written for a terminal: an indented line stays one, others are filled.
fn prose(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("PP", []);
    let mut is_literal = false;
    for line in text.lines() {
        let literal = line.starts_with("  ");
        if literal != is_literal {
            let [first, second] = if literal { ["RS", "nf"] } else { ["fi", "RE"] };
            roff.control(first, []).control(second, []);
            is_literal = literal;
        }
        if line.is_empty() {
            roff.control("PP", []);
        } else {
            roff.text([roman(line.trim_start_matches("  "))]);
        }
    }
    if is_literal {
        roff.control("fi", []).control("RE", []);
    }
    roff
}

fn examples(examples: impl Iterator<Item = Example>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (at, example) in examples.enumerate() {
        if at > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{}:", example.about))]);
        roff.control("RS", []).control("nf", []);
        roff.text([bold(example.line)]);
        roff.control("fi", []).control("RE", []);
    }
    roff
}

fn terms(topic: &Topic) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [topic.section]);
    for (term, meaning) in topic.terms {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
    roff
}

/// What somebody may look at next: what the command is below, what is below it, and what is beside it.
fn related(command: &Command, path: &str) -> Vec<String> {
    let mut words: Vec<&str> = path.split(' ').filter(|word| !word.is_empty()).collect();
    let name = words.pop();
    let page = |words: &[&str]| std::iter::once("secrets").chain(words.iter().copied()).collect::<Vec<_>>().join("-");
    let mut related = Vec::new();
    let Some(name) = name else { return related };
    related.push(page(&words));
    if words.is_empty() {
        let group = GROUPS.iter().map(|(_, names)| *names).find(|names| names.contains(&name)).unwrap_or_default();
        related.extend(group.iter().filter(|other| **other != name).map(|other| page(&[other])));
    }
    let below = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    related.extend(below.map(|inner| page(&[name, inner.get_name()])));
    related
}

fn see_also(pages: &[String]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut pages: Vec<String> = pages.iter().map(|page| format!("{page}({COMMANDS})")).collect();
    let concepts = format!("secrets-{}({MISCELLANEOUS})", CONCEPTS.name);
    pages.push(concepts);
    pages.dedup();
    roff.text([roman(pages.join(", "))]);
    roff
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}
