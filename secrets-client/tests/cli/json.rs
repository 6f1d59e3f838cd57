//! What scripts depend on: the shapes that the README tells.

use serde_json::Value;

use crate::support::TestServer;

/// The names of an object's members.
fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value:#}")).keys().map(String::as_str).collect()
}

#[track_caller]
fn has(value: &Value, names: &[&str]) {
    for name in names {
        assert!(members(value).contains(name), "no {name}: {value:#}");
    }
}

#[test]
fn each_command_prints_what_is_documented() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let json = |line: &str| ann.run_ok(&format!("{line} --output json")).json();

    let changed = ["secret", "revision", "warnings"];
    has(&ann.run_with_stdin(b"a-value", "set A --output json").expect_success("set").json(), &changed);
    has(&ann.run_with_stdin(b"another-value", "edit A -o json").expect_success("edit").json(), &changed);
    has(&json("rollback A --to 1"), &changed);
    has(&json("rm A --yes"), &changed);
    has(&json("undelete A"), &changed);
    std::fs::write(ann.home.join(".env"), "B=b-value\n").unwrap();
    let imported = json("import .env --yes");
    has(&imported, &["entries", "applied", "created", "updated", "revision", "warnings"]);
    has(&imported["entries"][0], &["line", "secret_id", "outcome", "reason"]);

    let secret = json("show A");
    has(&secret, &["name", "secret_id", "scope", "target", "description", "current_version", "etag", "expire_time"]);
    assert!(secret["scope"] == "USER" && secret["expire_time"].is_null(), "{secret:#}");
    assert_eq!(json("list")[0], secret);
    assert_eq!(json("list --org"), Value::Array(Vec::new()));
    has(&json("history A")[0], &["version", "current", "create_time", "creator", "masked_value"]);
    has(&json("project list")[0], &["name", "project_id", "display_name"]);
    has(&json("audit list")[0], &["event_time", "principal", "action", "resource", "outcome", "delivered"]);
    let exposure = json("audit exposure --principal ann");
    has(&exposure, &["secrets", "replaced", "inactive", "deleted", "complete_since", "sessions_complete_since"]);
    has(&exposure, &["copies_incomplete", "is_complete"]);
    let explained = json("explain");
    has(&explained, &["explanations", "context", "revision"]);
    has(&explained["explanations"][0], &["secret_id", "winner", "not_chosen"]);
    has(&json("whoami"), &["principal", "kind", "organization", "bindings", "expire_time", "server_version"]);

    has(&json("user invite carl"), &["user", "code", "expire_time"]);
    has(&json("token create"), &["name", "token", "expire_time"]);
    has(&json("session create"), &["name", "token", "context", "expire_time"]);
    has(&json("member add bob --project api"), &["principal", "role", "resource"]);
    has(&json("check A"), &["context", "secrets"]);
    has(&json("resolve"), &["secrets", "context", "etag", "revision", "next_change_time"]);
    has(&json("resolve")["secrets"][0], &["secret", "secret_id", "scope", "target", "version", "masked_value"]);
    assert_eq!(json("resolve --show-values")["secrets"][0]["value"], "a-value");
    for line in ["resolve --format json -o json", "resolve A --raw -o json"] {
        ann.run(line).expect_failure(2).expect_text(&["--output json"]);
    }
    assert_eq!(json("wait A")["secret_ids"][0], "A");
    assert_eq!(json("config set project api")["project"], "api");
    assert!(json("config unset project")["project"].is_null());
    assert!(json("config path")["path"].as_str().unwrap().ends_with("/secrets/config.toml"));
    has(&json("materialize --dir delivered"), &["dir", "etag", "files"]);
    let session = json("session list")[0]["name"].as_str().unwrap().to_owned();
    assert_eq!(json(&format!("session revoke {session} --yes"))["revoked_sessions"], 1);
    json("token create");
    let token = json("token list")[0]["name"].as_str().unwrap().to_owned();
    let ended = json(&format!("token revoke {token} --yes"));
    has(&ended, &["name", "revoked_sessions", "revoked_tokens", "revoked_invitations"]);
    has(&ended, &["service_tokens", "moved_sessions", "moved_to"]);
    let profiles = json("profile list");
    has(&profiles[0], &["profile", "endpoint", "signed_in_at", "principal", "organization", "in_use"]);
    assert_eq!(json("profile use default")["profile"], "default");
    let report = json("doctor");
    has(&report, &["client_version", "checks"]);
    has(&report["checks"][0], &["check", "state", "finding", "remedy"]);
    has(&json("logout"), &["revoked", "revoked_sessions", "moved_sessions"]);
    has(&json("profile remove default --yes"), &["revoked", "revoked_sessions", "moved_sessions"]);
}

#[test]
fn an_error_is_text_and_a_code_in_json_too() {
    let server = TestServer::acme();
    let ended = server.person("ann").run("show NOPE --output json").expect_failure(3);
    assert_eq!(ended.stdout, "");
}
