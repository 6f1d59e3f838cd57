//! Whether a directory is safe to write values into: nobody but its caller, and root, can put something into it, or another
//! directory in its place.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use super::directory::Directory;

/// Who has a right in a directory that nobody else should have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untrusted {
    #[error("`{}` belongs to another user (uid {owner})", path.display())]
    Owner { path: PathBuf, owner: u32 },
    #[error("others may write in `{}`", path.display())]
    Writable { path: PathBuf },
}

/// Checks the directory at `path`, as far as it is there, and each one above it.
///
/// Others may write in one above whose sticky bit keeps them from moving what is not theirs, as in `/tmp`. What is
/// mounted at `path` itself was put there for this, as a pod's volume is; whoever may write in that is its own business.
pub(super) fn check(path: &Path) -> io::Result<Result<(), Untrusted>> {
    let path = std::path::absolute(path)?;
    let caller = rustix::process::geteuid().as_raw();
    let mut visited = Vec::new();
    // What is asked for is below it, so that the way to it ends in the directory itself.
    let is_there = Directory::visit_containing(&path.join("x"), |directory, at| {
        visited.push((at.to_owned(), rustix::fs::fstat(directory)?, is_mount_point(directory)));
        Ok(())
    })?;
    let itself = if is_there { visited.pop() } else { None };
    let above = visited.iter().map(|(at, status, _)| judge(at, status, caller, false));
    let itself = itself.iter().filter(|(_, _, is_mount_point)| !is_mount_point);
    Ok(above.chain(itself.map(|(at, status, _)| judge(at, status, caller, true))).collect())
}

fn judge(at: &Path, status: &Stat, caller: u32, is_itself: bool) -> Result<(), Untrusted> {
    const STICKY: u32 = 0o1000;
    let (path, owner, mode) = (at.to_owned(), status.st_uid, status.st_mode);
    if owner != 0 && owner != caller {
        return Err(Untrusted::Owner { path, owner });
    }
    // A group with the number of the owner is the owner's private one, on systems where each user has one.
    let others = if status.st_gid == owner { 0o002 } else { 0o022 };
    let is_kept_by_sticky_bit = !is_itself && mode & STICKY != 0;
    if mode & others != 0 && !is_kept_by_sticky_bit { Err(Untrusted::Writable { path }) } else { Ok(()) }
}

/// Whether a file system, or a part of one, is mounted here.
#[cfg(target_os = "linux")]
fn is_mount_point(directory: &OwnedFd) -> bool {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};
    rustix::fs::statx(directory, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())
        .is_ok_and(|status| status.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Elsewhere nothing says so of a part of a file system.
#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &OwnedFd) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn directory(top: &tempfile::TempDir, name: &str, mode: u32) -> PathBuf {
        let path = top.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn accepts_what_only_its_owner_may_write() {
        let top = tempfile::tempdir().unwrap();
        let own = directory(&top, "own", 0o755);
        for path in [&own, &own.join("new"), &own.join("new/below"), &own.join("../own")] {
            assert_eq!(check(path).unwrap(), Ok(()), "{path:?}");
        }
        symlink("own", top.path().join("link")).unwrap();
        assert_eq!(check(&top.path().join("link")).unwrap(), Ok(()));
    }

    #[test]
    fn refuses_what_others_may_write_and_what_is_below_it() {
        let top = tempfile::tempdir().unwrap();
        let open = directory(&top, "open", 0o777);
        let below = directory(&top, "open/below", 0o700);
        for path in [&open, &below, &open.join("new")] {
            assert_eq!(check(path).unwrap(), Err(Untrusted::Writable { path: open.clone() }), "{path:?}");
        }
        // As `/tmp` is: safe above, and not to be written into by a name that anybody may have taken.
        std::fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(check(&below).unwrap(), Ok(()));
        assert_eq!(check(&open).unwrap(), Err(Untrusted::Writable { path: open }));
    }

    #[test]
    fn refuses_what_belongs_to_somebody_else() {
        const OTHER: u32 = 12_345;
        let top = tempfile::tempdir().unwrap();
        let theirs = directory(&top, "theirs", 0o755);
        let below = directory(&top, "theirs/below", 0o700);
        // Only root can play somebody else.
        if chown(&theirs, Some(OTHER), Some(OTHER)).is_ok() {
            for path in [&theirs, &below] {
                assert_eq!(check(path).unwrap(), Err(Untrusted::Owner { path: theirs.clone(), owner: OTHER }));
            }
        }
    }

    #[test]
    fn counts_a_group_unless_it_is_the_owners_private_one() {
        let caller = rustix::process::geteuid().as_raw();
        let top = tempfile::tempdir().unwrap();
        let shared = directory(&top, "shared", 0o775);
        let mut status = rustix::fs::stat(&shared).unwrap();
        status.st_gid = caller;
        assert_eq!(judge(&shared, &status, caller, true), Ok(()));
        status.st_gid = caller + 1;
        assert_eq!(judge(&shared, &status, caller, true), Err(Untrusted::Writable { path: shared.clone() }));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn knows_where_something_is_mounted() {
        let top = tempfile::tempdir().unwrap();
        let is_mounted = |path: &Path| is_mount_point(&std::fs::File::open(path).unwrap().into());
        assert!(is_mounted(Path::new("/proc")) && !is_mounted(top.path()));
    }
}
