//! Every help page, as a person reads it: `snapshots/help.snap`.
//!
//! After a change: `INSTA_UPDATE=always cargo test -p secrets-client --test cli help`, and read what changed in the file.

use std::process::Command;

/// How wide a page is at most.
const COLUMNS: usize = 100;

#[test]
fn every_help_page_is_as_it_was_reviewed() {
    let mut pages = String::new();
    collect(&mut Vec::new(), &mut pages);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("help", pages);
    });
}

#[test]
fn no_help_page_is_wider_than_a_terminal() {
    let mut pages = String::new();
    collect(&mut Vec::new(), &mut pages);
    let wide: Vec<&str> = pages.lines().filter(|line| line.chars().count() > COLUMNS).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

/// Appends the page of a command, and then those of the commands below it.
fn collect(command: &mut Vec<String>, pages: &mut String) {
    let page = page(command);
    let words = [&["secrets".to_owned()], command.as_slice(), &["--help".to_owned()]].concat();
    pages.push_str(&format!("$ {}\n\n{page}\n\n", words.join(" ")));
    let commands = page.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A description that goes on in the next line is indented further than a name.
    let names = commands.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        command.push(name.to_owned());
        collect(command, pages);
        command.pop();
    }
}

fn page(command: &[String]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_secrets"));
    let output = program.args(command).arg("--help").env("COLUMNS", COLUMNS.to_string()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    page.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
