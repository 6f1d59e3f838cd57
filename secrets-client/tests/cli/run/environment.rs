//! What a program's environment is made of, and what is said about it.

use super::world;

#[test]
fn an_inherited_variable_is_preserved_when_that_is_asked_for() {
    let world = world();
    let bob = world.person("bob").with("LINEAR_API_KEY", "inherited");
    let line = "--workspace ws1 --no-masking -- printenv LINEAR_API_KEY STRIPE_SECRET";
    let replaced = bob.does(&format!("run {line}")).shows(&["LINEAR_API_KEY replaced"]);
    assert_eq!(replaced.stdout, "lin_bob\nsk_test\n");
    for flag in ["--preserve-env", "--preserve-env=LINEAR_API_KEY", "--preserve-env=OTHER,LINEAR_API_KEY"] {
        let kept = bob.does(&format!("run {flag} {line}")).shows(&["LINEAR_API_KEY left as"]);
        assert_eq!(kept.stdout, "inherited\nsk_test\n", "{flag}");
    }
    let other = bob.does(&format!("run --preserve-env=OTHER {line}"));
    assert_eq!(other.stdout, "lin_bob\nsk_test\n");
    let same = world.person("bob").with("LINEAR_API_KEY", "lin_bob").does(&format!("run {line}"));
    assert_eq!(same.stderr, "", "nothing was replaced");
}

#[test]
fn a_clean_environment_has_the_secrets_and_what_is_kept() {
    let world = world();
    let bob = world.person("bob").with("OTHER", "other").with("KEPT", "kept");
    let clean = bob.does("run --clean-env --no-masking -- env");
    assert_eq!(clean.stdout, "LINEAR_API_KEY=lin_bob\n");
    let kept = bob.does("run --clean-env --keep KEPT,NONE --no-masking -- env");
    assert_eq!(kept.stdout, "KEPT=kept\nLINEAR_API_KEY=lin_bob\n");
    bob.types("run --keep KEPT -- env").fails(2);
}

#[test]
fn a_token_is_passed_only_when_told_to() {
    let world = world();
    let bob = world.person("bob");
    let session = bob.does("session create --workspace ws1 --ttl 1h").line();
    let sandbox = world.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.types("run -- printenv SECRETS_TOKEN").hides(&session);
    let passed = sandbox.does("run --pass-session -- printenv SECRETS_TOKEN");
    assert_eq!((passed.stdout.trim(), passed.stderr.as_str()), (session.as_str(), ""));
    let token = bob.does("token create").line();
    let personal = world.person("sandbox").with("SECRETS_TOKEN", &token);
    personal.does("run --pass-session -- true").shows(&["warning: ", "not a session"]);
}

#[test]
fn a_line_for_the_shell_sees_the_secrets() {
    let world = world();
    let bob = world.person("bob");
    let words = ["run", "--no-masking", "--shell", "echo \"<$LINEAR_API_KEY>\"; exit 3"];
    let ended = bob.types_words(&words);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "<lin_bob>\n"));
    bob.types("run --shell true -- true").fails(2);
    bob.types("run").fails(2);
}

#[test]
fn hints_for_a_ci_service_come_before_the_program_and_on_stderr() {
    let world = world();
    let bob = world.person("bob");
    bob.sets("first 100%\nsecond line\n}", "KEY_FILE --file ~/key");
    bob.sets("abc", "TINY");
    let ended = bob.types_words(&["run", "--ci", "github", "--", "sh", "-c", "echo started >&2"]).succeeds("--ci");
    assert_eq!(ended.stdout, "");
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with("secrets: ")).collect();
    let expected = [
        "::add-mask::first 100%25%0Asecond line%0A}",
        "::add-mask::first 100%25",
        "::add-mask::second line",
        "::add-mask::lin_bob",
        "started",
    ];
    assert_eq!(lines, expected);
    bob.types("run --ci gitlab -- true").fails(2).shows(&["github"]);
}
