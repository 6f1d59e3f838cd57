//! Reserved names and paths: some are never stored, others where the organization allows them.

use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::import_secrets_request::Source;
use tonic::{Code, Status};

use super::secrets::{ACME, BOB, creation, file, mask, text};
use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::{Refusal, refusal};
use crate::support::server::TestServer;

on_both!(
    a_soft_variable_is_stored_where_the_organization_allows_it,
    a_soft_path_is_stored_where_the_organization_allows_it,
    an_import_goes_by_what_the_organization_allows,
    what_is_no_longer_allowed_is_delivered_and_gets_no_new_version,
    what_is_hard_is_neither_stored_nor_allowed,
    only_administrators_allow_and_the_audit_log_says_what,
    a_change_of_something_else_keeps_what_is_allowed,
);

impl TestServer {
    async fn try_allow(&self, token: &str, entries: &[&str]) -> Result<v1::Organization, Status> {
        let allowed_reserved = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let organization = v1::Organization { name: ACME.to_owned(), allowed_reserved, ..Default::default() };
        let request = v1::UpdateOrganizationRequest {
            organization: Some(organization),
            update_mask: mask(&["allowed_reserved"]),
            ..Default::default()
        };
        Ok(self.directory(token).update_organization(request).await?.into_inner().organization.unwrap())
    }
}

fn file_at(path: &str) -> v1::CreateSecretRequest {
    v1::CreateSecretRequest {
        secret: Some(v1::Secret { target: file(path), ..Default::default() }),
        ..creation(BOB, "CONFIG", "value-1")
    }
}

/// Reason, field, and what the organization would have to allow.
fn in_short(refused: &Refusal) -> (&str, &str, Option<&str>) {
    assert_eq!(refused.code, Code::InvalidArgument, "{refused:?}");
    (&refused.reason, refused.fields.first().unwrap(), refused.metadata.get("allow").map(String::as_str))
}

async fn a_soft_variable_is_stored_where_the_organization_allows_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let refused = refusal(server.try_create(&acme.bob, creation(BOB, "KUBECONFIG", "value-1")).await);
    assert_eq!(in_short(&refused), ("RESERVED_SECRET_ID", "secret_id", Some("KUBECONFIG")));
    assert_eq!(
        refused.message,
        "secret_id: `KUBECONFIG` is reserved as an environment variable (redirects tools to another configuration or \
         service); choose another name, or a file, registry or API-only target, or ask an administrator of the \
         organization to allow it"
    );
    let allowed = server.try_allow(&acme.ann, &["PAGER", "KUBECONFIG"]).await.unwrap();
    assert_eq!(allowed.allowed_reserved, ["KUBECONFIG", "PAGER"]);
    server.create(&acme.bob, BOB, "KUBECONFIG", "value-1").await;
    // Exactly that name, and in this organization.
    let other = refusal(server.try_create(&acme.bob, creation(BOB, "EDITOR", "value-1")).await);
    assert_eq!(in_short(&other), ("RESERVED_SECRET_ID", "secret_id", Some("EDITOR")));
    let rival = creation("organizations/rival", "KUBECONFIG", "value-1");
    assert_eq!(refusal(server.try_create(&acme.eve, rival).await).reason, "RESERVED_SECRET_ID");
}

async fn a_soft_path_is_stored_where_the_organization_allows_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let refused = refusal(server.try_create(&acme.bob, file_at("~/.cargo/config.toml")).await);
    assert_eq!(in_short(&refused), ("INVALID_TARGET", "secret.target.file.path", Some("~/.cargo/config.toml")));
    assert!(refused.message.contains("ask an administrator of the organization to allow it"), "{refused:?}");
    server.try_allow(&acme.ann, &["~/.cargo/config.toml"]).await.unwrap();
    assert_eq!(refusal(server.try_create(&acme.bob, file_at("~/.cargo/config")).await).reason, "INVALID_TARGET");
    server.try_create(&acme.bob, file_at("~/.cargo/config.toml")).await.unwrap();
}

async fn an_import_goes_by_what_the_organization_allows(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = Some(Source::Dotenv(b"KUBECONFIG=/run/kube\n".to_vec()));
    let request = v1::ImportSecretsRequest { parent: BOB.to_owned(), source, ..Default::default() };
    let refused = refusal(server.try_import(&acme.bob, request.clone()).await);
    assert_eq!(refused.reason, "ENTRIES_REJECTED");
    assert!(refused.message.contains("an administrator of the organization can allow it"), "{refused:?}");
    server.try_allow(&acme.ann, &["KUBECONFIG"]).await.unwrap();
    let imported = server.try_import(&acme.bob, request).await.unwrap();
    assert_eq!(imported.entries[0].outcome(), v1::ImportOutcome::Created);
}

async fn what_is_no_longer_allowed_is_delivered_and_gets_no_new_version(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.try_allow(&acme.ann, &["KUBECONFIG"]).await.unwrap();
    server.create(&acme.bob, BOB, "KUBECONFIG", "value-0").await;
    let name = format!("{BOB}/secrets/KUBECONFIG");
    let described = v1::Secret { name: name.clone(), description: "of the cluster".into(), ..Default::default() };
    let change = v1::UpdateSecretRequest { secret: Some(described), ..Default::default() };
    let second = v1::UpdateSecretRequest { value: text("value-1"), ..change.clone() };
    server.try_update(&acme.bob, second).await.unwrap();
    assert_eq!(server.try_allow(&acme.ann, &[]).await.unwrap().allowed_reserved, [""; 0]);

    let request = v1::ResolveRequest { context: Some(context("", "bob")), ..Default::default() };
    let resolved = server.resolver(&acme.bob).resolve(request).await.unwrap().into_inner();
    assert_eq!(resolved.secrets[0].secret_id, "KUBECONFIG");
    server.try_update(&acme.bob, change.clone()).await.unwrap();
    let rotation = v1::UpdateSecretRequest { value: text("value-2"), ..change };
    assert_eq!(refusal(server.try_update(&acme.bob, rotation).await).reason, "RESERVED_SECRET_ID");
    let rollback = v1::RollbackSecretRequest { name: name.clone(), version: 1, ..Default::default() };
    assert_eq!(refusal(server.secrets(&acme.bob).rollback_secret(rollback).await).reason, "RESERVED_SECRET_ID");
    let delete = v1::DeleteSecretRequest { name: name.clone(), ..Default::default() };
    server.secrets(&acme.bob).delete_secret(delete).await.unwrap();
    let undelete = v1::UndeleteSecretRequest { name, ..Default::default() };
    assert_eq!(refusal(server.secrets(&acme.bob).undelete_secret(undelete).await).reason, "RESERVED_SECRET_ID");
}

async fn what_is_hard_is_neither_stored_nor_allowed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (entry, rule) in [
        ("LD_PRELOAD", "`LD_PRELOAD` can't be allowed, since it loads code into every program"),
        ("path", "`path` can't be allowed, since it changes which programs run"),
        ("~/.bashrc", "path is reserved by `~/.bashrc` (runs when a shell starts)"),
        ("LINEAR_API_KEY", "`LINEAR_API_KEY` is not reserved"),
        ("/run/secrets/token", "`/run/secrets/token` is not reserved"),
        ("a-b", "invalid character `-` in `a-b`"),
        ("", "names must not be empty"),
    ] {
        let refused = refusal(server.try_allow(&acme.ann, &["PAGER", entry]).await);
        assert_eq!(in_short(&refused), ("INVALID_ARGUMENT_VALUE", "organization.allowed_reserved", None));
        assert!(refused.message.contains(rule), "{entry}: {refused:?}");
    }
    for (request, reason) in [
        (creation(BOB, "LD_PRELOAD", "value-1"), "RESERVED_SECRET_ID"),
        (creation(BOB, "BUN_OPTIONS", "value-1"), "RESERVED_SECRET_ID"),
        (file_at("~/.bashrc"), "INVALID_TARGET"),
        (file_at("/docker-entrypoint.sh"), "INVALID_TARGET"),
    ] {
        let refused = refusal(server.try_create(&acme.bob, request).await);
        assert_eq!((refused.reason.as_str(), refused.metadata.get("allow")), (reason, None), "{refused:?}");
        assert!(!refused.message.contains("administrator"), "{refused:?}");
    }
}

async fn only_administrators_allow_and_the_audit_log_says_what(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    assert_eq!(refusal(server.try_allow(&acme.bob, &["PAGER"]).await).code, Code::PermissionDenied);
    for allowed in [["KUBECONFIG", "PAGER"], ["KUBECONFIG", "CC"], ["KUBECONFIG", "CC"]] {
        server.wait(Duration::from_secs(1)); // so that the events have an order
        server.try_allow(&acme.ann, &allowed).await.unwrap();
    }

    let request = v1::ListAuditEventsRequest { parent: ACME.to_owned(), ..Default::default() };
    let events = server.audit(&acme.ann).list_audit_events(request).await.unwrap().into_inner().events;
    let changes: Vec<_> = events
        .iter()
        .filter(|event| event.action == "secretsapi.v1.DirectoryService/UpdateOrganization")
        .map(|event| (event.outcome(), event.allowed_reserved.join(" "), event.disallowed_reserved.join(" ")))
        .collect();
    let change =
        |allowed: &str, disallowed: &str| (v1::AuditOutcome::Allowed, allowed.to_owned(), disallowed.to_owned());
    let denied = (v1::AuditOutcome::Denied, String::new(), String::new());
    assert_eq!(changes, [change("", ""), change("CC", "PAGER"), change("KUBECONFIG PAGER", ""), denied]);
}

async fn a_change_of_something_else_keeps_what_is_allowed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.try_allow(&acme.ann, &["KUBECONFIG"]).await.unwrap();
    let organization = v1::Organization { name: ACME.to_owned(), display_name: "Acme".into(), ..Default::default() };
    for update_mask in [None, mask(&["display_name"])] {
        let request = v1::UpdateOrganizationRequest {
            organization: Some(organization.clone()),
            update_mask,
            ..Default::default()
        };
        let changed = server.directory(&acme.ann).update_organization(request).await.unwrap().into_inner();
        assert_eq!(changed.organization.unwrap().allowed_reserved, ["KUBECONFIG"]);
    }
    let request = v1::GetOrganizationRequest { name: ACME.to_owned() };
    let found = server.directory(&acme.bob).get_organization(request).await.unwrap().into_inner();
    assert_eq!(found.organization.unwrap().allowed_reserved, ["KUBECONFIG"]);
}
