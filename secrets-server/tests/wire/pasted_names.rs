//! A value that was pasted where a name belongs: nothing of it is recorded, in whatever field of whatever method.

use futures_util::future::join_all;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use sea_orm::{ConnectionTrait, Statement};
use secrets_core::{NamePolicy, Uid};
use tonic::{Code, Request};

use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::raw_call::send_raw;
use crate::support::server::TestServer;

on_both!(
    a_pasted_value_is_recorded_as_an_invalid_name,
    a_name_that_the_policy_refuses_is_not_recorded_until_something_has_it,
    a_pasted_token_is_no_request_id,
);

const INVALID_NAME: &str = "an invalid name";
/// No name of any kind.
const PASSWORD: &str = "Hunter2$pasted";
/// How many calls are under way at a time: a machine that does much else has to record all within a second and a half.
const AT_ONCE: usize = 16;
/// How calls end of which there may be no event.
const UNRECORDED: [Code; 3] = [Code::Unavailable, Code::ResourceExhausted, Code::DeadlineExceeded];
/// A name under the relaxed policy alone, and of a person.
const WORD: &str = "hunter2_pasted";

async fn a_pasted_value_is_recorded_as_an_invalid_name(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let token = format!("sper_{}", "hunter2pasted".repeat(4).split_at(49).0);
    let pool = DescriptorPool::decode(secrets_proto::FILE_DESCRIPTOR_SET).unwrap();
    let channel = server.another_channel();
    let (mut called, mut calls) = (0, Vec::new());
    for service in pool.services().filter(|service| service.package_name() == "secretsapi.v1") {
        // Who redeems a code has nothing else.
        for method in service.methods().filter(|method| !method.name().starts_with("Redeem")) {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let messages = pasted(&method.input(), &[PASSWORD, WORD, &token]);
            called += messages.len();
            calls.push((method.name().to_owned(), messages.len()));
            for some in messages.chunks(AT_ONCE) {
                let codes = join_all(some.iter().map(|message| {
                    let mut request = Request::new(message.encode_to_vec());
                    request.metadata_mut().insert("authorization", format!("Bearer {}", acme.ann).parse().unwrap());
                    // What is answered to the caller may quote what they sent.
                    let (channel, path) = (channel.clone(), path.clone());
                    async move { send_raw(channel, &path, request).await.err().map(|status| status.code()) }
                }));
                let unrecorded = codes.await.into_iter().flatten().find(|code| UNRECORDED.contains(code));
                assert_eq!(unrecorded, None, "{}", method.name());
            }
        }
    }
    assert!(called > 1_000, "{called} calls");
    let events = recorded(database).await;
    for (method, count) in calls {
        let recorded = events.iter().filter(|event| event.action.ends_with(&method)).count();
        assert!(recorded >= count, "{recorded} events of {count} calls of {method}");
    }
    for event in &events {
        let text = format!("{event:?}").to_lowercase();
        assert!(!text.contains("hunter2"), "{text}");
        if ["INVALID_RESOURCE_NAME", "INVALID_SECRET_ID"].contains(&event.reason.as_str()) {
            assert_eq!(event.name, INVALID_NAME, "{event:?}");
        }
    }
    let invalid = events.iter().filter(|event| event.name == INVALID_NAME).count();
    assert!(invalid > called / 4, "{invalid} of {called}");
}

async fn a_name_that_the_policy_refuses_is_not_recorded_until_something_has_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Relaxed, "{}").await;
    let name = format!("organizations/acme/secrets/{WORD}");
    server.create(&acme.ann, "organizations/acme", WORD, "value-1").await;
    let strict = secrets_proto::v1::UpdateOrganizationRequest {
        organization: Some(secrets_proto::v1::Organization {
            name: "organizations/acme".into(),
            name_policy: secrets_proto::v1::NamePolicy::Strict.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.directory(&acme.ann).update_organization(strict).await.unwrap();
    let get = |name: &str| secrets_proto::v1::GetSecretRequest { name: name.to_owned() };
    server.secrets(&acme.ann).get_secret(get(&name)).await.unwrap();
    server.secrets(&acme.ann).get_secret(get(&format!("{name}2"))).await.unwrap_err();
    server.secrets(&acme.eve).get_secret(get(&name)).await.unwrap_err();
    let gets: Vec<_> =
        recorded(database).await.into_iter().filter(|event| event.action.ends_with("GetSecret")).collect();
    let mut names: Vec<_> = gets.iter().map(|event| (event.name.as_str(), event.reason.as_str())).collect();
    names.sort_unstable();
    let expected = [("", "PERMISSION_DENIED"), (INVALID_NAME, "SECRET_NOT_FOUND"), (name.as_str(), "")];
    assert_eq!(names, expected);
}

async fn a_pasted_token_is_no_request_id(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (given, kept) in [(acme.bob.as_str(), ""), ("trace-7", "trace-7")] {
        let mut request = Request::new(Vec::new());
        request.metadata_mut().insert("authorization", format!("Bearer {}", acme.ann).parse().unwrap());
        request.metadata_mut().insert("x-request-id", given.parse().unwrap());
        send_raw(server.another_channel(), "/secretsapi.v1.AccessService/WhoAmI", request).await.unwrap();
        let events = recorded(database).await;
        assert!(events.iter().any(|event| event.caller_request_id == kept), "{events:?}");
        assert!(events.iter().all(|event| event.caller_request_id != acme.bob), "{events:?}");
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when the test fails, and searched as it is shown")]
struct Recorded {
    action: String,
    name: String,
    reason: String,
    detail: String,
    request_id: String,
    caller_request_id: String,
    principal: String,
    peer: String,
    resource: Option<Uid>,
}

/// All that the audit log has, whoever may read it.
async fn recorded(database: &TestDatabase) -> Vec<Recorded> {
    let db = database.store.reader();
    let statement = Statement::from_string(db.get_database_backend(), "SELECT * FROM audit_events");
    let rows = db.query_all_raw(statement).await.unwrap();
    let read = |row: &sea_orm::QueryResult| {
        let text = |column: &str| row.try_get::<String>("", column).unwrap();
        Recorded {
            action: text("action"),
            name: text("resource_name"),
            reason: text("reason"),
            detail: text("detail"),
            request_id: text("request_id"),
            caller_request_id: text("caller_request_id"),
            principal: text("principal_name"),
            peer: text("peer"),
            resource: row.try_get("", "resource_uid").unwrap(),
        }
    };
    rows.iter().map(read).collect()
}

/// The message once for each of its fields and each name that a value can be pasted into.
fn pasted(message: &MessageDescriptor, values: &[&str]) -> Vec<DynamicMessage> {
    let mut all = Vec::new();
    for field in message.fields() {
        for value in values {
            for text in spellings(value, field.name()) {
                for planted in plant(&field, &text) {
                    let mut message = around(message, field.name());
                    message.set_field(&field, planted);
                    all.push(message);
                }
            }
        }
    }
    all
}

/// So much of a message that the field under test is the one that decides.
fn around(message: &MessageDescriptor, tested: &str) -> DynamicMessage {
    let mut around = DynamicMessage::new(message.clone());
    let text = |text: &str| Value::String(text.to_owned());
    for (name, value) in [("parent", text("organizations/acme")), ("secret_id", text("A")), ("version", Value::U32(1))]
    {
        if let Some(field) = message.get_field_by_name(name)
            && name != tested
            && value.is_valid_for_field(&field)
        {
            around.set_field(&field, value);
        }
    }
    around
}

/// A value in this field, or in each field of the message that it holds.
fn plant(field: &FieldDescriptor, text: &str) -> Vec<Value> {
    let listed = |value: Value| if field.is_list() { Value::List(vec![value]) } else { value };
    match field.kind() {
        Kind::String => vec![listed(Value::String(text.to_owned()))],
        Kind::Message(entry) if field.is_map() => match entry.map_entry_value_field().kind() {
            Kind::String => {
                vec![Value::Map([(MapKey::String(text.to_owned()), Value::String(text.to_owned()))].into())]
            }
            _ => Vec::new(),
        },
        Kind::Message(inner) if inner.package_name() == "secretsapi.v1" || inner.name() == "FieldMask" => {
            let mut all = Vec::new();
            for within in inner.fields() {
                for value in plant(&within, text) {
                    let mut message = DynamicMessage::new(inner.clone());
                    if let Some(organization) = inner.get_field_by_name("organization")
                        && inner.name() == "Context"
                    {
                        message.set_field(&organization, Value::String("acme".into()));
                    }
                    message.set_field(&within, value);
                    all.push(listed(Value::Message(message)));
                }
            }
            all
        }
        _ => Vec::new(),
    }
}

/// The value alone, and as a part of each kind of name that it is not.
fn spellings(value: &str, field: &str) -> Vec<String> {
    let mut all: Vec<_> = ["", "users/bob/", "projects/api/", "workspaces/ws1/"]
        .iter()
        .map(|scope| format!("organizations/acme/{scope}secrets/{value}"))
        .collect();
    all.push(format!("organizations/{value}"));
    if value == WORD {
        // A person may be called so.
        let is_user = ["user", "owner", "organization", "workspace", "context"].iter().any(|word| field.contains(word));
        all.extend((!is_user).then(|| value.to_owned()));
        return all;
    }
    all.extend([value.to_owned(), format!("organizations/acme/users/{value}")]);
    if value == PASSWORD {
        for collection in ["projects", "workspaces", "serviceAccounts", "tokens", "sessions", "bindings"] {
            all.push(format!("organizations/acme/{collection}/{value}"));
        }
        all.extend([format!("serviceAccounts/{value}"), format!("organizations/acme/users/{value}/secrets/A")]);
    }
    all
}
