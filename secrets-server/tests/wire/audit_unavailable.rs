//! If the audit can't be written, no value leaves: the table is broken for real, or does not answer, and comes back.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend};
use secrets_proto::v1;
use tonic::{Code, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain, user_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    delivers_nothing_while_the_audit_table_is_gone,
    delivers_nothing_while_the_audit_table_refuses,
    delivers_nothing_while_the_sets_are_gone,
    fails_within_two_seconds_when_the_audit_blocks,
);

const VALUE: &str = "the-value-that-stays";

async fn bob_with_a_secret(organization: &TestOrganization<'_>) -> TestAccount {
    let bob = organization.member("bob").await;
    organization.secret(user_scope(bob.uid), "LINEAR_API_KEY", VALUE, plain).await;
    bob
}

async fn resolve(server: &TestServer, bob: &TestAccount) -> Result<v1::ResolveResponse, Status> {
    let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
    let request = v1::ResolveRequest { context, ..Default::default() };
    server.resolver(&bob.token).resolve(request).await.map(tonic::Response::into_inner)
}

fn assert_nothing_left(result: Result<v1::ResolveResponse, Status>) {
    let status = result.as_ref().unwrap_err();
    assert!(!format!("{status:?}").contains(VALUE));
    let refused = refusal(result);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
}

async fn assert_delivered(server: &TestServer, bob: &TestAccount) {
    let answer = resolve(server, bob).await.unwrap();
    assert_eq!(answer.secrets[0].value, VALUE.as_bytes());
}

async fn events(organization: &TestOrganization<'_>) -> usize {
    let all = secrets_server::store::audit::AuditFilter::default();
    let db = organization.server.app.store().reader();
    secrets_server::store::audit::list(db, Some(organization.organization), &all, None, 100).await.unwrap().len()
}

async fn delivers_nothing_while_the_audit_table_is_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = bob_with_a_secret(&organization).await;
    assert_delivered(&server, &bob).await;

    organization.execute("ALTER TABLE audit_events RENAME TO audit_events_gone").await;
    assert_nothing_left(resolve(&server, &bob).await);
    assert_nothing_left(resolve(&server, &bob).await);
    // Nor does a refusal leave, which needs its record as well.
    let stranger = organization.user("stranger").await;
    assert_nothing_left(resolve(&server, &stranger).await);

    organization.execute("ALTER TABLE audit_events_gone RENAME TO audit_events").await;
    assert_delivered(&server, &bob).await;
    assert_eq!(events(&organization).await, 2, "one for each answer");
}

async fn delivers_nothing_while_the_audit_table_refuses(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = bob_with_a_secret(&organization).await;
    let (make, mend): (&[&str], &str) = match server.app.store().reader().get_database_backend() {
        DbBackend::Postgres => (
            &[
                "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$",
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION no_audit()",
            ],
            "DROP TRIGGER no_audit ON audit_events",
        ),
        _ => (
            &["CREATE TRIGGER no_audit BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no space left'); END"],
            "DROP TRIGGER no_audit",
        ),
    };
    for statement in make {
        organization.execute(statement).await;
    }
    assert_nothing_left(resolve(&server, &bob).await);
    organization.execute(mend).await;
    assert_delivered(&server, &bob).await;
}

async fn delivers_nothing_while_the_sets_are_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = bob_with_a_secret(&organization).await;
    organization.execute("ALTER TABLE audit_sets RENAME TO audit_sets_gone").await;
    assert_nothing_left(resolve(&server, &bob).await);
    assert_eq!(events(&organization).await, 0, "no event without what it delivered");
    organization.execute("ALTER TABLE audit_sets_gone RENAME TO audit_sets").await;
    assert_delivered(&server, &bob).await;
}

async fn fails_within_two_seconds_when_the_audit_blocks(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = bob_with_a_secret(&organization).await;
    // SQLite has one writer, which this holds; PostgreSQL is told which table to hold.
    let holder = server.app.store().begin().await.unwrap();
    if holder.get_database_backend() == DbBackend::Postgres {
        holder.execute_unprepared("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    }
    let start = Instant::now();
    assert_nothing_left(resolve(&server, &bob).await);
    // It gives up after 1.5 s; the bound leaves room for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(holder);
    assert_delivered(&server, &bob).await;
}
