//! What a program gets: from a resolved set to variables, files and registry credentials.
//!
//! A [`Plan`] is pure: it refuses what could not stand together before anything is written. [`Plan::place`] writes, all
//! or nothing, and what it gives back removes what was written, at the latest when it is dropped. A process that is
//! killed leaves a journal behind, from which the next one removes the rest. A file that several processes use is in the
//! journal of each, and the last one removes it.
//!
//! Invariants:
//! - a file that is there already is never touched, whatever it is: only what a journal names, and is still the same
//!   file, is replaced or removed; the caller's own with the very content is taken as it is, and left there;
//! - of the caller's processes, one at a time writes or removes files, or another one's journal;
//! - a value is on the disk only in its target, and in the private directory of the registries' credentials;
//! - no link is followed that somebody else than root or the caller made;
//! - no file is executable that does not come from the caller's own secrets, unless flags allow it;
//! - a directory of values is one that others can't write, unless a flag allows it.
//!
//! To add a kind of target: an arm in [`Plan::new`], and what it needs in [`Placement`].

mod directory;
mod docker_config;
mod existing;
mod file_id;
mod journal;
mod names;
mod ownership;
mod placement;
mod plan;
mod release;
mod runtime_dir;
pub(crate) mod volume;

use std::path::{Path, PathBuf};

use secrets_core::FilePath;

pub(crate) use self::docker_config::UserFiles;
pub(crate) use self::existing::{InTheWay, in_the_way};
pub(crate) use self::names::random_name;
pub(crate) use self::placement::{Placement, Recipient};
pub(crate) use self::plan::Plan;

/// The caller's home, which `~` in a target stands for; none if the environment and the user database name none.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// Where a file lands on this machine, with `home` in place of `~`; none without a home.
pub(crate) fn here(path: &FilePath, home: Option<&Path>) -> Option<PathBuf> {
    match path.in_home() {
        None => Some(PathBuf::from(path.as_str())),
        Some(rest) => home.map(|home| home.components().collect::<PathBuf>().join(rest)),
    }
}
