//! A client in another language, and its runner.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scenario::{self, Scenario};
use super::test_server::TestServer;

/// Longer than a scenario may take.
const HANG: Duration = Duration::from_secs(180);

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
        let (folder, end) = match self.name {
            "python" => ("src/secrets_client", "py"),
            "typescript" => ("src", "ts"),
            "java" => ("src/main/java/secrets", "java"),
            _ => ("", "go"),
        };
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(self.name).join(folder), end)
    }

    /// Builds it, once.
    pub(crate) fn build(&self) {
        self.built.get_or_init(|| {
            let build = self.test().join("build");
            let built = Command::new(build).env("TOOLS", tools()).stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&built.stderr);
            assert!(built.status.success(), "{}: {said}\n`make install` installs what it needs", self.name);
        });
    }

    /// Its runner, built, for a service; one argument is to be added.
    pub(crate) fn runner(&self, endpoint: &str, authority: &Path, token: &Path) -> Command {
        self.build();
        let mut runner = Command::new(self.test().join("run"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECRETS_")) {
            runner.env_remove(name);
        }
        runner
            .env("TOOLS", tools())
            .env("SECRETS_ENDPOINT", endpoint)
            .env("SECRETS_CA_FILE", authority)
            .env("SECRETS_TOKEN_FILE", token)
            .stdin(Stdio::null());
        runner
    }

    fn test(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(self.name).join("test")
    }

    /// Runs the scenario, all of it, against a service of its own.
    pub(crate) fn runs_the_scenario(&self) {
        let service = TestServer::start();
        let (passed, said) = self.run(self.runner_for(&service), self.name, &scenario::path());
        let steps = Scenario::read().steps;
        let expected = steps.iter().enumerate().map(|(position, step)| format!("ok {} {}\n", position + 1, step.name));
        assert!(passed && said == expected.collect::<String>(), "{}: {said}", self.name);
    }

    /// Runs scenarios that expect what does not come: a runner that passes over it would prove nothing.
    pub(crate) fn notices_what_is_not_as_expected(&self) {
        let service = TestServer::start();
        let folder = tempfile::tempdir().unwrap();
        let whole: Value = serde_json::from_slice(&std::fs::read(scenario::path()).unwrap()).unwrap();
        let steps = whole["steps"].as_array().unwrap();
        for (turn, (like, expect)) in FALSEHOODS.iter().enumerate() {
            let last = steps.iter().position(|step| step["name"] == *like).unwrap();
            let mut steps = steps[..=last].to_vec();
            steps[last]["expect"] = serde_json::from_str(expect).unwrap();
            let path = folder.path().join("scenario.json");
            std::fs::write(&path, json!({ "steps": steps }).to_string()).unwrap();
            let (passed, said) = self.run(self.runner_for(&service), &format!("{}-{turn}", self.name), &path);
            let end = format!("failed {} {like}: ", last + 1);
            assert!(!passed && said.lines().last().unwrap().starts_with(&end), "{}: {said}", self.name);
            assert_eq!(said.lines().count(), last + 1, "{}: {said}", self.name);
        }
    }

    fn runner_for(&self, service: &TestServer) -> Command {
        self.runner(&service.endpoint(), &service.authority(), &service.operator_token())
    }

    /// Lets a runner do a scenario: whether it came to the end, and what it said.
    pub(crate) fn run(&self, mut runner: Command, organization: &str, scenario: &Path) -> (bool, String) {
        let came = output(runner.env("SECRETS_ORGANIZATION", organization).arg(scenario), HANG);
        eprint!("{}", String::from_utf8_lossy(&came.stderr));
        (came.status.success(), String::from_utf8(came.stdout).unwrap())
    }
}

/// What a program says until it ends, or is killed after a time.
pub(crate) fn output(program: &mut Command, within: Duration) -> Output {
    let mut running = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (read(running.stdout.take()), read(running.stderr.take()));
    let end = Instant::now() + within;
    let status = loop {
        match running.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
            None => running.kill().unwrap(),
        }
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let mut said = Vec::new();
    thread::spawn(move || {
        pipe.unwrap().read_to_end(&mut said).unwrap();
        said
    })
}

/// Steps, each with an expectation that it does not fulfil.
const FALSEHOODS: [(&str, &str); 4] = [
    ("ann is told who she is", r#"{"response": {"bindings": []}}"#),
    ("nobody is told nothing", r#"{"error": {"code": "UNAUTHENTICATED", "reason": "PERMISSION_DENIED"}}"#),
    ("nobody is told nothing", r#"{"response": {}}"#),
    ("bob resolves his workspace", r#"{"environment": {"LINEAR_API_KEY": "lin_bob_1"}}"#),
];

/// Where `make test` puts tools: beside the folder of this build.
pub(crate) fn tools() -> PathBuf {
    let folders = Path::new(env!("CARGO_BIN_EXE_secrets")).ancestors();
    let found = folders.map(|folder| folder.join("tools")).find(|tools| tools.is_dir());
    found.expect("there are no tools; `make install` installs them")
}
