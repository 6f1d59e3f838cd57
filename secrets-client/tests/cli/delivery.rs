//! Files and registry credentials of a program: written before it starts, gone when it has ended.

mod existing;
mod leftovers;
mod shared;

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Person, TestServer};

fn server() -> TestServer {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    bob.set("{}", "SETTINGS --file ~/.tool/settings.json --mode 0640");
    bob.set("ghp_canary", "GH_REGISTRY --registry ghcr.io --username bob");
    server
}

/// Starts a program that says `ready` and stays until it is told to end, or until `secrets` is gone.
fn stays(bob: &Person<'_>, flags: &[&str]) -> Child {
    let script = "trap 'exit 7' TERM; echo ready; while kill -0 $PPID; do sleep 0.05; done";
    let words = [&["run", "--no-masking"], flags, &["--", "sh", "-c", script]].concat();
    let mut command = bob.command_words(&words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    child
}

/// Ends such a program.
fn end(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
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
    let config = r#"{"auths":{"quay.io":{"auth":"eDp5"},"index.example":{}},"credsStore":"nope"}"#;
    std::fs::write(own.join("config.json"), config).unwrap();
    let script = "cat $DOCKER_CONFIG/config.json; ls -d $DOCKER_CONFIG/contexts >&2; stat -c %a $DOCKER_CONFIG >&2";
    let ended = bob.run_words(&["run", "--no-masking", "--", "sh", "-c", script]).expect_success("run");
    let read = ended.json();
    assert_eq!(read["auths"]["ghcr.io"]["auth"], "Ym9iOmdocF9jYW5hcnk=");
    assert_eq!(read["auths"]["quay.io"]["auth"], "eDp5");
    assert_eq!((&read["credsStore"], &read["credHelpers"]["index.example"]), (&Value::Null, &"nope".into()));
    ended.expect_text(&["/contexts", "700"]);
    assert_eq!(std::fs::read_to_string(own.join("config.json")).unwrap(), config);
    assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());

    let elsewhere = server.person("bob").with("DOCKER_CONFIG", "/nonexistent");
    let ended = elsewhere.run_words(&["run", "--no-masking", "--", "sh", "-c", "cat $DOCKER_CONFIG/config.json"]);
    assert_eq!(ended.json()["auths"].as_object().unwrap().len(), 1);
    let neither = "exit ${DOCKER_CONFIG+3}${REGISTRY_AUTH_FILE+4}";
    assert_eq!(bob.run_words(&["run", "--only", "DEPLOY_KEY", "--", "sh", "-c", neither]).code, 0);
}
