use super::language::PYTHON;

#[test]
fn python_runs_the_scenario() {
    PYTHON.runs_the_scenario();
}

#[test]
fn python_notices_what_is_not_as_expected() {
    PYTHON.notices_what_is_not_as_expected();
}
