//! Whom CopySecret and MoveSecret refuse, and what: nothing is changed, and nobody learns what they may not know.

use std::time::Duration;

use secrets_proto::v1;
use tonic::Code;

use super::{ACME, API, BOB, WS1, file, selected};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    whoever_may_not_receive_the_source_or_change_the_destination_is_refused,
    whoever_may_not_change_the_source_copies_it_and_does_not_move_it,
    whoever_lists_the_source_and_does_not_receive_it_is_told_what_they_lack,
    what_is_hidden_is_as_absent_as_what_is_not_there,
    a_secret_that_is_not_delivered_is_not_copied,
    a_secret_in_whose_place_a_narrower_one_is_delivered_is_not_copied,
    a_program_does_not_copy_what_its_project_shadows,
    however_many_contexts_a_secret_reaches_their_others_are_read_once,
    what_is_in_the_way_at_the_destination_is_named,
    a_request_that_makes_no_sense_is_refused_by_its_field,
);

const ANN: &str = "organizations/acme/users/ann";
const CAT: &str = "organizations/acme/users/cat";
const DAN: &str = "organizations/acme/users/dan";

impl TestServer {
    async fn refuses_to_copy(&self, token: &str, from: &str, parent: &str) -> String {
        refusal(self.try_copy(token, &format!("{from}/secrets/KEY"), parent).await).reason
    }

    /// The reason of both, which is the same; a move may be told more of its source.
    async fn refuses(&self, token: &str, name: &str, parent: &str) -> String {
        let copy = refusal(self.try_copy(token, name, parent).await);
        let moved = refusal(self.try_move(token, name, parent).await);
        assert_eq!(copy.reason, moved.reason, "{name} to {parent}");
        copy.reason
    }
}

async fn whoever_may_not_receive_the_source_or_change_the_destination_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (token, parent) in [(&acme.bob, BOB), (&acme.bob, WS1), (&acme.cat, API), (&acme.ann, ACME)] {
        server.create(token, parent, "KEY", "value-1").await;
    }
    let session = server.session(&acme.bob, "", "bob").await.unwrap().token;
    let web = format!("{ACME}/projects/web");
    for (token, from, to) in [
        // They do not receive it: not a member of the project, nor of the project of the workspace, nor the user.
        (&acme.dan, API, DAN),
        (&acme.dan, WS1, DAN),
        (&acme.dan, BOB, DAN),
        (&acme.cat, WS1, CAT),
        (&acme.cat, BOB, API),
        // An administrator changes everything there, and takes part in nothing.
        (&acme.ann, API, ANN),
        (&acme.ann, API, ACME),
        (&acme.ann, WS1, ANN),
        (&acme.ann, BOB, ACME),
        // They do not change the destination.
        (&acme.bob, BOB, API),
        (&acme.bob, BOB, ACME),
        (&acme.bob, BOB, CAT),
        (&acme.bob, ACME, API),
        (&acme.cat, API, ACME),
        (&acme.cat, API, WS1),
        (&acme.cat, API, web.as_str()),
        // A session receives, and changes nothing, not even for itself.
        (&session, BOB, WS1),
        (&session, ACME, BOB),
        (&acme.eve, ACME, BOB),
        (&server.operator, ACME, API),
        // Nobody learns what there is.
        (&acme.bob, BOB, "organizations/acme/workspaces/none"),
        (&acme.bob, "organizations/acme/workspaces/none", BOB),
        (&acme.bob, "organizations/acme/users/none", BOB),
    ] {
        for id in ["KEY", "NONE"] {
            let reason = server.refuses(token, &format!("{from}/secrets/{id}"), to).await;
            assert_eq!(reason, "PERMISSION_DENIED", "{from} to {to}");
        }
    }
    for (token, parent) in [(&acme.dan, DAN), (&acme.ann, ANN), (&acme.cat, CAT)] {
        assert!(server.list(token, parent).await.is_empty());
    }
}

async fn whoever_may_not_change_the_source_copies_it_and_does_not_move_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (token, parent, id) in [(&acme.cat, API, "TEAM"), (&acme.ann, ACME, "SHARED")] {
        let name = server.create(token, parent, id, "value-1").await.name;
        let refused = refusal(server.try_move(&acme.bob, &name, BOB).await);
        assert_eq!(
            (refused.reason.as_str(), refused.metadata["permission"].as_str()),
            ("PERMISSION_DENIED", "secrets.write")
        );
        assert_eq!(refused.metadata["resource"], parent);
        server.try_copy(&acme.bob, &name, BOB).await.unwrap();
        server.try_get(&acme.bob, &name).await.unwrap();
    }
}

async fn whoever_lists_the_source_and_does_not_receive_it_is_told_what_they_lack(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let bot = server.program(&acme.ann, ACME, "ci").await;
    server.bind(&acme.ann, ACME, &format!("{ACME}/serviceAccounts/ci"), v1::Role::Admin).await.unwrap();
    for (token, parent) in [(&acme.bob, WS1), (&acme.cat, API), (&acme.ann, ACME)] {
        server.create(token, parent, "KEY", "value-1").await;
    }
    let ws2 = format!("{ACME}/workspaces/ws2");
    for (token, from, to, not_member_of) in [
        (&acme.ann, API, ANN, Some(API)),
        // That its project is what is missing too would take another look.
        (&acme.ann, WS1, ANN, None),
        (&acme.ann, &ws2, ANN, Some(ws2.as_str())),
        (&acme.dan, WS1, DAN, None),
        (&bot, API, ACME, None),
        (&bot, ACME, API, None),
    ] {
        let part = if from == WS1 { "in it and in its project" } else { "in it" };
        let text = format!("you may list the secrets of `{from}`, but only whoever takes part {part} may receive them");
        let text = format!("permission denied: {text}");
        for id in ["KEY", "NONE"] {
            let refused = refusal(server.try_copy(token, &format!("{from}/secrets/{id}"), to).await);
            assert_eq!((refused.code, refused.message.as_str()), (Code::PermissionDenied, text.as_str()));
            let said = |key: &str| refused.metadata.get(key).map(String::as_str);
            assert_eq!((said("permission"), said("resource")), (Some("secrets.receive"), Some(from)));
            assert_eq!(said("needs"), Some("USER_OF_CONTEXT,RESOLVER_OF_CONTEXT"));
            assert_eq!(said("not_member_of"), not_member_of, "{from}");
            assert_eq!(said("principal"), not_member_of.map(|_| ANN), "{from}");
        }
    }
    let secret = v1::Secret { visibility: selected(&["web"], &[]), ..Default::default() };
    let of_web = server.create_with(&acme.ann, ACME, "OF_WEB", secret).await.secret.unwrap().name;
    let refused = refusal(server.try_copy(&acme.ann, &of_web, ANN).await);
    let text = format!("you may list `{of_web}`, but only whoever takes part in what it reaches may receive it");
    assert_eq!(refused.message, format!("permission denied: {text}"));
    assert_eq!((&*refused.metadata["permission"], &*refused.metadata["resource"]), ("secrets.receive", ACME));
    // Whoever lists them may know that there is none; nobody else is told anything.
    for none in ["projects/none", "workspaces/none"] {
        assert_eq!(server.refuses_to_copy(&acme.ann, &format!("{ACME}/{none}"), ANN).await, "RESOURCE_NOT_FOUND");
    }
    let session = server.session(&acme.bob, "", "bob").await.unwrap().token;
    for (token, from, to) in [
        (&acme.dan, API, DAN),
        (&acme.cat, WS1, CAT),
        (&acme.ann, BOB, ANN),
        (&acme.cat, "organizations/acme/projects/none", CAT),
        (&acme.dan, "organizations/acme/workspaces/none", DAN),
    ] {
        let refused = refusal(server.try_copy(token, &format!("{from}/secrets/KEY"), to).await);
        assert!(refused.metadata.is_empty(), "{from} to {to}: {refused:?}");
        assert_eq!(refused.message, "permission denied, or there is no such resource", "{from} to {to}");
    }
    for (token, to) in [(&session, BOB), (&server.operator, ACME)] {
        let refused = refusal(server.try_copy(token, &format!("{API}/secrets/KEY"), to).await);
        assert!(!refused.message.contains("you may list"), "{to}: {refused:?}");
    }
}

async fn what_is_hidden_is_as_absent_as_what_is_not_there(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (id, visibility) in [("OF_WS2", selected(&[], &["ws2"])), ("OF_WEB", selected(&["web"], &[]))] {
        let secret = v1::Secret { visibility, disabled: true, ..Default::default() };
        server.create_with(&acme.ann, ACME, id, secret).await;
    }
    for (token, own) in [(&acme.bob, BOB), (&acme.dan, DAN)] {
        let mut counts = Vec::new();
        for id in ["NONE", "OF_WS2", "OF_WEB"] {
            let name = format!("{ACME}/secrets/{id}");
            database.statements.take();
            let refused = refusal(server.try_copy(token, &name, own).await);
            counts.push(database.statements.take().len());
            assert_eq!((refused.code, refused.message), (Code::NotFound, format!("there is no secret `{name}`")));
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    }
    // A program that lists nothing there or not these, and resolves for a project, for a workspace, or for both.
    let web = format!("{ACME}/projects/web");
    for (id, resolved) in [("of-api", &[API][..]), ("of-ws1", &[WS1]), ("of-both", &[API, WS1]), ("member", &[API])] {
        let bot = server.program(&acme.ann, ACME, id).await;
        let account = format!("{ACME}/serviceAccounts/{id}");
        server.bind(&acme.ann, &web, &account, v1::Role::Admin).await.unwrap();
        if id == "member" {
            server.bind(&acme.ann, ACME, &account, v1::Role::Member).await.unwrap();
        }
        for scope in resolved {
            server.bind(&acme.ann, scope, &account, v1::Role::Resolver).await.unwrap();
        }
        let mut counts = Vec::new();
        // Whoever takes part in web lists what that is given.
        let hidden = if id == "member" { &["NONE", "OF_WS2"][..] } else { &["NONE", "OF_WS2", "OF_WEB"] };
        for secret in hidden {
            let name = format!("{ACME}/secrets/{secret}");
            database.statements.take();
            let refused = refusal(server.try_copy(&bot, &name, &web).await);
            counts.push(database.statements.take().len());
            assert_eq!((refused.code, refused.message), (Code::NotFound, format!("there is no secret `{name}`")));
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{id}: {counts:?}");
    }
    // Whoever lists it and gets it nowhere may not have it.
    for id in ["OF_WS2", "OF_WEB"] {
        assert_eq!(server.refuses(&acme.ann, &format!("{ACME}/secrets/{id}"), ANN).await, "PERMISSION_DENIED");
    }
    assert_eq!(
        refusal(server.try_copy(&acme.cat, &format!("{ACME}/secrets/OF_WS2"), CAT).await).reason,
        "SECRET_NOT_COPYABLE"
    );
}

async fn a_secret_that_is_not_delivered_is_not_copied(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let in_a_minute =
        prost_types::Timestamp { seconds: server.wait(Duration::ZERO).as_micros() / 1_000_000 + 60, nanos: 0 };
    let locked = v1::OverridePolicy::Locked.into();
    server.create_with(&acme.cat, API, "DISABLED", v1::Secret { disabled: true, ..Default::default() }).await;
    server
        .create_with(&acme.cat, API, "EXPIRED", v1::Secret { expire_time: Some(in_a_minute), ..Default::default() })
        .await;
    server.create_with(&acme.cat, API, "LOCKED", v1::Secret { override_policy: locked, ..Default::default() }).await;
    server.create(&acme.cat, API, "BEHIND", "value-1").await;
    server.create_with(&acme.ann, ACME, "BEHIND", v1::Secret { override_policy: locked, ..Default::default() }).await;
    server.wait(Duration::from_secs(60));
    let ws2 = format!("{ACME}/workspaces/ws2");
    for (id, why) in [
        ("DISABLED", "it is disabled; enable it first"),
        ("EXPIRED", "it has expired; give it a later expiry first"),
        ("LOCKED", "it is locked, so that contexts get no other one in its place; unlock it first"),
        ("BEHIND", "another secret is delivered in its place: a locked one, or one of a narrower scope"),
    ] {
        let name = format!("{API}/secrets/{id}");
        for to in [CAT, ws2.as_str()] {
            assert_eq!(server.refuses(&acme.cat, &name, to).await, "SECRET_NOT_COPYABLE");
        }
        let refused = refusal(server.try_copy(&acme.cat, &name, CAT).await);
        assert_eq!(
            (refused.code, refused.message),
            (Code::FailedPrecondition, format!("`{name}` is not copied: {why}"))
        );
        let request = v1::CopySecretRequest { name, parent: CAT.into(), validate_only: true, ..Default::default() };
        assert_eq!(refusal(server.secrets(&acme.cat).copy_secret(request).await).reason, "SECRET_NOT_COPYABLE");
    }
    assert!(server.list(&acme.cat, CAT).await.is_empty());
    assert_eq!(server.list(&acme.cat, API).await.len(), 4);
    // One of their own in its place is in nobody's way.
    server.create(&acme.cat, API, "SHADOWED", "value-1").await;
    server.create(&acme.cat, CAT, "SHADOWED", "value-2").await;
    server.try_copy(&acme.cat, &format!("{API}/secrets/SHADOWED"), &ws2).await.unwrap();
}

async fn a_secret_in_whose_place_a_narrower_one_is_delivered_is_not_copied(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let ws2 = format!("{ACME}/workspaces/ws2");
    let grouped = || v1::Secret { group: "aws".into(), ..Default::default() };
    let at_key = || v1::Secret { target: file("~/key"), ..Default::default() };
    for (n, (projects, workspaces, shared, token, own, writer, narrower)) in [
        (vec!["api"], vec![], v1::Secret::default(), &acme.bob, BOB, &acme.cat, API),
        (vec!["api"], vec![], grouped(), &acme.bob, BOB, &acme.cat, API),
        (vec!["api"], vec![], at_key(), &acme.bob, BOB, &acme.cat, API),
        // A workspace's contexts have its project too.
        (vec![], vec!["ws1"], v1::Secret::default(), &acme.bob, BOB, &acme.cat, API),
        (vec!["api"], vec!["ws1"], v1::Secret::default(), &acme.bob, BOB, &acme.cat, API),
        (vec![], vec!["ws1"], v1::Secret::default(), &acme.bob, BOB, &acme.bob, WS1),
        (vec![], vec!["ws2"], v1::Secret::default(), &acme.cat, CAT, &acme.cat, ws2.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        let secret = v1::Secret { visibility: selected(&projects, &workspaces), ..shared.clone() };
        let source = server.create_with(&acme.ann, ACME, &format!("KEY_{n}"), secret).await.secret.unwrap().name;
        // It shares the name, or the place or group alone.
        let id = if shared == v1::Secret::default() { format!("KEY_{n}") } else { format!("OTHER_{n}") };
        let other = server.create_with(writer, narrower, &id, shared).await.secret.unwrap().name;
        let refused = refusal(server.try_copy(token, &source, own).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "SECRET_NOT_COPYABLE"), "{n}");
        server.delete(writer, &other).await;
        let copy = server.try_copy(token, &source, own).await.unwrap().secret.unwrap();
        server.delete(token, &copy.name).await;
        server.delete(&acme.ann, &source).await;
    }
    // One context that gets it is enough.
    let secret = v1::Secret { visibility: selected(&["api", "web"], &[]), ..Default::default() };
    let source = server.create_with(&acme.ann, ACME, "KEY", secret).await.secret.unwrap().name;
    server.create(&acme.cat, API, "KEY", "value-1").await;
    assert_eq!(refusal(server.try_copy(&acme.bob, &source, BOB).await).reason, "SECRET_NOT_COPYABLE");
    server.bind(&acme.ann, &format!("{ACME}/projects/web"), BOB, v1::Role::Member).await.unwrap();
    server.try_copy(&acme.bob, &source, BOB).await.unwrap();
}

async fn a_program_does_not_copy_what_its_project_shadows(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let bot = server.program(&acme.ann, ACME, "ci").await;
    let (name, web) = (format!("{ACME}/serviceAccounts/ci"), format!("{ACME}/projects/web"));
    server.bind(&acme.ann, ACME, &name, v1::Role::Admin).await.unwrap();
    server.bind(&acme.ann, API, &name, v1::Role::Resolver).await.unwrap();
    let shared = server.create(&acme.ann, ACME, "KEY", "value-1").await.name;
    let team = server.create(&acme.cat, API, "KEY", "value-2").await.name;
    assert_eq!(refusal(server.try_copy(&bot, &shared, &web).await).reason, "SECRET_NOT_COPYABLE");
    server.delete(&acme.cat, &team).await;
    server.try_copy(&bot, &shared, &web).await.unwrap();
}

async fn however_many_contexts_a_secret_reaches_their_others_are_read_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let ids: Vec<_> = (0..8).map(|n| format!("p{n}")).collect();
    for id in &ids {
        server.project(&acme.ann, id).await;
        server.bind(&acme.ann, &format!("{ACME}/projects/{id}"), BOB, v1::Role::Admin).await.unwrap();
        for key in ["FEW", "MANY"] {
            server.create(&acme.bob, &format!("{ACME}/projects/{id}"), key, "value-1").await;
        }
    }
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let mut counts = Vec::new();
    for (key, reached) in [("FEW", &ids[..1]), ("MANY", &ids[..])] {
        let secret = v1::Secret { visibility: selected(reached, &[]), ..Default::default() };
        let source = server.create_with(&acme.ann, ACME, key, secret).await.secret.unwrap().name;
        database.statements.take();
        assert_eq!(refusal(server.try_copy(&acme.bob, &source, BOB).await).reason, "SECRET_NOT_COPYABLE");
        counts.push(database.statements.take().len());
    }
    assert_eq!(counts[0], counts[1]);
}

async fn what_is_in_the_way_at_the_destination_is_named(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let limits = r#"{"secrets_per_scope":2}"#;
    let acme = Acme::with(&server, secrets_core::NamePolicy::Strict, limits).await;
    let name = format!("{BOB}/secrets/KEY");
    let created = server
        .create_with(&acme.bob, BOB, "KEY", v1::Secret { target: file("~/key"), ..Default::default() })
        .await
        .secret
        .unwrap();
    let there = server.create(&acme.bob, WS1, "KEY", "there").await;
    let refused = refusal(server.try_copy(&acme.bob, &name, WS1).await);
    assert_eq!(
        (refused.code, refused.reason.as_str(), refused.fields),
        (Code::AlreadyExists, "ALREADY_EXISTS", vec!["parent".to_owned()])
    );
    assert_eq!(refused.message, format!("parent: `{WS1}/secrets/KEY` exists, and is not replaced; delete it first"));
    assert_eq!(server.stored_value(&there).await, b"there");
    server.delete(&acme.bob, &there.name).await;
    let other = v1::Secret { target: file("~/key"), ..Default::default() };
    let other = server.create_with(&acme.bob, WS1, "OTHER", other).await.secret.unwrap();
    assert_eq!(server.refuses(&acme.bob, &name, WS1).await, "TARGET_IN_USE");
    server.delete(&acme.bob, &other.name).await;
    for id in ["A", "B"] {
        server.create(&acme.bob, WS1, id, "value").await;
    }
    assert_eq!(server.refuses(&acme.bob, &name, WS1).await, "LIMIT_EXCEEDED");
    server.delete(&acme.bob, &format!("{WS1}/secrets/A")).await;
    let stale =
        v1::CopySecretRequest { name: name.clone(), parent: WS1.into(), etag: "x".into(), ..Default::default() };
    assert_eq!(refusal(server.secrets(&acme.bob).copy_secret(stale.clone()).await).reason, "ETAG_MISMATCH");
    assert_eq!(server.try_get(&acme.bob, &name).await.unwrap(), created);
    server.secrets(&acme.bob).copy_secret(v1::CopySecretRequest { etag: created.etag, ..stale }).await.unwrap();
}

async fn a_request_that_makes_no_sense_is_refused_by_its_field(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.bob, BOB, "KEY", "value-1").await.name;
    for (name, parent, field, reason) in [
        (name.as_str(), BOB, "parent", "INVALID_ARGUMENT_VALUE"),
        (&name, "organizations/rival", "parent", "INVALID_ARGUMENT_VALUE"),
        (&name, "", "parent", "INVALID_RESOURCE_NAME"),
        (&name, "organizations/acme/users/bob/secrets/KEY", "parent", "INVALID_RESOURCE_NAME"),
        (BOB, WS1, "name", "INVALID_RESOURCE_NAME"),
        ("organizations/acme/users/bob/secrets/a-b", WS1, "name", "INVALID_SECRET_ID"),
    ] {
        assert_eq!(server.refuses(&acme.bob, name, parent).await, reason, "{name} to {parent}");
        let refused = refusal(server.try_copy(&acme.bob, name, parent).await);
        assert_eq!(
            (refused.code, refused.fields),
            (Code::InvalidArgument, vec![field.to_owned()]),
            "{name} to {parent}"
        );
    }
}
