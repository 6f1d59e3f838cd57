//! Client of the secrets service.
//!
//! One [`Client`] serves every method of the service; it is cheap to clone and reconnects by itself. Each call has a
//! deadline; what is safe to repeat is repeated while the service is unavailable, and nothing else is.
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
//!             println!("{} is {} bytes long", secret.secret_id, secret.expose().len());
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
//! - a credential, a value or a code has no `Debug` that shows it, and is wiped when it is dropped; the buffers inside
//!   tonic, h2 and rustls are not;
//! - a call that may have changed something is repeated only with the same `request_id`;
//! - a denial, a not-found or any other answer than `UNAVAILABLE` is final.
//!
//! Absent: the command line (`src/bin/secrets/`) and everything that reads from a terminal or writes to one.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
pub mod fallback;
pub mod private_file;
pub mod proxy;
pub mod retry;

pub use client::live_set::{LiveEvent, LiveNames, LiveSet, changed_names};
pub use client::service::{Created, Resolved, ResolvedSecret, secret_value};
pub use client::session_keepalive::SessionKeepalive;
pub use client::watch::{Watch, WatchEvent, WatchEventKind};
pub use client::{Client, ClientBuilder, ConnectError, ConnectionReport, ServerCertificate};
pub use config::{Config, ConfigError, DeclaredSecret, Defaults, EnvironmentError, Repository, Settings};
pub use credentials::{Credential, InvalidCredential};
pub use error::{Answer, ClientError, ConnectionProblem, FieldViolation, Reason};
pub use fallback::{
    Fallback, FallbackBinding, FallbackError, FallbackKey, FallbackProblem, FallbackSet, InvalidFallbackKey,
};
pub use proxy::{InvalidProxy, Proxy, ProxyError};
pub use retry::RetryPolicy;
pub use secrets_proto::v1;
