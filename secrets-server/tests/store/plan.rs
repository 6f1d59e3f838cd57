//! What is asked at every call must not grow with what is stored: an index answers it.

use sea_orm::{ConnectionTrait, Statement};
use secrets_core::principal::{PrincipalKind, PrincipalRef};
use secrets_core::{ContextName, Role};
use secrets_server::store::audit::AuditFilter;
use secrets_server::store::caller::CallerKey;
use secrets_server::store::idempotency::IdempotencyKey;
use secrets_server::store::secret::{AnswerSize, SecretQuery, SecretWithVersion};
use secrets_server::store::{
    audit, binding, caller, context, credential, idempotency, key, organization, revision, secret, service_account,
    user, version,
};

use crate::store::credential::session;
use crate::store::fixture::{self, NOW, uid};
use crate::store::secret::{organization_scope, project_scope};
use crate::support::database::TestDatabase;
use crate::support::on_both;

#[test]
fn scans_no_table_on_sqlite() {
    on_both::run(TestDatabase::sqlite(), |database| async move {
        ask_everything(&database).await;
        let statements = database.statements.take();
        assert!(statements.len() >= 17, "{statements:?}");
        for statement in statements {
            let plan = plan(&database, &statement).await;
            assert!(!plan.contains("SCAN"), "{statement}\n{plan}");
            // An index on the organization alone reads all that it has, which is little of these only.
            let whole = plan.lines().filter(|step| step.ends_with("(organization_uid=?)"));
            let little =
                ["SEARCH revisions", "SEARCH data_keys", "SEARCH credentials USING INDEX credentials_granted_role"];
            for step in whole {
                assert!(little.iter().any(|table| step.starts_with(table)), "{statement}\n{plan}");
            }
            assert!(!plan.contains("INDEX audit_events_time"), "{statement}\n{plan}");
        }
        database
    });
}

/// What no index answers is looked for between two times alone.
#[test]
fn searches_audit_events_between_two_times_on_sqlite() {
    on_both::run(TestDatabase::sqlite(), |database| async move {
        let db = database.store.reader();
        database.statements.take();
        for (secrets, principal) in [(None, None), (None, Some("operator".to_owned())), (Some(vec![uid(50)]), None)] {
            let outcome = Some("DENIED");
            let below = Some("organizations/acme/projects/api".to_owned());
            let mut filter = AuditFilter { secrets, principal, outcome, below, ..AuditFilter::default() };
            let after = Some((NOW, uid(1)));
            audit::floor(db, Some(uid(1)), &filter, after, 10_000).await.unwrap();
            filter.from = Some(NOW);
            audit::list(db, Some(uid(1)), &filter, after, 10).await.unwrap();
            filter.without = Some(audit::Purpose::Completion);
            audit::count_left_out(db, Some(uid(1)), &filter, after, after).await.unwrap();
        }
        let statements = database.statements.take();
        assert_eq!(statements.len(), 10, "{statements:?}");
        for statement in statements {
            let plan = plan(&database, &statement).await;
            let bounds = if statement.contains("OFFSET") { "create_time<?" } else { "create_time>? AND create_time<?" };
            assert!(plan.contains("SEARCH audit_events USING") && plan.contains(bounds), "{statement}\n{plan}");
        }
        database
    });
}

/// However many sessions an account has, in this organization and in others, a page reads no more than its own.
#[test]
fn reads_the_sessions_of_an_account_in_their_order_on_sqlite() {
    on_both::run(TestDatabase::sqlite(), |database| async move {
        let db = database.store.reader();
        let account = |kind, number| PrincipalRef { kind, uid: uid(number) };
        let accounts = [account(PrincipalKind::User, 30), account(PrincipalKind::ServiceAccount, 40)];
        database.statements.take();
        credential::sessions_of(db, uid(1), &accounts, Some((NOW, uid(1))), 10).await.unwrap();
        let mut plans = Vec::new();
        for statement in database.statements.take() {
            plans.push(plan(&database, &statement).await);
        }
        let by = |index, account| {
            let bounds = format!("organization_uid=? AND {account}=? AND create_time<?");
            format!("SEARCH credentials USING INDEX {index} ({bounds})\n")
        };
        let created = by("credentials_sessions_created", "principal_uid");
        assert_eq!(plans, [created.clone(), by("credentials_sessions_serving", "context_user_uid"), created]);
        let tx = database.store.begin().await.unwrap();
        database.statements.take();
        credential::revoke_sessions_for_user(&tx, uid(1), uid(30), NOW).await.unwrap();
        let found = plan(&database, &database.statements.take()[0]).await;
        assert!(found.contains("credentials_sessions_serving (organization_uid=? AND context_user_uid=?"), "{found}");
        drop(tx);
        database
    });
}

async fn ask_everything(database: &TestDatabase) {
    let db = database.store.reader();
    let acme = uid(1);
    let bob = PrincipalRef { kind: PrincipalKind::User, uid: uid(30) };
    let agent = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(40) };
    let context_name = ContextName {
        organization: "acme".parse().unwrap(),
        project: None,
        workspace: Some("ws1".parse().unwrap()),
        user: Some("bob".parse().unwrap()),
    };
    credential::by_mac(db, &[0; 32]).await.unwrap();
    credential::by_uid(db, Some(acme), uid(100)).await.unwrap();
    credential::recovery_codes(db, acme, bob, NOW).await.unwrap();
    credential::count_live_sessions(db, agent, NOW).await.unwrap();
    credential::count_live_line(db, &session(120, 100), 100, NOW).await.unwrap();
    credential::redeemed_admin_invitations(db, acme, NOW, 100).await.unwrap();
    credential::unredeemed_admin_invitations(db, acme, NOW, 20).await.unwrap();
    binding::of_role_on(db, acme, Role::Resolver, &[acme, uid(10)], 100).await.unwrap();
    let key = CallerKey { credential: uid(100), principals: &[bob, agent], organization: Some(acme) };
    caller::read(db, key).await.unwrap();
    caller::read(db, CallerKey { principals: &[agent], organization: None, ..key }).await.unwrap();
    organization::by_uid(db, acme).await.unwrap();
    user::by_uids(db, acme, [uid(30)]).await.unwrap();
    binding::of_principals(db, acme, &[bob]).await.unwrap();
    binding::of_principals(db, acme, &[bob, agent]).await.unwrap();
    binding::of_principal_everywhere(db, agent).await.unwrap();
    context::locate(db, &context_name).await.unwrap();
    secret::candidates(db, acme, &[organization_scope(), project_scope()]).await.unwrap();
    let name = fixture::secret(acme, project_scope(), 50, "A").0.secret_id;
    secret::current(db, acme, project_scope(), &name).await.unwrap();
    let (one, version) = fixture::secret(acme, project_scope(), 50, "A");
    let one = SecretWithVersion { secret: one, version };
    secret::claiming_any(db, acme, &[organization_scope()], &[one.candidate(), one.candidate()]).await.unwrap();
    secret::usage(db, acme, project_scope(), AnswerSize::in_scope("organizations/acme/projects/api")).await.unwrap();
    secret::list(db, acme, project_scope(), SecretQuery::default(), None, 10).await.unwrap();
    secret::candidates_in_pieces(db, acme, &[organization_scope(), project_scope()]).await.unwrap();
    secret::every(db, acme, project_scope(), SecretQuery::default()).await.unwrap();
    let tx = database.store.begin().await.unwrap();
    version::remove_oldest(&tx, acme, &[uid(50)], 100).await.unwrap();
    drop(tx);
    version::list(db, acme, uid(50)).await.unwrap();
    revision::current(db, acme).await.unwrap();
    key::data_keys(db, acme).await.unwrap();
    let method = String::new();
    let request = IdempotencyKey { organization: acme, principal: uid(30), method, request_id: uid(7) };
    idempotency::find(db, &request).await.unwrap();
    let filter = AuditFilter { secrets: Some(vec![uid(50)]), ..AuditFilter::default() };
    audit::list(db, Some(acme), &filter, Some((NOW, uid(1))), 10).await.unwrap();
    let filter = AuditFilter { principal: Some("operator".to_owned()), ..AuditFilter::default() };
    audit::list(db, Some(acme), &filter, Some((NOW, uid(1))), 10).await.unwrap();
    audit::events_of_caller(db, acme, "operator", Some((NOW, uid(1))), 10).await.unwrap();
    audit::last_uid_of_caller(db, acme, "operator").await.unwrap();
    credential::sessions_of(db, acme, &[bob, agent], Some((NOW, uid(1))), 100).await.unwrap();
    secret::statuses(db, acme, &[uid(50)]).await.unwrap();
    version::value_sources(db, acme, &[uid(50)], 100).await.unwrap();
    audit::sets(db, acme, &[vec![1; 32]], None).await.unwrap();
    audit::sets(db, acme, &[vec![1; 32]], Some(&[uid(50)])).await.unwrap();
    audit::set_sizes(db, acme, &[vec![1; 32]]).await.unwrap();
    user::uids_named(db, acme, &"bob".parse().unwrap(), 100).await.unwrap();
    service_account::uids_named(db, Some(acme), &"agent".parse().unwrap(), 100).await.unwrap();
    secret::uids_named(db, acme, project_scope(), &name).await.unwrap();
    secret::named(db, acme, [uid(50)]).await.unwrap();
}

async fn plan(database: &TestDatabase, statement: &str) -> String {
    let db = database.store.reader();
    let explain = Statement::from_string(db.get_database_backend(), format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = db.query_all_raw(explain).await.unwrap();
    steps.iter().map(|step| step.try_get::<String>("", "detail").unwrap() + "\n").collect()
}
