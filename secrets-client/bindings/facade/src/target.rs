use secrets_core::{FileMode, Target as Core};
use serde::Deserialize;

use crate::{InvalidArgument, parse};

/// Where a value lands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Target {
    /// An environment variable under the secret's own name.
    #[default]
    EnvironmentVariable,
    /// A file.
    File {
        /// Where.
        path: String,
        /// Its permissions in octal digits; `0600` by default.
        #[serde(default)]
        mode: Option<String>,
    },
    /// A registry credential.
    Registry {
        /// The registry's host.
        host: String,
        /// The name to sign in with.
        username: String,
    },
    /// Nowhere but in answers to whoever asks for it by name.
    ApiOnly,
}

impl Target {
    pub(crate) fn to_core(&self) -> Result<Core, InvalidArgument> {
        Ok(match self {
            Self::EnvironmentVariable => Core::EnvironmentVariable,
            Self::File { path, mode } => Core::File {
                path: parse("path", path)?,
                mode: mode.as_deref().map_or_else(|| Ok(FileMode::default()), |mode| parse("mode", mode))?,
            },
            Self::Registry { host, username } => {
                Core::Registry { host: parse("host", host)?, username: parse("username", username)? }
            }
            Self::ApiOnly => Core::ApiOnly,
        })
    }
}
