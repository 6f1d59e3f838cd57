//! What is shown of a hostile service's texts: never as it came.

use secrets_client::v1::{self, ExplainResponse};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::caller::{Caller, expect_harmless};
use super::texts::{HOSTILE, hostile, secret, text};
use crate::support::{HostileService, ProgramOutput, Reply};

/// Commands that show what the service sent.
const COMMANDS: &[&str] = &[
    "whoami",
    "list --org",
    "list --project api --inherited",
    "show A --org",
    "history A --org",
    "set A --org",
    "edit A --org --description text",
    "rm A --org --yes",
    "cp A --to-org --yes",
    "mv A --to-org --yes",
    "undelete A --org",
    "rollback A --org --to 1",
    "explain",
    "explain A",
    "check A",
    "wait A",
    "resolve",
    "materialize --dir out",
    "redact",
    "import - --org --yes",
    "import - --org --dry-run",
    "org create acme --admin bob",
    "org list",
    "org show",
    "org edit --display-name text",
    "org allow PAGER",
    "org disallow PAGER",
    "org invite-admin acme bob",
    "org refuse-admin 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
    "org delete acme --yes",
    "project create api",
    "project show api",
    "project list",
    "project delete api --yes",
    "workspace create ws1",
    "workspace show ws1",
    "workspace list",
    "workspace transfer ws1 --to bob --yes",
    "workspace delete ws1 --yes",
    "user invite bob",
    "user create bob",
    "user show bob",
    "user list",
    "user delete bob --yes",
    "service-account create ci",
    "service-account show ci",
    "service-account list",
    "service-account delete ci --yes",
    "member add bob --project api --role member",
    "member list",
    "member remove bob --project api --yes",
    "token create",
    "token list",
    "token revoke 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
    "token revoke 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11 --yes",
    "session create",
    "session list",
    "session renew 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
    "session revoke 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11 --yes",
    "session revoke --external-id sbx-91 --yes",
    "audit list",
    "audit exposure --principal bob",
    "doctor",
    "run -- true",
];

/// Expects that nothing of the service's texts came as it was sent, and that the command did its work or showed them.
#[track_caller]
pub(super) fn expect_shown_harmlessly(line: &str, ended: &ProgramOutput) {
    expect_harmless(&ended.stdout);
    expect_harmless(&ended.stderr);
    // A line of its own is what the service's second line would have looked like.
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    assert!(lines.into_iter().all(|shown| shown != "error: no"), "{line}: {ended:?}");
    let is_shown = ended.stdout.contains("owned") || ended.stderr.contains("owned");
    assert!(is_shown || ended.code == 0, "{line}: {ended:?}");
    assert!(ended.code != 101 && !ended.stderr.contains("panicked"), "{line}: {ended:?}");
}

#[test]
fn nothing_of_an_answer_reaches_a_terminal_as_it_came() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    for line in COMMANDS {
        for line in [(*line).to_owned(), format!("-o json {line}")] {
            let ended = caller.run_with_stdin(b"A=b\n", &line);
            expect_shown_harmlessly(&line, &ended);
        }
    }
}

#[test]
fn json_of_a_credential_has_the_same_text_with_escapes() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    for (line, pointer) in [
        ("token create", "/display_name"),
        ("session create", "/display_name"),
        ("user invite bob", "/user"),
        ("org create acme --admin bob", "/organization/display_name"),
        ("org invite-admin acme bob", "/user"),
    ] {
        let shown = caller.run(&format!("-o json {line}")).expect_success(line);
        assert_eq!(shown.json().pointer(pointer).and_then(|text| text.as_str()), Some(HOSTILE), "{line}");
        expect_harmless(&shown.stdout);
    }
}

#[test]
fn what_a_shell_is_offered_is_harmless() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    for (line, offered) in [
        ("show --org", "A"),
        ("undelete --org", "A"),
        ("explain", "A"),
        ("run --only", "A"),
        ("project show", "api"),
        ("workspace show", "ws1"),
        ("list --workspace", "ws1"),
    ] {
        let words: Vec<&str> = ["--", "secrets"].into_iter().chain(line.split(' ')).chain([""]).collect();
        let offer = || {
            let ended = caller.command_words(&words).env("SECRETS_COMPLETE", "fish").output().unwrap();
            ProgramOutput::from(ended).expect_success(line)
        };
        // It gives up after a second, which a busy machine may need.
        let ended = (0..30).map(|_| offer()).find(|ended| ended.stdout.contains("owned"));
        let ended = ended.unwrap_or_else(|| panic!("nothing is offered for {line}"));
        // fish takes what is behind a tab for a description.
        expect_harmless(&ended.stdout.replace('\t', "  "));
        expect_harmless(&ended.stderr);
        let names = ended.stdout.lines().filter_map(|line| line.split('\t').next());
        let names: Vec<&str> = names.filter(|name| !name.starts_with('-')).collect();
        assert_eq!(names, [offered], "{line}: {ended:?}");
    }
}

#[test]
fn json_has_the_same_text_with_escapes() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    let shown = caller.run("-o json show A --org").expect_success("show");
    assert_eq!(shown.json()["description"], HOSTILE);
    assert!(shown.stdout.contains(r"\udb40\udc68") && shown.stdout.contains(r"\u202e"), "{shown:?}");
}

#[test]
fn nothing_of_an_error_reaches_a_terminal_as_it_came() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    for reason in ["INVALID_SECRET_ID", "SECRET_REQUIRED_MISSING", "INTERNAL", "ALREADY_EXISTS", HOSTILE] {
        for code in [Code::InvalidArgument, Code::NotFound, Code::PermissionDenied, Code::Internal, Code::Unimplemented]
        {
            let (reason, code) = (reason.to_owned(), code);
            service.answer_with(move |_| Reply::Refused(status(code, &reason)));
            for line in ["set A --org", "resolve A", "run -- true", "list --org", "whoami", "doctor"] {
                let ended = caller.run_with_stdin(b"value", line);
                assert!(ended.code != 0, "{line}: {ended:?}");
                expect_harmless(&ended.stdout);
                expect_harmless(&ended.stderr);
            }
        }
    }
}

fn status(code: Code, reason: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "secretsapi.v1", [("suggestion".to_owned(), text()), (text(), text())]);
    details.add_bad_request_violation(text(), text());
    let mut status = Status::with_error_details(code, text(), details);
    status.metadata_mut().insert("x-request-id", "\u{1b}[2J".parse().unwrap_or_else(|_| "id".parse().unwrap()));
    status
}

#[test]
fn a_token_that_is_none_is_not_printed() {
    let service = HostileService::start(|method| match method {
        "WhoAmI" => Reply::message(&v1::WhoAmIResponse {
            principal: "organizations/acme/users/bob".into(),
            organization: "acme".into(),
            ..Default::default()
        }),
        "CreateToken" => {
            let token_info = Some(v1::Token::default());
            Reply::message(&v1::CreateTokenResponse { token: format!("sper_{HOSTILE}"), token_info })
        }
        _ => Reply::Refused(Status::unimplemented("")),
    });
    let caller = Caller::of(&service);
    let ended = caller.run("token create").expect_failure(1).expect_text(&["a token must be"]);
    assert_eq!(ended.stdout, "");
    expect_harmless(&ended.stderr);
}

#[test]
fn a_credential_with_something_around_it_is_refused() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    for token in ["sper_0\n", "\u{85}sper_0", "sper_0\u{2028}", "sper_0\r", " sper_0"] {
        service.answer_with(move |method| match method {
            "CreateToken" => Reply::message(&v1::CreateTokenResponse { token: token.into(), token_info: None }),
            _ => hostile(method),
        });
        let caller = Caller::of(&service);
        let ended = caller.run("token create").expect_failure(1).expect_text(&["a token must be"]);
        assert_eq!(ended.stdout, "");
        expect_harmless(&ended.stderr);
    }
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let service = HostileService::start(|_| {
        let secrets = vec![v1::Secret { description: "x".repeat(7 << 20), ..secret() }];
        Reply::message(&v1::ListSecretsResponse { secrets, next_page_token: "again".into(), ..Default::default() })
    });
    let caller = Caller::of(&service);
    let ended = caller.run("list --org").expect_failure(1).expect_text(&["longer than any should be"]);
    assert_eq!(ended.stdout, "");
}

#[test]
fn what_was_typed_is_repeated_harmlessly() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    let flag = format!("--{HOSTILE}");
    let flag_with_value = format!("--output={HOSTILE}");
    for words in [
        &[HOSTILE][..],
        &[&flag],
        &[&flag_with_value],
        &["list", HOSTILE],
        &["list", "--project", HOSTILE],
        &["set", HOSTILE],
        &["set", "A", "--mode", HOSTILE, "--file", "/x"],
        &["resolve", HOSTILE],
        &["run", "--only", HOSTILE, "--", "true"],
        &["run", "--", HOSTILE],
        &["materialize", "--dir", "out", "--mode", HOSTILE],
        &["import", HOSTILE, "--org"],
        &["config", "set", "project", HOSTILE],
        &["member", "add", HOSTILE, "--role", HOSTILE],
        &["session", "create", "--ttl", HOSTILE],
        &["audit", "list", "--secret", HOSTILE],
        &["audit", "exposure", "--principal", HOSTILE],
        &["audit", "exposure", "--session", HOSTILE],
        &["--organization", HOSTILE, "list"],
        &["completion", HOSTILE],
    ] {
        let ended = caller.run_words(words);
        assert!(ended.code != 0, "{words:?}: {ended:?}");
        expect_harmless(&ended.stdout);
        expect_harmless(&ended.stderr);
        assert!(!ended.stderr.lines().any(|line| line == "error: no"), "{words:?}: {ended:?}");
    }
}

#[test]
fn what_a_file_says_is_repeated_harmlessly() {
    let service = HostileService::start(|_| Reply::message(&ExplainResponse::default()));
    let caller = Caller::of(&service);
    let path = caller.home().join("secrets.toml");
    for file in [
        "[secrets.A]\ndescription = \"\\u001b[2J\\u202e\\U000E0041\"\n".to_owned(),
        "project = \"\\u001b[2J\"\n".to_owned(),
        "\"\\u001b[2J\" = 1\n".to_owned(),
        "\u{1b}[2J = 1\n".to_owned(),
        "[secrets.\"\\u202e\"]\n".to_owned(),
    ] {
        std::fs::write(&path, file).unwrap();
        for line in ["check", "check -o json", "config list"] {
            let ended = caller.run(line);
            expect_harmless(&ended.stdout);
            expect_harmless(&ended.stderr);
        }
    }
}
