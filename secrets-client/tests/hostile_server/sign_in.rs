//! Signing in at a hostile service: what it says is shown harmlessly, and nothing that it says is kept that breaks a rule.

use secrets_client::v1;

use super::caller::{Caller, expect_harmless};
use super::shown::expect_shown_harmlessly;
use super::texts::{HOSTILE, hostile};
use crate::support::{HostileService, Reply, TestTerminal};

/// What somebody enters: a token, and a code of each kind.
const ENTERED: &[&str] = &["sper_00000000", "sinv_00000000", "slgn_00000000", "srec_00000000"];

/// An answer that is hostile, but for who calls and whose a token is.
fn somebody(method: &str, principal: &str, organization: &str) -> Reply {
    let token_info = || Some(v1::Token { principal: principal.into(), ..Default::default() });
    let token = || "sper_00000000".to_owned();
    match method {
        "WhoAmI" => Reply::message(&v1::WhoAmIResponse {
            principal: principal.into(),
            organization: organization.into(),
            ..Default::default()
        }),
        "RedeemInvitation" => Reply::message(&v1::RedeemInvitationResponse {
            token: token(),
            token_info: token_info(),
            ..Default::default()
        }),
        "RedeemRecoveryCode" => Reply::message(&v1::RedeemRecoveryCodeResponse {
            token: token(),
            token_info: token_info(),
            ..Default::default()
        }),
        "RedeemSignInCode" => Reply::message(&v1::RedeemSignInCodeResponse {
            token: token(),
            token_info: token_info(),
            ..Default::default()
        }),
        "CreateToken" => Reply::message(&v1::CreateTokenResponse { token: token(), token_info: token_info() }),
        other => hostile(other),
    }
}

/// What a login has written, if it has.
fn kept(caller: &Caller) -> Option<String> {
    std::fs::read_to_string(caller.home().join(".config/secrets/config.toml")).ok()
}

#[test]
fn nothing_of_a_sign_in_reaches_a_terminal_as_it_came() {
    let service = HostileService::start(hostile);
    for format in ["", "-o json "] {
        let caller = Caller::of(&service);
        for (line, entered) in [
            ("login", "sper_00000000"),
            ("login", "sinv_00000000"),
            ("login --invite -", "sinv_00000000"),
            ("login", "slgn_00000000"),
            ("login --recovery", "srec_00000000"),
            ("login --renew", ""),
            ("login --renew --invite -", "sinv_00000000"),
            ("logout", ""),
        ] {
            let line = format!("{format}{line}");
            let ended = caller.run_with_stdin(entered.as_bytes(), &line).expect_success(&line);
            expect_shown_harmlessly(&line, &ended);
        }
    }
}

#[test]
fn nothing_of_a_code_for_a_person_reaches_a_terminal_as_it_came() {
    let service = HostileService::start(hostile);
    let caller = Caller::of(&service);
    for line in [
        "login --another-machine",
        "-o json login --another-machine",
        "login --recovery-codes",
        "-o json login --recovery-codes",
    ] {
        let terminal = TestTerminal::start(caller.command(line).env("NO_COLOR", "1"));
        let (code, shown) = terminal.wait_for_exit();
        assert_eq!(code, Some(0), "{line}: {shown:?}");
        // The terminal itself ends a line in two characters.
        expect_harmless(&shown.replace("\r\n", "\n"));
        assert!(line.contains("codes") || shown.contains("owned"), "{line}: {shown:?}");
    }
}

#[test]
fn a_login_keeps_nobody_whose_name_breaks_a_rule() {
    let long = format!("organizations/{}/users/bob", "a".repeat(1 << 20));
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    for (principal, rule) in [
        ("organizations/Bad Org/users/bob", "principal: invalid "),
        ("organizations/../users/bob", "principal: "),
        ("organizations/acme\u{1b}[2J/users/bob", "principal: invalid character U+001B"),
        ("organizations/acme/users/bob\u{202e}", "principal: invalid character U+202E"),
        ("organizations//users/bob", "principal: resource name must not"),
        ("organizations/acme", "principal: expected"),
        ("bob", "principal: expected"),
        ("", "principal: resource name must not be empty"),
        (HOSTILE, "principal: expected"),
        (long.as_str(), "principal: resource name must be at most"),
    ] {
        let name = principal.to_owned();
        service.answer_with(move |method| somebody(method, &name, "acme"));
        for entered in ENTERED {
            let caller = Caller::of(&service);
            let ended = caller.run_with_stdin(entered.as_bytes(), "login").expect_failure(1);
            assert!(ended.stderr.contains(rule), "{rule}: {entered}: {ended:?}");
            assert_eq!((ended.stdout.as_str(), kept(&caller)), ("", None), "{entered}");
            expect_harmless(&ended.stderr);
            caller.run("config list").expect_success("the next command");
        }
    }
}

#[test]
fn a_login_keeps_no_organization_that_is_not_its_principals() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    for (principal, organization, rule) in [
        ("organizations/acme/users/bob", "other", "organization must be that of the principal"),
        ("organizations/acme/users/bob", "", "organization must be that of the principal"),
        ("operator", "acme", "organization must be that of the principal"),
        ("serviceAccounts/sandboxd", "acme", "organization must be that of the principal"),
        ("organizations/acme/users/bob", "Bad Org", "organization: invalid character"),
    ] {
        service.answer_with(move |method| somebody(method, principal, organization));
        let caller = Caller::of(&service);
        let ended = caller.run_with_stdin(b"sper_00000000", "login").expect_failure(1);
        assert!(ended.stderr.contains(rule), "{ended:?}");
        assert_eq!(kept(&caller), None);
    }
}

#[test]
fn a_renewed_token_of_nobody_leaves_the_stored_one() {
    let service = HostileService::start(|method| somebody(method, "operator", ""));
    let caller = Caller::of(&service);
    caller.run_with_stdin(b"sper_00000000", "login").expect_success("login");
    let before = kept(&caller).unwrap();
    service.answer_with(|method| match method {
        "WhoAmI" => somebody(method, "operator", ""),
        _ => somebody(method, "organizations/Bad Org/users/bob", ""),
    });
    let ended = caller.run("login --renew").expect_failure(1);
    assert!(ended.stderr.contains("principal: invalid "), "{ended:?}");
    assert_eq!(kept(&caller), Some(before));
}

#[test]
fn every_kind_of_principal_can_sign_in() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    for (principal, organization) in [
        ("operator", ""),
        ("serviceAccounts/sandboxd", ""),
        ("organizations/acme/serviceAccounts/ci", "acme"),
        ("organizations/acme/users/bob@example.com", "acme"),
        ("organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "acme"),
    ] {
        service.answer_with(move |method| somebody(method, principal, organization));
        let caller = Caller::of(&service);
        caller.run_with_stdin(b"sper_00000000", "login").expect_success(principal);
        let kept = kept(&caller).unwrap();
        assert!(kept.contains(&format!("principal = \"{principal}\"")), "{kept}");
        assert_eq!(kept.contains("organization = \"acme\""), organization == "acme", "{kept}");
    }
}

#[test]
fn a_kind_of_principal_that_this_version_does_not_know_is_not_kept() {
    let service = HostileService::start(|_| {
        Reply::message(&v1::WhoAmIResponse {
            principal: HOSTILE.into(),
            kind: 99,
            organization: "acme".into(),
            ..Default::default()
        })
    });
    let caller = Caller::of(&service);
    let ended = caller.run_with_stdin(b"sper_00000000", "login").expect_success("login");
    expect_harmless(&ended.stdout);
    let ended = ended.expect_text(&["a principal of a kind that this version does not know, organization acme"]);
    assert!(!ended.stdout.contains("owned"), "{ended:?}");
    assert!(!kept(&caller).unwrap().contains("principal"));
}
