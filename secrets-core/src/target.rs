//! Where a secret's value lands in the process, sandbox or job that gets it.
//!
//! A secret version has exactly one target. Within a scope each [`Destination`] belongs to at most one secret.

mod path;
mod registry;

use std::fmt;

pub use path::{FileMode, FilePath, InvalidFileMode, InvalidFilePath};
pub use registry::{InvalidRegistryHost, InvalidRegistryUsername, RegistryHost, RegistryUsername};

use crate::name::SecretId;
use crate::reserved::{self, AllowedReserved, Grade, Reserved};

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

/// The one thing that a value occupies where it lands. Two secrets with the same destination can't both be delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// The environment variable of this name.
    Variable(SecretId),
    /// The file at this path.
    File(FilePath),
    /// The credential for this registry.
    Registry(RegistryHost),
}

/// Why a target is not valid for a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// The path is not valid.
    #[error(transparent)]
    Path(#[from] InvalidFilePath),
    /// The permissions are not valid.
    #[error(transparent)]
    Mode(#[from] InvalidFileMode),
    /// The registry is not valid.
    #[error(transparent)]
    Host(#[from] InvalidRegistryHost),
    /// The user name is not valid.
    #[error(transparent)]
    Username(#[from] InvalidRegistryUsername),
    /// The secret's name is that of a reserved environment variable.
    #[error(
        "`{name}` is reserved as an environment variable ({}); choose another name, or a file, registry or API-only \
         target{}",
        reserved.reason, OrAllow(reserved.grade)
    )]
    ReservedVariable {
        /// The secret's name.
        name: SecretId,
        /// The row of the table that reserves it.
        reserved: &'static Reserved,
    },
    /// The path is reserved, and the organization does not allow it.
    #[error(
        "path is reserved by `{}` ({}); choose a file of your own, such as `/run/secrets/token`{}",
        reserved.pattern, reserved.reason, OrAllow(reserved.grade)
    )]
    ReservedPath {
        /// The path.
        path: FilePath,
        /// The row of the table that reserves it.
        reserved: &'static Reserved,
    },
}

/// What else can be done where an organization may allow it.
struct OrAllow(Grade);

impl fmt::Display for OrAllow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Grade::Hard => Ok(()),
            Grade::Soft => f.write_str(", or ask an administrator of the organization to allow it"),
        }
    }
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

    /// The destination of the secret called `name`; `None` for an API-only one.
    pub fn destination(&self, name: &SecretId) -> Option<Destination> {
        match self {
            Self::EnvironmentVariable => Some(Destination::Variable(name.clone())),
            Self::File { path, .. } => Some(Destination::File(path.clone())),
            Self::Registry { host, .. } => Some(Destination::Registry(host.clone())),
            Self::ApiOnly => None,
        }
    }

    /// Whether a value may be delivered here for a secret called `name`: what is reserved and hard is refused, what is
    /// soft is returned, to be told of.
    pub fn check_delivery(&self, name: &SecretId) -> Result<Option<&'static Reserved>, InvalidTarget> {
        match self.reserved(name) {
            Some(reserved) if reserved.grade == Grade::Hard => Err(self.refuse(name, reserved)),
            found => Ok(found),
        }
    }

    /// Whether a secret called `name` may be stored with this target, in an organization that allows some of what is
    /// reserved and soft.
    pub fn check_storing(&self, name: &SecretId, allowed: &AllowedReserved) -> Result<(), InvalidTarget> {
        let entry = match self {
            Self::File { path, .. } => path.as_str(),
            _ => name.as_str(),
        };
        match self.check_delivery(name)? {
            Some(reserved) if !allowed.contains(entry) => Err(self.refuse(name, reserved)),
            _ => Ok(()),
        }
    }

    fn reserved(&self, name: &SecretId) -> Option<&'static Reserved> {
        match self {
            Self::EnvironmentVariable => reserved::environment(name.as_str()),
            Self::File { path, .. } => path.reserved(),
            Self::Registry { .. } | Self::ApiOnly => None,
        }
    }

    fn refuse(&self, name: &SecretId, reserved: &'static Reserved) -> InvalidTarget {
        match self {
            Self::File { path, .. } => InvalidTarget::ReservedPath { path: path.clone(), reserved },
            _ => InvalidTarget::ReservedVariable { name: name.clone(), reserved },
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
    /// A text that is the same for the same destination and for no other, for a unique index. At most 4,101 bytes long.
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
    fn gives_each_target_a_destination() {
        for (target, key, text) in [
            (Target::EnvironmentVariable, "env:API_KEY", "variable API_KEY"),
            (file("~/.netrc"), "file:~/.netrc", "file ~/.netrc"),
            (registry("ghcr.io", "bob"), "registry:ghcr.io", "registry ghcr.io"),
        ] {
            let destination = target.destination(&name("API_KEY")).unwrap();
            assert_eq!((destination.key().as_str(), destination.to_string().as_str()), (key, text));
        }
        assert_eq!(Target::ApiOnly.destination(&name("API_KEY")), None);
    }

    #[test]
    fn gives_one_destination_to_all_spellings_of_a_registry_whatever_the_user() {
        let destination = |host, username| registry(host, username).destination(&name("A")).unwrap();
        assert_eq!(destination("https://index.docker.io/v1/", "ann"), destination("docker.io", "bob"));
        assert_ne!(destination("ghcr.io", "ann"), destination("ghcr.io:5000", "ann"));
    }

    #[test]
    fn never_delivers_what_is_hard() {
        let error = Target::EnvironmentVariable.check_delivery(&name("Ld_Preload")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Ld_Preload` is reserved as an environment variable (loads code into every program); choose another name, \
             or a file, registry or API-only target"
        );
        let path = FilePath::parse_stored("~/.bashrc").unwrap();
        let error = Target::File { path, mode: FileMode::default() }.check_delivery(&name("A")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "path is reserved by `~/.bashrc` (runs when a shell starts); choose a file of your own, such as \
             `/run/secrets/token`"
        );
    }

    #[test]
    fn delivers_what_is_soft_and_tells_of_it() {
        let pattern = |target: &Target, id| target.check_delivery(&name(id)).unwrap().map(|row| row.pattern);
        assert_eq!(pattern(&Target::EnvironmentVariable, "KUBECONFIG"), Some("KUBECONFIG"));
        assert_eq!(pattern(&file("/etc/ssl/certs/a.pem"), "KUBECONFIG"), Some("/etc/ssl/certs"));
        assert_eq!(pattern(&Target::EnvironmentVariable, "MY_TOKEN"), None);
        for target in [file("/run/secrets/a"), registry("ghcr.io", "bob"), Target::ApiOnly] {
            assert_eq!(target.check_delivery(&name("PATH")), Ok(None));
        }
    }

    #[test]
    fn stores_what_is_soft_where_it_is_allowed() {
        let allowed = AllowedReserved::new(["KUBECONFIG", "~/.cargo/config.toml"]).unwrap();
        for (target, id, stored) in [
            (Target::EnvironmentVariable, "KUBECONFIG", true),
            (Target::EnvironmentVariable, "PAGER", false),
            (Target::EnvironmentVariable, "MY_TOKEN", true),
            (Target::EnvironmentVariable, "PATH", false),
            (file("~/.cargo/config.toml"), "A", true),
            (file("~/.cargo/config"), "KUBECONFIG", false),
            (file("/run/secrets/a"), "PATH", true),
            (Target::ApiOnly, "PATH", true),
        ] {
            assert_eq!(target.check_storing(&name(id), &allowed).is_ok(), stored, "{id} {target:?}");
        }
        // What an older table let in, and is hard today.
        let stale: AllowedReserved = "PATH".parse().unwrap();
        assert!(Target::EnvironmentVariable.check_storing(&name("PATH"), &stale).is_err());
        let error = Target::EnvironmentVariable.check_storing(&name("PAGER"), &allowed).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`PAGER` is reserved as an environment variable (changes what shows or edits text, which can run programs); \
             choose another name, or a file, registry or API-only target, or ask an administrator of the organization to \
             allow it"
        );
    }
}
