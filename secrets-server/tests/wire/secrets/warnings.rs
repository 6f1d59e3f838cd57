use secrets_proto::v1;
use secrets_proto::v1::WarningCode::{
    AlreadyExpired, BlockedByLock, CommonWord, ExpiresSoon, InvisibleCharacter, KeyMaterialInEnv, ReachesNobody,
    ShadowsBroader, TrailingNewline,
};
use secrets_server::clock::Clock;

use super::{ACME, API, BOB, WS1, codes, creation, file, selected};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    unusual_values_are_stored_with_a_warning,
    warns_of_an_expiry_that_is_near_and_a_selection_of_nobody,
    warns_of_secrets_that_a_new_one_shadows_or_is_shadowed_by,
    warnings_do_not_name_what_the_caller_may_not_list,
    a_secret_that_does_not_serve_shadows_nothing,
);

async fn unusual_values_are_stored_with_a_warning(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----";
    for (n, (value, redaction, expected)) in [
        ("lin_api_0123456789", v1::Redaction::Default, &[][..]),
        ("lin_api_0123456789\n", v1::Redaction::Default, &[TrailingNewline]),
        ("lin_api\u{200b}_0123456789", v1::Redaction::Default, &[InvisibleCharacter]),
        (pem, v1::Redaction::Default, &[KeyMaterialInEnv]),
        ("true", v1::Redaction::Default, &[CommonWord]),
        ("true", v1::Redaction::Off, &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let secret = v1::Secret { redaction: redaction.into(), ..Default::default() };
        let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(BOB, &format!("N{n}"), value) };
        let created = server.try_create(&acme.bob, request).await.unwrap();
        assert_eq!(codes(&created.warnings), expected, "{value:?}");
        assert!(created.warnings.iter().all(|warning| warning.secret_id == format!("N{n}")));
        assert!(created.warnings.iter().all(|warning| !warning.message.contains("lin_api")));
        assert_eq!(server.stored_value(&created.secret.unwrap()).await, value.as_bytes());
    }
}

async fn warns_of_an_expiry_that_is_near_and_a_selection_of_nobody(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let now = server.clock.now().as_micros() / 1_000_000;
    let day = 24 * 60 * 60;
    for (n, (seconds, expected)) in
        [(now - 1, &[AlreadyExpired][..]), (now + 6 * day, &[ExpiresSoon]), (now + 8 * day, &[])]
            .into_iter()
            .enumerate()
    {
        let secret =
            v1::Secret { expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }), ..Default::default() };
        let created = server.create_with(&acme.bob, BOB, &format!("N{n}"), secret).await;
        assert_eq!(codes(&created.warnings), expected);
    }
    let secret = v1::Secret { visibility: selected(&[], &[]), ..Default::default() };
    assert_eq!(codes(&server.create_with(&acme.ann, ACME, "NOBODY", secret).await.warnings), [ReachesNobody]);
}

async fn warns_of_secrets_that_a_new_one_shadows_or_is_shadowed_by(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    server.create(&acme.ann, ACME, "TOKEN", "value-org").await;
    server.create_with(&acme.ann, ACME, "CA", v1::Secret { target: file("/etc/ssl/ca.pem"), ..locked.clone() }).await;
    server.create_with(&acme.ann, ACME, "AWS_KEY", v1::Secret { group: "aws".into(), ..Default::default() }).await;
    server.create_with(&acme.cat, API, "STRIPE", locked).await;

    let warnings_of = async |token: &str, parent: &str, id: &str, secret: v1::Secret| {
        let created = server.create_with(token, parent, id, secret).await;
        created.warnings.into_iter().map(|warning| (warning.code(), warning.message)).collect::<Vec<_>>()
    };
    let plain = v1::Secret::default;
    let [(code, message)] = &warnings_of(&acme.bob, BOB, "TOKEN", plain()).await[..] else { panic!("one warning") };
    assert_eq!(*code, ShadowsBroader);
    assert!(message.contains("organizations/acme/secrets/TOKEN"), "{message}");
    // By place.
    let own_ca = v1::Secret { target: file("/etc/ssl/ca.pem"), ..plain() };
    let [(code, message)] = &warnings_of(&acme.bob, WS1, "OWN_CA", own_ca).await[..] else { panic!("one warning") };
    assert_eq!(*code, BlockedByLock);
    assert!(message.contains("file /etc/ssl/ca.pem") && message.contains("organizations/acme/secrets/CA"), "{message}");
    // By group.
    let aws = v1::Secret { group: "aws".into(), ..plain() };
    let [(code, message)] = &warnings_of(&acme.bob, BOB, "AWS_TOKEN", aws).await[..] else { panic!("one warning") };
    assert_eq!(*code, ShadowsBroader);
    assert!(message.contains("group aws"), "{message}");
    // By a project's lock: in its workspace, and for whoever takes part in it.
    for parent in [BOB, WS1] {
        let [(code, message)] = &warnings_of(&acme.bob, parent, "STRIPE", plain()).await[..] else {
            panic!("one warning")
        };
        assert_eq!(*code, BlockedByLock);
        assert!(message.contains("organizations/acme/projects/api/secrets/STRIPE"), "{message}");
    }
    // An import says the same.
    let request = v1::ImportSecretsRequest {
        parent: API.into(),
        source: Some(v1::import_secrets_request::Source::Dotenv(
            b"TOKEN=value-api\nCA=value-ca\nFREE=value-free\n".to_vec(),
        )),
        ..Default::default()
    };
    let imported = server.try_import(&acme.cat, request).await.unwrap();
    let warnings: Vec<_> =
        imported.warnings.iter().map(|warning| (warning.secret_id.as_str(), warning.code())).collect();
    assert_eq!(warnings, [("TOKEN", ShadowsBroader), ("CA", BlockedByLock)]);
}

async fn warnings_do_not_name_what_the_caller_may_not_list(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    // dan takes part in ws1 and in no project.
    let for_web = v1::Secret { visibility: selected(&["web"], &[]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "WEB_TOKEN", for_web).await;
    server.create(&acme.cat, API, "API_TOKEN", "value-api").await;
    let own = "organizations/acme/users/dan";
    for id in ["WEB_TOKEN", "API_TOKEN"] {
        let created = server.try_create(&acme.dan, creation(own, id, "value-of-dan")).await.unwrap();
        assert_eq!(codes(&created.warnings), [], "{id}");
    }
    server.create(&acme.bob, WS1, "WS1_TOKEN", "value-ws1").await;
    let created = server.try_create(&acme.dan, creation(own, "WS1_TOKEN", "value-of-dan")).await.unwrap();
    assert_eq!(codes(&created.warnings), [ShadowsBroader]);
}

async fn a_secret_that_does_not_serve_shadows_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.ann, ACME, "TOKEN", "value-org").await;
    let disabled = v1::Secret { disabled: true, ..Default::default() };
    assert_eq!(codes(&server.create_with(&acme.bob, BOB, "TOKEN", disabled.clone()).await.warnings), []);
    // A lock holds though its secret is disabled.
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..disabled };
    server.create_with(&acme.ann, ACME, "CA", locked).await;
    assert_eq!(codes(&server.create_with(&acme.bob, BOB, "CA", v1::Secret::default()).await.warnings), [BlockedByLock]);
}
