use secrets_core::{MASK, NamePolicy};
use secrets_proto::v1;
use tonic::Code;

use super::{ACME, API, BOB, WS1, bytes, creation, file, registry, selected, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_secret_is_created_with_all_its_attributes_and_never_shows_its_value,
    refuses_invalid_names_and_suggests_a_valid_one,
    a_relaxed_organization_takes_lower_case,
    refuses_invalid_parents,
    values_that_do_not_fit_their_target_are_refused,
    refuses_invalid_targets,
    refuses_invalid_metadata,
    a_name_and_a_destination_belong_to_one_secret_of_a_scope,
    a_selection_of_something_unknown_is_refused_by_name,
    validation_alone_changes_nothing,
    one_of_several_writers_of_a_name_succeeds,
);

async fn a_secret_is_created_with_all_its_attributes_and_never_shows_its_value(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let request = v1::CreateSecretRequest {
        secret: Some(v1::Secret {
            target: file("~/.ssh/deploy_key"),
            description: "deploys".into(),
            labels: [("team".to_owned(), "web".to_owned())].into(),
            group: "deploy".into(),
            visibility: selected(&["api"], &["ws2", "ws1"]),
            override_policy: v1::OverridePolicy::Locked.into(),
            disabled: true,
            redaction: v1::Redaction::Off.into(),
            expire_time: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 5_000 }),
            // Output only: ignored.
            uid: "mine".into(),
            current_version: 7,
            creator: "me".into(),
            ..Default::default()
        }),
        value: bytes(&[0, 159, 146, 150]),
        ..creation(ACME, "DEPLOY_KEY", "")
    };
    let created = server.try_create(&acme.ann, request).await.unwrap();
    let secret = created.secret.unwrap();
    assert_eq!(secret.name, "organizations/acme/secrets/DEPLOY_KEY");
    assert_eq!(secret.uid.len(), 36);
    assert_eq!(secret.secret_id, "DEPLOY_KEY");
    let Some(v1::target::Kind::File(target)) = secret.target.clone().unwrap().kind else { panic!("a file") };
    assert_eq!((target.path.as_str(), target.mode), ("~/.ssh/deploy_key", 0o600));
    assert_eq!(secret.description, "deploys");
    assert_eq!(secret.labels["team"], "web");
    assert_eq!(secret.group, "deploy");
    let visibility = secret.visibility.clone().unwrap();
    assert_eq!(visibility.mode(), v1::VisibilityMode::Selected);
    assert_eq!((visibility.projects, visibility.workspaces), (vec!["api".into()], vec!["ws1".into(), "ws2".into()]));
    assert_eq!(secret.override_policy(), v1::OverridePolicy::Locked);
    assert!(secret.disabled);
    assert_eq!(secret.redaction(), v1::Redaction::Off);
    assert_eq!(secret.expire_time, Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 5_000 }));
    assert_eq!(secret.current_version, 1);
    assert_eq!(
        (secret.creator.as_str(), secret.updater.as_str()),
        ("organizations/acme/users/ann", "organizations/acme/users/ann")
    );
    assert_eq!(secret.create_time, secret.update_time);
    assert_eq!(secret.masked_value, MASK);
    assert_eq!(secret.scope(), v1::ScopeKind::Organization);
    assert!(!secret.etag.is_empty() && !created.revision.is_empty());
    assert_eq!(server.try_get(&acme.ann, &secret.name).await.unwrap(), secret);
    assert_eq!(server.stored_value(&secret).await, [0, 159, 146, 150]);
}

async fn refuses_invalid_names_and_suggests_a_valid_one(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let too_long = "A".repeat(128);
    for (name, suggestion, problem) in [
        ("linear-api-key", Some("LINEAR_API_KEY"), "invalid character `-` in `linear-api-key`"),
        ("npm_token", Some("NPM_TOKEN"), "names must be upper case"),
        ("", None, "names must not be empty"),
        ("A\0B", None, "invalid character U+0000 at byte 1"),
        ("P\u{410}TH", None, "invalid character U+0410 at byte 1"),
        ("A%20B", None, "invalid character `%` at byte 1"),
        ("..", None, "invalid character `.` in `..`"),
        ("A/B", None, "invalid character `/` at byte 1"),
        (too_long.as_str(), None, "names must be at most 127 bytes (got 128)"),
    ] {
        let refused = refusal(server.try_create(&acme.bob, creation(BOB, name, "v")).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_SECRET_ID"), "{name:?}");
        assert_eq!(refused.fields, ["secret_id"], "{name:?}");
        assert_eq!(refused.metadata.get("suggestion").map(String::as_str), suggestion, "{name:?}");
        let what_to_do = match suggestion {
            Some(suggestion) => format!("; did you mean `{suggestion}`?"),
            None if name == too_long => String::new(),
            None => "; expected 1 to 127 characters of `A-Z`, `0-9` and `_`, not starting with a digit".to_owned(),
        };
        assert_eq!(refused.message, format!("secret_id: {problem}{what_to_do}"));
    }
    for (name, reason) in [
        ("PATH", "changes which programs run"),
        ("LD_PRELOAD", "loads code into every program"),
        ("SECRETS_TOKEN", "belongs to this service"),
    ] {
        let refused = refusal(server.try_create(&acme.bob, creation(BOB, name, "v")).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "RESERVED_SECRET_ID"), "{name}");
        assert_eq!(refused.fields, ["secret_id"], "{name}");
        assert_eq!(refused.metadata.get("suggestion"), None, "{name}");
        let problem = format!("`{name}` is reserved as an environment variable ({reason})");
        let what_to_do = "choose another name, or a file, registry or API-only target";
        assert_eq!(refused.message, format!("secret_id: {problem}; {what_to_do}"));
    }
    // What would take over a process as a variable is harmless as a file.
    let request = v1::CreateSecretRequest {
        secret: Some(v1::Secret { target: file("~/path"), ..Default::default() }),
        ..creation(BOB, "PATH", "v")
    };
    server.try_create(&acme.bob, request).await.unwrap();
    assert_eq!(server.list(&acme.bob, BOB).await.len(), 1);
}

async fn a_relaxed_organization_takes_lower_case(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Relaxed, "{}").await;
    assert_eq!(server.create(&acme.bob, BOB, "npm_token", "value-1").await.secret_id, "npm_token");
    let refused = refusal(server.try_create(&acme.bob, creation(BOB, "ld_preload", "v")).await);
    assert_eq!(refused.reason, "RESERVED_SECRET_ID");
    assert_eq!(
        refusal(server.try_create(&acme.bob, creation(BOB, "npm-token", "v")).await).reason,
        "INVALID_SECRET_ID"
    );
}

async fn refuses_invalid_parents(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for parent in [
        "",
        "acme",
        "projects/api",
        "organizations/acme/",
        "organizations//projects/api",
        "organizations/acme/projects/../users/bob",
        "organizations/acme/projects/API",
        "organizations/acme/projects/%61pi",
        "organizations/acme/folders/x",
        "organizations/acme/secrets/X",
    ] {
        let refused = refusal(server.try_create(&acme.ann, creation(parent, "X", "v")).await);
        assert_eq!(refused.reason, "INVALID_RESOURCE_NAME", "{parent}");
        assert_eq!(refused.fields, ["parent"], "{parent}");
    }
    // Well formed, and not there: told only to whoever may know.
    let refused = refusal(server.try_create(&acme.ann, creation("organizations/acme/projects/none", "X", "v")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
    let refused = refusal(server.try_create(&acme.bob, creation("organizations/acme/projects/none", "X", "v")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
}

async fn values_that_do_not_fit_their_target_are_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let largest = "x".repeat(65_536);
    let too_large = format!("{largest}x");
    for (value, says) in [
        (None, "at least one byte"),
        (Some(v1::SecretValue { value: None }), "at least one byte"),
        (text(""), "at least one byte"),
        (bytes(b""), "at least one byte"),
        (text(&too_large), "must be at most 65536 bytes (got 65537)"),
        (bytes(b"\xff\xfe"), "UTF-8"),
        (text("a\0b"), "NUL"),
    ] {
        let request = v1::CreateSecretRequest { value, ..creation(BOB, "TOKEN", "") };
        let refused = refusal(server.try_create(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_VALUE"), "{says}");
        assert_eq!(refused.fields, ["value"]);
        assert!(refused.message.contains(says), "{}", refused.message);
        assert!(!refused.message.contains("xxx"));
    }
    assert!(server.list(&acme.bob, BOB).await.is_empty());
    server.create(&acme.bob, BOB, "LARGE", &largest).await;
}

async fn refuses_invalid_targets(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (target, field) in [
        (file("key"), "secret.target.file.path"),
        (file("/etc/../etc/x"), "secret.target.file.path"),
        (file("/proc/self/mem"), "secret.target.file.path"),
        (file("~/.bashrc"), "secret.target.file.path"),
        (file("~/.ssh/authorized_keys"), "secret.target.file.path"),
        (file(""), "secret.target.file.path"),
        (registry("https://ghcr.io", "bob"), "secret.target.registry.host"),
        (registry("", "bob"), "secret.target.registry.host"),
        (registry("ghcr.io", ""), "secret.target.registry.username"),
    ] {
        let request = v1::CreateSecretRequest {
            secret: Some(v1::Secret { target: target.clone(), ..Default::default() }),
            ..creation(BOB, "KEY", "v")
        };
        let refused = refusal(server.try_create(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_TARGET"), "{target:?}");
        assert_eq!(refused.fields, [field], "{target:?}");
    }
}

async fn refuses_invalid_metadata(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let many = (0..65).map(|n| (format!("k{n}"), String::new())).collect();
    for (parent, token, secret, field, rule) in [
        (
            BOB,
            &acme.bob,
            v1::Secret { description: "d".repeat(1025), ..Default::default() },
            "secret.description",
            "description must be at most 1024 bytes (got 1025)",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { description: "bell\u{7}".into(), ..Default::default() },
            "secret.description",
            "invalid character U+0007 at byte 4 of description; expected text without characters that hide or reorder it, \
             and without control characters other than line feed and tab",
        ),
        // An agent reads these, and nobody sees them.
        (
            BOB,
            &acme.bob,
            v1::Secret { description: "tag\u{e0041}".into(), ..Default::default() },
            "secret.description",
            "invalid character U+E0041 at byte 3 of description; expected text without characters that hide or reorder it, \
             and without control characters other than line feed and tab",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { labels: [("k".into(), "v\u{202e}".into())].into(), ..Default::default() },
            "secret.labels",
            "invalid character U+202E in label value; expected text without control characters and others that hide or \
             reorder it",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { labels: many, ..Default::default() },
            "secret.labels",
            "at most 64 labels are allowed (got 65)",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { group: "AWS".into(), ..Default::default() },
            "secret.group",
            "invalid character `A` in group; expected `a-z`, `0-9` and, between its ends, `-` and `_`",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { override_policy: 2, ..Default::default() },
            "secret.override_policy",
            "must be ALLOWED for a secret of a user; only secrets of organizations and projects can be LOCKED",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { override_policy: 9, ..Default::default() },
            "secret.override_policy",
            "expected ALLOWED or LOCKED",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { redaction: 9, ..Default::default() },
            "secret.redaction",
            "expected DEFAULT or OFF",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { visibility: selected(&["api"], &[]), ..Default::default() },
            "secret.visibility.mode",
            "must be ALL for a secret of a user; only an organization's secrets can be SELECTED",
        ),
        (
            API,
            &acme.cat,
            v1::Secret { visibility: selected(&[], &[]), ..Default::default() },
            "secret.visibility.mode",
            "must be ALL for a secret of a project; only an organization's secrets can be SELECTED",
        ),
        (
            BOB,
            &acme.bob,
            v1::Secret { expire_time: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }), ..Default::default() },
            "secret.expire_time",
            "must be within 290,000 years of 1970, with nanos from 0 to 999,999,999",
        ),
    ] {
        let request = v1::CreateSecretRequest { secret: Some(secret.clone()), ..creation(parent, "KEY", "v") };
        let refused = refusal(server.try_create(token, request).await);
        assert_eq!(refused.code, Code::InvalidArgument, "{secret:?}");
        assert_eq!(refused.fields, [field], "{secret:?}");
        assert_eq!(refused.message, format!("{field}: {rule}"));
    }
    assert!(server.list(&acme.bob, BOB).await.is_empty());
}

async fn a_name_and_a_destination_belong_to_one_secret_of_a_scope(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let refused = refusal(server.try_create(&acme.bob, creation(BOB, "TOKEN", "value-2")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
    for (id, other, target) in [("KEY", "KEY_2", file("~/key")), ("HUB", "HUB_2", registry("docker.io", "bob"))] {
        let secret = v1::Secret { target, ..Default::default() };
        server.create_with(&acme.bob, BOB, id, secret.clone()).await;
        let request = v1::CreateSecretRequest { secret: Some(secret.clone()), ..creation(BOB, other, "value-3") };
        let refused = refusal(server.try_create(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "TARGET_IN_USE"), "{id}");
        assert_eq!(refused.metadata["secret"], format!("{BOB}/secrets/{id}"));
        // In another scope both are free.
        server.create_with(&acme.bob, WS1, other, secret).await;
    }
    // The same registry in another spelling is the same place.
    let secret = v1::Secret { target: registry("index.docker.io", "bob"), ..Default::default() };
    let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(BOB, "HUB_3", "value-3") };
    assert_eq!(refusal(server.try_create(&acme.bob, request).await).reason, "TARGET_IN_USE");
}

async fn a_selection_of_something_unknown_is_refused_by_name(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (visibility, field, says) in [
        (selected(&["api", "nope"], &[]), "secret.visibility.projects", "`nope`"),
        (selected(&[], &["ws1", "gone"]), "secret.visibility.workspaces", "`gone`"),
        (selected(&["Not An Id"], &[]), "secret.visibility.projects", "did you mean `not-an-id`?"),
    ] {
        let secret = v1::Secret { visibility, ..Default::default() };
        let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(ACME, "TOKEN", "value-1") };
        let refused = refusal(server.try_create(&acme.ann, request).await);
        assert_eq!((refused.code, refused.fields.as_slice()), (Code::InvalidArgument, [field.to_owned()].as_slice()));
        assert!(refused.message.contains(says), "{}", refused.message);
    }
    assert!(server.list(&acme.ann, ACME).await.is_empty());
}

async fn validation_alone_changes_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let before = server.create(&acme.bob, BOB, "OTHER", "value-1").await;
    let request = v1::CreateSecretRequest { validate_only: true, ..creation(BOB, "TOKEN", "value-1") };
    let checked = server.try_create(&acme.bob, request.clone()).await.unwrap();
    assert_eq!(checked.secret.unwrap().secret_id, "TOKEN");
    assert_eq!(server.list(&acme.bob, BOB).await, [before]);
    // It refuses what the real call would.
    let request = v1::CreateSecretRequest { secret_id: "OTHER".into(), ..request };
    assert_eq!(refusal(server.try_create(&acme.bob, request).await).reason, "ALREADY_EXISTS");
}

async fn one_of_several_writers_of_a_name_succeeds(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let racers = (0..16).map(|n| {
        let mut client = server.secrets(&acme.bob);
        tokio::spawn(async move { client.create_secret(creation(BOB, "TOKEN", &format!("value-{n}"))).await })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(status) => assert_eq!(refusal(Err::<(), _>(status)).reason, "ALREADY_EXISTS"),
        }
    }
    assert_eq!((won, server.list(&acme.bob, BOB).await.len()), (1, 1));
}
