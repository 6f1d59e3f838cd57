//! What comes out of a program through pipes.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::server;
use crate::support::{Person, ProgramOutput};

/// `script` in bash, whose `run` is `secrets run --`.
fn bash(person: &Person<'_>, script: &str) -> Command {
    let secrets = person.command("run");
    let mut command = Command::new("bash");
    let program = secrets.get_program().to_str().unwrap();
    command.args(["-c", &format!("run() {{ '{program}' run -- \"$@\"; }}; {script}")]);
    command.current_dir(&person.home).stdin(Stdio::null());
    for (name, value) in secrets.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[test]
fn what_a_program_prints_is_masked() {
    let server = server();
    let bob = server.person("bob");
    let script = "echo $LINEAR_API_KEY; echo $STRIPE_SECRET >&2; printf %s $LINEAR_API_KEY | base64";
    let ended = bob.run_words(&["run", "--workspace", "ws1", "--", "sh", "-c", script]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("***\n***\n", "***\n"));
}

#[test]
fn what_is_not_masked_is_said() {
    let server = server();
    let bob = server.person("bob");
    bob.set("abc", "TINY");
    bob.set("production", "STAGE --no-redact");
    let ended = bob.run_ok("run --unmask LINEAR_API_KEY -- printenv LINEAR_API_KEY TINY STAGE");
    assert_eq!(ended.stdout, "lin_bob\nabc\nproduction\n");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    ended.expect_text(&["not masked: LINEAR_API_KEY (--unmask), ", "STAGE (its redaction is off)", "TINY (too short)"]);
    bob.set("bob\nhunter22!", "LOGIN").expect_text(&["warning: LOGIN: lines of its value are shorter than 6 bytes"]);
    bob.run_ok("run --only LOGIN -- true").reject_text("not masked");
    bob.run_ok("run --only LOGIN --verbose -- true").expect_text(&["not masked: LOGIN (its short lines)"]);
    bob.run("run --unmask NOPE -- true").expect_failure(125).expect_text(&["NOPE"]);
    bob.run("run --unmask LINEAR_API_KEY --no-masking -- true").expect_failure(2);
}

#[test]
fn a_pipe_that_holds_more_stays_as_it_is() {
    let server = server();
    let (read, write) = rustix::pipe::pipe().unwrap();
    let size = rustix::pipe::fcntl_setpipe_size(&write, 1 << 20).unwrap();
    let status = server.person("bob").command("run -- echo said").stdout(write).status().unwrap();
    assert!(status.success());
    assert_eq!(rustix::pipe::fcntl_getpipe_size(&read).unwrap(), size);
}

#[test]
fn two_streams_into_one_file_keep_their_order() {
    let server = server();
    let bob = server.person("bob");
    let script = "run sh -c 'for i in $(seq 300); do echo out $i; echo err $i >&2; done' > both 2>&1";
    assert!(bash(&bob, script).status().unwrap().success());
    let expected: String = (1..=300).map(|i| format!("out {i}\nerr {i}\n")).collect();
    assert_eq!(std::fs::read_to_string(bob.home.join("both")).unwrap(), expected);
}

#[test]
fn any_bytes_are_forwarded_unchanged() {
    let server = server();
    let bob = server.person("bob");
    let mut bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    bytes.extend(b"\xff\xfe lin_bo\xc3 end without a newline \xe2\x82");
    std::fs::write(bob.home.join("bytes"), &bytes).unwrap();
    let output = bob.command("run -- cat bytes").output().unwrap();
    assert!(output.status.success() && output.stdout == bytes, "{} bytes", output.stdout.len());
}

#[test]
fn a_prompt_is_shown_though_it_could_begin_a_value() {
    let server = server();
    let bob = server.person("bob");
    bob.set("Password: hunter2", "PROMPT_LIKE");
    let mut command = bob.command_words(&["run", "--", "sh", "-c", "printf Password:; read answer; echo got $answer"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut prompt = [0; 9];
    // It hangs here if what is held back waits for more output.
    child.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"Password:");
    child.stdin.take().unwrap().write_all(b"me\n").unwrap();
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("got me\n", Some(0)));
}

#[test]
fn a_value_that_is_written_in_parts_is_masked() {
    let server = server();
    let script = "printf lin; printf _; printf bo; printf b; printf ' '; printf lin_; echo x";
    let ended = server.person("bob").run_words(&["run", "--", "sh", "-c", script]);
    assert_eq!(ended.stdout, "*** lin_x\n");
}

/// They write what 4 KiB hold, and the rest when they end or have 4 KiB more.
#[test]
fn a_value_that_a_programs_own_buffer_cuts_in_two_is_masked() {
    let server = server();
    let bob = server.person("bob");
    bob.set("key_0123456789012345678901234567890123456", "LONG");
    for (program, expected) in [
        (r#"awk '{ printf "%4076s%s\n", "", ENVIRON["LONG"] }'"#, format!("{:4076}***\n", "")),
        (r#"sed "s/^/$(printf %4076s)$LONG/""#, format!("{:4076}***\n", "")),
        (
            r#"python3 -c 'import os, sys; [print("." * 8172 + os.environ["LONG"]) for line in sys.stdin]'"#,
            format!("{}***\n", ".".repeat(8172)),
        ),
    ] {
        let line = format!("{{ echo; sleep 0.4; }} | {program}");
        let ended = bob.run_words(&["run", "--shell", &line]).expect_success(program);
        assert_eq!(ended.stdout, expected, "{program}");
    }
}

#[test]
fn what_a_program_wrote_of_a_value_when_it_died_is_masked() {
    let server = server();
    let bob = server.person("bob");
    bob.set("key_0123456789", "LONG");
    for (script, expected) in [
        ("printf '1: %.12s' $LONG; kill -9 $$", "1: ***"),
        ("printf '2: %.12s' $LONG; sleep 0.4; kill -9 $$", "2: ***"),
        ("printf '3: %.5s' $LONG; kill -9 $$", "3: key_0"),
        ("printf '4: %.12s' $LONG; sleep 0.4; echo", "4: key_01234567\n"),
    ] {
        assert_eq!(bob.run_words(&["run", "--shell", script]).stdout, expected, "{script}");
    }
}

#[test]
fn a_string_of_a_json_value_and_doubled_quotes_are_masked() {
    let server = server();
    let bob = server.person("bob");
    bob.set(r#"{"type": "service_account", "private_key": "-----BEGIN KEY-----\nMC4CAQAw\n"}"#, "ACCOUNT");
    bob.set(r#"it's "so""#, "QUOTED");
    let script = r#"
import csv, json, os, sys
account = json.loads(os.environ["ACCOUNT"])
print(account["type"], account["private_key"], end="")
print("UPDATE t SET a = '%s'" % os.environ["QUOTED"].replace("'", "''"))
csv.writer(sys.stdout).writerow([1, os.environ["QUOTED"]])
"#;
    let ended = bob.run_words(&["run", "--", "python3", "-c", script]).expect_success("python3");
    assert_eq!(ended.stdout, "service_account ***\nUPDATE t SET a = '***'\n1,\"***\"\r\n");
}

#[test]
fn a_program_that_closes_its_output_early_is_waited_for() {
    let server = server();
    let ended = server.person("bob").run_words(&["run", "--shell", "echo said; exec >&- 2>&-; sleep 0.3; exit 4"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, "said\n"));
}

#[test]
fn what_a_program_leaves_behind_does_not_hold_it_up() {
    let server = server();
    let bob = server.person("bob");
    let silent = bob.run_words(&["run", "--shell", "sleep 300 & echo $!; exit 5"]);
    assert_eq!(silent.code, 5);
    kill_process(Pid::from_raw(silent.stdout.trim().parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    // Daemons do this, and write to wherever their parent did.
    let noisy = bob.run_words(&["run", "--shell", "echo begun; setsid yes & sleep 0.2; exit 6"]);
    assert!(noisy.code == 6 && noisy.stdout.starts_with("begun\n"), "{}", noisy.code);
}

#[test]
fn a_program_whose_reader_is_gone_ends_as_without_us() {
    let server = server();
    let bob = server.person("bob");
    let output = bash(&bob, "run yes | head -n 1; echo ${PIPESTATUS[*]}").output().unwrap();
    let ended = ProgramOutput::from(output);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("y\n141 0\n", ""));
    let full = ProgramOutput::from(bash(&bob, "run echo lost > /dev/full").output().unwrap());
    assert_eq!(full.code, 1);
    full.expect_text(&["error: stdout: No space left on device"]);
}

#[test]
fn much_output_waits_for_a_slow_reader_and_not_in_memory() {
    let server = server();
    let bob = server.person("bob");
    let count = 300_000_000_u64;
    let mut command = bob.command_words(&["run", "--shell", &format!("head -c {count} /dev/zero")]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut piece = vec![0; 1 << 20];
    let mut read = stdout.read(&mut piece).unwrap() as u64;
    std::thread::sleep(Duration::from_millis(500)); // a reader who does something else
    let peak = peak_kib(child.id());
    assert!(peak < 32 * 1024, "{peak} KiB");
    while read < count {
        match stdout.read(&mut piece).unwrap() {
            0 => break,
            some => read += some as u64,
        }
        if read > count - (1 << 20) {
            assert!(peak_kib(child.id()) < 32 * 1024);
        }
    }
    assert_eq!((read, child.wait().unwrap().code()), (count, Some(0)));
}

/// The most memory that a process has had resident.
pub(super) fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    // A process that has ended has none any more.
    line.map_or(0, |line| line.trim_end_matches("kB").trim().parse().unwrap())
}
