//! `secrets run`: what the program gets, what is shown of it, and how the two end.

mod environment;
mod missing;
mod on_terminal;
mod output;
mod pid_1;
mod programs;
mod start;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{ProgramOutput, TestServer};

fn server() -> TestServer {
    let server = TestServer::acme();
    server.person("ann").set("sk_test", "STRIPE_SECRET --project api");
    server.person("bob").set("lin_bob", "LINEAR_API_KEY");
    server
}

#[test]
fn a_program_gets_its_secrets_and_not_the_token() {
    let server = server();
    let bob = server.person("bob");
    let token = bob.run_ok("token create").line();
    let bob = server.person("bob").with("SECRETS_TOKEN", &token).with("LINEAR_API_KEY", "inherited");
    let ended = bob.run_ok("run --workspace ws1 --no-masking -- env");
    assert!(ended.stdout.contains("LINEAR_API_KEY=lin_bob\n") && ended.stdout.contains("STRIPE_SECRET=sk_test\n"));
    assert!(!ended.stdout.contains(&token) && !ended.stdout.contains("SECRETS_TOKEN"));
    ended.expect_text(&["LINEAR_API_KEY replaced"]);
    let only = bob.run_ok("run --workspace ws1 --only STRIPE_SECRET --no-masking -- env");
    assert!(only.stdout.contains("LINEAR_API_KEY=inherited\n") && only.stderr.is_empty(), "{only:?}");
}

#[test]
fn the_programs_own_code_is_passed_through() {
    let server = server();
    let bob = server.person("bob");
    assert_eq!(bob.run("run -- true").code, 0);
    assert_eq!(bob.run("run -- false").code, 1);
    assert_eq!(bob.run_words(&["run", "--", "sh", "-c", "exit 42"]).code, 42);
    assert_eq!(bob.run_words(&["run", "--", "sh", "-c", "kill -KILL $$"]).code, 137);
    bob.run("run -- /nonexistent/program")
        .expect_failure(127)
        .expect_text(&["`/nonexistent/program`: there is no such program"]);
    bob.run("run -- nonexistent-program")
        .expect_failure(127)
        .expect_text(&["`nonexistent-program`: command not found"]);
    bob.run("run -- /").expect_failure(126);
    bob.run("run --only NOPE -- true").expect_failure(5);
    bob.run("run --project nope -- true").expect_failure(125);
}

#[test]
fn stdin_and_stdout_are_the_programs_own() {
    let server = server();
    assert_eq!(server.person("bob").run_with_stdin(b"a\0b\n", "run -- cat").stdout, "a\0b\n");
}

#[test]
fn a_signal_reaches_the_program_which_decides_how_it_ends() {
    let server = server();
    let bob = server.person("bob");
    let signals = [
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::ALARM, "ALRM"),
        (Signal::POWER, "PWR"),
        (Signal::XCPU, "XCPU"),
    ];
    for (signal, name) in signals {
        // It ends by itself, so that a signal that is lost fails the test instead of stopping it.
        let wait = "i=0; while [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done";
        let script = format!("trap 'echo caught; exit 7' {name}; echo ready; {wait}");
        let mut command = bob.command_words(&["run", "--", "sh", "-c", &script]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(&mut stdout, &mut ready).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
        assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("caught\n", Some(7)), "{name}");
    }
}

#[test]
fn a_program_that_dies_of_a_signal_gives_128_and_its_number() {
    let server = server();
    let mut child = server.person("bob").command("run -- sleep 60").stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    // Until the program is there, the signal ends `secrets` itself, which has no code of its own then.
    while !has_child(child.id()) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_was_written_for_a_program_is_removed_when_a_signal_ends_it() {
    let server = server();
    let bob = server.person("bob");
    bob.set("key", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    bob.set("token", "GH_REGISTRY --registry ghcr.io --username bob");
    for flags in [&["run"][..], &["run", "--no-masking"]] {
        let words = [flags, &["--", "sh", "-c", "echo $DOCKER_CONFIG; cat ~/.ssh/deploy_key; echo; sleep 60"]].concat();
        let mut child = bob.command_words(&words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let directory = lines.next().unwrap().unwrap();
        lines.next().unwrap().unwrap();
        assert!(bob.home.join(".ssh/deploy_key").exists() && Path::new(&directory).exists(), "{directory}");
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(143));
        assert!(!bob.home.join(".ssh/deploy_key").exists() && !Path::new(&directory).exists(), "{directory}");
    }
}

#[test]
fn without_masking_the_program_replaces_the_command() {
    let server = server();
    let mut command = server.person("bob").command("run --no-masking --shell");
    let child = command.arg("echo $$").stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), pid.to_string());
}

/// Neither where everybody can look while a program runs, nor in a file that is not a secret's own.
#[test]
fn no_value_is_in_arguments_or_in_files_that_are_not_its_own() {
    let server = server();
    let bob = server.person("bob");
    bob.set("canary_file", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    bob.set("canary_login", "GH_REGISTRY --registry ghcr.io --username bob");
    bob.set("canary_variable", "CANARY");
    let temporary = bob.home.join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    let bob = server.person("bob").with("TMPDIR", temporary.to_str().unwrap());
    for flags in [&["run"][..], &["run", "--watch"], &["run", "--no-masking"]] {
        let words =
            [flags, &["--shell", "echo \"$DOCKER_CONFIG/config.json\"; echo \"$REGISTRY_AUTH_FILE\"; exec sleep 60"]]
                .concat();
        let mut child = bob.command_words(&words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let registries = [lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap()].map(PathBuf::from);
        let processes: Vec<u32> = std::iter::once(child.id()).chain(children(child.id())).collect();
        for pid in &processes {
            assert!(!words_of(*pid).contains("canary"), "{flags:?}: {}", words_of(*pid));
        }
        let mut holders = Vec::new();
        for file in
            files_below(server.directory.path()).filter(|file| !file.starts_with(server.directory.path().join("data")))
        {
            let bytes = std::fs::read(&file).unwrap_or_default();
            let login = b"Ym9iOmNhbmFyeV9sb2dpbg=="; // bob:canary_login
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            if holds(b"canary") || holds(login) {
                holders.push(file);
            }
        }
        holders.sort();
        let [docker, podman] = registries;
        let mut expected = vec![bob.home.join(".ssh/deploy_key"), docker, podman];
        expected.sort();
        assert_eq!(holders, expected, "{flags:?}");
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(143));
    }
}

fn files_below(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let (mut folders, mut files) = (vec![directory.to_owned()], Vec::new());
    while let Some(directory) = folders.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            let list = if kind.is_dir() { &mut folders } else { &mut files };
            list.push(entry.path());
        }
    }
    files.into_iter()
}

#[test]
fn files_are_removed_whatever_signal_ends_it() {
    let server = server();
    let bob = server.person("bob");
    bob.set("key", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    for signal in [Signal::INT, Signal::QUIT, Signal::HUP, Signal::POWER, Signal::VTALARM] {
        let mut child =
            bob.command("run --shell").arg("echo ready; exec sleep 60").stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        assert!(bob.home.join(".ssh/deploy_key").exists());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal.as_raw()));
        assert!(!bob.home.join(".ssh/deploy_key").exists(), "{signal:?}");
    }
    bob.run("run -- /nonexistent/program").expect_failure(127);
    bob.run("run -- /").expect_failure(126);
    assert!(!bob.home.join(".ssh/deploy_key").exists());
}

/// What it holds is not for the program that it starts: neither its token nor other values.
#[test]
fn the_program_cannot_inspect_its_parent() {
    let server = server();
    let bob = server.person("bob");
    let token = bob.run_ok("token create").line();
    let bob = server.person("bob").with("SECRETS_TOKEN", &token);
    // Root may look into everything, so somebody else runs it, from where they may.
    let ours = server.directory.path().join("secrets");
    std::fs::copy(env!("CARGO_BIN_EXE_secrets"), &ours).unwrap();
    std::fs::set_permissions(server.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = match rustix::process::getuid().is_root() {
        true => "setpriv --reuid=65534 --clear-groups --bounding-set=-all",
        false => "",
    };
    let inner = "cat /proc/$PPID/environ > /dev/null 2>&1 && echo seen || echo hidden";
    let line = format!("{as_nobody} '{}' run --only LINEAR_API_KEY --shell '{inner}'", ours.display());
    let mut command = bob.program(Path::new("sh"), &["-c", &line]);
    let ended = ProgramOutput::from(command.env("XDG_RUNTIME_DIR", "/nonexistent").current_dir("/").output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "hidden\n"), "{ended:?}");
}

fn has_child(pid: u32) -> bool {
    !children(pid).is_empty()
}

fn children(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// The arguments of a process, as everybody may read them.
fn words_of(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}
