//! One organization that writes without pause does not stop another one's calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrets_proto::v1;

use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, creation};

on_both!(imports_of_one_organization_keep_no_other_from_reading_and_writing);

/// Imports in flight at once.
const IMPORTERS: usize = 8;
/// Calls of the other organization.
const CALLS: usize = 10;
const RIVAL: &str = "organizations/rival";

async fn imports_of_one_organization_keep_no_other_from_reading_and_writing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.eve, RIVAL, "CALM", "value-1").await;

    let ended = Arc::new(AtomicBool::new(false));
    let importers: Vec<_> = (0..IMPORTERS)
        .map(|importer| {
            let (mut secrets, ended) = (server.secrets(&acme.ann), Arc::clone(&ended));
            tokio::spawn(async move {
                let lines: String = (0..100).map(|n| format!("N{importer}_{n}=value\n")).collect();
                while !ended.load(Ordering::Relaxed) {
                    let request = v1::ImportSecretsRequest {
                        parent: ACME.into(),
                        source: Some(v1::import_secrets_request::Source::Dotenv(lines.clone().into_bytes())),
                        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
                        ..Default::default()
                    };
                    // Whether its own calls succeed is the importer's affair.
                    let _ = secrets.import_secrets(request).await;
                }
            })
        })
        .collect();

    for call in 0..CALLS {
        let context = v1::Context { organization: "rival".into(), ..context("", "") };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        let resolved = server.resolver(&acme.eve).resolve(request).await.unwrap().into_inner();
        assert_eq!(resolved.secrets.len(), 1 + call);
        server.try_create(&acme.eve, creation(RIVAL, &format!("NAME_{call}"), "value-1")).await.unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    for importer in importers {
        importer.await.unwrap();
    }
}
