//! A client in another language, and its runner.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::scenario::{self, Scenario};
use crate::support::{TlsServer, isolated_command, wait_with_timeout};

/// Longer than a scenario may take.
const SCENARIO_TIMEOUT: Duration = Duration::from_secs(180);

/// A language that has a client in a directory of `sdk/`.
pub(crate) struct Language {
    pub(crate) name: &'static str,
    built: OnceLock<()>,
}

pub(crate) static PYTHON: Language = Language::new("python");
pub(crate) static TYPESCRIPT: Language = Language::new("typescript");
pub(crate) static GO: Language = Language::new("go");
pub(crate) static JAVA: Language = Language::new("java");

/// Every one.
pub(crate) static ALL: [&Language; 4] = [&PYTHON, &TYPESCRIPT, &GO, &JAVA];

impl Language {
    const fn new(name: &'static str) -> Self {
        Self { name, built: OnceLock::new() }
    }

    /// Where what is written of it by hand lies, and how these files end.
    pub(crate) fn sources(&self) -> (PathBuf, &'static str) {
        let (directory, end) = match self.name {
            "python" => ("src/secrets_client", "py"),
            "typescript" => ("src", "ts"),
            "java" => ("src/main/java/secrets", "java"),
            _ => ("", "go"),
        };
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(self.name).join(directory), end)
    }

    /// Builds it, once.
    pub(crate) fn build(&self) {
        self.built.get_or_init(|| {
            let build = self.test().join("build");
            let built = Command::new(build).env("TOOLS", tools()).stdin(Stdio::null()).output().unwrap();
            let stderr = String::from_utf8_lossy(&built.stderr);
            assert!(built.status.success(), "{}: {stderr}\n`make install` installs what it needs", self.name);
        });
    }

    /// Its runner, built, for a service; one argument is to be added.
    pub(crate) fn runner(&self, endpoint: &str, authority: &Path, token: &Path) -> Command {
        self.build();
        let mut runner = isolated_command(&self.test().join("run"));
        runner
            .env("TOOLS", tools())
            .env("SECRETS_ENDPOINT", endpoint)
            .env("SECRETS_CA_FILE", authority)
            .env("SECRETS_TOKEN_FILE", token);
        runner
    }

    fn test(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(self.name).join("test")
    }

    /// Runs the scenario, all of it, against a service of its own.
    pub(crate) fn runs_the_scenario(&self) {
        let server = TlsServer::start();
        let (succeeded, printed) = self.run(self.runner_for(&server), self.name, &scenario::path());
        let steps = Scenario::read().steps;
        let expected = steps.iter().enumerate().map(|(position, step)| format!("ok {} {}\n", position + 1, step.name));
        assert!(succeeded && printed == expected.collect::<String>(), "{}: {printed}", self.name);
    }

    /// Runs scenarios that expect what does not come: a runner that passes over it would prove nothing.
    pub(crate) fn notices_an_unmet_expectation(&self) {
        let server = TlsServer::start();
        let directory = tempfile::tempdir().unwrap();
        let whole: Value = serde_json::from_slice(&std::fs::read(scenario::path()).unwrap()).unwrap();
        let steps = whole["steps"].as_array().unwrap();
        for (turn, (like, expect)) in UNMET_EXPECTATIONS.iter().enumerate() {
            let last = steps.iter().position(|step| step["name"] == *like).unwrap();
            let mut steps = steps[..=last].to_vec();
            steps[last]["expect"] = serde_json::from_str(expect).unwrap();
            let path = directory.path().join("scenario.json");
            std::fs::write(&path, json!({ "steps": steps }).to_string()).unwrap();
            let (succeeded, printed) = self.run(self.runner_for(&server), &format!("{}-{turn}", self.name), &path);
            let end = format!("failed {} {like}: ", last + 1);
            assert!(!succeeded && printed.lines().last().unwrap().starts_with(&end), "{}: {printed}", self.name);
            assert_eq!(printed.lines().count(), last + 1, "{}: {printed}", self.name);
        }
    }

    fn runner_for(&self, server: &TlsServer) -> Command {
        self.runner(&server.endpoint(), &server.authority(), &server.operator_token())
    }

    /// Runs a scenario: whether it came to the end, and what the runner printed.
    pub(crate) fn run(&self, mut runner: Command, organization: &str, scenario: &Path) -> (bool, String) {
        let output = output(runner.env("SECRETS_ORGANIZATION", organization).arg(scenario), SCENARIO_TIMEOUT);
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

/// Runs a program to its end; it is killed after `timeout`.
pub(crate) fn output(program: &mut Command, timeout: Duration) -> Output {
    let mut running = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (read(running.stdout.take()), read(running.stderr.take()));
    let status = wait_with_timeout(&mut running, timeout).unwrap_or_else(|| {
        running.kill().unwrap();
        running.wait().unwrap()
    });
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let mut bytes = Vec::new();
    thread::spawn(move || {
        pipe.unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Steps, each with an expectation that it does not fulfil.
const UNMET_EXPECTATIONS: [(&str, &str); 4] = [
    ("ann asks who she is", r#"{"response": {"bindings": []}}"#),
    (
        "a call without a credential is refused",
        r#"{"error": {"code": "UNAUTHENTICATED", "reason": "PERMISSION_DENIED"}}"#,
    ),
    ("a call without a credential is refused", r#"{"response": {}}"#),
    ("bob resolves his workspace", r#"{"environment": {"LINEAR_API_KEY": "lin_bob_1"}}"#),
];

/// Where `make test` puts tools: beside the directory of this build.
pub(crate) fn tools() -> PathBuf {
    let folders = Path::new(env!("CARGO_BIN_EXE_secrets")).ancestors();
    let found = folders.map(|directory| directory.join("tools")).find(|tools| tools.is_dir());
    found.expect("there are no tools; `make install` installs them")
}
