//! The methods of the interface by name, generated from the descriptors by `build.rs`.

use std::fmt;

include!(concat!(env!("OUT_DIR"), "/method.rs"));

/// Whether sending a call a second time does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing, or nothing more: the `.proto` gives the method an `idempotency_level`.
    Always,
    /// Under the same `request_id` a repeat returns the first result.
    ByRequestId,
    /// A repeat may do more than the first call did.
    Never,
}

/// The request of one method; no other method has the same.
pub trait MethodRequest: prost::Message + Default {
    /// The method.
    const METHOD: Method;
    /// What it answers, or each message of a streamed answer.
    type Response: prost::Message + Default;
}

/// The request of a method that changes something.
pub trait IdempotentRequest: MethodRequest {
    /// The UUID under which a repeat returns the first result. Empty when the caller gives none, or the message has no such
    /// field.
    fn request_id(&self) -> &str;
}

impl Method {
    /// The method that an HTTP request's path calls, for instance `/secretsapi.v1.SecretService/CreateSecret`.
    pub fn from_path(path: &str) -> Option<Self> {
        let full_name = path.strip_prefix('/')?;
        Self::ALL.into_iter().find(|method| method.as_str() == full_name)
    }

    /// Whether it changes something.
    pub const fn is_mutation(self) -> bool {
        !matches!(self.idempotency(), Idempotency::Always)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn a_method_is_found_by_its_path_alone() {
        for method in Method::ALL {
            assert_eq!(Method::from_path(&format!("/{method}")), Some(method));
            assert!(method.as_str().starts_with(&format!("{}/", method.service())));
        }
        for path in ["", "/", "secretsapi.v1.SecretService/CreateSecret", "/secretsapi.v1.SecretService/createSecret"] {
            assert_eq!(Method::from_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_request_knows_its_method_and_its_request_id() {
        assert_eq!(v1::CreateSecretRequest::METHOD.as_str(), "secretsapi.v1.SecretService/CreateSecret");
        let request = v1::CreateSecretRequest { request_id: "7".into(), ..Default::default() };
        assert_eq!(request.request_id(), "7");
        assert_eq!(v1::RedeemInvitationRequest::default().request_id(), "");
    }

    #[test]
    fn only_what_is_named_as_a_read_may_always_be_repeated() {
        for method in Method::ALL {
            let (_, name) = method.as_str().split_once('/').unwrap();
            let reads = ["Get", "List", "Test", "WhoAmI", "Resolve", "Explain", "Watch"];
            let is_read = reads.iter().any(|read| name.starts_with(read));
            assert_eq!(!method.is_mutation(), is_read, "{method}: give it an `idempotency_level` if it only reads");
        }
    }
}
