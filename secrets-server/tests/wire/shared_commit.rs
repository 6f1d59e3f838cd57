//! What is answered from changes of others that are committed together with it, on SQLite.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sea_orm::ConnectionTrait;
use secrets_core::authorize::{self, Permit, Resource};
use secrets_core::{Principal, PrincipalName, Uid, right};
use secrets_proto::Method;
use secrets_server::call::{Call, Caller};
use secrets_server::clock::{Clock, SystemClock};
use secrets_server::error::Reason;
use secrets_server::store::credential::{self, CredentialFilter};
use secrets_server::store::organization::{self, Organization};
use secrets_server::store::{self, PLATFORM, WriteTransaction};

use crate::support::database::TestDatabase;
use crate::support::server::TestServer;

/// For whoever takes a lock in a test.
pub fn operators_permit() -> Permit<right::CreateOrganization> {
    authorize::authorize(&Principal::Operator, &[], &Resource::Platform).unwrap()
}

/// As for a repeated request id, whose first result is there and not yet durable.
#[tokio::test]
async fn answers_from_what_others_wrote_only_once_it_is_durable() {
    let database = TestDatabase::sqlite().await;
    let server = TestServer::start(&database).await;
    let operators =
        credential::list(server.app.store().reader(), None, &CredentialFilter::default(), None, 1).await.unwrap();
    for fails in [false, true] {
        let first = database.store.begin().await.unwrap();
        insert_organization(&first, if fails { 2 } else { 1 }).await;
        if fails {
            fail_to_commit(&first).await;
        }
        let mut answer = pin!(server.app.service.run(operator(operators[0].uid), |service, call| {
            Box::pin(async move {
                let locked = service.lock(call, PLATFORM, operators_permit()).await?;
                Ok(organization::count(locked.db()).await.unwrap())
            })
        }));
        poll_fn(|context| {
            assert!(answer.as_mut().poll(context).is_pending(), "it waits for its turn");
            Poll::Ready(())
        })
        .await;
        let (first, answer) = tokio::join!(store::commit(first), answer);
        assert_eq!(first.is_err(), fails);
        match answer {
            Ok(seen) => assert_eq!((seen, fails), (1, false)),
            Err(error) => assert_eq!((error.reason(), fails), (Reason::Conflict, true)),
        }
    }
    database.end().await;
}

fn operator(credential: Uid) -> Call {
    let caller = Caller {
        principal: Principal::Operator,
        name: PrincipalName::Operator,
        organization: None,
        credential,
        expire_time: None,
        bindings: Vec::new(),
        session: None,
    };
    Call {
        caller,
        method: Method::GetOrganization,
        request_id: String::new(),
        caller_request_id: String::new(),
        purpose: None,
        peer: String::new(),
        now: SystemClock.now(),
    }
}

async fn insert_organization(tx: &WriteTransaction, number: u128) {
    let row = Organization {
        uid: Uid::from_u128(number),
        organization_id: format!("acme-{number}").parse().unwrap(),
        display_name: String::new(),
        name_policy: secrets_core::NamePolicy::Strict,
        limits: "{}".to_owned(),
        allowed_reserved: Default::default(),
        create_time: SystemClock.now(),
    };
    organization::insert(tx, &row).await.unwrap();
}

/// Leaves a reference to nothing, and tells SQLite to notice it only when everything is committed.
async fn fail_to_commit(tx: &WriteTransaction) {
    let insert = "PRAGMA defer_foreign_keys = ON; \
                  INSERT INTO projects (uid, organization_uid, project_id, display_name, create_time) \
                  VALUES (x'01', x'02', 'none', '', 0)";
    tx.execute_unprepared(insert).await.unwrap();
}
