//! Directories that others could have prepared, and files that they could have left.

use std::fs::{Permissions, create_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::{Command, Stdio};

use super::answers::{VALUE, answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, ProgramOutput, Reply};

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

/// `secrets` with the words of `line`, and then what it has written for `A` into the directory `volume`, which is a file system
/// mounted with `options`, in a namespace of its own; none where that is not allowed.
fn in_mount(caller: &Caller, options: &str, line: &str) -> Option<ProgramOutput> {
    let flags: &[&str] =
        if rustix::process::getuid().is_root() { &["--mount"] } else { &["--user", "--map-root-user", "--mount"] };
    let mount = format!("mount -t tmpfs -o size=1m,{options} tmpfs volume");
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(flags).args(["sh", "-c", script, "sh"]).current_dir(caller.home()).stdin(Stdio::null());
        command
    };
    if !in_namespace(&mount).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let program = caller.command(line);
    let mut command = in_namespace(&format!("{mount} && \"$@\" && cat volume/A"));
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(ProgramOutput::from(command.output().unwrap()))
}

#[test]
fn a_mount_point_is_taken_whoever_may_write_in_it() {
    const OTHER: u32 = 12_345;
    let service = service();
    let caller = Caller::of(&service);
    let volume = caller.home().join("volume");
    create_dir(&volume).unwrap();
    let mut cases = vec![("mode=0777", 0o777, None), ("mode=1777", 0o1777, None), ("mode=0770,gid=12345", 0o777, None)];
    // Only root can play somebody else.
    if rustix::process::getuid().is_root() {
        cases.extend([("mode=0755,uid=12345", 0o755, Some(OTHER)), ("mode=0777,uid=12345", 0o777, Some(OTHER))]);
    }
    for (options, mode, owner) in cases {
        let Some(ended) = in_mount(&caller, options, "materialize --dir volume") else {
            eprintln!("nothing can be mounted here with {options}: not tested");
            continue;
        };
        assert_eq!(ended.expect_success(options).stdout, VALUE);
        // What is below it is nobody's volume: whoever may write in the volume could put another directory in its place.
        if mode != 0o1777 {
            let below = in_mount(&caller, options, "materialize --dir volume/below").unwrap();
            below.expect_failure(1).expect_text(&["--shared-dir"]);
        }
        // The same directory without the mount is refused.
        set_permissions(&volume, Permissions::from_mode(mode)).unwrap();
        chown(&volume, owner, owner).unwrap();
        caller.run("materialize --dir volume").expect_failure(1).expect_text(&["--shared-dir"]);
        assert_eq!(std::fs::read_dir(&volume).unwrap().count(), 0);
        chown(&volume, Some(rustix::process::getuid().as_raw()), None).unwrap();
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
