use secrets_proto::v1;
use secrets_proto::v1::ImportOutcome::{
    Created, OverriddenLater, Rejected, SkippedEmpty, SkippedExists, SkippedNotSelected, Unchanged, Updated,
};
use secrets_proto::v1::import_secrets_request::Source;
use tonic::Code;

use super::{API, BOB, codes, file, names};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_review_says_what_would_become_of_each_entry_and_changes_nothing,
    one_rejected_entry_applies_nothing_unless_it_is_skipped,
    existing_names_are_skipped_overwritten_or_rejected,
    a_json_document_is_imported_alike,
    numbers_and_booleans_are_taken_as_they_are_spelled_or_rejected_by_name,
    references_are_rejected_unless_they_are_meant,
    names_that_are_not_valid_are_replaced_on_request_but_never_by_one_that_is_taken,
    an_overwritten_file_stays_a_file,
    a_document_that_cannot_be_read_is_refused_by_its_line_and_never_shown,
    too_many_entries_and_too_large_a_document_are_refused,
    an_import_beyond_the_quota_applies_nothing,
    only_the_selected_names_are_imported,
    an_import_is_one_change,
);

const DOTENV: &str = "# project settings
DATABASE_URL=postgres://db/api
export STRIPE_SECRET='sk_test_1'
EMPTY=
PATH=/usr/bin
npm_token=npm_1
DATABASE_URL=\"postgres://db/api2\"
";

fn dotenv(parent: &str, text: &str) -> v1::ImportSecretsRequest {
    v1::ImportSecretsRequest {
        parent: parent.into(),
        source: Some(Source::Dotenv(text.as_bytes().to_vec())),
        ..Default::default()
    }
}

fn outcomes(response: &v1::ImportSecretsResponse) -> Vec<(i32, &str, v1::ImportOutcome)> {
    response.entries.iter().map(|entry| (entry.line, entry.secret_id.as_str(), entry.outcome())).collect()
}

async fn a_review_says_what_would_become_of_each_entry_and_changes_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.cat, API, "STRIPE_SECRET", "sk_live").await;
    let request = v1::ImportSecretsRequest { validate_only: true, ..dotenv(API, DOTENV) };
    let review = server.try_import(&acme.cat, request).await.unwrap();
    let expected = [
        (2, "DATABASE_URL", OverriddenLater),
        (3, "STRIPE_SECRET", SkippedExists),
        (4, "EMPTY", SkippedEmpty),
        (5, "PATH", Rejected),
        (6, "npm_token", Rejected),
        (7, "DATABASE_URL", Created),
    ];
    assert_eq!(outcomes(&review), expected);
    assert_eq!((review.applied, review.created, review.updated), (false, 1, 0));
    assert!(review.entries[3].reason.contains("reserved"), "{}", review.entries[3].reason);
    assert_eq!(review.entries[4].suggested_secret_id, "NPM_TOKEN");
    assert!(review.entries[0].reason.contains("line 7"));
    assert!(!format!("{review:?}").contains("npm_1") && !format!("{review:?}").contains("postgres"));
    assert_eq!(names(&server.list(&acme.cat, API).await), ["STRIPE_SECRET"]);
}

async fn one_rejected_entry_applies_nothing_unless_it_is_skipped(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let refused = refusal(server.try_import(&acme.cat, dotenv(API, DOTENV)).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "ENTRIES_REJECTED"));
    assert_eq!((refused.metadata["rejected"].as_str(), refused.metadata["line"].as_str()), ("2", "5"));
    assert!(
        refused.message.contains("line 5 `PATH`") && refused.message.contains("did you mean `NPM_TOKEN`?"),
        "{}",
        refused.message
    );
    assert!(!refused.message.contains("/usr/bin") && !refused.message.contains("npm_1"));
    assert!(server.list(&acme.cat, API).await.is_empty());

    let request = v1::ImportSecretsRequest { on_rejected: v1::RejectedPolicy::Skip.into(), ..dotenv(API, DOTENV) };
    let done = server.try_import(&acme.cat, request).await.unwrap();
    assert_eq!((done.applied, done.created), (true, 2));
    let listed = server.list(&acme.cat, API).await;
    assert_eq!(names(&listed), ["DATABASE_URL", "STRIPE_SECRET"]);
    assert_eq!(server.stored_value(&listed[0]).await, b"postgres://db/api2");
    assert_eq!(server.stored_value(&listed[1]).await, b"sk_test_1");
}

async fn existing_names_are_skipped_overwritten_or_rejected(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let old = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let with = |policy: v1::ConflictPolicy| v1::ImportSecretsRequest {
        conflict_policy: policy.into(),
        ..dotenv(BOB, "TOKEN=value-2\nNEW=value-3\n")
    };
    let refused = refusal(server.try_import(&acme.bob, with(v1::ConflictPolicy::Fail)).await);
    assert_eq!(refused.reason, "ENTRIES_REJECTED");
    assert_eq!(server.list(&acme.bob, BOB).await, std::slice::from_ref(&old));

    let done = server.try_import(&acme.bob, with(v1::ConflictPolicy::Skip)).await.unwrap();
    assert_eq!(outcomes(&done), [(1, "TOKEN", SkippedExists), (2, "NEW", Created)]);
    assert_eq!(server.try_get(&acme.bob, &old.name).await.unwrap(), old);

    let done = server.try_import(&acme.bob, with(v1::ConflictPolicy::Overwrite)).await.unwrap();
    assert_eq!(outcomes(&done), [(1, "TOKEN", Updated), (2, "NEW", Unchanged)]);
    assert_eq!((done.created, done.updated), (0, 1));
    let new = server.try_get(&acme.bob, &old.name).await.unwrap();
    assert_eq!((new.current_version, new.uid.as_str()), (2, old.uid.as_str()));
    assert_eq!(server.stored_value(&new).await, b"value-2");
    // All is there, nothing is to do, and nothing is changed.
    let again = server.try_import(&acme.bob, with(v1::ConflictPolicy::Skip)).await.unwrap();
    assert_eq!((again.applied, again.revision), (false, done.revision));
}

async fn a_json_document_is_imported_alike(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let text = r#"{"B": "1", "A": "two\nlines", "linear-api-key": "x", "B": "3"}"#;
    let request = v1::ImportSecretsRequest {
        source: Some(Source::Json(text.into())),
        on_rejected: v1::RejectedPolicy::Skip.into(),
        ..dotenv(BOB, "")
    };
    let done = server.try_import(&acme.bob, request).await.unwrap();
    let expected = [(1, "B", OverriddenLater), (2, "A", Created), (3, "linear-api-key", Rejected), (4, "B", Created)];
    assert_eq!(outcomes(&done), expected);
    assert!(codes(&done.warnings).contains(&v1::WarningCode::KeyMaterialInEnv));
    let listed = server.list(&acme.bob, BOB).await;
    assert_eq!(server.stored_value(&listed[0]).await, b"two\nlines");
    assert_eq!(server.stored_value(&listed[1]).await, b"3");
}

async fn numbers_and_booleans_are_taken_as_they_are_spelled_or_rejected_by_name(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let text = r#"{"PORT": 5432, "RATE": 1.50, "DEBUG": true, "NONE": null, "LIST": ["canary"], "TEXT": "t"}"#;
    let request = v1::ImportSecretsRequest {
        source: Some(Source::Json(text.into())),
        on_rejected: v1::RejectedPolicy::Skip.into(),
        ..dotenv(BOB, "")
    };
    let review = server
        .try_import(&acme.bob, v1::ImportSecretsRequest { validate_only: true, ..request.clone() })
        .await
        .unwrap();
    let expected = [
        (1, "PORT", Rejected),
        (2, "RATE", Rejected),
        (3, "DEBUG", Rejected),
        (4, "NONE", SkippedEmpty),
        (5, "LIST", Rejected),
        (6, "TEXT", Created),
    ];
    assert_eq!(outcomes(&review), expected);
    assert!(review.entries[0].reason.contains("`stringify`") && !format!("{review:?}").contains("5432"));
    let done = server.try_import(&acme.bob, v1::ImportSecretsRequest { stringify: true, ..request }).await.unwrap();
    assert_eq!(done.created, 4);
    let listed = server.list(&acme.bob, BOB).await;
    assert_eq!(names(&listed), ["DEBUG", "PORT", "RATE", "TEXT"]);
    assert_eq!(server.stored_value(&listed[0]).await, b"true");
    assert_eq!(server.stored_value(&listed[2]).await, b"1.50");
}

async fn references_are_rejected_unless_they_are_meant(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let document = "TOKEN=op://canary/item/field\nURL=postgres://${HOST}/api\n";
    let refused = refusal(server.try_import(&acme.bob, dotenv(BOB, document)).await);
    assert_eq!(refused.reason, "ENTRIES_REJECTED");
    assert!(refused.message.contains("`op inject`") && !refused.message.contains("canary"), "{}", refused.message);
    let request = v1::ImportSecretsRequest { literal: true, ..dotenv(BOB, document) };
    let done = server.try_import(&acme.bob, request).await.unwrap();
    assert_eq!(outcomes(&done), [(1, "TOKEN", Created), (2, "URL", Created)]);
    assert!(done.entries.iter().all(|entry| entry.reason.is_empty()));
}

async fn names_that_are_not_valid_are_replaced_on_request_but_never_by_one_that_is_taken(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "STORED", "old-value").await;
    let document = "npm_token=value-1\nlinear-api-key=value-2\nstored=value-3\na=value-4\nA=value-5\n";
    let request = v1::ImportSecretsRequest {
        rename: true,
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        on_rejected: v1::RejectedPolicy::Skip.into(),
        ..dotenv(BOB, document)
    };
    let done = server.try_import(&acme.bob, request).await.unwrap();
    let expected = [
        (1, "npm_token", Created),
        (2, "linear-api-key", Created),
        (3, "stored", Rejected),
        (4, "a", Rejected),
        (5, "A", Created),
    ];
    assert_eq!(outcomes(&done), expected);
    let renamed: Vec<_> = done.entries.iter().map(|entry| entry.renamed_secret_id.as_str()).collect();
    assert_eq!(renamed, ["NPM_TOKEN", "LINEAR_API_KEY", "", "", ""]);
    let listed = server.list(&acme.bob, BOB).await;
    assert_eq!(names(&listed), ["A", "LINEAR_API_KEY", "NPM_TOKEN", "STORED"]);
    for (secret, value) in listed.iter().zip(["value-5", "value-2", "value-1", "old-value"]) {
        assert_eq!(server.stored_value(secret).await, value.as_bytes(), "{}", secret.name);
    }
}

async fn an_overwritten_file_stays_a_file(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create_with(&acme.bob, BOB, "KEY", v1::Secret { target: file("~/key"), ..Default::default() }).await;
    let request = v1::ImportSecretsRequest {
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        ..dotenv(BOB, "KEY=value-2\n")
    };
    server.try_import(&acme.bob, request).await.unwrap();
    let listed = server.list(&acme.bob, BOB).await;
    assert!(matches!(listed[0].target.as_ref().unwrap().kind, Some(v1::target::Kind::File(_))));
    assert_eq!(server.stored_value(&listed[0]).await, b"value-2");
}

async fn a_document_that_cannot_be_read_is_refused_by_its_line_and_never_shown(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (source, line) in [
        (Source::Dotenv(b"A=1\n\ncanary-4f1d\n".to_vec()), "3"),
        (Source::Dotenv(b"A=1\nB='canary-4f1d\n".to_vec()), "2"),
        (Source::Dotenv(b"A=1\nB=\xffcanary-4f1d\n".to_vec()), "2"),
        (Source::Json(b"{\"A\": \"1\",\n\"B\": canary-4f1d}".to_vec()), "2"),
        (Source::Json(b"{\"A\": 41x}".to_vec()), "1"),
        (Source::Dotenv(b"A=1\nB=TUlJRXZRSUJBREFOQmdr\nY2FuYXJ5LTRmMWQtY2FuYXJ5eA==\n".to_vec()), "3"),
        (Source::Json(b"[\"canary-4f1d\"]".to_vec()), "1"),
    ] {
        let request = v1::ImportSecretsRequest { source: Some(source), ..dotenv(BOB, "") };
        let refused = refusal(server.try_import(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "IMPORT_SYNTAX"));
        assert_eq!(refused.metadata["line"], line, "{}", refused.message);
        assert!(!refused.message.contains("canary"), "{}", refused.message);
    }
    let request = v1::ImportSecretsRequest { source: None, ..dotenv(BOB, "") };
    assert_eq!(refusal(server.try_import(&acme.bob, request).await).fields, ["source"]);
    assert!(server.list(&acme.bob, BOB).await.is_empty());
}

async fn too_many_entries_and_too_large_a_document_are_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let lines = |count: usize| (0..count).map(|n| format!("N{n}=v{n}\n")).collect::<String>();
    let refused = refusal(server.try_import(&acme.bob, dotenv(BOB, &lines(1_001))).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    assert_eq!((refused.metadata["limit"].as_str(), refused.metadata["given"].as_str()), ("import_entries", "1001"));
    let comment = format!("#{}\n", "x".repeat(960 * 1024));
    let refused = refusal(server.try_import(&acme.bob, dotenv(BOB, &comment)).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["limit"].as_str()), ("LIMIT_EXCEEDED", "import_bytes"));
    assert!(server.list(&acme.bob, BOB).await.is_empty());
    let done = server.try_import(&acme.bob, dotenv(BOB, &lines(1_000))).await.unwrap();
    assert_eq!((done.applied, done.created), (true, 1_000));
    assert_eq!(server.list(&acme.bob, BOB).await.len(), 1_000);
}

async fn an_import_beyond_the_quota_applies_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let limits = r#"{"secrets_per_scope":4,"bytes_per_scope":2000,"value_bytes":600}"#;
    let acme = Acme::with(&server, secrets_core::NamePolicy::Strict, limits).await;
    server.create(&acme.bob, BOB, "OLD", &"x".repeat(500)).await;
    for (text, limit) in [("A=1\nB=2\nC=3\nD=4\n", "secrets_per_scope"), ("A=1\nB=2\nC=3\n", "bytes_per_scope")] {
        let refused = refusal(server.try_import(&acme.bob, dotenv(BOB, text)).await);
        assert_eq!((refused.reason.as_str(), refused.metadata["limit"].as_str()), ("LIMIT_EXCEEDED", limit));
        let review = v1::ImportSecretsRequest { validate_only: true, ..dotenv(BOB, text) };
        assert_eq!(refusal(server.try_import(&acme.bob, review).await).reason, "LIMIT_EXCEEDED");
        assert_eq!(names(&server.list(&acme.bob, BOB).await), ["OLD"]);
    }
    // One value too long is one entry rejected.
    let long = format!("A={}\nB=2\n", "x".repeat(601));
    assert_eq!(refusal(server.try_import(&acme.bob, dotenv(BOB, &long)).await).reason, "ENTRIES_REJECTED");
    // What is overwritten makes room.
    let request = v1::ImportSecretsRequest {
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        ..dotenv(BOB, "OLD=1\nA=1\nB=2\nC=3\n")
    };
    assert_eq!(server.try_import(&acme.bob, request).await.unwrap().created, 3);
}

async fn only_the_selected_names_are_imported(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let only = |names: &[&str]| v1::ImportSecretsRequest {
        only_secret_ids: names.iter().map(|name| (*name).to_owned()).collect(),
        ..dotenv(BOB, "A=value-1\nB=value-2\nPATH=x\n")
    };
    let done = server.try_import(&acme.bob, only(&["B"])).await.unwrap();
    assert_eq!(outcomes(&done), [(1, "A", SkippedNotSelected), (2, "B", Created), (3, "PATH", SkippedNotSelected)]);
    assert_eq!(names(&server.list(&acme.bob, BOB).await), ["B"]);
    let refused = refusal(server.try_import(&acme.bob, only(&["A", "MISSING"])).await);
    assert_eq!(refused.fields, ["only_secret_ids"]);
    assert!(refused.message.contains("MISSING"), "{}", refused.message);
    assert_eq!(refusal(server.try_import(&acme.bob, only(&["a b"])).await).reason, "INVALID_SECRET_ID");
}

async fn an_import_is_one_change(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let number = |revision: &str| revision.split('.').next().unwrap().parse::<u64>().unwrap();
    let first = server.try_create(&acme.bob, super::creation(BOB, "A", "value-1")).await.unwrap();
    let done = server.try_import(&acme.bob, dotenv(BOB, "B=value-2\nC=value-3\n")).await.unwrap();
    assert_eq!(number(&done.revision), number(&first.revision) + 1);
}
