//! The canary: a marker planted in every field of every request of every method, and in a secret's value that takes the whole
//! way through the service. It must not be in any log line at the finest level; what was marked as secret must not be in any
//! error, audit event or database file either, raw or encoded.
//!
//! One test alone in its binary: it owns the process's log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use secrets_proto::v1;
use secrets_server::config::LogLevel;
use secrets_server::telemetry;
use tonic::{Request, Status};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::database::TestDatabase;
use crate::support::raw_call::send_raw;
use crate::support::server::TestServer;

#[path = "support"]
mod support {
    pub mod clients;
    pub mod database;
    pub mod raw_call;
    #[expect(dead_code, reason = "other test binaries stop the server and set its clock")]
    pub mod server;
    pub mod sign_in;
    mod sqlite;
}

/// In fields marked `debug_redact`.
const SECRET: &str = "kanarienvogel-7f3a9c2e51";
/// In all others.
const PLAIN: &str = "SPATZ_0b61d4e8";

#[test]
fn a_marker_in_any_field_is_found_nowhere_it_must_not_be() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
    tracing_subscriber::registry().with(lines.with_filter(telemetry::log::targets(LogLevel::Trace))).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let sqlite = TestDatabase::sqlite().await;
        look_for_the_canary(&sqlite, &log).await;
        let secrets_server::store::DatabaseConfig::Sqlite { path, .. } = &sqlite.config else { unreachable!() };
        for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            let file = entry.unwrap().path();
            assert_absent(&file.display().to_string(), &std::fs::read(&file).unwrap(), SECRET);
        }
        sqlite.end().await;

        let postgres = TestDatabase::postgres().await;
        look_for_the_canary(&postgres, &log).await;
        postgres.end().await;
    });
}

async fn look_for_the_canary(database: &TestDatabase, log: &Log) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;

    // The whole way of a value: created, updated, rolled back, imported, resolved, explained, listed, deleted.
    let parent = "organizations/acme".to_owned();
    let mut secrets = server.secrets(&ann);
    let value = |text: &str| Some(v1::SecretValue { value: Some(v1::secret_value::Value::Text(text.into())) });
    let created = v1::CreateSecretRequest {
        parent: parent.clone(),
        secret_id: "CANARY".into(),
        value: value(SECRET),
        request_id: "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11".into(),
        ..Default::default()
    };
    let mut seen = vec![format!("{:?}", secrets.create_secret(created.clone()).await.unwrap().into_inner())];
    let name = format!("{parent}/secrets/CANARY");
    let updated = v1::UpdateSecretRequest {
        secret: Some(v1::Secret { name: name.clone(), ..Default::default() }),
        value: value(&format!("{SECRET}-2")),
        ..Default::default()
    };
    seen.push(format!("{:?}", secrets.update_secret(updated).await.unwrap().into_inner()));
    let rolled_back = v1::RollbackSecretRequest { name: name.clone(), version: 1, ..Default::default() };
    seen.push(format!("{:?}", secrets.rollback_secret(rolled_back).await.unwrap().into_inner()));
    let document = format!("CANARY_B=\"{SECRET}\"\n1BAD={SECRET}\nPATH={SECRET}\nlower={SECRET}\n");
    let imported = v1::ImportSecretsRequest {
        parent: parent.clone(),
        source: Some(v1::import_secrets_request::Source::Dotenv(document.into_bytes())),
        on_rejected: v1::RejectedPolicy::Skip.into(),
        ..Default::default()
    };
    seen.push(format!("{:?}", secrets.import_secrets(imported).await.unwrap().into_inner()));
    let listed = v1::ListSecretsRequest { parent: parent.clone(), ..Default::default() };
    seen.push(format!("{:?}", secrets.list_secrets(listed).await.unwrap().into_inner()));
    // The same request id with another value, a value too large, one that is no variable, a broken document.
    let reused = v1::CreateSecretRequest { value: value(&format!("{SECRET}-3")), ..created.clone() };
    let large = v1::CreateSecretRequest {
        secret_id: "LARGE".into(),
        value: value(&SECRET.repeat(5_000)),
        request_id: String::new(),
        ..created.clone()
    };
    let nul = v1::CreateSecretRequest {
        secret_id: "NUL".into(),
        value: value(&format!("{SECRET}\0")),
        request_id: String::new(),
        ..created
    };
    for request in [reused, large, nul] {
        seen.push(format!("{:?}", secrets.create_secret(request).await.unwrap_err()));
    }
    for document in [format!("GOOD=1\n={SECRET}\n"), format!("OPEN=\"{SECRET}\n"), format!("{SECRET}\n")] {
        let broken = v1::ImportSecretsRequest {
            parent: parent.clone(),
            source: Some(v1::import_secrets_request::Source::Dotenv(document.into_bytes())),
            ..Default::default()
        };
        seen.push(format!("{:?}", secrets.import_secrets(broken).await.unwrap_err()));
    }
    let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
    let resolve = v1::ResolveRequest { context: context.clone(), ..Default::default() };
    let resolved = server.resolver(&ann).resolve(resolve).await.unwrap().into_inner();
    assert!(resolved.secrets.iter().any(|secret| secret.value == SECRET.as_bytes()), "the value went all the way");
    seen.push(format!("{resolved:?}"));
    let watch = v1::WatchRequest { context: context.clone(), ..Default::default() };
    let mut watched = server.resolver(&ann).watch(watch).await.unwrap().into_inner();
    let set = watched.message().await.unwrap().unwrap();
    assert!(format!("{set:?}").contains("CANARY"), "the secret is told of");
    seen.push(format!("{set:?}"));
    let explain = v1::ExplainRequest { context, ..Default::default() };
    seen.push(format!("{:?}", server.resolver(&ann).explain(explain).await.unwrap().into_inner()));

    // Codes, on their whole way too.
    let codes = codes(&server, &ann).await;

    // Every field of every request.
    let pool = DescriptorPool::decode(secrets_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut called = 0;
    for service in pool.services().filter(|service| service.package_name() == "secretsapi.v1") {
        for method in service.methods() {
            let message = planted(&method.input());
            let path = format!("/{}/{}", service.full_name(), method.name());
            for token in [ann.as_str(), SECRET, ""] {
                let answer = call(&server, &path, token, message.encode_to_vec()).await;
                seen.push(format!("{path}: {answer:?}"));
                called += 1;
            }
        }
    }
    assert!(called >= 3 * 45, "{called} calls; every method of every service");

    let events = v1::ListAuditEventsRequest { parent, page_size: 1_000, ..Default::default() };
    let events = server.audit(&ann).list_audit_events(events).await.unwrap().into_inner();
    assert!(events.events.len() > 40, "{} events", events.events.len());
    seen.push(format!("{events:?}"));
    server.app.jobs.flush_usage().await;

    for text in &seen {
        assert_absent("an answer", text.as_bytes(), SECRET);
    }
    let log = log.take();
    assert!(log.len() > 10_000, "the log is at its finest level");
    assert_absent("the log", &log, SECRET);
    assert_absent("the log", &log, PLAIN);
    assert_absent("the log", &log, &ann);
    assert_absent("the log", &log, &server.operator);
    for code in &codes {
        assert_absent("the log", &log, code);
        assert!(!seen.iter().any(|text| text.contains(code.as_str())), "a code in an answer or an event");
    }
}

/// A code of each kind, created and redeemed, with the tokens that they are redeemed for.
async fn codes(server: &TestServer, ann: &str) -> Vec<String> {
    let invitation = v1::CreateInvitationRequest {
        parent: "organizations/acme".into(),
        user_id: "bob".into(),
        ..Default::default()
    };
    let invited = server.access(ann).create_invitation(invitation).await.unwrap().into_inner().invitation.unwrap().code;
    let bob = server.redeem(&invited).await;
    let recovery = server.access(&bob).create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await.unwrap();
    let recovery = recovery.into_inner().codes;
    let machine = server.access(&bob).create_sign_in_code(v1::CreateSignInCodeRequest::default()).await.unwrap();
    let machine = machine.into_inner().code;
    let other = server.access(&machine).redeem_sign_in_code(v1::RedeemSignInCodeRequest::default()).await.unwrap();
    let back =
        server.access(&recovery[0]).redeem_recovery_code(v1::RedeemRecoveryCodeRequest::default()).await.unwrap();
    let tokens = [invited, bob, machine, other.into_inner().token, back.into_inner().token];
    recovery.into_iter().chain(tokens).collect()
}

/// A request with a marker in every field, whatever its depth.
fn planted(message: &prost_reflect::MessageDescriptor) -> DynamicMessage {
    let mut planted = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let value = match field.kind() {
            Kind::String => Value::String(marker(&field).into()),
            Kind::Bytes => Value::Bytes(marker(&field).into()),
            Kind::Message(inner) if field.is_map() => {
                let value = match inner.map_entry_value_field().kind() {
                    Kind::String => Value::String(marker(&field).into()),
                    _ => continue,
                };
                planted.set_field(&field, Value::Map([(MapKey::String(marker(&field).into()), value)].into()));
                continue;
            }
            Kind::Message(inner) if inner.package_name() == "secretsapi.v1" || inner.name() == "FieldMask" => {
                Value::Message(self::planted(&inner))
            }
            _ => continue,
        };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        planted.set_field(&field, value);
    }
    planted
}

fn marker(field: &FieldDescriptor) -> &'static str {
    let options = field.options();
    let redact = options.descriptor().get_field_by_name("debug_redact");
    if redact.is_some_and(|redact| options.get_field(&redact).as_bool() == Some(true)) { SECRET } else { PLAIN }
}

async fn call(server: &TestServer, path: &str, token: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut request = Request::new(message);
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request.metadata_mut().insert("x-canary", PLAIN.parse().unwrap());
    send_raw(server.another_channel(), path, request).await
}

/// Fails when `needle` is in `hay` as it is, in base64 at any alignment, in hexadecimal or as a list of numbers.
fn assert_absent(place: &str, hay: &[u8], needle: &str) {
    let mut forms = vec![needle.as_bytes().to_vec()];
    for alignment in 0..3_usize {
        let shifted = STANDARD_NO_PAD.encode([&vec![0; alignment][..], needle.as_bytes()].concat());
        // What the neighbours can change is cut off at both ends.
        forms.push(shifted.as_bytes()[alignment.div_ceil(3) * 4..shifted.len() - 4].to_vec());
    }
    forms.push(STANDARD.encode(needle).into_bytes());
    let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(hex.to_uppercase().into_bytes());
    forms.push(hex.into_bytes());
    let numbers = format!("{:?}", needle.as_bytes());
    forms.push(numbers.trim_matches(['[', ']']).as_bytes().to_vec());
    for form in forms {
        let found = hay.windows(form.len()).position(|window| window == form.as_slice());
        if let Some(at) = found {
            let around = &hay[at.saturating_sub(200)..(at + form.len() + 40).min(hay.len())];
            panic!("the marker is in {place}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

/// The process's log, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
