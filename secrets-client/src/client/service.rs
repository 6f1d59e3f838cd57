//! The interface's methods: one method of [`Client`](super::Client) for each, in the file of its service.
//!
//! To add a method: one line in the file of its service, under `read` when it changes nothing, `change` when it carries a
//! `request_id` (`revise` when its response has a `revision` too), `once` when it changes something and carries none.
//! To add a service: a file here, and its line below.

mod access;
mod audit;
mod directory;
mod resolve;
mod secret;

use secrecy::SecretString;
use secrets_proto::v1;

pub use self::secret::secret_value;
use crate::credentials::Credential;
use crate::error::ClientError;
use crate::retry;
use crate::validation::{self, BrokenRule};

/// A credential or code that was just created, and is shown this once.
pub struct Created<T> {
    /// The token or code.
    pub secret: SecretString,
    /// What the service keeps of it.
    pub details: T,
}

impl<T> Created<T> {
    /// Takes `secret` as the service sent it: empty when the answer repeats one that was lost.
    fn new(secret: String, details: T, name: impl FnOnce(&T) -> String) -> Result<Self, ClientError> {
        if secret.is_empty() {
            return Err(ClientError::Lost { name: name(&details) });
        }
        // It is printed as it is, and stored.
        if !is_credential(&secret) {
            return Err(BrokenRule::Credential.into());
        }
        Ok(Self { secret: secret.into(), details })
    }
}

impl Created<v1::Token> {
    /// The same of a token, whose owner a login keeps beside it.
    fn token(secret: String, details: Option<v1::Token>) -> Result<Self, ClientError> {
        let created = Self::new(secret, details.unwrap_or_default(), |token| token.name.clone())?;
        validation::check_owner(&created.details)?;
        Ok(created)
    }
}

/// More codes than the service creates at once.
const MAX_CREATED: usize = 64;

/// Credentials that were just created, which are shown this once, and what is known of them.
pub struct CreatedSet<T> {
    /// The codes.
    pub secrets: Vec<SecretString>,
    /// What the service keeps of them.
    pub details: T,
}

impl<T> CreatedSet<T> {
    /// Takes `secrets` as the service sent them: none when the answer repeats one that was lost.
    fn new(secrets: Vec<String>, details: T, name: &str) -> Result<Self, ClientError> {
        if secrets.is_empty() {
            return Err(ClientError::Lost { name: name.to_owned() });
        }
        // They are printed as they are.
        if secrets.len() > MAX_CREATED || !secrets.iter().all(|secret| is_credential(secret)) {
            return Err(BrokenRule::Credential.into());
        }
        Ok(Self { secrets: secrets.into_iter().map(SecretString::from).collect(), details })
    }
}

/// Whether a text is a credential as it stands: what a person pastes may have white space around it, an answer may not.
fn is_credential(text: &str) -> bool {
    Credential::parse(text).is_ok_and(|credential| credential.expose() == text)
}

/// Sets one `request_id` for a logical call, however often it is sent, unless the caller has set one.
fn set_request_id(request_id: &mut String) {
    if request_id.is_empty() {
        *request_id = retry::random_uuid().to_string();
    }
}

/// Defines methods of [`Client`] that send one request of a service and return its response.
macro_rules! methods {
    ($stub:path; $($(#[$doc:meta])* $kind:ident $method:ident($request:ident) -> $response:ident;)*) => {
        // Of another kind than the method's, a change could be sent again without a `request_id`.
        $(const _: () = {
            let method = <secrets_proto::v1::$request as secrets_proto::MethodRequest>::METHOD;
            assert!(matches!(method.idempotency(), $crate::client::service::methods!(@idempotency $kind)));
        };)*
        impl $crate::client::Client {
            $(
                $(#[$doc])*
                pub async fn $method(
                    &self,
                    request: secrets_proto::v1::$request,
                ) -> Result<secrets_proto::v1::$response, $crate::error::ClientError> {
                    $crate::client::service::methods!(@$kind request);
                    $crate::client::service::methods!(@resource $kind request resource);
                    let answer = self.call(request, |channel, request| async move {
                        <$stub>::new(channel)
                            .max_decoding_message_size($crate::client::MAX_RESPONSE_BYTES)
                            .$method(request)
                            .await
                    })
                    .await?;
                    $crate::client::service::methods!(@remember $kind self resource answer);
                    Ok(answer)
                }
            )*
        }
    };
    (@idempotency read) => { secrets_proto::Idempotency::Always };
    (@idempotency change) => { secrets_proto::Idempotency::ByRequestId };
    (@idempotency revise) => { secrets_proto::Idempotency::ByRequestId };
    (@idempotency once) => { secrets_proto::Idempotency::Never };
    (@read $request:ident) => {};
    (@once $request:ident) => {};
    (@change $request:ident) => {
        let mut $request = $request;
        $crate::client::service::set_request_id(&mut $request.request_id);
    };
    (@revise $request:ident) => { $crate::client::service::methods!(@change $request) };
    (@resource revise $request:ident $resource:ident) => {
        let $resource = $crate::client::freshness::Revising::resource(&$request).to_owned();
    };
    (@resource $kind:ident $request:ident $resource:ident) => {};
    (@remember revise $client:ident $resource:ident $answer:ident) => {
        $client.0.freshness.record_change(&$resource, &$answer.revision);
    };
    (@remember $kind:ident $client:ident $resource:ident $answer:ident) => {};
}
use methods;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_repeat_without_its_token_is_an_error_that_names_it_and_what_is_no_token_is_refused() {
        let error = Created::new(String::new(), "tokens/7", |name| (*name).to_owned()).err().unwrap();
        assert!(matches!(error, ClientError::Lost { name } if name == "tokens/7"));
        for text in ["ssvc_\u{1b}[2J", "two words", "a\nb", "ssvc_x\n", "\u{85}ssvc_x", "ssvc_x\u{2028}"] {
            let error = Created::new(text.to_owned(), "tokens/7", |name| (*name).to_owned()).err().unwrap();
            assert!(matches!(error, ClientError::Malformed(_)), "{text:?}");
        }
        let created = Created::new("ssvc_x".to_owned(), "tokens/7", |name| (*name).to_owned()).ok().unwrap();
        assert_eq!(created.secret.expose_secret(), "ssvc_x");
    }
}
