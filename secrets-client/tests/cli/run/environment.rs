//! What a program's environment is made of, and what is said about it.

use super::server;

#[test]
fn an_inherited_variable_is_preserved_with_its_flag() {
    let server = server();
    let bob = server.person("bob").with("LINEAR_API_KEY", "inherited");
    let line = "--workspace ws1 --no-masking -- printenv LINEAR_API_KEY STRIPE_SECRET";
    let replaced = bob.run_ok(&format!("run {line}")).expect_text(&["LINEAR_API_KEY replaced"]);
    assert_eq!(replaced.stdout, "lin_bob\nsk_test\n");
    for flag in ["--preserve-env", "--preserve-env=LINEAR_API_KEY", "--preserve-env=OTHER,LINEAR_API_KEY"] {
        let kept = bob.run_ok(&format!("run {flag} {line}")).expect_text(&["LINEAR_API_KEY left as"]);
        assert_eq!(kept.stdout, "inherited\nsk_test\n", "{flag}");
    }
    let other = bob.run_ok(&format!("run --preserve-env=OTHER {line}"));
    assert_eq!(other.stdout, "lin_bob\nsk_test\n");
    let same = server.person("bob").with("LINEAR_API_KEY", "lin_bob").run_ok(&format!("run {line}"));
    assert_eq!(same.stderr, "", "nothing was replaced");
}

#[test]
fn a_clean_environment_has_the_secrets_and_what_is_kept() {
    let server = server();
    let bob = server.person("bob").with("OTHER", "other").with("KEPT", "kept");
    let clean = bob.run_ok("run --clean-env --no-masking -- env");
    assert_eq!(clean.stdout, "LINEAR_API_KEY=lin_bob\n");
    let kept = bob.run_ok("run --clean-env --keep KEPT,NONE --no-masking -- env");
    assert_eq!(kept.stdout, "KEPT=kept\nLINEAR_API_KEY=lin_bob\n");
    bob.run("run --keep KEPT -- env").expect_failure(2);
}

#[test]
fn a_token_is_passed_only_with_its_flag() {
    let server = server();
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1 --ttl 1h").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.run("run -- printenv SECRETS_TOKEN").reject_text(&session);
    let passed = sandbox.run_ok("run --pass-session --no-masking -- printenv SECRETS_TOKEN");
    assert_eq!((passed.stdout.trim(), passed.stderr.as_str()), (session.as_str(), ""));
    // The program may use it, and shows it to nobody.
    let masked = sandbox.run_ok("run --pass-session -- sh -c printenv");
    masked.expect_text(&["SECRETS_TOKEN=***"]).reject_text(&session);
    let token = bob.run_ok("token create").line();
    let personal = server.person("sandbox").with("SECRETS_TOKEN", &token);
    let file = bob.home.join("token");
    std::fs::write(&file, &token).unwrap();
    let from_file = server.person("sandbox").with("SECRETS_TOKEN_FILE", file.to_str().unwrap());
    from_file.run_ok(&format!("run -- cat {}", file.display())).expect_text(&["***"]).reject_text(&token);
    personal.run_ok("run --pass-session -- true").expect_text(&["warning: ", "not a session"]);
}

#[test]
fn a_line_for_the_shell_sees_the_secrets() {
    let server = server();
    let bob = server.person("bob");
    let words = ["run", "--no-masking", "--shell", "echo \"<$LINEAR_API_KEY>\"; exit 3"];
    let ended = bob.run_words(&words);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "<lin_bob>\n"));
    bob.run("run --shell true -- true").expect_failure(2);
    bob.run("run").expect_failure(2);
}

#[test]
fn hints_for_a_ci_service_come_before_the_program_and_on_stderr() {
    let server = server();
    let bob = server.person("bob");
    bob.set("first 100%\nsecond line\n}", "KEY_FILE --file ~/key");
    bob.set("abc", "TINY");
    let ended = bob.run_words(&["run", "--ci", "github", "--", "sh", "-c", "echo started >&2"]).expect_success("--ci");
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
    bob.run("run --ci gitlab -- true").expect_failure(2).expect_text(&["github"]);
}
