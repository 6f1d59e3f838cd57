//! `service_config.json` names the methods that the descriptors know.

use std::collections::BTreeSet;

use secrets_proto::{Idempotency, Method};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceConfig {
    method_config: Vec<MethodConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MethodConfig {
    name: Vec<Name>,
    timeout: Option<String>,
    retry_policy: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Name {
    service: String,
    method: Option<String>,
}

/// The full names of the entries for which `is_meant` holds.
fn names(is_meant: impl Fn(&MethodConfig) -> bool) -> BTreeSet<String> {
    let config: ServiceConfig = serde_json::from_str(include_str!("../service_config.json")).unwrap();
    let meant = config.method_config.into_iter().filter(|config| is_meant(config));
    let name = |name: Name| [Some(name.service), name.method].into_iter().flatten().collect::<Vec<_>>().join("/");
    meant.flat_map(|config| config.name).map(name).collect()
}

fn methods(is_meant: impl Fn(Method) -> bool) -> BTreeSet<String> {
    Method::ALL.into_iter().filter(|method| is_meant(*method)).map(|method| method.to_string()).collect()
}

#[test]
fn what_is_sent_again_is_what_may_always_be_repeated() {
    let repeatable = methods(|method| method.idempotency() == Idempotency::Always && !method.is_server_streaming());
    assert_eq!(names(|config| config.retry_policy.is_some()), repeatable);
}

#[test]
fn only_a_stream_has_no_deadline() {
    assert_eq!(names(|config| config.timeout.is_none()), methods(Method::is_server_streaming));
}

#[test]
fn every_service_has_an_entry() {
    let services: BTreeSet<_> = Method::ALL.into_iter().map(|method| method.service().to_owned()).collect();
    assert_eq!(names(|config| config.timeout.is_some() && config.retry_policy.is_none()), services);
}
