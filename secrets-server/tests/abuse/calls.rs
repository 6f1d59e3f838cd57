//! Calls: how many one caller, one organization and all together may have under way, and how often one may call.

use std::num::NonZeroU32;
use std::time::Duration;

use prost::Message as _;
use secrets_core::Uid;
use secrets_proto::v1;
use secrets_server::admission::AdmissionLimits;
use secrets_server::config::Limits;
use secrets_server::store::audit::{self, AuditFilter, AuditRecord};
use secrets_server::store::{WriteTransaction, organization, revision};
use tokio::task::JoinHandle;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::attacker::{Attacker, Outcome};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    a_person_has_64_calls_under_way_and_the_next_is_refused,
    a_service_account_has_1024_calls_under_way,
    no_task_is_left_of_calls_that_ended,
    a_session_counts_for_its_user_and_not_for_who_created_it,
    one_session_of_a_user_leaves_room_for_the_others,
    an_organization_alone_may_have_all_and_health_is_served,
    beside_another_an_organization_leaves_the_last_quarter,
    a_rate_refuses_and_says_when_to_come_again,
    what_programs_ask_all_the_time_has_no_rate,
    a_call_that_was_taken_back_gives_its_slot_back,
    a_change_whose_caller_hung_up_while_it_waited_gives_its_slot_back,
    strangers_take_nothing_of_it,
    what_was_refused_is_counted_and_not_recorded_one_by_one,
);

const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";
const RESOLVE: &str = "/secretsapi.v1.ResolveService/Resolve";
const LIST: &str = "/secretsapi.v1.AccessService/ListTokens";
const RENEW: &str = "/secretsapi.v1.AccessService/RenewSession";
const CREATE_PROJECT: &str = "/secretsapi.v1.DirectoryService/CreateProject";
/// What a connection may have at a time.
const PER_CONNECTION: usize = 64;

/// Bodies may take long, so that a call stays under way for as long as its attacker likes.
fn limits(change: impl FnOnce(&mut AdmissionLimits)) -> Limits {
    let mut admission = AdmissionLimits::default();
    change(&mut admission);
    Limits {
        admission,
        request_time: Duration::from_secs(600),
        code_attempts_per_minute: NonZeroU32::MAX,
        ..Limits::default()
    }
}

fn few(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Calls whose bodies never end.
struct Held {
    connections: Vec<Attacker>,
    calls: Vec<JoinHandle<Outcome>>,
}

impl Held {
    /// Opens `count` calls, and waits until all but `refused` of them are under way.
    async fn open(server: &TestServer, token: &str, count: usize, refused: usize) -> Self {
        let mut held = Self { connections: Vec::new(), calls: Vec::new() };
        let mut left = count;
        while left > 0 {
            let mut attacker = Attacker::connect(server.address()).await;
            for _ in 0..left.min(PER_CONNECTION) {
                let call = attacker.open(RESOLVE, &[token]).await;
                held.calls.push(tokio::spawn(call.outcome()));
            }
            left -= left.min(PER_CONNECTION);
            held.connections.push(attacker);
        }
        for _ in 0..60_000 {
            if held.ended() >= refused {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{} of {count} were refused", held.ended());
    }

    /// The same with one call, which is under way when this returns: others of the same connection were answered meanwhile.
    async fn one(server: &TestServer, token: &str) -> Self {
        let mut held = Self::open(server, token, 1, 0).await;
        for _ in 0..5 {
            assert_eq!(held.connections[0].open(WHOAMI, &[token]).await.finish(b"").await.code, Code::Ok);
        }
        held
    }

    /// How many are not under way.
    fn ended(&self) -> usize {
        self.calls.iter().filter(|call| call.is_finished()).count()
    }

    /// Takes all back.
    fn release(self) {
        for attacker in self.connections {
            attacker.abort();
        }
        for call in self.calls {
            call.abort();
        }
    }
}

async fn call(server: &TestServer, token: &str, path: &str, message: &[u8]) -> Outcome {
    let mut attacker = Attacker::connect(server.address()).await;
    attacker.open(path, &[token]).await.finish(message).await
}

async fn whoami(server: &TestServer, token: &str) -> Code {
    call(server, token, WHOAMI, b"").await.code
}

/// Sends only the headers: what is refused is refused without the body.
async fn refusal(server: &TestServer, token: &str) -> Outcome {
    let mut attacker = Attacker::connect(server.address()).await;
    attacker.open(WHOAMI, &[token]).await.outcome().await
}

async fn assert_refused(server: &TestServer, token: &str) {
    let refused = refusal(server, token).await;
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    assert_eq!(refused.limit, "calls");
    assert!(refused.retry_after.is_some_and(|wait| !wait.is_zero()));
}

/// Calls until there is room: what somebody else took back may still count for a moment.
async fn until_answered(server: &TestServer, token: &str) {
    for _ in 0..5000 {
        if whoami(server, token).await == Code::Ok {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("what has ended gives its slot back");
}

async fn a_person_has_64_calls_under_way_and_the_next_is_refused(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|_| ())).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let held = Held::open(&server, &ann, 65, 1).await;
    for _ in 0..3 {
        assert_refused(&server, &ann).await;
        assert_eq!(whoami(&server, &bob).await, Code::Ok);
    }
    assert_eq!(held.ended(), 1, "64 are under way");
    held.release();
    until_answered(&server, &ann).await;
}

async fn a_service_account_has_1024_calls_under_way(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|_| ())).await;
    let ann = server.organization("acme").await;
    let program = server.program(&ann, "organizations/acme", "ci").await;
    let held = Held::open(&server, &program, 1025, 1).await;
    assert_refused(&server, &program).await;
    assert_eq!(held.ended(), 1);
    assert_eq!(whoami(&server, &ann).await, Code::Ok);
    held.release();
    until_answered(&server, &program).await;
}

/// The attacker has tasks of its own here: for each connection and for each call.
async fn no_task_is_left_of_calls_that_ended(database: &TestDatabase) {
    const CALLS: usize = 80;
    let server = TestServer::start_with(database, limits(|_| ())).await;
    let ann = server.organization("acme").await;
    assert_eq!(whoami(&server, &ann).await, Code::Ok);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..3 {
        let held = Held::open(&server, &ann, CALLS, CALLS - 64).await;
        let during = tasks();
        assert!(during <= before + 4 * CALLS, "{during} tasks, {before} before");
        held.release();
        until_answered(&server, &ann).await;
    }
    for _ in 0..10_000 {
        if tasks() <= before + 4 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{} tasks are left, {before} before", tasks());
}

/// The platform's control plane, and a session that it creates for a user of acme.
async fn control_plane(server: &TestServer) -> String {
    let control_plane = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    control_plane
}

async fn a_session_counts_for_its_user_and_not_for_who_created_it(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.calls = few(4))).await;
    let ann = server.organization("acme").await;
    let control_plane = control_plane(&server).await;
    let session = server.session(&control_plane, "", "ann").await.unwrap().token;
    let held = Held::open(&server, &session, 5, 1).await;
    assert_refused(&server, &session).await;
    assert_refused(&server, &ann).await;
    for _ in 0..20 {
        assert_eq!(whoami(&server, &control_plane).await, Code::Ok);
    }
    held.release();
    until_answered(&server, &ann).await;
}

async fn one_session_of_a_user_leaves_room_for_the_others(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.calls = few(8))).await;
    let ann = server.organization("acme").await;
    let (bad, good) =
        (server.session(&ann, "", "ann").await.unwrap().token, server.session(&ann, "", "ann").await.unwrap().token);
    let kept = Held::one(&server, &good).await;
    // Beside one other, six are three quarters.
    let held = Held::open(&server, &bad, 20, 15).await;
    for _ in 0..10 {
        assert_eq!(whoami(&server, &ann).await, Code::Ok);
        assert_eq!(whoami(&server, &good).await, Code::Ok);
        assert_refused(&server, &bad).await;
    }
    assert_eq!((kept.ended(), held.ended()), (0, 15));
}

async fn an_organization_alone_may_have_all_and_health_is_served(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.calls = few(16))).await;
    let ann = server.organization("acme").await;
    let rival = server.organization("rival").await;
    let held = Held::open(&server, &ann, 17, 1).await;
    assert_refused(&server, &ann).await;
    assert_refused(&server, &rival).await;
    assert_refused(&server, &server.operator).await;
    HealthClient::new(server.another_channel()).check(HealthCheckRequest::default()).await.unwrap();
    held.release();
    until_answered(&server, &rival).await;
}

async fn beside_another_an_organization_leaves_the_last_quarter(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.calls = few(16))).await;
    let ann = server.organization("acme").await;
    let rival = server.organization("rival").await;
    let kept = Held::one(&server, &rival).await;
    let held = Held::open(&server, &ann, 40, 29).await;
    assert_refused(&server, &ann).await;
    for _ in 0..10 {
        assert_eq!(whoami(&server, &rival).await, Code::Ok);
    }
    assert_eq!((kept.ended(), held.ended()), (0, 29), "three quarters are twelve");
    let more = Held::open(&server, &rival, 10, 6).await;
    assert_eq!(more.ended(), 6);
}

async fn a_rate_refuses_and_says_when_to_come_again(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.rate = few(1))).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let mut refused = 0;
    for number in 0..60 {
        let outcome = call(&server, &bob, LIST, &list("bob")).await;
        match outcome.code {
            Code::Ok => {}
            Code::ResourceExhausted => {
                assert_eq!((outcome.reason.as_str(), outcome.limit.as_str()), ("RATE_LIMITED", "rate"));
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
        assert!(number >= 9 || refused == 0, "ten at once are allowed, of which the sign-in took one: {number}");
    }
    assert!(refused > 0);
    // Somebody else's rate is untouched, and whoever waits as long as was asked is answered.
    assert_eq!(call(&server, &ann, LIST, &list("ann")).await.code, Code::Ok);
    loop {
        let outcome = call(&server, &bob, LIST, &list("bob")).await;
        let Some(wait) = outcome.retry_after else {
            assert_eq!(outcome.code, Code::Ok);
            continue;
        };
        tokio::time::sleep(wait).await;
        assert_eq!(call(&server, &bob, LIST, &list("bob")).await.code, Code::Ok);
        break;
    }
}

fn list(user: &str) -> Vec<u8> {
    let principal = format!("organizations/acme/users/{user}");
    v1::ListTokensRequest { principal, ..Default::default() }.encode_to_vec()
}

async fn what_programs_ask_all_the_time_has_no_rate(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.rate = few(1))).await;
    let ann = server.organization("acme").await;
    let session = server.session(&ann, "", "ann").await.unwrap().token;
    let resolve = v1::ResolveRequest::default().encode_to_vec();
    // Nothing is left of the rate.
    while call(&server, &ann, LIST, &list("ann")).await.code == Code::Ok {}
    for _ in 0..50 {
        assert_eq!(call(&server, &session, RESOLVE, &resolve).await.code, Code::Ok);
        assert_eq!(whoami(&server, &session).await, Code::Ok);
    }
    // A session lives on, but does not renew itself without end.
    let renew = v1::RenewSessionRequest::default().encode_to_vec();
    let mut renewed = 0;
    while call(&server, &session, RENEW, &renew).await.code == Code::Ok {
        renewed += 1;
        assert!(renewed < 100, "renewals have a rate");
    }
    assert!(renewed >= 10, "{renewed}");
}

async fn a_call_that_was_taken_back_gives_its_slot_back(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.calls = few(8))).await;
    let ann = server.organization("acme").await;
    for _ in 0..10 {
        let mut attacker = Attacker::connect(server.address()).await;
        for path in [RESOLVE, WHOAMI, CREATE_PROJECT, LIST].iter().cycle().take(100) {
            if attacker.is_closed() {
                break;
            }
            attacker.open_and_reset(path, &ann).await;
        }
        attacker.abort();
    }
    until_answered(&server, &ann).await;
    let held = Held::open(&server, &ann, 30, 22).await;
    assert_eq!(held.ended(), 22, "all eight are there again");
}

/// Keeps every change of acme waiting.
async fn hold_acme(server: &TestServer) -> WriteTransaction {
    let transaction = server.app.store().begin().await.unwrap();
    let acme = organization::by_id(&transaction, &"acme".parse().unwrap()).await.unwrap().unwrap();
    revision::lock(&transaction, acme.uid).await.unwrap().unwrap();
    transaction
}

async fn a_change_whose_caller_hung_up_while_it_waited_gives_its_slot_back(database: &TestDatabase) {
    let limits = Limits {
        // A call without a body ends with another error than one without a slot, and needs no writer.
        request_time: Duration::from_millis(100),
        ..limits(|admission| admission.person.calls = few(3))
    };
    let server = TestServer::start_with(database, limits).await;
    let ann = server.organization("acme").await;
    let lock = hold_acme(&server).await;
    // More changes than there are slots, none of which can begin.
    for number in 0..10 {
        let mut attacker = Attacker::connect(server.address()).await;
        let project = v1::CreateProjectRequest {
            parent: "organizations/acme".into(),
            project_id: format!("p{number}"),
            ..Default::default()
        };
        let call = attacker.open(CREATE_PROJECT, &[&ann]).await;
        let call = tokio::spawn(async move { call.finish(&project.encode_to_vec()).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        attacker.abort();
        call.abort();
    }
    for _ in 0..100 {
        if refusal(&server, &ann).await.reason != "RATE_LIMITED" {
            drop(lock);
            return until_answered(&server, &ann).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what waited in vain keeps its slot");
}

async fn strangers_take_nothing_of_it(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.calls = few(1))).await;
    let ann = server.organization("acme").await;
    let forged = format!("{}{}", &ann[..ann.len() - 6], "000000");
    for _ in 0..20 {
        let mut attacker = Attacker::connect(server.address()).await;
        for token in [forged.as_str(), "hunter2", ""] {
            let refused = attacker.open(RESOLVE, &[token]).await.outcome().await;
            assert_eq!(refused.code, Code::Unauthenticated);
        }
        assert_eq!(whoami(&server, &ann).await, Code::Ok);
    }
}

async fn what_was_refused_is_counted_and_not_recorded_one_by_one(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.calls = few(2))).await;
    let ann = server.organization("acme").await;
    let acme = organization::by_id(server.app.store().reader(), &"acme".parse().unwrap()).await.unwrap().unwrap().uid;
    let held = Held::open(&server, &ann, 3, 1).await;
    let before = events(&server, acme).await.len();
    for _ in 0..50 {
        assert_refused(&server, &ann).await;
    }
    assert_eq!(events(&server, acme).await.len(), before);
    held.release();
    server.app.jobs.flush_usage().await;
    let events = events(&server, acme).await;
    let counted: Vec<_> = events.iter().filter(|event| event.action == "limit_calls").collect();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!(counted[0].principal_name, "organizations/acme/users/ann");
    assert_eq!((counted[0].reason.as_str(), counted[0].outcome.as_str()), ("RATE_LIMITED", "DENIED"));
    assert_eq!(counted[0].detail, "{\"count\":51,\"limit\":\"calls\"}");
}

async fn events(server: &TestServer, acme: Uid) -> Vec<AuditRecord> {
    audit::list(server.app.store().reader(), Some(acme), &AuditFilter::default(), None, 1000).await.unwrap()
}
