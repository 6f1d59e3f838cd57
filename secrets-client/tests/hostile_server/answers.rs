//! Answers of Resolve: one that breaks no rule, and one for each way to break one.

use secrets_client::v1::target::Kind;
use secrets_client::v1::{self, ResolveResponse, ResolvedSecret, ScopeKind};

/// What is never printed.
pub(crate) const VALUE: &str = "canary-7f1c";

/// A malformed answer, and what names the rule that it breaks.
pub(crate) struct Malformed {
    pub(crate) answer: ResolveResponse,
    pub(crate) rule: &'static str,
}

pub(crate) fn variable(name: &str) -> ResolvedSecret {
    ResolvedSecret {
        secret: format!("organizations/acme/secrets/{name}"),
        secret_id: name.into(),
        target: target(Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {})),
        value: VALUE.into(),
        scope: ScopeKind::Organization.into(),
        version: 1,
        redaction: v1::Redaction::Default.into(),
    }
}

pub(crate) fn file(name: &str, path: &str, mode: u32) -> ResolvedSecret {
    ResolvedSecret { target: target(Kind::File(v1::FileTarget { path: path.into(), mode })), ..variable(name) }
}

pub(crate) fn registry(name: &str, host: &str, username: &str) -> ResolvedSecret {
    let registry = v1::RegistryTarget { host: host.into(), username: username.into() };
    ResolvedSecret { target: target(Kind::Registry(registry)), ..variable(name) }
}

fn target(kind: Kind) -> Option<v1::Target> {
    Some(v1::Target { kind: Some(kind) })
}

/// An answer that breaks no rule, as far as its secrets do not.
pub(crate) fn answer(secrets: Vec<ResolvedSecret>) -> ResolveResponse {
    ResolveResponse {
        secrets,
        etag: "etag".into(),
        revision: "7.c0ffee".into(),
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        ..Default::default()
    }
}

/// Every way to break a rule, in an answer that otherwise has what was asked for: `A`, a variable.
pub(crate) fn malformed() -> Vec<Malformed> {
    let beside = |secret: ResolvedSecret, rule| Malformed { answer: answer(vec![variable("A"), secret]), rule };
    let changed = |change: fn(&mut ResolvedSecret), rule| {
        let mut secret = variable("B");
        change(&mut secret);
        beside(secret, rule)
    };
    let whole = |change: fn(&mut ResolveResponse), rule| {
        let mut answer = answer(vec![variable("A")]);
        change(&mut answer);
        Malformed { answer, rule }
    };
    vec![
        beside(variable("LD_PRELOAD"), "`LD_PRELOAD` is reserved"),
        beside(variable("BASH_ENV"), "`BASH_ENV` is reserved"),
        beside(variable("PATH"), "`PATH` is reserved"),
        beside(variable("path"), "`path` is reserved"),
        beside(variable("SECRETS_TOKEN"), "`SECRETS_TOKEN` is reserved"),
        beside(variable("$(touch x)"), "secret name: invalid character `$`"),
        beside(variable("B;touch${IFS}x"), "secret name: invalid character `;`"),
        beside(variable("B=1\nLD_PRELOAD"), "secret name: invalid character `=`"),
        beside(variable("B\nLD_PRELOAD"), "secret name: invalid character U+000A"),
        beside(variable("\u{1b}]0;owned\u{7}"), "secret name: invalid character U+001B"),
        beside(variable("B\u{202e}"), "secret name: invalid character U+202E"),
        beside(variable("B\u{e0041}"), "secret name: invalid character U+E0041"),
        beside(variable("../B"), "secret name: invalid character"),
        beside(variable("..data"), "secret name: invalid character"),
        beside(variable(""), "secret name: names must not be empty"),
        beside(variable(&"B".repeat(128)), "secret name: names must be at most 127 bytes"),
        beside(variable("A"), "`A` must be there once"),
        changed(|secret| secret.secret = "organizations/acme/secrets/C".into(), "`B`: resource path must end in"),
        changed(|secret| secret.secret = "organizations/other/secrets/B".into(), "`B`: scope must be one of"),
        changed(|secret| secret.secret = "organizations/acme/projects/api/secrets/B".into(), "`B`: kind of scope"),
        changed(|secret| secret.secret = "\u{1b}[2J".into(), "`B`: resource path: expected"),
        changed(|secret| secret.scope = ScopeKind::User.into(), "`B`: kind of scope"),
        changed(|secret| secret.scope = 0, "`B`: kind of scope"),
        changed(|secret| secret.version = 0, "`B`: version must be at least 1"),
        changed(|secret| secret.target = None, "`B`: target must be set"),
        changed(|secret| secret.value.clear(), "`B`: value must not be empty"),
        changed(|secret| secret.value = vec![b'x'; 65_537], "`B`: value must be at most 65536 bytes"),
        changed(|secret| secret.value = b"a\0b".to_vec(), "`B`: value of an environment variable must not"),
        changed(|secret| secret.value = vec![0xff], "`B`: value of an environment variable must be UTF-8"),
        beside(file("B", "~/../../etc/x", 0o600), "`B`: path must not contain `..`"),
        beside(file("B", "/srv/../etc/x", 0o600), "`B`: path must not contain `..`"),
        beside(file("B", "relative", 0o600), "`B`: path must start with"),
        beside(file("B", "/srv//x", 0o600), "`B`: path must not contain"),
        beside(file("B", "/srv/\u{1b}[2J", 0o600), "`B`: invalid character U+001B"),
        beside(file("B", "~/.bashrc", 0o600), "`B`: path is reserved by `~/.bashrc`"),
        beside(file("B", "~/.ssh/authorized_keys", 0o600), "`B`: path is reserved"),
        beside(file("B", "/etc/ld.so.preload", 0o600), "`B`: path is reserved"),
        beside(file("B", "/proc/self/mem", 0o600), "`B`: path is reserved"),
        beside(file("B", "~/b", 0o666), "`B`: mode `0666` lets everybody write"),
        beside(file("B", "~/b", 0o4755), "`B`: mode `4755` must have no bits outside"),
        beside(file("B", "~/b", u32::MAX), "`B`: mode"),
        beside(registry("B", "https://ghcr.io/x", "bob"), "`B`: registry must be a host alone"),
        beside(registry("B", "ghcr.io\n", "bob"), "`B`: registry host must be a DNS name"),
        beside(registry("B", "", "bob"), "`B`: registry host must not be empty"),
        beside(registry("B", "ghcr.io", "bob:x"), "`B`: invalid character `:` in registry user name"),
        beside(registry("B", "ghcr.io", "\u{1b}[2J"), "`B`: invalid character U+001B"),
        beside(
            ResolvedSecret { target: target(Kind::ApiOnly(v1::ApiOnlyTarget {})), ..variable("B") },
            "`B`: api only was not asked for",
        ),
        Malformed {
            answer: answer(vec![variable("A"), file("B", "~/b", 0o600), file("C", "~/b", 0o600)]),
            rule: "`B` and `C` must not have the same target",
        },
        Malformed {
            answer: answer((0..4_001).map(|at| variable(&format!("A{at}"))).collect()),
            rule: "at most 4000 secrets (got 4001)",
        },
        whole(|answer| answer.context = None, "context must be set"),
        whole(
            |answer| answer.context.as_mut().unwrap().organization = "other".into(),
            "context must be the one that was asked for",
        ),
        whole(|answer| answer.context.as_mut().unwrap().workspace = "ws1".into(), "context must be the one"),
        whole(|answer| answer.context.as_mut().unwrap().project = "\u{1b}[2J".into(), "context: invalid character"),
        whole(|answer| answer.etag.clear(), "etag must be"),
        whole(|answer| answer.etag = "x".repeat(257), "etag must be"),
        whole(|answer| answer.revision = "\u{1b}[2J".into(), "revision must be"),
        whole(|answer| answer.environment_bytes = -1, "environment_bytes must not"),
        whole(
            |answer| answer.next_change_time = Some(prost_types::Timestamp { seconds: i64::MIN, nanos: -1 }),
            "next_change_time must be",
        ),
        whole(
            |answer| {
                answer.not_modified = true;
                answer.secrets.clear();
            },
            "not_modified must answer",
        ),
    ]
}
