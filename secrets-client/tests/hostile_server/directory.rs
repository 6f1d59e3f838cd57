//! Directories that others could have prepared, and files that they could have left.

use std::fs::{Permissions, create_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::answers::{answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply};

fn service() -> HostileService {
    HostileService::start(|_| Reply::message(&answer(vec![variable("A")])))
}

#[test]
fn a_directory_that_others_can_write_is_refused_unless_it_is_meant() {
    let service = service();
    let caller = Caller::of(&service);
    let open = caller.home().join("open");
    create_dir(&open).unwrap();
    for (mode, refused) in [(0o777, true), (0o1777, true), (0o755, false)] {
        set_permissions(&open, Permissions::from_mode(mode)).unwrap();
        let ended = caller.run("materialize --dir open");
        if refused {
            ended.expect_failure(1).expect_text(&["others may write in", "--shared-dir"]);
            assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
        } else {
            ended.expect_success("materialize");
        }
    }
    set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    caller.run("materialize --dir open").expect_failure(1);
    caller.run("materialize --dir open --shared-dir").expect_success("--shared-dir");
}

#[test]
fn a_directory_below_one_that_others_can_write_is_refused_unless_that_is_sticky() {
    let service = service();
    let caller = Caller::of(&service);
    let open = caller.home().join("open");
    create_dir(&open).unwrap();
    create_dir(open.join("own")).unwrap();
    symlink("open/own", caller.home().join("link")).unwrap();
    for (mode, code) in [(0o777, 1), (0o1777, 0)] {
        set_permissions(&open, Permissions::from_mode(mode)).unwrap();
        for dir in ["open/own", "open/new", "link", "open/new/below"] {
            assert_eq!(caller.run(&format!("materialize --dir {dir}")).code, code, "{dir} {mode:o}");
            if code == 0 && dir == "open/new" {
                std::fs::remove_dir_all(open.join("new")).unwrap();
            }
        }
    }
}

#[test]
fn a_fifo_in_place_of_a_repositorys_file_is_not_waited_for() {
    let service = service();
    let caller = Caller::of(&service);
    let path = caller.home().join("secrets.toml");
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    caller.run("run -- touch started").expect_failure(125).expect_text(&["must be a regular file"]);
    assert!(!caller.home().join("started").exists());
}
