//! Four scopes, each as full as it can be, still fit a message: they resolve, are explained and watched.

use secrets_proto::v1;
use tonic::Code;

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation, file};

on_both!(
    the_same_long_names_in_every_scope,
    other_long_names_in_every_scope,
    long_paths_and_descriptions_in_every_scope,
    a_longer_description_needs_room,
);

const SCOPES: [&str; 4] = [ACME, "organizations/acme/projects/api", "organizations/acme/workspaces/ws1", BOB];
/// As long as a name can be.
const NAME_BYTES: usize = 127;

/// Bob, to whom all four scopes resolve, and who may change them all.
struct Acme<'a> {
    server: &'a TestServer,
    bob: String,
}

impl<'a> Acme<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let ann = server.organization("acme").await;
        let bob = server.person(&ann, "acme", "bob").await;
        server.project(&ann, "api").await;
        server.workspace(&ann, "ws1", "api", "bob").await.unwrap();
        for (resource, role) in [(SCOPES[1], v1::Role::Member), (SCOPES[0], v1::Role::Admin)] {
            server.bind(&ann, resource, BOB, role).await.unwrap();
        }
        Self { server, bob }
    }

    /// Imports secrets into a scope until not one more has room; returns how many there are.
    async fn fill(&self, parent: &str, name: impl Fn(usize) -> String, value: &str) -> usize {
        let mut filled = 0;
        for step in [250, 25, 1] {
            loop {
                let lines: String = (filled..filled + step).map(|n| format!("{}={value}\n", name(n))).collect();
                let source = v1::import_secrets_request::Source::Dotenv(lines.into_bytes());
                let request =
                    v1::ImportSecretsRequest { parent: parent.into(), source: Some(source), ..Default::default() };
                match self.server.try_import(&self.bob, request).await {
                    Ok(_) => filled += step,
                    Err(status) => {
                        assert_eq!(refusal(Err::<(), _>(status)).reason, "LIMIT_EXCEEDED");
                        break;
                    }
                }
            }
        }
        filled
    }

    /// How many secrets resolve; they are explained and watched as well.
    async fn answers(&self) -> usize {
        let context = Some(context("ws1", "bob"));
        let mut resolver = self.server.resolver(&self.bob);
        let request = v1::ResolveRequest { context: context.clone(), ..Default::default() };
        let resolved = resolver.resolve(request).await.unwrap().into_inner().secrets.len();
        let request = v1::ExplainRequest { context: context.clone(), ..Default::default() };
        let explained = resolver.explain(request).await.unwrap().into_inner().explanations.len();
        assert_eq!(explained, resolved);
        let mut events = resolver.watch(v1::WatchRequest { context, ..Default::default() }).await.unwrap().into_inner();
        let event = events.message().await.unwrap().unwrap().event.unwrap();
        let v1::watch_response::Event::Set(set) = event else { panic!("{event:?}") };
        assert_eq!(set.secrets.len(), resolved);
        resolved
    }
}

fn long(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:X<width$}", width = NAME_BYTES - prefix.len())
}

async fn the_same_long_names_in_every_scope(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for scope in SCOPES {
        assert_eq!(acme.fill(scope, |number| long("N", number), "v").await, 1_000, "{scope}");
    }
    assert_eq!(acme.answers().await, 1_000);
}

async fn other_long_names_in_every_scope(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let value = "v".repeat(700);
    let mut filled = 0;
    for (scope, prefix) in SCOPES.into_iter().zip(["A", "B", "C", "D"]) {
        let in_scope = acme.fill(scope, |number| long(prefix, number), &value).await;
        assert!((800..1_000).contains(&in_scope), "{in_scope}");
        filled += in_scope;
    }
    assert_eq!(acme.answers().await, filled);
}

async fn long_paths_and_descriptions_in_every_scope(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut filled = 0;
    for (at, scope) in SCOPES.into_iter().enumerate() {
        for number in 0.. {
            let path = format!("~/{at}-{number}{}", format!("/{}", "d".repeat(200)).repeat(20));
            let secret = v1::Secret { target: file(&path), description: "d".repeat(1_024), ..Default::default() };
            let name = format!("FILE_{at}_{number}");
            let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(scope, &name, "v") };
            match server.try_create(&acme.bob, request).await {
                Ok(_) => filled += 1,
                Err(status) => {
                    assert_eq!(refusal(Err::<(), _>(status)).metadata["limit"], "bytes_per_scope");
                    break;
                }
            }
        }
    }
    assert!(filled > 500, "{filled}");
    assert_eq!(acme.answers().await, filled);
}

async fn a_longer_description_needs_room(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let filled = acme.fill(BOB, |number| long("N", number), &"v".repeat(900)).await;
    assert!(filled < 1_000);
    // The description does not count beside a value that is longer: what is resolved has no description.
    let name = |number| format!("{BOB}/secrets/{}", long("N", number));
    let described = |number: usize, bytes: usize| {
        let secret = v1::Secret { name: name(number), description: "d".repeat(bytes), ..Default::default() };
        v1::UpdateSecretRequest { secret: Some(secret), ..Default::default() }
    };
    server.try_update(&acme.bob, described(0, 200)).await.unwrap();
    let mut refused = None;
    for number in 0..10 {
        if let Err(status) = server.try_update(&acme.bob, described(number, 1_024)).await {
            refused = Some(refusal(Err::<(), _>(status)));
            break;
        }
    }
    let refused = refused.expect("a scope that is full has no room for ten descriptions");
    assert_eq!((refused.code, refused.metadata["limit"].as_str()), (Code::ResourceExhausted, "bytes_per_scope"));
    server.try_update(&acme.bob, described(0, 1)).await.unwrap();
}
