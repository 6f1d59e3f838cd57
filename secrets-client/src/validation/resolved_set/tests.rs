use secrets_proto::v1::target::Kind;

use super::*;
use crate::validation::UnknownValue;

fn variable(name: &str) -> v1::ResolvedSecret {
    v1::ResolvedSecret {
        secret: format!("organizations/acme/secrets/{name}"),
        secret_id: name.into(),
        target: Some(wire::target(&Target::EnvironmentVariable)),
        value: b"canary-4f1d".to_vec(),
        scope: v1::ScopeKind::Organization.into(),
        version: 1,
        redaction: v1::Redaction::Default.into(),
    }
}

fn file(name: &str, path: &str, mode: u32) -> v1::ResolvedSecret {
    let file = v1::FileTarget { path: path.into(), mode };
    v1::ResolvedSecret { target: Some(v1::Target { kind: Some(Kind::File(file)) }), ..variable(name) }
}

fn registry(name: &str, host: &str, username: &str) -> v1::ResolvedSecret {
    let registry = v1::RegistryTarget { host: host.into(), username: username.into() };
    v1::ResolvedSecret { target: Some(v1::Target { kind: Some(Kind::Registry(registry)) }), ..variable(name) }
}

fn api_only(name: &str) -> v1::ResolvedSecret {
    v1::ResolvedSecret { target: Some(wire::target(&Target::ApiOnly)), ..variable(name) }
}

fn answer(secrets: Vec<v1::ResolvedSecret>) -> v1::ResolveResponse {
    v1::ResolveResponse {
        secrets,
        etag: "e".into(),
        revision: "1.a".into(),
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        ..Default::default()
    }
}

fn asked(secret_ids: &[&str], required: &[&str], kinds: &[v1::TargetKind]) -> Question {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let request = v1::ResolveRequest {
        secret_ids: owned(secret_ids),
        required_secret_ids: owned(required),
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        ..Default::default()
    };
    Question::from(&request)
}

fn refused(answer: v1::ResolveResponse, question: &Question) -> String {
    let error = ResolvedSet::check(answer, question).expect_err("it was accepted").to_string();
    assert!(!error.contains("canary") && !error.contains('\u{1b}'), "{error}");
    error
}

#[test]
fn accepts_what_the_service_sends_and_gives_it_back() {
    let mut sent = answer(vec![
        variable("A"),
        file("B", "~/.ssh/key", 0o400),
        file("C", "/run/c", 0),
        registry("D", "ghcr.io", "bob"),
        api_only("E"),
    ]);
    let set = ResolvedSet::check(sent.clone(), &asked(&[], &["E", "A"], &[])).unwrap();
    assert_eq!(set.secrets[2].target, Target::File { path: "/run/c".parse().unwrap(), mode: Default::default() });
    assert_eq!(set.secret("A").unwrap().expose(), b"canary-4f1d");
    let Some(v1::Target { kind: Some(Kind::File(file)) }) = &mut sent.secrets[2].target else { panic!("a file") };
    file.mode = 0o600;
    assert_eq!(set.to_response(), sent);
    assert!(ResolvedSet::check(set.to_response(), &asked(&[], &["E"], &[])).is_ok());
}

#[test]
fn prints_no_value() {
    let set = ResolvedSet::check(answer(vec![variable("A")]), &Question::default()).unwrap();
    let printed = format!("{set:?}");
    assert!(!printed.contains("canary") && !printed.contains("99, 97, 110"), "{printed}");
}

#[test]
fn refuses_a_secret_that_breaks_a_rule_and_names_it() {
    let changed = |change: fn(&mut v1::ResolvedSecret)| {
        let mut secret = variable("A");
        change(&mut secret);
        secret
    };
    let cases = [
        (changed(|secret| secret.secret_id = "A\nB".into()), "secret name: invalid character U+000A"),
        (changed(|secret| secret.secret_id = "$(touch x)".into()), "secret name: invalid character `$`"),
        (changed(|secret| secret.secret_id = String::new()), "secret name: names must not be empty"),
        (changed(|secret| secret.version = 0), "`A`: version must be at least 1"),
        (changed(|secret| secret.target = None), "`A`: target must be set"),
        (changed(|secret| secret.scope = 0), "`A`: kind of scope must be"),
        (changed(|secret| secret.scope = 2), "`A`: kind of scope must be"),
        (changed(|secret| secret.secret = "organizations/acme/secrets/B".into()), "`A`: resource path must end in"),
        (changed(|secret| secret.secret = "\u{1b}[2J".into()), "`A`: resource path: expected"),
        (changed(|secret| secret.secret = "organizations/x/secrets/A".into()), "`A`: scope must be one of"),
        (changed(|secret| secret.value.clear()), "`A`: value must not be empty"),
        (changed(|secret| secret.value = vec![b'x'; 65_537]), "`A`: value must be at most 65536 bytes"),
        (changed(|secret| secret.value = b"canary\0".to_vec()), "`A`: value of an environment variable"),
        (variable("LD_PRELOAD"), "`LD_PRELOAD` is reserved"),
        (variable("Path"), "`Path` is reserved"),
        (file("A", "/etc/../x", 0o600), "`A`: path must not contain `..`"),
        (file("A", "relative", 0o600), "`A`: path must start with"),
        (file("A", "~/.bashrc", 0o600), "`A`: path is reserved by `~/.bashrc`"),
        (file("A", "/run/a\n", 0o600), "`A`: invalid character U+000A"),
        (file("A", "/run/a", 0o602), "`A`: mode `0602` lets everybody write"),
        (file("A", "/run/a", 0o4755), "`A`: mode `4755` must have no bits outside"),
        (registry("A", "https://ghcr.io/x", "bob"), "`A`: registry must be a host alone"),
        (registry("A", "ghcr.io", "bob:x"), "`A`: invalid character `:` in registry user name"),
        (api_only("A"), "`A`: api only was not asked for"),
    ];
    for (secret, rule) in cases {
        let error = refused(answer(vec![variable("FIRST"), secret]), &Question::default());
        assert!(error.contains(rule), "{rule}: {error}");
    }
}

#[test]
fn refuses_an_answer_that_breaks_a_rule_and_names_it() {
    let changed = |change: fn(&mut v1::ResolveResponse)| {
        let mut answer = answer(vec![variable("A")]);
        change(&mut answer);
        answer
    };
    let cases = [
        (changed(|answer| answer.etag.clear()), "etag must be 1 to 256 visible"),
        (changed(|answer| answer.revision = "\u{1b}[2J".into()), "revision must be"),
        (changed(|answer| answer.context = None), "context must be set"),
        (changed(|answer| answer.not_modified = true), "not_modified must answer"),
        (changed(|answer| answer.environment_bytes = -1), "environment_bytes must not"),
        (changed(|answer| answer.secrets = vec![variable("A"), variable("A")]), "`A` must be there once"),
        (
            changed(|answer| answer.secrets = vec![file("A", "/k", 0), file("B", "/k", 0o400)]),
            "`A` and `B` must not have the same target",
        ),
        (
            changed(|answer| answer.secrets = (0..=MAX_SECRETS).map(|at| variable(&format!("A{at}"))).collect()),
            "at most 4000 secrets (got 4001)",
        ),
        (
            changed(|answer| {
                answer.next_change_time = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
            }),
            "next_change_time must be",
        ),
    ];
    for (answer, rule) in cases {
        let error = refused(answer, &Question::default());
        assert!(error.contains(rule), "{rule}: {error}");
    }
}

#[test]
fn refuses_what_was_not_asked_for_and_what_is_missing() {
    let of = |names: &[&str]| answer(names.iter().map(|name| variable(name)).collect());
    assert_eq!(refused(of(&["B"]), &asked(&["A"], &[], &[])), "`B` was not asked for");
    assert_eq!(refused(of(&["A"]), &asked(&["A"], &["A", "B"], &[])), "`B` must be there");
    assert!(ResolvedSet::check(of(&["A", "B"]), &asked(&["A"], &["B"], &[])).is_ok());
    let error = refused(of(&["A"]), &asked(&[], &[], &[v1::TargetKind::File]));
    assert_eq!(error, "`A`: environment variable was not asked for");
}

#[test]
fn takes_no_answer_for_one_that_the_caller_does_not_have() {
    let unchanged = v1::ResolveResponse { not_modified: true, ..answer(Vec::new()) };
    refused(unchanged.clone(), &asked(&[], &[], &[]));
    let request =
        v1::ResolveRequest { if_none_match: "e".into(), required_secret_ids: vec!["A".into()], ..Default::default() };
    assert!(ResolvedSet::check(unchanged, &Question::from(&request)).unwrap().not_modified);
}

#[test]
fn leaves_out_what_it_does_not_know_unless_it_was_asked_for_by_name() {
    let of = |change: fn(&mut v1::ResolvedSecret)| {
        let mut secret = variable("A");
        change(&mut secret);
        answer(vec![secret, variable("B")])
    };
    let cases = [
        (of(|secret| secret.target = Some(v1::Target { kind: None })), UnknownValue::TargetKind),
        (of(|secret| secret.scope = 9), UnknownValue::ScopeKind),
        (of(|secret| secret.redaction = 9), UnknownValue::Redaction),
    ];
    for (answer, unknown) in cases {
        let set = ResolvedSet::check(answer.clone(), &Question::default()).unwrap();
        let secret_id = SecretId::parse("A", Default::default()).unwrap();
        assert_eq!(set.left_out, [LeftOut { secret_id, unknown }]);
        assert_eq!(set.secrets.len(), 1);
        let error = refused(answer, &asked(&["A", "B"], &[], &[]));
        assert!(error.contains(&format!("does not know its {unknown}")), "{error}");
    }
}
