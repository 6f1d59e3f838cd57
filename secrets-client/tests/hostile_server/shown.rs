//! What is shown of a hostile service's texts: never as it came.

use prost_types::Timestamp;
use secrets_client::v1::{self, ExplainResponse};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::answers::{answer, variable};
use super::caller::{Caller, expect_harmless};
use crate::support::{HostileService, Reply};

/// Colours, a title, C1, a right-to-left override, a carriage return and the word "hi" in tags.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{2066}\rtext\u{e0068}\u{e0069}\u{7f}\nerror: no";

fn text() -> String {
    HOSTILE.to_owned()
}

/// A time that no clock counts to.
const fn never() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MAX, nanos: i32::MIN })
}

const fn always() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MIN, nanos: i32::MAX })
}

fn who_am_i() -> v1::WhoAmIResponse {
    v1::WhoAmIResponse {
        expire_time: never(),
        server_time: always(),
        principal: text(),
        organization: text(),
        credential: text(),
        server_version: text(),
        bindings: vec![binding()],
        recovery_codes: Some(v1::RecoveryCodes { remaining: i32::MIN, create_time: never(), creator: text() }),
        resolvers: vec![binding()],
        admin_invitations: vec![v1::AdminInvitation {
            name: text(),
            user: text(),
            create_time: never(),
            start_time: never(),
            expire_time: always(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn binding() -> v1::Binding {
    v1::Binding { name: text(), resource: text(), principal: text(), creator: text(), ..Default::default() }
}

fn secret() -> v1::Secret {
    v1::Secret {
        name: text(),
        uid: text(),
        secret_id: text(),
        target: Some(v1::Target {
            kind: Some(v1::target::Kind::File(v1::FileTarget { path: text(), mode: u32::MAX })),
        }),
        description: text(),
        labels: [(text(), text())].into(),
        group: text(),
        etag: text(),
        creator: text(),
        updater: text(),
        masked_value: text(),
        shadowed_by: text(),
        create_time: never(),
        update_time: always(),
        visibility: Some(v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: vec![text()],
            workspaces: vec![text()],
        }),
        ..Default::default()
    }
}

fn explanation() -> ExplainResponse {
    let explained = v1::ExplainedSecret {
        secret: text(),
        target: secret().target,
        description: text(),
        group: text(),
        ..Default::default()
    };
    let other = v1::NotChosen { secret: Some(explained.clone()), reason: 99, blocked_by: text() };
    let row =
        |secret_id| v1::Explanation { secret_id, winner: Some(explained.clone()), not_chosen: vec![other.clone()] };
    ExplainResponse { explanations: vec![row(text()), row("A".into())], revision: text(), ..Default::default() }
}

fn warnings() -> Vec<v1::Warning> {
    vec![v1::Warning { code: 99, secret_id: text(), message: text() }; 50]
}

/// An answer of each method that a command below calls.
fn hostile(method: &str) -> Reply {
    let session = || v1::Session {
        name: text(),
        display_name: text(),
        external_id: text(),
        creator: text(),
        context: Some(v1::Context { organization: text(), project: text(), workspace: text(), user: text() }),
        ..Default::default()
    };
    let event = || v1::AuditEvent {
        uid: text(),
        principal: text(),
        action: text(),
        resource: text(),
        reason: text(),
        peer: text(),
        request_id: text(),
        delivered: vec![v1::DeliveredSecret { secret: text(), uid: text(), version: 1 }],
        ..Default::default()
    };
    match method {
        "WhoAmI" => Reply::message(&who_am_i()),
        "ListSecrets" => Reply::message(&v1::ListSecretsResponse { secrets: vec![secret()], ..Default::default() }),
        "GetSecret" => Reply::message(&v1::GetSecretResponse { secret: Some(secret()) }),
        "UpdateSecret" => {
            Reply::message(&v1::UpdateSecretResponse { secret: Some(secret()), warnings: warnings(), revision: text() })
        }
        "DeleteSecret" => Reply::message(&v1::DeleteSecretResponse { secret: Some(secret()), revision: text() }),
        "Explain" => Reply::message(&explanation()),
        "Resolve" => Reply::message(&v1::ResolveResponse { warnings: warnings(), ..answer(vec![variable("A")]) }),
        "ListSecretVersions" => {
            let version = v1::SecretVersion {
                version: 1,
                target: secret().target,
                creator: text(),
                masked_value: text(),
                ..Default::default()
            };
            Reply::message(&v1::ListSecretVersionsResponse { versions: vec![version], ..Default::default() })
        }
        "ImportSecrets" => {
            let entry = v1::ImportedEntry {
                secret_id: text(),
                reason: text(),
                suggested_secret_id: text(),
                outcome: 99,
                ..Default::default()
            };
            Reply::message(&v1::ImportSecretsResponse {
                entries: vec![entry],
                warnings: warnings(),
                ..Default::default()
            })
        }
        "ListOrganizations" => {
            let organization =
                v1::Organization { name: text(), organization_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListOrganizationsResponse { organizations: vec![organization], ..Default::default() })
        }
        "ListProjects" => {
            let project = v1::Project { name: text(), project_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListProjectsResponse { projects: vec![project], ..Default::default() })
        }
        "ListWorkspaces" => {
            let workspace = v1::Workspace {
                name: text(),
                workspace_id: text(),
                project: text(),
                owner: text(),
                display_name: text(),
                ..Default::default()
            };
            Reply::message(&v1::ListWorkspacesResponse { workspaces: vec![workspace], ..Default::default() })
        }
        "ListUsers" => {
            let user = v1::User { name: text(), user_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListUsersResponse { users: vec![user], ..Default::default() })
        }
        "ListServiceAccounts" => {
            let account = v1::ServiceAccount {
                name: text(),
                service_account_id: text(),
                display_name: text(),
                ..Default::default()
            };
            let service_accounts = vec![account];
            Reply::message(&v1::ListServiceAccountsResponse { service_accounts, ..Default::default() })
        }
        "ListBindings" => Reply::message(&v1::ListBindingsResponse { bindings: vec![binding()], ..Default::default() }),
        "ListTokens" => {
            let token = v1::Token { name: text(), principal: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListTokensResponse { tokens: vec![token], ..Default::default() })
        }
        "ListSessions" => Reply::message(&v1::ListSessionsResponse { sessions: vec![session()], ..Default::default() }),
        "ListAuditEvents" => {
            Reply::message(&v1::ListAuditEventsResponse { events: vec![event()], ..Default::default() })
        }
        other => Reply::Refused(Status::unimplemented(other)),
    }
}

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
    "explain",
    "explain A",
    "check A",
    "resolve",
    "import - --org --yes",
    "import - --org --dry-run",
    "org list",
    "project list",
    "workspace list",
    "user list",
    "service-account list",
    "member list",
    "token list",
    "session list",
    "audit list",
    "doctor",
    "run -- true",
];

#[test]
fn nothing_of_an_answer_reaches_a_terminal_as_it_came() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    for line in COMMANDS {
        for line in [(*line).to_owned(), format!("-o json {line}")] {
            let ended = caller.run_with_stdin(b"A=b\n", &line);
            expect_harmless(&ended.stdout);
            expect_harmless(&ended.stderr);
            // A line of its own is what the service's second line would have looked like.
            let lines = ended.stdout.lines().chain(ended.stderr.lines());
            assert!(lines.into_iter().all(|shown| shown != "error: no"), "{line}: {ended:?}");
            let is_shown = ended.stdout.contains("owned") || ended.stderr.contains("owned");
            assert!(is_shown || ended.code == 0, "{line}: {ended:?}");
        }
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
