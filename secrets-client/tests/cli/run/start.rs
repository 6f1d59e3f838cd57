//! Programs that the kernel does not start by themselves: scripts without `#!`, and what has too large an environment.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::server;
use crate::support::{Person, ProgramOutput, RunningCommand, TestTerminal};

fn write_program(person: &Person<'_>, name: &str, content: &[u8]) {
    let path = person.home.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

/// A command of `person` under the usual limit of the stack, to which that of arguments and environment is tied.
fn with_usual_stack(person: &Person<'_>, words: &[&str]) -> Command {
    let limited = ["-c", "ulimit -s 8192; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_secrets")];
    person.program(Path::new("sh"), &[&limited, words].concat())
}

#[test]
fn a_script_without_a_first_line_starts_as_from_a_shell() {
    let server = server();
    let bob = server.person("bob");
    write_program(&bob, "script", b"echo \"$0 $# $2 ${#LINEAR_API_KEY}\"; exit 3\n");
    let path = format!("{}:{}", bob.home.display(), std::env::var("PATH").unwrap());
    let bob = bob.with("PATH", &path);
    let by_name = format!("{} 2 b c 7\n", bob.home.join("script").display());
    for (program, expected) in [("./script", "./script 2 b c 7\n"), ("script", by_name.as_str())] {
        for flags in [&["run"][..], &["run", "--no-masking"], &["run", "--clean-env"], &["run", "--watch"]] {
            let words = [flags, &["--", program, "a", "b c"]].concat();
            let ended = bob.run_words(&words);
            assert_eq!((ended.code, ended.stdout.as_str()), (3, expected), "{words:?}: {ended:?}");
            let (code, shown) = TestTerminal::start(&bob.command_words(&words)).wait_for_exit();
            assert_eq!((code, shown.as_str()), (Some(3), expected.replace('\n', "\r\n").as_str()), "{words:?}");
        }
    }
}

#[test]
fn a_program_for_another_machine_is_no_script() {
    let server = server();
    let bob = server.person("bob");
    write_program(&bob, "other-machine", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let words = ["run", "--", "./other-machine"];
    bob.run_words(&words).expect_failure(126).expect_text(&["error: `./other-machine`: Exec format error"]);
    let (code, shown) = TestTerminal::start(&bob.command_words(&words)).wait_for_exit();
    assert!(code == Some(126) && shown.contains("Exec format error"), "{shown}");
}

#[test]
fn an_environment_that_is_too_large_is_told_by_its_size_and_what_is_largest() {
    let server = server();
    let mut bob = server.person("bob");
    for number in 0..14 {
        bob = bob.with(&format!("INHERITED_{number}"), &"i".repeat(112_000 + number));
    }
    let set = |number: usize, size| bob.set(&"v".repeat(size), &format!("LARGE_{number} --no-redact"));
    for number in 1..=8 {
        set(number, 60_000 + 100 * number);
    }
    let changes = with_usual_stack(&bob, &["run", "--watch", "--", "sh", "-c", "echo started; exec sleep 300"]);
    let mut changes = RunningCommand::start(changes);
    assert_eq!(changes.next_line(), "started");

    set(9, 64_000);
    let said = [
        "`sh`: its environment is too large: with the arguments",
        "of at most 2,097,152 bytes in all and ",
        "the largest: INHERITED_13 (112,026 bytes), INHERITED_12 (112,025 bytes), INHERITED_11 (112,024 bytes)",
        "--only gives fewer secrets",
    ];
    for flags in [&["run"][..], &["run", "--no-masking"], &["run", "--watch"]] {
        let words = [flags, &["--", "sh", "-c", "true"]].concat();
        let ended = ProgramOutput::from(with_usual_stack(&bob, &words).output().unwrap());
        ended.expect_failure(126).expect_text(&said).reject_text("vv").reject_text("ii");
        let (code, shown) = TestTerminal::start(&with_usual_stack(&bob, &words)).wait_for_exit();
        let shown = shown.replace("\r\n", "\n");
        assert!(code == Some(126) && said.iter().all(|part| shown.contains(part)), "{words:?}: {shown}");
    }
    assert_eq!(changes.wait_for_exit(), 126);
    assert!(changes.wait_for_warning("its environment is too large").contains("INHERITED_13"));
}
