use std::path::Path;

use super::language::{ALL, GO, JAVA, PYTHON, TYPESCRIPT};

/// Lines of code that a thin client may have, written by hand: neither blank nor a comment.
const MAX_CLIENT_LINES: usize = 150;

#[test]
fn every_client_is_thin() {
    for language in ALL {
        let (folder, end) = language.sources();
        let lines: usize = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == end))
            .filter(|path| !is_generated(path))
            .map(|path| lines_of_code(&std::fs::read_to_string(path).unwrap()))
            .sum();
        assert!(
            (50..=MAX_CLIENT_LINES).contains(&lines),
            "{}: {lines} lines of code in {}",
            language.name,
            folder.display()
        );
    }
}

/// Python's reasons lie beside the client.
fn is_generated(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "reason.py")
}

fn lines_of_code(text: &str) -> usize {
    let comment = |line: &&str| ["//", "/*", "*", "#"].iter().any(|mark| line.starts_with(mark));
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !comment(line)).count()
}

#[test]
fn python_runs_the_scenario() {
    PYTHON.runs_the_scenario();
}

#[test]
fn python_notices_an_unmet_expectation() {
    PYTHON.notices_an_unmet_expectation();
}

#[test]
fn typescript_runs_the_scenario() {
    TYPESCRIPT.runs_the_scenario();
}

#[test]
fn typescript_notices_an_unmet_expectation() {
    TYPESCRIPT.notices_an_unmet_expectation();
}

#[test]
fn go_runs_the_scenario() {
    GO.runs_the_scenario();
}

#[test]
fn go_notices_an_unmet_expectation() {
    GO.notices_an_unmet_expectation();
}

#[test]
fn java_runs_the_scenario() {
    JAVA.runs_the_scenario();
}

#[test]
fn java_notices_an_unmet_expectation() {
    JAVA.notices_an_unmet_expectation();
}
