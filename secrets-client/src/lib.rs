//! Client of the secrets service.
//!
//! One [`Client`] has a method for each method of the service; it is cheap to clone and reconnects by itself. Each call has a
//! deadline, and is retried while the service is unavailable if a retry can do no harm. A program that runs for longer follows
//! a context with a [`LiveSet`], and can start without the service from a [`Fallback`].
//!
//! ```no_run
//! use secrets_client::{Client, Reason, v1};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // SECRETS_ENDPOINT, SECRETS_TOKEN or SECRETS_TOKEN_FILE, SECRETS_CA_FILE, else the user's own configuration.
//! let client = Client::from_environment()?;
//! let request = v1::ResolveRequest { required_secret_ids: vec!["LINEAR_API_KEY".into()], ..Default::default() };
//! match client.resolve(request).await {
//!     Ok(set) => {
//!         for secret in &set.secrets {
//!             println!("{} is {} bytes long", secret.secret_id(), secret.expose().len());
//!         }
//!     }
//!     Err(error) if error.reason() == Some(Reason::SecretRequiredMissing) => eprintln!("ask for the key: {error}"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - `Debug` shows no credential, value or code, and each is wiped when it is dropped, except in the buffers of tonic, h2 and
//!   rustls;
//! - a call that may have changed something is sent again only with the same `request_id`;
//! - a token that a login stored goes to the endpoint that it was made at, and nothing goes to another machine in plain text
//!   unless that is allowed ([`ClientBuilder::insecure`]);
//! - any answer of the service other than `UNAVAILABLE` is final;
//! - a set that it returns was checked by core's rules, whatever the service sent ([`validation`]);
//! - a client reads what it has written, whichever replica answers, unless a restore has lost that.
//!
//! Absent: the command line (`src/bin/secrets/`), and everything that reads from a terminal or writes to one; a cache of values;
//! a log.
//!
//! To add a method of the service: [`client::service`]. To add a setting: [`config`]. To recognize another problem of a
//! connection: [`error`].

#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod client;
pub mod config;
pub mod credentials;
pub mod endpoint;
pub mod error;
pub mod fallback;
pub mod private_file;
pub mod proxy;
pub mod retry;
pub mod validation;

pub use client::live_set::{LiveEvent, LiveNames, LiveSet, changed_names};
pub use client::service::{Created, CreatedSet, secret_value};
pub use client::session_keepalive::{SessionKeepalive, SessionWarning};
pub use client::watch::{Watch, WatchEvent, WatchEventKind};
pub use client::{Client, ClientBuilder, ConnectError, ConnectionReport, ServerCertificate};
pub use config::{
    Choice, Config, ConfigError, DeclaredSecret, Defaults, EnvironmentError, InvalidKeyringItem, InvalidProfileName,
    KeyringItem, Profile, ProfileName, Repository, Settings, StoredToken, TokenLocation,
};
pub use credentials::{Credential, InvalidCredential};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::{Answer, ClientError, ConnectionProblem, FieldViolation, Reason};
pub use fallback::{
    Fallback, FallbackBinding, FallbackError, FallbackKey, FallbackProblem, FallbackSet, InvalidFallbackKey,
};
pub use proxy::{InvalidProxy, Proxy, ProxyError};
pub use retry::RetryPolicy;
pub use secrets_proto::v1;
pub use validation::{BrokenRule, LeftOut, Question, ResolvedSecret, ResolvedSet};
