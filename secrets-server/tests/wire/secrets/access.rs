use secrets_proto::v1;
use tonic::{Code, Status};

use super::{ACME, API, BOB, WS1, creation, selected, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    each_kind_of_scope_is_listed_and_written_by_those_who_may,
    whether_a_secret_exists_is_hidden_from_those_who_may_not_list_it,
    an_admin_has_no_way_to_a_persons_own_secrets,
    a_call_without_a_good_token_is_refused,
    each_call_is_audited_by_the_secrets_name,
    what_is_hidden_takes_as_many_statements_as_what_is_not_there,
);

fn allowed<T: std::fmt::Debug>(result: Result<T, Status>) -> bool {
    match result {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(refusal(Err::<(), _>(status)).reason, "PERMISSION_DENIED");
            false
        }
    }
}

async fn each_kind_of_scope_is_listed_and_written_by_those_who_may(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let people = [
        ("ann", &acme.ann),
        ("bob", &acme.bob),
        ("cat", &acme.cat),
        ("dan", &acme.dan),
        ("eve", &acme.eve),
        ("operator", &server.operator),
    ];
    for (parent, may_list, may_write) in [
        (ACME, &["ann", "bob", "cat", "dan"][..], &["ann"][..]),
        (API, &["ann", "bob", "cat"], &["ann", "cat"]),
        ("organizations/acme/projects/web", &["ann"], &["ann"]),
        (WS1, &["ann", "bob", "dan"], &["bob"]),
        ("organizations/acme/workspaces/ws2", &["ann", "cat"], &["cat"]),
        (BOB, &["bob"], &["bob"]),
    ] {
        for (who, token) in people {
            let listed = server.try_list(token, v1::ListSecretsRequest { parent: parent.into(), ..Default::default() });
            assert_eq!(allowed(listed.await), may_list.contains(&who), "{who} lists {parent}");
            let id = format!("BY_{}", who.to_uppercase());
            let written = server.try_create(token, creation(parent, &id, "value-1")).await;
            assert_eq!(allowed(written), may_write.contains(&who), "{who} writes {parent}");
        }
    }
}

async fn whether_a_secret_exists_is_hidden_from_those_who_may_not_list_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    server.create(&acme.bob, WS1, "TOKEN", "value-1").await;
    for scope in
        [BOB, WS1, "organizations/acme/users/nobody", "organizations/acme/workspaces/none", "organizations/none"]
    {
        let mut seen = Vec::new();
        for id in ["TOKEN", "ABSENT"] {
            let name = format!("{scope}/secrets/{id}");
            let token = if scope == "organizations/none" { &acme.bob } else { &acme.cat };
            let deletion = v1::DeleteSecretRequest { name: name.clone(), ..Default::default() };
            let secret = v1::Secret { name: name.clone(), ..Default::default() };
            let update = v1::UpdateSecretRequest { secret: Some(secret), value: text("v"), ..Default::default() };
            let versions = v1::ListSecretVersionsRequest { parent: name.clone(), ..Default::default() };
            seen.push([
                refusal(server.try_get(token, &name).await),
                refusal(server.try_delete(token, deletion).await),
                refusal(server.try_update(token, update).await),
                refusal(server.try_undelete(token, &name, "").await),
                refusal(server.secrets(token).list_secret_versions(versions).await),
            ]);
        }
        assert_eq!(seen[0], seen[1], "{scope}");
        for refused in seen.iter().flatten() {
            assert_eq!(refused.code, Code::PermissionDenied, "{scope}");
            // Members of an organization may know each other.
            let is_told = scope == BOB;
            assert_eq!(refused.metadata.is_empty(), !is_told, "{scope}: {refused:?}");
            let is_generic = refused.message == "permission denied, or there is no such resource";
            assert_eq!(is_generic, !is_told, "{scope}: {refused:?}");
        }
    }
}

async fn an_admin_has_no_way_to_a_persons_own_secrets(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let own = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    assert!(!allowed(server.try_get(&acme.ann, &own.name).await));
    for parent in [ACME, WS1, API] {
        let request = v1::ListSecretsRequest {
            parent: parent.into(),
            include_inherited: true,
            show_deleted: true,
            ..Default::default()
        };
        assert!(server.try_list(&acme.ann, request).await.unwrap().secrets.is_empty());
    }
    let import = v1::ImportSecretsRequest {
        parent: BOB.into(),
        source: Some(v1::import_secrets_request::Source::Dotenv(b"A=1".to_vec())),
        ..Default::default()
    };
    assert!(!allowed(server.try_import(&acme.ann, import).await));
}

async fn a_call_without_a_good_token_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let mut unknown = acme.bob.clone();
    unknown.replace_range(10..11, if &unknown[10..11] == "a" { "b" } else { "a" });
    for token in ["", "x", &unknown] {
        let refused = refusal(server.try_create(token, creation(BOB, "TOKEN", "v")).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    }
}

async fn each_call_is_audited_by_the_secrets_name(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let own = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    server.try_get(&acme.bob, &own.name).await.unwrap();
    assert!(!allowed(server.try_get(&acme.cat, &own.name).await));
    assert!(server.try_create(&acme.bob, creation(BOB, "TOKEN", "v")).await.is_err());
    let rows = audited(&server, acme.organization).await;
    let uid: secrets_core::Uid = own.uid.parse().unwrap();
    let expected = [
        ("secretsapi.v1.SecretService/CreateSecret", "ALLOWED", "", Some(uid)),
        ("secretsapi.v1.SecretService/GetSecret", "ALLOWED", "", Some(uid)),
        ("secretsapi.v1.SecretService/GetSecret", "DENIED", "PERMISSION_DENIED", None),
        ("secretsapi.v1.SecretService/CreateSecret", "FAILED", "ALREADY_EXISTS", Some(uid)),
    ];
    for (action, outcome, reason, uid) in expected {
        let found = rows.iter().any(|row| {
            row.resource_name == own.name
                && (row.action.as_str(), row.outcome.as_str(), row.reason.as_str(), row.resource_uid)
                    == (action, outcome, reason, uid)
        });
        assert!(found, "{action} {outcome} {reason}: {rows:#?}");
    }
    assert_eq!(rows.len(), expected.len());
}

async fn audited(
    server: &TestServer,
    organization: secrets_core::Uid,
) -> Vec<secrets_server::store::audit::AuditRecord> {
    let filter = secrets_server::store::audit::AuditFilter::default();
    secrets_server::store::audit::list(server.app.store().reader(), Some(organization), &filter, None, 100)
        .await
        .unwrap()
}

async fn what_is_hidden_takes_as_many_statements_as_what_is_not_there(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let many: Vec<_> = (0..40).map(|n| format!("p{n}")).collect();
    for id in &many {
        server.project(&acme.ann, id).await;
    }
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (id, projects) in [("HIDDEN", &["web"][..]), ("HIDDEN_FROM_MANY", &many)] {
        let secret = v1::Secret { visibility: selected(projects, &[]), ..Default::default() };
        server.create_with(&acme.ann, ACME, id, secret).await;
    }
    let deeds = [
        "reads",
        "versions",
        "updates",
        "deletes",
        "rolls back",
        "copies",
        "rehearses",
        "creates",
        "compares",
        "shares",
    ];
    for deed in deeds {
        let mut seen = Vec::new();
        for id in ["ABSENT", "HIDDEN", "HIDDEN_FROM_MANY"] {
            let (token, name) = (&acme.bob, format!("{ACME}/secrets/{id}"));
            let secret = v1::Secret { name: name.clone(), ..Default::default() };
            database.statements.take();
            let answered = match deed {
                "reads" => server.try_get(token, &name).await.err(),
                "versions" => {
                    let request = v1::ListSecretVersionsRequest { parent: name.clone(), ..Default::default() };
                    server.secrets(token).list_secret_versions(request).await.err()
                }
                "updates" => {
                    let secret = Some(secret);
                    let update = v1::UpdateSecretRequest { secret, value: text("v"), ..Default::default() };
                    server.try_update(token, update).await.err()
                }
                "deletes" => {
                    let deletion = v1::DeleteSecretRequest { name: name.clone(), ..Default::default() };
                    server.try_delete(token, deletion).await.err()
                }
                "rolls back" => {
                    let request = v1::RollbackSecretRequest { name: name.clone(), version: 1, ..Default::default() };
                    server.secrets(token).rollback_secret(request).await.err()
                }
                "copies" => server.try_copy(token, &name, BOB).await.err(),
                "compares" => {
                    let name = format!("{BOB}/secrets/{id}");
                    let secret = Some(v1::Secret { name, ..Default::default() });
                    let update = v1::UpdateSecretRequest { secret, value: text("value-1"), ..Default::default() };
                    let updated = server.try_update(token, update).await.unwrap();
                    assert!(updated.value_unchanged && updated.warnings.is_empty(), "{updated:?}");
                    None
                }
                "shares" => {
                    let copied = server.try_copy(token, &format!("{BOB}/secrets/{id}"), WS1).await.unwrap();
                    assert!(copied.warnings.is_empty(), "{copied:?}");
                    None
                }
                // One of their own of the same name, which would override it where it reaches.
                _ => {
                    let validate_only = deed == "rehearses";
                    let request = v1::CreateSecretRequest { validate_only, ..creation(BOB, id, "value-1") };
                    let created = server.try_create(token, request).await.unwrap();
                    assert!(created.warnings.is_empty(), "{created:?}");
                    None
                }
            };
            let statements = database.statements.take();
            let message = answered.map(|status| status.message().replace(id, "NAME"));
            seen.push((statements.len(), message));
        }
        assert!(seen.iter().all(|each| *each == seen[0]), "{deed}: {seen:?}");
    }
}
