//! What can be wrong with a configuration. No message quotes a configured value that may be secret.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// A key that means nothing.
    #[error("unknown key `{key}` in {origin}; known here: {known}")]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The file, or the environment.
        origin: String,
        /// What is expected in its place.
        known: String,
    },
    /// A key with a value of another type.
    #[error("`{key}` in {origin} has the wrong type: expected {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// The file, or the environment.
        origin: String,
        /// The expected type.
        expected: String,
    },
    /// A value that breaks a rule.
    #[error("`{key}`: {rule}")]
    Refused {
        /// The key.
        key: String,
        /// The rule.
        rule: String,
    },
    /// A file that can't be read.
    #[error("cannot read {what} `{path}`: {error}")]
    Unreadable {
        /// What the file is.
        what: String,
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// A configuration file that is not TOML.
    #[error("configuration file `{path}` is not valid TOML: {place}")]
    Syntax {
        path: PathBuf,
        /// The line and column.
        place: String,
    },
    /// A listener that would speak plain text to the network.
    #[error(
        "listener `{address}` is reachable from other machines and has no TLS; \
         set `tls.cert` and `tls.key`, listen on a loopback address, or insist with `insecure = true` or `--insecure`"
    )]
    PlainText {
        /// Its address.
        address: SocketAddr,
    },
    /// No place for the data directory.
    #[error("neither XDG_DATA_HOME nor HOME is set to an absolute path; give the data directory with `--data-dir`")]
    NoHome,
}

impl InvalidConfig {
    pub(crate) fn refused(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Refused { key: key.into(), rule: rule.into() }
    }
}
