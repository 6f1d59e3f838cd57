//! Files and registry credentials of a program: written before it starts, gone when it has ended.

use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Person, TestServer};

/// Something hung.
const TIMEOUT: Duration = Duration::from_secs(60);

fn server() -> TestServer {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    bob.set("{}", "SETTINGS --file ~/.tool/settings.json --mode 0640");
    bob.set("ghp_canary", "GH_REGISTRY --registry ghcr.io --username bob");
    server
}

/// Starts a program that says `ready` and stays until it is told to end, or until `secrets` is gone.
fn stays(bob: &Person<'_>) -> Child {
    let script = "trap 'exit 7' TERM; echo ready; while kill -0 $PPID; do sleep 0.05; done";
    let mut command = bob.command_words(&["run", "--no-masking", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    child
}

/// What is below a person's runtime directory but the lock, which stays.
fn leftovers(bob: &Person<'_>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(bob.home.join(".runtime/secrets")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("lock")).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_program_finds_its_files_and_nothing_is_left_of_them() {
    let server = server();
    let bob = server.person("bob");
    let script = "umask; cat ~/.ssh/deploy_key; stat -c %a ~/.ssh ~/.ssh/deploy_key ~/.tool/settings.json";
    let line = format!("umask 077; exec \"$0\" run --no-masking -- sh -c '{script}'");
    let mut command = bob.command("");
    let program = command.get_program().to_owned();
    command = {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).arg(program).current_dir(&bob.home).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("PATH", std::env::var_os("PATH").unwrap());
        shell
    };
    let ended = crate::support::ProgramOutput::from(command.output().unwrap()).expect_success("run");
    assert_eq!(ended.stdout, "0077\n-----BEGIN700\n600\n640\n");
    for gone in [".ssh", ".tool"] {
        assert!(!bob.home.join(gone).exists(), "{gone}");
    }
    assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());
}

#[test]
fn docker_finds_the_registries_credentials_beside_the_callers_own() {
    let server = server();
    let bob = server.person("bob");
    let own = bob.home.join(".docker");
    std::fs::create_dir_all(own.join("contexts")).unwrap();
    let config = r#"{"auths":{"quay.io":{"auth":"eDp5"}},"credsStore":"nope"}"#;
    std::fs::write(own.join("config.json"), config).unwrap();
    let script = "cat $DOCKER_CONFIG/config.json; ls -d $DOCKER_CONFIG/contexts >&2; stat -c %a $DOCKER_CONFIG >&2";
    let ended = bob.run_words(&["run", "--no-masking", "--", "sh", "-c", script]).expect_success("run");
    let read = ended.json();
    assert_eq!(read["auths"]["ghcr.io"]["auth"], "Ym9iOmdocF9jYW5hcnk=");
    assert_eq!((&read["auths"]["quay.io"]["auth"], &read["credsStore"]), (&"eDp5".into(), &"nope".into()));
    assert_eq!(read["credHelpers"]["ghcr.io"], "");
    ended.expect_text(&["/contexts", "700"]);
    assert_eq!(std::fs::read_to_string(own.join("config.json")).unwrap(), config);
    assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());

    let elsewhere = server.person("bob").with("DOCKER_CONFIG", "/nonexistent");
    let ended = elsewhere.run_words(&["run", "--no-masking", "--", "sh", "-c", "cat $DOCKER_CONFIG/config.json"]);
    assert_eq!(ended.json()["auths"].as_object().unwrap().len(), 1);
    assert_eq!(bob.run_words(&["run", "--only", "DEPLOY_KEY", "--", "sh", "-c", "exit ${DOCKER_CONFIG+3}"]).code, 0);
}

#[test]
fn an_existing_file_is_refused_and_nothing_is_started() {
    let server = server();
    let bob = server.person("bob");
    let key = bob.home.join(".ssh/deploy_key");
    std::fs::create_dir(bob.home.join(".ssh")).unwrap();
    let refused = |why: &str| {
        bob.run_words(&["run", "--", "sh", "-c", "touch started"]).expect_failure(125).expect_text(&[
            "DEPLOY_KEY",
            "deploy_key`",
            why,
        ]);
        assert!(!bob.home.join("started").exists() && !bob.home.join(".tool").exists(), "{why}");
        assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());
    };
    std::fs::write(&key, "theirs").unwrap();
    refused("a file already");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "theirs");
    std::fs::remove_file(&key).unwrap();
    symlink("elsewhere", &key).unwrap();
    refused("a symbolic link");
    assert!(!bob.home.join(".ssh/elsewhere").exists());
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    refused("a directory");
}

#[test]
fn two_programs_at_once_do_not_share_a_file() {
    let server = server();
    let bob = server.person("bob");
    let mut first = stays(&bob);
    let second = bob.run("run -- true").expect_failure(125);
    assert!(second.stderr.contains(&format!("another `secrets` (process {})", first.id())), "{second:?}");
    // Whoever sweeps what the dead left leaves the living alone.
    bob.set("plain", "PLAIN");
    bob.run_ok("run --only PLAIN -- true");
    assert!(bob.home.join(".ssh/deploy_key").exists());
    kill_process(Pid::from_child(&first), Signal::TERM).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(7));
    bob.run_ok("run -- true");
}

#[test]
fn a_terminated_run_removes_its_files() {
    let server = server();
    let bob = server.person("bob");
    let mut child = stays(&bob);
    assert!(bob.home.join(".ssh/deploy_key").exists());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert!(!bob.home.join(".ssh").exists() && leftovers(&bob).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one() {
    let server = server();
    let bob = server.person("bob");
    let mut child = stays(&bob);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = leftovers(&bob);
    assert_eq!((left.len(), mode(&left[0]), mode(&left[0].join("docker/config.json"))), (1, 0o700, 0o600));
    assert_eq!(mode(&bob.home.join(".ssh/deploy_key")), 0o600);

    bob.set("plain", "PLAIN");
    bob.run_ok("run --only PLAIN -- true");
    let begun = Instant::now();
    while bob.home.join(".ssh").exists() || !leftovers(&bob).is_empty() {
        assert!(begun.elapsed() < TIMEOUT, "{:?}", leftovers(&bob));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!bob.home.join(".tool").exists());
}

#[test]
fn paths_in_each_others_way_are_refused_before_anything_is_written() {
    let server = server();
    let bob = server.person("bob");
    bob.set("x", "BELOW --file ~/.ssh/deploy_key/below");
    bob.run("run -- true").expect_failure(125).expect_text(&["DEPLOY_KEY", "BELOW"]).reject_text("-----BEGIN");
    assert!(!bob.home.join(".ssh").exists());
}
