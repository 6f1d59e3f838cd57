//! When there is no answer, or one to be warned of.

use secrets_proto::v1;
use tonic::Code;

use super::{Acme, context, delivered, for_ws1, names};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{plain, workspace_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    names_what_is_required_and_missing,
    delivers_nothing_when_a_value_does_not_open,
    names_the_fields_of_a_bad_question,
    warns_of_an_environment_that_is_too_large,
    refuses_an_answer_that_is_too_large_for_a_message,
);

async fn names_what_is_required_and_missing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let ask = |required: &[&str]| v1::ResolveRequest { required_secret_ids: names(required), ..for_ws1() };
    assert_eq!(acme.bob_asks(ask(&["WS_TOKEN", "LINEAR_API_KEY"])).await.secrets.len(), 4);
    let refused = refusal(acme.ask(&acme.bob.token, ask(&["ZED", "WS_TOKEN", "ABSENT"])).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "SECRET_REQUIRED_MISSING"));
    assert_eq!(refused.metadata["secret_ids"], "ABSENT, ZED");
    assert_eq!(refused.metadata["count"], "2");
    assert!(refused.message.contains("ABSENT, ZED"), "{}", refused.message);

    let many: Vec<_> = (0..300).map(|number| format!("{}_{number}", "N".repeat(100))).collect();
    let refused = acme.ask(&acme.bob.token, v1::ResolveRequest { required_secret_ids: many, ..for_ws1() }).await;
    let status = refused.as_ref().unwrap_err();
    assert!(status.details().len() + status.message().len() <= 4096, "{}", status.details().len());
    assert_eq!(refusal(refused).metadata["count"], "300");
}

async fn delivers_nothing_when_a_value_does_not_open(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(workspace_scope(acme.ws1), "A", "value of a", plain).await;
    acme.organization.secret(workspace_scope(acme.ws1), "B", "value of b", plain).await;
    let blob_of = |name: &str| {
        format!(
            "(SELECT v.blob FROM secret_versions v JOIN secrets s ON s.uid = v.secret_uid WHERE s.secret_id = '{name}')"
        )
    };
    let uid_of = |name: &str| format!("(SELECT uid FROM secrets WHERE secret_id = '{name}')");
    acme.organization
        .execute(&format!("UPDATE secret_versions SET blob = {} WHERE secret_uid = {}", blob_of("B"), uid_of("A")))
        .await;
    acme.organization
        .execute(&format!(
            "UPDATE secret_versions SET target_kind = 'API_ONLY' WHERE secret_uid = {}",
            uid_of("WS_TOKEN")
        ))
        .await;

    let all = v1::ResolveRequest { required_secret_ids: names(&["WS_TOKEN"]), ..for_ws1() };
    let refused = refusal(acme.ask(&acme.bob.token, all).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::DataLoss, "SECRET_UNREADABLE"));
    assert_eq!(refused.metadata["secret_ids"], "A, WS_TOKEN");
    assert!(!refused.message.contains("value of"));
    // The others are as they were.
    let b = v1::ResolveRequest { secret_ids: names(&["B"]), ..for_ws1() };
    assert_eq!(delivered(&acme.bob_asks(b).await), [("B", "value of b")]);

    // A data key that does not open takes with it what it sealed.
    acme.organization.execute("UPDATE data_keys SET version = 2").await;
    let refused = refusal(acme.ask(&acme.bob.token, for_ws1()).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["count"].as_str()), ("SECRET_UNREADABLE", "5"));
}

async fn names_the_fields_of_a_bad_question(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let asked = |context| v1::ResolveRequest { context, ..Default::default() };
    for (request, field, reason) in [
        (asked(context("", "api", "", "")), "context", "CONTEXT_INVALID"),
        (asked(context("Acme", "", "", "")), "context.organization", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "api/..", "", "")), "context.project", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "", "ws%31", "")), "context.workspace", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "", "", "b\0b")), "context.user", "INVALID_ARGUMENT_VALUE"),
        (v1::ResolveRequest { secret_ids: names(&["a-b"]), ..for_ws1() }, "secret_ids", "INVALID_SECRET_ID"),
        (
            v1::ResolveRequest { required_secret_ids: names(&[&"A".repeat(128)]), ..for_ws1() },
            "required_secret_ids",
            "INVALID_SECRET_ID",
        ),
        (v1::ResolveRequest { kinds: vec![9], ..for_ws1() }, "kinds", "INVALID_ARGUMENT_VALUE"),
    ] {
        let refused = refusal(acme.ask(&acme.bob.token, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, reason), "{field}");
        assert_eq!(refused.fields, [field]);
    }
}

async fn warns_of_an_environment_that_is_too_large(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let large = (0..8).map(|number| (format!("LARGE_{number}"), "x".repeat(65_536)));
    acme.organization.secrets(workspace_scope(acme.ws1), large, plain).await;
    let answer = acme.bob_asks(for_ws1()).await;
    assert_eq!(answer.environment_bytes, 82 + 8 * (65_536 + 9));
    assert_eq!(answer.warnings.len(), 1);
    assert_eq!(answer.warnings[0].code(), v1::WarningCode::LargeEnvironment);
    let some = v1::ResolveRequest { secret_ids: names(&["LARGE_1"]), ..for_ws1() };
    assert!(acme.bob_asks(some).await.warnings.is_empty());
}

async fn refuses_an_answer_that_is_too_large_for_a_message(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    // More than a scope may hold: limits may have been higher once.
    let large = (0..64).map(|number| (format!("LARGE_{number}"), "x".repeat(65_536)));
    acme.organization.secrets(workspace_scope(acme.ws1), large, plain).await;
    let refused = refusal(acme.ask(&acme.bob.token, for_ws1()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    assert_eq!(refused.metadata["limit"], "answer_bytes");
    let less =
        v1::ResolveRequest { secret_ids: (0..60).map(|number| format!("LARGE_{number}")).collect(), ..for_ws1() };
    assert_eq!(acme.bob_asks(less).await.secrets.len(), 60);
}
