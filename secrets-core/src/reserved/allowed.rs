//! What an organization allows although it is reserved.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::{Grade, Reserved};
use crate::name::{InvalidSecretId, NamePolicy, SecretId};
use crate::target::{FilePath, InvalidFilePath};

/// The most entries.
const MAX_ENTRIES: usize = 100;

/// The reserved variables and paths that an organization allows its secrets to be delivered as, each exactly as it is
/// allowed. Only those of the grade [`Grade::Soft`] can be; whatever else an older table let in has no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllowedReserved(BTreeSet<Box<str>>);

/// Why a list of reserved variables and paths can't be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowedReserved {
    /// There are more than 100.
    #[error("at most {MAX_ENTRIES} reserved names and paths can be allowed (got {count})")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// An entry without a slash is not the name of a secret.
    #[error(transparent)]
    Name(#[from] InvalidSecretId),
    /// An entry with a slash is not the path of a file, or a hard one.
    #[error(transparent)]
    Path(#[from] InvalidFilePath),
    /// It is reserved for good.
    #[error("`{name}` can't be allowed, since it {}; choose another name, or a file target", .reserved.reason)]
    Hard {
        /// The variable.
        name: SecretId,
        /// The row that reserves it.
        reserved: &'static Reserved,
    },
    /// Nothing reserves it.
    #[error("`{entry}` is not reserved, so that nobody has to allow it; leave it out")]
    NotReserved {
        /// The variable or path.
        entry: Box<str>,
    },
}

impl AllowedReserved {
    /// Accepts at most 100 names of variables and paths of files, all of which are reserved and can be allowed.
    pub fn new<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, InvalidAllowedReserved> {
        let entries: Vec<T> = entries.into_iter().collect();
        // Before any is looked at, which costs more than counting.
        let count = entries.iter().map(AsRef::as_ref).collect::<BTreeSet<&str>>().len();
        if count > MAX_ENTRIES {
            return Err(InvalidAllowedReserved::TooMany { count });
        }
        let allowed = entries.iter().map(|entry| check_entry(entry.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self(allowed))
    }

    /// Whether exactly this variable or path is among them.
    pub fn contains(&self, entry: &str) -> bool {
        self.0.contains(entry)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|entry| &**entry)
    }
}

fn check_entry(text: &str) -> Result<Box<str>, InvalidAllowedReserved> {
    let reserved = if text.contains('/') {
        let path: FilePath = text.parse()?;
        path.reserved()
    } else {
        let name = SecretId::parse(text, NamePolicy::Relaxed)?;
        match super::environment(text) {
            Some(reserved) if reserved.grade == Grade::Hard => {
                return Err(InvalidAllowedReserved::Hard { name, reserved });
            }
            found => found,
        }
    };
    match reserved {
        Some(_) => Ok(text.into()),
        None => Err(InvalidAllowedReserved::NotReserved { entry: text.into() }),
    }
}

/// One entry a line.
impl fmt::Display for AllowedReserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, entry)| {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{entry}")
        })
    }
}

/// Reads what was displayed, when the tables may have been others. See [`AllowedReserved::new`] for what comes from
/// outside.
impl FromStr for AllowedReserved {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.lines().map(Into::into).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_is_soft() {
        let allowed = AllowedReserved::new(["KUBECONFIG", "~/.cargo/config.toml", "KUBECONFIG"]).unwrap();
        assert_eq!(allowed.iter().collect::<Vec<_>>(), ["KUBECONFIG", "~/.cargo/config.toml"]);
        assert!(
            allowed.contains("KUBECONFIG") && !allowed.contains("kubeconfig") && !allowed.contains("~/.cargo/config")
        );
    }

    #[test]
    fn says_of_everything_else_why_not() {
        for (entry, message) in [
            (
                "LD_PRELOAD",
                "`LD_PRELOAD` can't be allowed, since it loads code into every program; choose another name, or a file target",
            ),
            ("LINEAR_API_KEY", "`LINEAR_API_KEY` is not reserved, so that nobody has to allow it; leave it out"),
            ("/run/secrets/x", "`/run/secrets/x` is not reserved, so that nobody has to allow it; leave it out"),
            ("/srv/../etc/hosts", "path must not contain `..`; write out the path that it leads to"),
            ("A-B", "invalid character `-` in `A-B`; did you mean `A_B`?"),
        ] {
            assert_eq!(AllowedReserved::new([entry]).unwrap_err().to_string(), message);
        }
        assert!(matches!(AllowedReserved::new(["~/.bashrc"]), Err(InvalidAllowedReserved::Path(_))));
        let many = (0..101).map(|index| format!("CARGO_TARGET_{index}"));
        assert_eq!(AllowedReserved::new(many), Err(InvalidAllowedReserved::TooMany { count: 101 }));
        // Nothing of so many is looked at.
        let paths = (0..101).map(|index| format!("no path {index}/.."));
        assert_eq!(AllowedReserved::new(paths), Err(InvalidAllowedReserved::TooMany { count: 101 }));
    }

    #[test]
    fn reads_what_it_wrote() {
        for entries in [&[][..], &["KUBECONFIG"], &["/etc/ssl/certs/a b.pem", "KUBECONFIG"]] {
            let allowed = AllowedReserved::new(entries).unwrap();
            assert_eq!(allowed.to_string().parse(), Ok(allowed));
        }
    }
}
