//! `enum Method` with what the descriptors say of each, and the traits that tie a method's request to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use protox::prost_reflect::prost_types::method_options::IdempotencyLevel;
use protox::prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};

use super::rust;

/// The enumeration, and the implementations of `MethodRequest` and `IdempotentRequest`.
///
/// # Errors
/// When the interface breaks a rule that the generated code rests on.
pub fn enumeration(pool: &DescriptorPool) -> Result<String, String> {
    let methods = methods(pool);
    check(&methods)?;
    let variants = each(&methods, |method| format!("/// `{}`\n    {},", full_name(method), method.name()));
    let all = each(&methods, |method| format!("Self::{},", method.name()));
    let names = arms(&methods, |method| format!("{:?}", full_name(method)));
    let services = arms(&methods, |method| format!("{:?}", method.parent_service().full_name()));
    let levels = arms(&methods, |method| format!("Idempotency::{}", idempotency(method)));
    let streams = arms(&methods, |method| method.is_server_streaming().to_string());
    let count = methods.len();
    let mut code = format!(
        "/// A method of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {{
    {variants}}}

impl Method {{
    /// Every method, in the order of the `.proto` files.
    pub const ALL: [Self; {count}] = [
        {all}];

    /// The full name, for instance `secretsapi.v1.SecretService/CreateSecret`.
    pub const fn as_str(self) -> &'static str {{ match self {{ {names} }} }}

    /// The full name of its service, for instance `secretsapi.v1.SecretService`.
    pub const fn service(self) -> &'static str {{ match self {{ {services} }} }}

    /// Whether sending a call a second time does no harm.
    pub const fn idempotency(self) -> Idempotency {{ match self {{ {levels} }} }}

    /// Whether the answer is a stream.
    pub const fn is_server_streaming(self) -> bool {{ match self {{ {streams} }} }}
}}
"
    );
    for method in &methods {
        let (request, response) = (rust::message(&method.input()), rust::message(&method.output()));
        let name = method.name();
        let _ = writeln!(
            code,
            "impl MethodRequest for {request} {{ const METHOD: Method = Method::{name}; type Response = {response}; }}"
        );
        if idempotency(method) != "Always" {
            let request_id = if has_request_id(method) { "&self.request_id" } else { "\"\"" };
            let _ = writeln!(
                code,
                "impl IdempotentRequest for {request} {{ fn request_id(&self) -> &str {{ {request_id} }} }}"
            );
        }
    }
    Ok(code)
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let ours = |service: &ServiceDescriptor| service.package_name() == rust::PACKAGE;
    pool.services().filter(ours).flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn check(methods: &[MethodDescriptor]) -> Result<(), String> {
    let (mut names, mut requests) = (BTreeSet::new(), BTreeSet::new());
    for method in methods {
        let name = full_name(method);
        if !names.insert(method.name().to_owned()) {
            return Err(format!("{name}: another service has a method of this name"));
        }
        if !requests.insert(method.input().full_name().to_owned()) {
            return Err(format!("{name}: its request must be a message of its own"));
        }
        if method.is_client_streaming() {
            return Err(format!("{name}: the request must be one message, not a stream"));
        }
        if idempotency(method) == "Always" && has_request_id(method) {
            return Err(format!("{name}: a method with an `idempotency_level` needs no `request_id`"));
        }
    }
    Ok(())
}

fn full_name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// The variant of `Idempotency`.
fn idempotency(method: &MethodDescriptor) -> &'static str {
    let options = method.method_descriptor_proto().options.clone().unwrap_or_default();
    match options.idempotency_level() {
        IdempotencyLevel::NoSideEffects | IdempotencyLevel::Idempotent => "Always",
        IdempotencyLevel::IdempotencyUnknown if has_request_id(method) => "ByRequestId",
        IdempotencyLevel::IdempotencyUnknown => "Never",
    }
}

fn has_request_id(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some()
}

fn each(methods: &[MethodDescriptor], line: impl Fn(&MethodDescriptor) -> String) -> String {
    methods.iter().map(|method| line(method) + "\n    ").collect()
}

fn arms(methods: &[MethodDescriptor], value: impl Fn(&MethodDescriptor) -> String) -> String {
    methods.iter().map(|method| format!("Self::{} => {}, ", method.name(), value(method))).collect()
}
