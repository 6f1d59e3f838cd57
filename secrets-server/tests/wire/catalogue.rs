//! The errors and warnings of the API, brought about by calls and kept as one file to read from top to bottom:
//! `tests/snapshots/errors.snap`. To add a rule, add a call that breaks it.
//!
//! After a change of a sentence, `INSTA_UPDATE=always cargo test -p secrets-server --test wire catalogue` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::Location;
use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::consistency::Requirement;
use secrets_proto::v1::import_secrets_request::Source;
use secrets_proto::v1::target::Kind;
use tonic::Status;

use super::secrets::{ACME, API, BOB, WS1, bytes, creation, file, mask, registry, selected, text};
use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::organization::TestOrganization;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

/// The reasons that no call of this test brings about, and why not.
const ABSENT: &[(&str, &str)] = &[
    ("CONFLICT", "needs two writers at the same moment; tested in wire/shared_commit.rs and store/transaction.rs"),
    ("STORAGE_UNAVAILABLE", "needs a database that is gone; tested in faults/database_gone.rs"),
    ("SHUTTING_DOWN", "needs a server that stops; tested in wire/watch/end.rs"),
    ("RATE_LIMITED", "needs many calls within a minute; tested in abuse/code_attempts.rs"),
    ("UNIMPLEMENTED", "needs another client than the generated one; tested in abuse/body.rs"),
    ("INTERNAL", "is an error of the service: no call brings it about"),
];

#[derive(Default)]
struct Catalogue {
    lines: BTreeSet<String>,
    reasons: BTreeSet<String>,
    warnings: BTreeSet<v1::WarningCode>,
    /// The lines of calls that were to be refused and were not.
    accepted: Vec<u32>,
}

impl Catalogue {
    #[track_caller]
    fn refused<T: Debug>(&mut self, result: Result<T, Status>) {
        if result.is_ok() {
            self.accepted.push(Location::caller().line());
            return;
        }
        let refused = refusal(result);
        self.lines.insert(format!("{:?} {} {}", refused.code, refused.reason, refused.message));
        self.reasons.insert(refused.reason);
    }

    fn warned(&mut self, warnings: &[v1::Warning]) {
        for warning in warnings {
            self.lines.insert(format!("Warning {} {}", warning.code().as_str_name(), warning.message));
            self.warnings.insert(warning.code());
        }
    }

    /// The lines, sorted, with what differs from run to run left out.
    fn text(&self) -> String {
        let settled = |line: &String| line.split(' ').map(settle).collect::<Vec<_>>().join(" ");
        let mut lines: Vec<_> = self.lines.iter().map(settled).collect();
        lines.sort();
        lines.dedup();
        lines.join("\n")
    }
}

/// A word, or what stands for one that differs from run to run: a uid or a time.
fn settle(word: &str) -> &str {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let count = |wanted| bare.bytes().filter(|byte| *byte == wanted).count();
    match (bare.len(), count(b'-'), count(b':')) {
        (36, 4, 0) => "UID",
        (20.., 2, 2) if bare.ends_with('Z') => "TIME",
        _ => word,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_and_warning_is_in_the_catalogue() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    let acme = Acme::make(&server).await;
    let mut catalogue = Catalogue::default();
    names(&server, &acme, &mut catalogue).await;
    targets(&server, &acme, &mut catalogue).await;
    values(&server, &acme, &mut catalogue).await;
    details(&server, &acme, &mut catalogue).await;
    changes(&server, &acme, &mut catalogue).await;
    lists(&server, &acme, &mut catalogue).await;
    imports(&server, &acme, &mut catalogue).await;
    people(&server, &acme, &mut catalogue).await;
    sessions(&server, &acme, &mut catalogue).await;
    resolves(&server, &acme, &mut catalogue).await;

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("errors", catalogue.text()));

    assert_eq!(catalogue.accepted, [0; 0], "lines whose calls were to be refused");
    let all = (1..).map_while(|number| v1::ErrorReason::try_from(number).ok());
    let all: BTreeSet<_> = all.map(|reason| reason.as_str_name().replacen("ERROR_REASON_", "", 1)).collect();
    let absent: BTreeSet<_> = ABSENT.iter().map(|(reason, _)| (*reason).to_owned()).collect();
    let missing: Vec<_> = all.iter().filter(|reason| !catalogue.reasons.contains(*reason)).cloned().collect();
    assert_eq!(missing, absent.into_iter().collect::<Vec<_>>());
    let warnings = (1..).map_while(|number| v1::WarningCode::try_from(number).ok());
    let missing: Vec<_> = warnings.filter(|code| !catalogue.warnings.contains(code)).collect();
    assert_eq!(missing, []);
}

async fn names(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let long = "N".repeat(128);
    for id in [
        "",
        "linear-api-key",
        "npm_token",
        "path",
        "1PASSWORD",
        "A B",
        "P\u{410}TH",
        "PATH",
        "LD_PRELOAD",
        "PAGER",
        &long,
    ] {
        catalogue.refused(server.try_create(&acme.bob, creation(BOB, id, "value-1")).await);
    }
    let long = format!("organizations/{}", "a".repeat(400));
    for parent in ["", "acme", "organizations/acme/", "organizations/Acme", "organizations/acme/users/a..b", &long] {
        catalogue.refused(server.try_create(&acme.bob, creation(parent, "TOKEN", "value-1")).await);
    }
    catalogue.refused(server.try_get(&acme.bob, "organizations/acme").await);
    catalogue.refused(server.try_get(&acme.bob, &format!("{BOB}/secrets/ABSENT")).await);
    catalogue.refused(server.try_get(&acme.eve, &format!("{BOB}/secrets/ABSENT")).await);
    catalogue.refused(server.try_create(&acme.bob, creation(ACME, "TOKEN", "value-1")).await);
    let not_in_its_project = v1::ResolveRequest { context: Some(context("ws1", "")), ..Default::default() };
    catalogue.refused(server.resolver(&acme.dan).resolve(not_in_its_project).await);
    catalogue.refused(server.whoami("").await);
    catalogue.refused(server.whoami("token").await);
    catalogue.refused(server.whoami("sper_short").await);
    catalogue.refused(server.whoami(&format!("{}0", acme.bob)).await);
    catalogue.refused(server.whoami(&format!("{}!", &acme.bob[..acme.bob.len() - 1])).await);
    let swapped = if acme.bob.ends_with('A') { "B" } else { "A" };
    catalogue.refused(server.whoami(&format!("{}{swapped}", &acme.bob[..acme.bob.len() - 1])).await);
}

async fn targets(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let (long, segment) = (format!("/{}", "a/".repeat(2100)), format!("/{}", "a".repeat(256)));
    let paths = [
        "key",
        "/a\u{7}",
        "/a/../b",
        "/a//b",
        "~/.ssh/authorized_keys",
        "/proc/1/environ",
        "~/.aws/config",
        &long,
        &segment,
    ];
    let mut all: Vec<_> = paths.into_iter().map(file).collect();
    for mode in [0o4755, 0o666] {
        let kind = Kind::File(v1::FileTarget { path: "~/key".to_owned(), mode });
        all.push(Some(v1::Target { kind: Some(kind) }));
    }
    let long = vec!["a".repeat(63); 4].join(".");
    for host in ["", "https://ghcr.io", "b\u{fc}cher.example", "ghcr_x.io", "127.1", "::1", "ghcr.io:0", &long] {
        all.push(registry(host, "bob"));
    }
    let long = "u".repeat(257);
    for username in ["", "bob:x", &long] {
        all.push(registry("ghcr.io", username));
    }
    for target in all {
        let secret = Some(v1::Secret { target, ..Default::default() });
        catalogue.refused(
            server.try_create(&acme.bob, v1::CreateSecretRequest { secret, ..creation(BOB, "T", "value-1") }).await,
        );
    }
}

async fn values(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let large = "x".repeat(65_537);
    for value in [None, text(""), text(&large), text("a\0b"), bytes(b"\xff")] {
        catalogue
            .refused(server.try_create(&acme.bob, v1::CreateSecretRequest { value, ..creation(BOB, "V", "") }).await);
    }
    for (number, value) in ["value-1\n", "value\u{200b}-1", "-----BEGIN KEY-----\nAA\n-----END KEY-----", "password"]
        .into_iter()
        .enumerate()
    {
        let created = server.try_create(&acme.bob, creation(BOB, &format!("WARNED_{number}"), value)).await.unwrap();
        catalogue.warned(&created.warnings);
    }
    let now = server.wait(Duration::ZERO).as_micros() / 1_000_000;
    for (number, end) in [now - 60, now + 60].into_iter().enumerate() {
        let expire_time = Some(prost_types::Timestamp { seconds: end, nanos: 0 });
        let secret = v1::Secret { expire_time, ..Default::default() };
        catalogue.warned(&server.create_with(&acme.bob, BOB, &format!("EXPIRES_{number}"), secret).await.warnings);
    }
    let secret = v1::Secret { visibility: selected(&[], &[]), ..Default::default() };
    catalogue.warned(&server.create_with(&acme.ann, ACME, "NOBODY", secret).await.warnings);
    server.create(&acme.ann, ACME, "SHARED", "value-of-all").await;
    catalogue.warned(&server.create_with(&acme.bob, BOB, "SHARED", v1::Secret::default()).await.warnings);
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    server.create_with(&acme.ann, ACME, "LOCKED", locked).await;
    catalogue.warned(&server.create_with(&acme.bob, BOB, "LOCKED", v1::Secret::default()).await.warnings);
}

async fn details(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let labels =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let (key, value) = ("k".repeat(129), "v".repeat(513));
    let many: Vec<_> = (0..65).map(|number| format!("k{number}")).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    for secret in [
        v1::Secret { description: "d".repeat(1025), ..Default::default() },
        v1::Secret { description: "\u{1b}[2J".into(), ..Default::default() },
        v1::Secret { group: "AWS".into(), ..Default::default() },
        v1::Secret { group: "g".repeat(64), ..Default::default() },
        v1::Secret { labels: labels(&[("k y", "v")]), ..Default::default() },
        v1::Secret { labels: labels(&[(&key, "v")]), ..Default::default() },
        v1::Secret { labels: labels(&[("k", &value)]), ..Default::default() },
        v1::Secret { labels: labels(&[("k", "v\u{7}")]), ..Default::default() },
        v1::Secret { labels: labels(&many), ..Default::default() },
        v1::Secret { visibility: selected(&["api"], &[]), ..Default::default() },
        v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() },
        v1::Secret { override_policy: 9, ..Default::default() },
        v1::Secret { redaction: 9, ..Default::default() },
    ] {
        let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(BOB, "D", "value-1") };
        catalogue.refused(server.try_create(&acme.bob, request).await);
    }
}

async fn changes(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let first = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    catalogue.refused(server.try_create(&acme.bob, creation(BOB, "TOKEN", "value-1")).await);
    server.create_with(&acme.bob, BOB, "KEY", v1::Secret { target: file("~/key"), ..Default::default() }).await;
    let same = v1::Secret { target: file("~/key"), ..Default::default() };
    let request = v1::CreateSecretRequest { secret: Some(same), ..creation(BOB, "OTHER_KEY", "value-1") };
    catalogue.refused(server.try_create(&acme.bob, request).await);

    for paths in [["value"].as_slice(), &["current_version"], &["no such"]] {
        let request = v1::UpdateSecretRequest {
            secret: Some(v1::Secret { name: first.name.clone(), ..Default::default() }),
            update_mask: mask(paths),
            ..Default::default()
        };
        catalogue.refused(server.try_update(&acme.bob, request).await);
    }
    let request = v1::DeleteSecretRequest { name: first.name.clone(), etag: "old".into(), ..Default::default() };
    catalogue.refused(server.try_delete(&acme.bob, request).await);
    catalogue.refused(server.try_undelete(&acme.bob, &first.name, "7").await);

    let repeated = |id: &str, request_id: &str| v1::CreateSecretRequest {
        request_id: request_id.into(),
        ..creation(BOB, id, "value-1")
    };
    let uuid = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
    catalogue.refused(server.try_create(&acme.bob, repeated("R", "7")).await);
    server.try_create(&acme.bob, repeated("R", uuid)).await.unwrap();
    catalogue.refused(server.try_create(&acme.bob, repeated("S", uuid)).await);

    catalogue.refused(server.try_copy(&acme.bob, &first.name, BOB).await);
    catalogue.refused(server.try_copy(&acme.bob, &first.name, "organizations/rival").await);
    server.create(&acme.bob, WS1, "TOKEN", "value-1").await;
    catalogue.refused(server.try_copy(&acme.bob, &first.name, WS1).await);
    let locked = v1::OverridePolicy::Locked.into();
    for (token, parent, secret) in [
        (&acme.bob, BOB, v1::Secret { disabled: true, ..Default::default() }),
        (&acme.cat, API, v1::Secret { override_policy: locked, ..Default::default() }),
        (
            &acme.bob,
            BOB,
            v1::Secret { expire_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }), ..Default::default() },
        ),
    ] {
        let source = server.create_with(token, parent, "NOT_COPIED", secret).await.secret.unwrap();
        catalogue.refused(server.try_copy(&acme.bob, &source.name, WS1).await);
        server.delete(token, &source.name).await;
    }

    let destroy = |version| v1::DestroySecretVersionRequest { name: first.name.clone(), version, ..Default::default() };
    for version in [1, 9] {
        catalogue.refused(server.secrets(&acme.bob).destroy_secret_version(destroy(version)).await);
    }
}

async fn lists(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let base = v1::ListSecretsRequest { parent: BOB.into(), ..Default::default() };
    for filter in
        ["name = A", "secret_id", "secret_id = ", "target = DISK", "disabled = maybe", "secret_id : A*B", "group > a"]
    {
        catalogue.refused(
            server.try_list(&acme.bob, v1::ListSecretsRequest { filter: filter.into(), ..base.clone() }).await,
        );
    }
    catalogue
        .refused(server.try_list(&acme.bob, v1::ListSecretsRequest { order_by: "size".into(), ..base.clone() }).await);
    catalogue.refused(server.try_list(&acme.bob, v1::ListSecretsRequest { page_size: -1, ..base.clone() }).await);
    catalogue.refused(server.try_list(&acme.bob, v1::ListSecretsRequest { page_token: "x".into(), ..base }).await);
    let audit = |request| async { server.audit(&acme.ann).list_audit_events(request).await };
    let base = v1::ListAuditEventsRequest { parent: ACME.into(), ..Default::default() };
    catalogue.refused(audit(v1::ListAuditEventsRequest { principal: "bob".into(), ..base.clone() }).await);
    let secret = "organizations/rival/secrets/A".to_owned();
    catalogue.refused(audit(v1::ListAuditEventsRequest { secret, ..base.clone() }).await);
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    catalogue
        .refused(audit(v1::ListAuditEventsRequest { start_time: time(2), end_time: time(1), ..base.clone() }).await);
    let start_time = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
    catalogue.refused(audit(v1::ListAuditEventsRequest { start_time, ..base }).await);
}

async fn imports(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let large = format!("A={}", "x".repeat(983_100));
    let many: String = (0..1001).map(|number| format!("N{number}=value\n")).collect();
    for document in [
        b"A=1\nsk_live_51H\n".as_slice(),
        b"=1\n",
        b"sk live=1\n",
        b"A='open\n",
        b"A='1'2\n",
        b"A=1\rB=2\n",
        b"A=\xff\n",
        b"PATH=/x\nnpm_token=1\nA-B=2\n",
        large.as_bytes(),
        many.as_bytes(),
    ] {
        let source = Some(Source::Dotenv(document.to_vec()));
        catalogue.refused(
            server
                .try_import(&acme.cat, v1::ImportSecretsRequest { parent: API.into(), source, ..Default::default() })
                .await,
        );
    }
    let source = Some(Source::Json(b"{\"A\": 1}".to_vec()));
    catalogue.refused(
        server
            .try_import(&acme.cat, v1::ImportSecretsRequest { parent: API.into(), source, ..Default::default() })
            .await,
    );
    catalogue.refused(
        server.try_import(&acme.cat, v1::ImportSecretsRequest { parent: API.into(), ..Default::default() }).await,
    );
    let room: String = (0..999).map(|number| format!("N{number}=value-{number}\n")).collect();
    let source = Some(Source::Dotenv(room.into_bytes()));
    server
        .try_import(&acme.cat, v1::ImportSecretsRequest { parent: API.into(), source, ..Default::default() })
        .await
        .unwrap();
    server.create(&acme.cat, API, "LAST", "value-1").await;
    catalogue.refused(server.try_create(&acme.cat, creation(API, "ONE_MORE", "value-1")).await);
}

async fn people(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    catalogue.refused(server.remove(&acme.ann, "ann").await);
    catalogue.refused(server.remove(&acme.ann, "nobody").await);
    let bob = "organizations/acme/users/bob";
    for (parent, principal, role) in [
        (ACME, bob, v1::Role::Delegate),
        (WS1, "organizations/acme/users/nobody", v1::Role::Member),
        (ACME, "bob", v1::Role::Member),
        (ACME, "organizations/rival/users/eve", v1::Role::Member),
        (ACME, bob, v1::Role::Unspecified),
        (BOB, bob, v1::Role::Member),
    ] {
        catalogue.refused(server.bind(&acme.ann, parent, principal, role).await);
    }
    catalogue.refused(server.unbind(&acme.ann, "organizations/acme/bindings/7").await);
    let delete = v1::DeleteProjectRequest { name: API.into(), ..Default::default() };
    catalogue.refused(server.directory(&acme.ann).delete_project(delete).await);
    for entry in ["LD_PRELOAD", "LINEAR_API_KEY", "~/.bashrc"] {
        let allowed_reserved = vec![entry.to_owned()];
        let organization = Some(v1::Organization { name: ACME.into(), allowed_reserved, ..Default::default() });
        let request = v1::UpdateOrganizationRequest { organization, ..Default::default() };
        catalogue.refused(server.directory(&acme.ann).update_organization(request).await);
    }
    catalogue.refused(server.workspace(&acme.ann, "ws1", "", "bob").await);
    catalogue.refused(server.workspace(&acme.ann, "ws9", "nothing", "bob").await);
    catalogue.refused(server.workspace(&acme.ann, "Ws9", "", "bob").await);
    let revoke = v1::RevokeTokenRequest { name: "7".into(), ..Default::default() };
    catalogue.refused(server.access(&acme.bob).revoke_token(revoke).await);
    let token = |seconds| v1::CreateTokenRequest {
        ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..Default::default()
    };
    for seconds in [0, -1, 1_000_000_000] {
        catalogue.refused(server.access(&acme.bob).create_token(token(seconds)).await);
    }
    let named = v1::CreateTokenRequest { display_name: "\u{7}".into(), ..Default::default() };
    catalogue.refused(server.access(&acme.bob).create_token(named).await);
    let named = v1::CreateTokenRequest { display_name: "n".repeat(1000), ..Default::default() };
    catalogue.refused(server.access(&acme.bob).create_token(named).await);
    catalogue.refused(server.access(&acme.bob).redeem_invitation(v1::RedeemInvitationRequest::default()).await);
    catalogue.refused(server.access(&acme.bob).redeem_recovery_code(v1::RedeemRecoveryCodeRequest::default()).await);
    catalogue.refused(server.access(&acme.bob).redeem_sign_in_code(v1::RedeemSignInCodeRequest::default()).await);
    let own =
        server.access(&acme.bob).create_token(v1::CreateTokenRequest::default()).await.unwrap().into_inner().token;
    catalogue.refused(server.access(&own).create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await);
    catalogue.refused(server.access(&own).create_sign_in_code(v1::CreateSignInCodeRequest::default()).await);
    for name in ["7", "organizations/acme/signInCodes/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11"] {
        let request = v1::GetSignInCodeRequest { name: name.into() };
        catalogue.refused(server.access(&acme.bob).get_sign_in_code(request).await);
    }

    server.create(&acme.dan, "organizations/acme/users/dan", "OWN", "value-1").await;
    let again = v1::CreateInvitationRequest { parent: ACME.into(), user_id: "dan".into(), ..Default::default() };
    catalogue.refused(server.access(&acme.ann).create_invitation(again).await);
}

async fn sessions(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    catalogue.refused(server.session(&acme.bob, "nothing", "bob").await);
    let revoke = |name: &str| v1::RevokeSessionRequest { name: name.into(), ..Default::default() };
    for name in ["", "7", "organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11"] {
        catalogue.refused(server.access(&acme.bob).revoke_session(revoke(name)).await);
    }
    let ttl = Some(prost_types::Duration { seconds: 100_000_000, nanos: 0 });
    let long = v1::CreateSessionRequest { context: Some(context("ws1", "bob")), ttl, ..Default::default() };
    catalogue.refused(server.access(&acme.bob).create_session(long).await);
}

async fn resolves(server: &TestServer, acme: &Acme, catalogue: &mut Catalogue) {
    let ask = |request| async { server.resolver(&acme.bob).resolve(request).await };
    let base = v1::ResolveRequest { context: Some(context("ws1", "bob")), ..Default::default() };
    catalogue.refused(ask(v1::ResolveRequest::default()).await);
    catalogue.refused(ask(v1::ResolveRequest { context: Some(v1::Context::default()), ..Default::default() }).await);
    let mut other = context("ws2", "bob");
    other.project = "api".into();
    catalogue.refused(ask(v1::ResolveRequest { context: Some(other), ..Default::default() }).await);
    let required_secret_ids = vec!["ABSENT".into(), "ABSENT_TOO".into()];
    catalogue.refused(ask(v1::ResolveRequest { required_secret_ids, ..base.clone() }).await);
    catalogue.refused(ask(v1::ResolveRequest { secret_ids: vec!["a-b".into()], ..base.clone() }).await);
    for revision in ["x", "999999.00000000000000000000000000000007"] {
        let consistency = Some(v1::Consistency { requirement: Some(Requirement::AtLeastAsFresh(revision.into())) });
        catalogue.refused(ask(v1::ResolveRequest { consistency, ..base.clone() }).await);
    }

    for number in 0..8 {
        server.create(&acme.bob, WS1, &format!("LARGE_{number}"), &"x".repeat(65_536)).await;
    }
    catalogue.warned(&ask(base.clone()).await.unwrap().into_inner().warnings);
    let organization = TestOrganization { server, organization: acme.organization };
    organization.execute("ALTER TABLE audit_events RENAME TO audit_events_gone").await;
    catalogue.refused(ask(base.clone()).await);
    organization.execute("ALTER TABLE audit_events_gone RENAME TO audit_events").await;
    organization.execute("UPDATE secret_versions SET blob = X'00'").await;
    catalogue.refused(ask(base).await);
}
