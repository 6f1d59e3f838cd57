//! Where a secret's value lands in the process, sandbox or job that gets it.
//!
//! A secret version has exactly one target. Within a scope each [`Destination`] belongs to at most one secret.

mod path;
mod registry;

use std::fmt;

pub use path::{FileMode, FilePath, InvalidFileMode, InvalidFilePath, ReservedPath, reserved_path};
pub use registry::{InvalidRegistryHost, InvalidRegistryUsername, RegistryHost, RegistryUsername};

use crate::name::SecretId;
use crate::reserved::{Reserved, reserved_variable};

/// Where a value lands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An environment variable under the secret's own name.
    EnvironmentVariable,
    /// A file.
    File {
        /// Where it is written.
        path: FilePath,
        /// Its permissions.
        mode: FileMode,
    },
    /// A registry credential, whose password or token the value is.
    Registry {
        /// The registry.
        host: RegistryHost,
        /// The user name to sign in with.
        username: RegistryUsername,
    },
    /// Nowhere: the value is returned only when it is asked for by name.
    ApiOnly,
}

/// The kind of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// An environment variable.
    EnvironmentVariable,
    /// A file.
    File,
    /// A registry credential.
    Registry,
    /// Returned only when asked for by name.
    ApiOnly,
}

crate::wire_enum::wire_enum!(TargetKind, "target kind", {
    EnvironmentVariable => "ENVIRONMENT_VARIABLE",
    File => "FILE",
    Registry => "REGISTRY",
    ApiOnly => "API_ONLY",
});

/// The one thing that a value occupies where it lands. Two secrets with the same place can't both be delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// The environment variable of this name.
    Variable(SecretId),
    /// The file at this path.
    File(FilePath),
    /// The credential for this registry.
    Registry(RegistryHost),
}

/// Why a target does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidTarget {
    /// The path does not pass.
    Path(InvalidFilePath),
    /// The permissions do not pass.
    Mode(InvalidFileMode),
    /// The registry does not pass.
    Host(InvalidRegistryHost),
    /// The user name does not pass.
    Username(InvalidRegistryUsername),
    /// The secret's name is that of a reserved environment variable.
    ReservedVariable {
        /// The secret's name.
        name: SecretId,
        /// The row of the table that reserves it.
        reserved: &'static Reserved,
    },
}

impl Target {
    /// Which kind of target this is.
    pub const fn kind(&self) -> TargetKind {
        match self {
            Self::EnvironmentVariable => TargetKind::EnvironmentVariable,
            Self::File { .. } => TargetKind::File,
            Self::Registry { .. } => TargetKind::Registry,
            Self::ApiOnly => TargetKind::ApiOnly,
        }
    }

    /// The place that the secret called `name` takes, unless it lands nowhere.
    pub fn place(&self, name: &SecretId) -> Option<Destination> {
        match self {
            Self::EnvironmentVariable => Some(Destination::Variable(name.clone())),
            Self::File { path, .. } => Some(Destination::File(path.clone())),
            Self::Registry { host, .. } => Some(Destination::Registry(host.clone())),
            Self::ApiOnly => None,
        }
    }

    /// Whether a secret called `name` may have this target: reserved names can't become environment variables.
    pub fn check_name(&self, name: &SecretId) -> Result<(), InvalidTarget> {
        match (self, reserved_variable(name.as_str())) {
            (Self::EnvironmentVariable, Some(reserved)) => {
                Err(InvalidTarget::ReservedVariable { name: name.clone(), reserved })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EnvironmentVariable => "environment variable",
            Self::File => "file",
            Self::Registry => "registry credential",
            Self::ApiOnly => "api only",
        })
    }
}

impl Destination {
    /// A text that is the same for the same place and for no other, for a unique index. At most 4,101 bytes long.
    pub fn key(&self) -> String {
        match self {
            Self::Variable(name) => format!("env:{name}"),
            Self::File(path) => format!("file:{path}"),
            Self::Registry(host) => format!("registry:{host}"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Registry(host) => write!(f, "registry {host}"),
        }
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => error.fmt(f),
            Self::Mode(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::Username(error) => error.fmt(f),
            Self::ReservedVariable { name, reserved } => write!(
                f,
                "`{name}` is reserved as an environment variable: {}; a name outside the reserved table such as \
                 `MY_TOKEN` passes, and so does `{name}` for a file, a registry credential or api only",
                reserved.reason
            ),
        }
    }
}

impl std::error::Error for InvalidTarget {}

impl From<InvalidFilePath> for InvalidTarget {
    fn from(error: InvalidFilePath) -> Self {
        Self::Path(error)
    }
}

impl From<InvalidFileMode> for InvalidTarget {
    fn from(error: InvalidFileMode) -> Self {
        Self::Mode(error)
    }
}

impl From<InvalidRegistryHost> for InvalidTarget {
    fn from(error: InvalidRegistryHost) -> Self {
        Self::Host(error)
    }
}

impl From<InvalidRegistryUsername> for InvalidTarget {
    fn from(error: InvalidRegistryUsername) -> Self {
        Self::Username(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::NamePolicy;

    fn name(text: &str) -> SecretId {
        SecretId::parse(text, NamePolicy::Relaxed).unwrap()
    }

    fn file(path: &str) -> Target {
        Target::File { path: path.parse().unwrap(), mode: FileMode::default() }
    }

    fn registry(host: &str, username: &str) -> Target {
        Target::Registry { host: host.parse().unwrap(), username: username.parse().unwrap() }
    }

    #[test]
    fn places_each_target() {
        for (target, key, text) in [
            (Target::EnvironmentVariable, "env:API_KEY", "variable API_KEY"),
            (file("~/.netrc"), "file:~/.netrc", "file ~/.netrc"),
            (registry("ghcr.io", "bob"), "registry:ghcr.io", "registry ghcr.io"),
        ] {
            let place = target.place(&name("API_KEY")).unwrap();
            assert_eq!((place.key().as_str(), place.to_string().as_str()), (key, text));
        }
        assert_eq!(Target::ApiOnly.place(&name("API_KEY")), None);
    }

    #[test]
    fn gives_one_place_to_all_spellings_of_a_registry_whatever_the_user() {
        let place = |host, username| registry(host, username).place(&name("A")).unwrap();
        assert_eq!(place("https://index.docker.io/v1/", "ann"), place("docker.io", "bob"));
        assert_ne!(place("ghcr.io", "ann"), place("ghcr.io:5000", "ann"));
    }

    #[test]
    fn reserves_names_only_for_variables() {
        let error = Target::EnvironmentVariable.check_name(&name("Ld_Preload")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Ld_Preload` is reserved as an environment variable: loads code into every program; a name outside the \
             reserved table such as `MY_TOKEN` passes, and so does `Ld_Preload` for a file, a registry credential or \
             api only"
        );
        for target in [file("/run/secrets/a"), registry("ghcr.io", "bob"), Target::ApiOnly] {
            assert_eq!(target.check_name(&name("PATH")), Ok(()));
        }
        assert_eq!(Target::EnvironmentVariable.check_name(&name("MY_TOKEN")), Ok(()));
    }
}
