//! Targets of requests.

use std::fmt::Display;

use secrets_core::{FileMode, Target};
use secrets_proto::v1;
use secrets_proto::v1::target::Kind;

use crate::error::{Error, Reason};

pub(super) fn target(target: Option<v1::Target>) -> Result<Option<Target>, Error> {
    let Some(kind) = target.and_then(|target| target.kind) else { return Ok(None) };
    Ok(Some(match kind {
        Kind::EnvironmentVariable(_) => Target::EnvironmentVariable,
        Kind::ApiOnly(_) => Target::ApiOnly,
        Kind::File(file) => Target::File {
            path: file.path.parse().map_err(invalid("secret.target.file.path"))?,
            mode: match file.mode {
                0 => FileMode::default(),
                mode => FileMode::new(mode).map_err(invalid("secret.target.file.mode"))?,
            },
        },
        Kind::Registry(registry) => Target::Registry {
            host: registry.host.parse().map_err(invalid("secret.target.registry.host"))?,
            username: registry.username.parse().map_err(invalid("secret.target.registry.username"))?,
        },
    }))
}

fn invalid<E: Display>(field: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::field(Reason::InvalidTarget, field, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_mode_is_for_its_owner_alone() {
        let file = |path: &str, mode| {
            target(Some(v1::Target { kind: Some(Kind::File(v1::FileTarget { path: path.into(), mode })) }))
        };
        match file("~/key", 0).unwrap() {
            Some(Target::File { mode, .. }) => assert_eq!(mode.bits(), 0o600),
            other => panic!("{other:?}"),
        }
        for (path, mode, field) in [
            ("key", 0, "secret.target.file.path"),
            ("/a/../b", 0, "secret.target.file.path"),
            ("~/.bashrc", 0, "secret.target.file.path"),
            ("~/key", 0o1777, "secret.target.file.mode"),
            ("~/key", 0o666, "secret.target.file.mode"),
        ] {
            let failure = file(path, mode).unwrap_err();
            assert_eq!(
                (failure.reason(), failure.violations()[0].field),
                (Reason::InvalidTarget, field),
                "{path} {mode:o}"
            );
        }
    }

    #[test]
    fn no_kind_is_no_target() {
        assert_eq!(target(None).unwrap(), None);
        assert_eq!(target(Some(v1::Target { kind: None })).unwrap(), None);
    }
}
