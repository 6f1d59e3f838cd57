use super::language::{GO, JAVA, PYTHON, TYPESCRIPT};

#[test]
fn python_runs_the_scenario() {
    PYTHON.runs_the_scenario();
}

#[test]
fn python_notices_what_is_not_as_expected() {
    PYTHON.notices_what_is_not_as_expected();
}

#[test]
fn typescript_runs_the_scenario() {
    TYPESCRIPT.runs_the_scenario();
}

#[test]
fn typescript_notices_what_is_not_as_expected() {
    TYPESCRIPT.notices_what_is_not_as_expected();
}

#[test]
fn go_runs_the_scenario() {
    GO.runs_the_scenario();
}

#[test]
fn go_notices_what_is_not_as_expected() {
    GO.notices_what_is_not_as_expected();
}

#[test]
fn java_runs_the_scenario() {
    JAVA.runs_the_scenario();
}

#[test]
fn java_notices_what_is_not_as_expected() {
    JAVA.notices_what_is_not_as_expected();
}
