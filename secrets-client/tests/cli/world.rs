//! A server of the test's own, and people who type commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A running server with its own data. Dropped, it is killed.
pub(crate) struct World {
    server: Child,
    pub(crate) endpoint: String,
    pub(crate) folder: TempDir,
}

/// Somebody with a configuration of their own.
pub(crate) struct Person<'a> {
    world: &'a World,
    pub(crate) home: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, address) = serve(&folder, "127.0.0.1:0", arguments);
        Self { server, endpoint: format!("http://{address}"), folder }
    }

    /// Kills the server.
    pub(crate) fn stop(&mut self) {
        let _ = self.server.kill(); // it may be stopped already
        self.server.wait().unwrap();
    }

    /// Stops the server where it is: connections stay, and nothing is answered.
    pub(crate) fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.server), signal).unwrap();
    }

    /// Kills the server, and starts it again at the same address after a while.
    pub(crate) fn restart(&mut self, after: Duration) {
        self.stop();
        std::thread::sleep(after);
        let address = self.endpoint.trim_start_matches("http://").to_owned();
        self.server = serve(&self.folder, &address, &[]).0;
    }

    /// A server with organization `acme`, its admin ann, bob, project `api`, and workspace `ws1` of bob's in it.
    pub(crate) fn acme() -> Self {
        let world = Self::start();
        let code = world.operator().does("org create acme --admin ann").line();
        let ann = world.person("ann");
        ann.does(&format!("login --invite {code}"));
        let code = ann.does("user invite bob").line();
        world.person("bob").does(&format!("login --invite {code}"));
        ann.does("project create api");
        ann.does("workspace create ws1 --project api --owner bob");
        ann.does("member add bob --project api");
        world
    }

    pub(crate) fn operator(&self) -> Person<'_> {
        let token = self.folder.path().join("data/operator-token");
        self.person("operator").with("SECRETS_TOKEN_FILE", token.to_str().unwrap())
    }

    /// Somebody by name; the same name has the same configuration.
    pub(crate) fn person(&self, name: &str) -> Person<'_> {
        let home = self.folder.path().join(name);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(home.join(".runtime")).unwrap();
        Person { world: self, home, environment: Vec::new() }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Person<'_> {
    /// The same person with a variable set.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `secrets` with the words of `line`, in the person's home.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_of(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn command_of(&self, words: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_secrets")), words)
    }

    /// Another program, where `secrets` would be what it is here.
    pub(crate) fn program(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = clean(program);
        command.args(words).current_dir(&self.home).env("HOME", &self.home);
        command.env("SECRETS_ENDPOINT", &self.world.endpoint).env("XDG_RUNTIME_DIR", self.home.join(".runtime"));
        command.envs(self.environment.iter().cloned());
        command
    }

    pub(crate) fn types(&self, line: &str) -> Ended {
        Ended::of(self.command(line).output().unwrap())
    }

    pub(crate) fn types_words(&self, words: &[&str]) -> Ended {
        Ended::of(self.command_of(words).output().unwrap())
    }

    /// `secrets … < stdin`
    pub(crate) fn pipes(&self, stdin: &[u8], line: &str) -> Ended {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin); // it may be refused before it is read
        Ended::of(child.wait_with_output().unwrap())
    }

    /// A command that must succeed.
    pub(crate) fn does(&self, line: &str) -> Ended {
        self.types(line).succeeds(line)
    }

    /// A secret that must be stored; `line` begins with its name.
    pub(crate) fn sets(&self, value: &str, line: &str) -> Ended {
        self.pipes(value.as_bytes(), &format!("set {line}")).succeeds(line)
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn succeeds(self, line: &str) -> Self {
        assert_eq!(self.code, 0, "{line}: {self:?}");
        self
    }

    /// It ended with this code, and says why on stderr, beginning with `error: `.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.lines().any(|line| line.starts_with("error: ")), "{self:?}");
        self
    }

    /// Stdout is exactly one line: a credential, alone.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        self.stdout.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The cells of the table's row that begins with `name`, without a column's inner spaces being lost.
    #[track_caller]
    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        let row = self.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
        let row = row.unwrap_or_else(|| panic!("no row {name}: {self:?}"));
        row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    }

    /// The first cell of the row that holds the word `name`: what a person copies from a list.
    #[track_caller]
    pub(crate) fn row_of(&self, name: &str) -> String {
        let row = self.stdout.lines().find(|line| line.split_whitespace().any(|word| word == name));
        let row = row.unwrap_or_else(|| panic!("no row with {name}: {self:?}"));
        row.split_whitespace().next().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn shows(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "no {text}: {self:?}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{self:?}");
        self
    }
}

/// Starts a server, and waits until it listens.
fn serve(folder: &TempDir, listen: &str, arguments: &[&str]) -> (Child, String) {
    let mut server = clean(&server_program())
        .args(["serve", "--log-format", "json", "--listen", listen, "--data-dir"])
        .arg(folder.path().join("data"))
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let address = loop {
        let line = lines.next().unwrap_or_else(|| panic!("the server ended: {seen:#?}")).unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["message"] == "listening" {
            break event["address"].as_str().unwrap().to_owned();
        }
        seen.push(line);
    };
    std::thread::spawn(move || lines.for_each(drop)); // or its pipe would fill
    (server, address)
}

/// A command whose environment has nothing of the tester's own configuration.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECRETS_")) {
        command.env_remove(name);
    }
    command
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .env_remove("NO_COLOR")
        .env_remove("DOCKER_CONFIG");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command
}

/// The server's program, which lies beside ours; built, when this package is tested alone for the first time.
fn server_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_secrets")).with_file_name("secrets-server");
    if !program.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--locked", "--package", "secrets-server"]).status();
        assert!(built.unwrap().success() && program.exists());
    }
    program
}
