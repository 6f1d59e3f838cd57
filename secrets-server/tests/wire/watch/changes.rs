use secrets_server::clock::Clock;
use std::time::Duration;

use secrets_proto::v1;

use super::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation, text};

on_both!(
    reports_what_others_add_change_and_remove,
    reports_a_lock_and_a_disabled_secret,
    a_description_changes_nothing_that_is_delivered,
    reports_when_a_secret_expires,
    combines_changes_that_follow_each_other,
    reports_nothing_that_does_not_reach_the_context,
);

fn path(parent: &str, name: &str) -> v1::Secret {
    v1::Secret { name: format!("{parent}/secrets/{name}"), ..Default::default() }
}

async fn delete(acme: &Acme<'_>, token: &str, secret: v1::Secret) {
    let request = v1::DeleteSecretRequest { name: secret.name, ..Default::default() };
    acme.server.secrets(token).delete_secret(request).await.unwrap();
}

async fn reports_what_others_add_change_and_remove(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    let (set, _) = watching.set().await;
    let mut etags = vec![set.etag];

    acme.create(&acme.ann, creation(ACME, "SENTRY_DSN", "dsn")).await;
    let (etag, changed, lines) = watching.change().await;
    assert_eq!((changed, lines), (true, vec!["+ SENTRY_DSN v1 of organization".to_owned()]));
    etags.push(etag);

    let newer = v1::UpdateSecretRequest {
        secret: Some(path(ACME, "SENTRY_DSN")),
        value: text("another"),
        ..Default::default()
    };
    server.secrets(&acme.ann).update_secret(newer).await.unwrap();
    let (etag, changed, lines) = watching.change().await;
    assert_eq!((changed, lines), (true, vec!["* SENTRY_DSN v2 of organization".to_owned()]));
    etags.push(etag);

    // Without his own, bob gets the organization's.
    delete(&acme, &acme.bob, path(BOB, "LINEAR_API_KEY")).await;
    let (etag, changed, lines) = watching.change().await;
    assert_eq!((changed, lines), (true, vec!["* LINEAR_API_KEY v1 of organization".to_owned()]));
    etags.push(etag);

    delete(&acme, &acme.ann, path(ACME, "LINEAR_API_KEY")).await;
    let (etag, changed, lines) = watching.change().await;
    assert_eq!((changed, lines), (true, vec!["- LINEAR_API_KEY".to_owned()]));
    etags.push(etag);

    // The same name and version, and another secret all the same.
    delete(&acme, &acme.ann, path(ACME, "OPENAI_API_KEY")).await;
    assert_eq!(watching.change().await.2, ["- OPENAI_API_KEY"]);
    acme.create(&acme.ann, creation(ACME, "OPENAI_API_KEY", "sk-new")).await;
    etags.push(watching.change().await.0);
    let distinct: std::collections::BTreeSet<_> = etags.iter().collect();
    assert_eq!(distinct.len(), etags.len());
}

async fn reports_a_lock_and_a_disabled_secret(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    let (set, _) = watching.set().await;
    let of_organization = path(ACME, "LINEAR_API_KEY");
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..of_organization.clone() };
    acme.update(&acme.ann, locked, "override_policy").await;
    assert_eq!(watching.change().await.2, ["* LINEAR_API_KEY v1 of organization"]);
    acme.update(&acme.ann, v1::Secret { disabled: true, ..of_organization.clone() }, "disabled").await;
    assert_eq!(watching.change().await.2, ["- LINEAR_API_KEY"], "a lock that is switched off stays shut");
    let open = v1::Secret { override_policy: v1::OverridePolicy::Allowed.into(), ..of_organization };
    acme.update(&acme.ann, open, "override_policy").await;
    let (etag, _, lines) = watching.change().await;
    assert_eq!(lines, ["+ LINEAR_API_KEY v1 of user"]);
    assert_eq!(etag, set.etag, "what is delivered is what was delivered at first");
}

async fn a_description_changes_nothing_that_is_delivered(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    let (set, _) = watching.set().await;
    let described = v1::Secret { description: "his own".into(), ..path(BOB, "LINEAR_API_KEY") };
    acme.update(&acme.bob, described, "description").await;
    let (etag, changed, lines) = watching.change().await;
    assert_eq!((changed, lines), (false, vec!["* LINEAR_API_KEY v1 of user his own".to_owned()]));
    assert_eq!(etag, set.etag);
    let unmasked = v1::Secret { redaction: v1::Redaction::Off.into(), ..path(BOB, "LINEAR_API_KEY") };
    acme.update(&acme.bob, unmasked, "redaction").await;
    let (etag, changed, _) = watching.change().await;
    assert!(changed && etag != set.etag, "how it is masked is part of a delivery");
}

async fn reports_when_a_secret_expires(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (now, two_seconds) = (server.clock.now(), Duration::from_secs(2));
    let end = prost_types::Timestamp { seconds: now.as_micros() / 1_000_000 + 2, nanos: 0 };
    let short = v1::CreateSecretRequest {
        secret: Some(v1::Secret { expire_time: Some(end), ..Default::default() }),
        ..creation(BOB, "SHORT", "v")
    };
    acme.create(&acme.bob, short).await;
    let mut watching = acme.bob_watches().await;
    let (set, lines) = watching.set().await;
    assert_eq!((lines.len(), set.next_change_time), (3, Some(end)));
    // Nothing is written from here on: the clock alone goes on.
    server.wait(two_seconds);
    let event = watching.next_event().await;
    let Some(v1::watch_response::Event::Changed(change)) = &event.event else { panic!("{event:?}") };
    assert_eq!((change.removed.as_slice(), change.delivery_changed), (["SHORT".to_owned()].as_slice(), true));
    assert_eq!((event.next_change_time, &event.revision), (None, &set.revision));
}

async fn combines_changes_that_follow_each_other(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    watching.set().await;
    let parent = BOB.to_owned();
    let document = (0..200).map(|number| format!("KEY_{number}=v\n")).collect::<String>();
    let import = v1::ImportSecretsRequest {
        parent,
        source: Some(v1::import_secrets_request::Source::Dotenv(document.into_bytes())),
        ..Default::default()
    };
    server.secrets(&acme.bob).import_secrets(import).await.unwrap();
    let (_, _, lines) = watching.change().await;
    assert_eq!(lines.len(), 200, "one import, one event");

    let updates: Vec<_> = (2..42)
        .map(|version| {
            let value = text(&format!("value {version}"));
            let secret = Some(path(BOB, "KEY_7"));
            let newer = v1::UpdateSecretRequest { secret, value, ..Default::default() };
            let mut secrets = server.secrets(&acme.bob);
            tokio::spawn(async move { secrets.update_secret(newer).await.unwrap() })
        })
        .collect();
    let mut events = 0;
    loop {
        events += 1;
        let (_, _, lines) = watching.change().await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        if lines[0] == "* KEY_7 v41 of user" {
            break;
        }
    }
    assert!(events < 40, "{events}");
    for update in updates {
        update.await.unwrap();
    }
}

async fn reports_nothing_that_does_not_reach_the_context(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let cat = server.person(&acme.ann, "acme", "cat").await;
    let mut watching = acme.bob_watches().await;
    watching.set().await;
    acme.create(&cat, creation("organizations/acme/users/cat", "CATS_KEY", "v")).await;
    let elsewhere = v1::CreateSecretRequest {
        secret: Some(v1::Secret {
            visibility: Some(v1::Visibility { mode: v1::VisibilityMode::Selected.into(), ..Default::default() }),
            ..Default::default()
        }),
        ..creation(ACME, "FOR_NOBODY", "v")
    };
    acme.create(&acme.ann, elsewhere).await;
    acme.create(&acme.bob, creation(BOB, "OWN", "v")).await;
    assert_eq!(watching.change().await.2, ["+ OWN v1 of user"]);
}
