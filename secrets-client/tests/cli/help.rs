//! Every help page, as a person reads it: `snapshots/help.snap`.
//!
//! After a change: `INSTA_UPDATE=always cargo test -p secrets-client --test cli help`, and read what changed in the file.

use std::process::Command;

/// How wide a page is at most.
const COLUMNS: usize = 100;
/// How wide a terminal is at least for which nothing is wrapped twice.
const NARROW_COLUMNS: usize = 80;
/// Under which the commands stand: all of them, and those below another one.
const HEADINGS: [&str; 6] = ["Start here:", "Work with secrets:", "Share:", "Administer:", "Tools:", "Commands:"];

#[test]
fn every_help_page_is_as_it_was_reviewed() {
    let mut pages = String::new();
    collect(&mut Vec::new(), COLUMNS, &mut pages);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("help", pages);
    });
}

#[test]
fn no_help_page_is_wider_than_its_terminal() {
    for columns in [COLUMNS, NARROW_COLUMNS] {
        let mut pages = String::new();
        collect(&mut Vec::new(), columns, &mut pages);
        let wide: Vec<&str> = pages.lines().filter(|line| line.chars().count() > columns).collect();
        assert!(wide.is_empty(), "{columns}: {wide:#?}");
    }
}

#[test]
fn what_stands_behind_the_options_is_broken_once_whatever_the_width() {
    for name in ["run", "hook", "redact", "check", "materialize"] {
        let [wide, narrow] = [COLUMNS, NARROW_COLUMNS].map(|columns| page(&[name.to_owned()], columns));
        let last = |page: &str| {
            let (before, _) = page.split_once("\n\nExamples:\n").unwrap();
            before.rsplit("\n\n").next().unwrap().to_owned()
        };
        assert!(last(&wide).contains(' '), "{name}");
        assert_eq!(last(&wide), last(&narrow), "{name}");
    }
}

#[test]
fn help_of_a_command_is_what_its_flag_prints() {
    for words in [&[][..], &["set"], &["org", "create"]] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let help = output(&[&["help".to_owned()], words.as_slice()].concat(), COLUMNS);
        assert_eq!(help, page(&words, COLUMNS));
        assert_eq!(help, output(&[words.as_slice(), &["-h".to_owned()]].concat(), COLUMNS));
    }
}

#[test]
fn help_explains_the_words_that_commands_use() {
    let concepts = output(&["help".to_owned(), "concepts".to_owned()], COLUMNS);
    assert!(concepts.contains("\nprecedence\n    Where several scopes"), "{concepts}");
    for (words, text) in [
        (["help", "stats"], "unrecognized subcommand 'stats'"),
        (["help", "shwo"], "'show'"),
        (["help", "concept"], "did you mean `secrets help concepts`?"),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_secrets")).args(words).output().unwrap();
        let shown = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(2) && shown.contains(text), "{words:?}: {shown}");
    }
}

/// Appends the page of a command, and then those of the commands below it.
fn collect(command: &mut Vec<String>, columns: usize, pages: &mut String) {
    let page = page(command, columns);
    let words = [&["secrets".to_owned()], command.as_slice(), &["--help".to_owned()]].concat();
    pages.push_str(&format!("$ {}\n\n{page}\n\n", words.join(" ")));
    for name in commands(&page) {
        command.push(name);
        collect(command, columns, pages);
        command.pop();
    }
}

/// The names of the commands that a page lists.
fn commands(page: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_listed = false;
    for line in page.lines() {
        if !line.starts_with(' ') {
            is_listed = HEADINGS.contains(&line);
        } else if let Some(name) = line.strip_prefix("  ").filter(|name| is_listed && !name.starts_with(' ')) {
            // A description that goes on in the next line is indented further than a name.
            names.extend(name.split_whitespace().next().map(str::to_owned));
        }
    }
    names
}

fn page(command: &[String], columns: usize) -> String {
    output(&[command, &["--help".to_owned()]].concat(), columns)
}

fn output(words: &[String], columns: usize) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_secrets"));
    let output = program.args(words).env("COLUMNS", columns.to_string()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    page.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
