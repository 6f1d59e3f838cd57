use std::path::Path;

use super::language::{ALL, GO, JAVA, PYTHON, TYPESCRIPT};

/// Lines of code that a thin client may have, written by hand: neither blank nor a comment.
const MAX_CLIENT_LINES: usize = 150;
/// Lines of code that one file of its checks may have.
const MAX_CHECK_LINES: usize = 250;
/// The files that check what a service answers and what it is asked at.
const CHECKS: [&str; 11] = [
    "answers",
    "brokenrule",
    "checkedcalls",
    "data",
    "details",
    "endpoint",
    "events",
    "ratelimit",
    "rules",
    "silence",
    "text",
];

#[test]
fn every_client_is_thin() {
    for language in ALL {
        let (folder, end) = language.sources();
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == end));
        let files = files.filter(|path| !is_generated(path));
        let counted = files.map(|path| (lines_of_code(&std::fs::read_to_string(&path).unwrap()), path));
        let (checks, client): (Vec<_>, Vec<_>) = counted.partition(|(_, path)| is_check(path));
        for (lines, path) in &checks {
            assert!(*lines <= MAX_CHECK_LINES, "{lines} lines of code in {}", path.display());
        }
        let lines: usize = client.iter().map(|(lines, _)| lines).sum();
        assert!((50..=MAX_CLIENT_LINES).contains(&lines), "{}: {lines} lines of code in {client:?}", language.name);
    }
}

fn is_check(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy().to_lowercase().replace('_', "");
    CHECKS.contains(&name.as_str())
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
