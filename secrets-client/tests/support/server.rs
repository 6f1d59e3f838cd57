//! A server of the test's own, and the people who use it.

use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::{Person, ServerProcess};

/// A running server with its own data. Dropped, it is killed.
pub(crate) struct TestServer {
    process: ServerProcess,
    pub(crate) endpoint: String,
    pub(crate) directory: TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = ServerProcess::start(directory.path(), "127.0.0.1:0", arguments);
        Self { endpoint: format!("http://{}", process.address), process, directory }
    }

    /// Kills the server.
    pub(crate) fn stop(&mut self) {
        self.process.kill();
    }

    /// Stops the server where it is: connections stay, and nothing is answered.
    pub(crate) fn pause(&self) {
        self.process.send_signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.process.send_signal(Signal::CONT);
    }

    /// Kills the server, and starts it again at the same address after a while.
    pub(crate) fn restart(&mut self, after: Duration) {
        self.stop();
        std::thread::sleep(after);
        self.process = ServerProcess::start(self.directory.path(), &self.process.address.to_string(), &[]);
    }

    /// A server with organization `acme`, its admin ann, bob, project `api`, and workspace `ws1` of bob's in it.
    pub(crate) fn acme() -> Self {
        Self::acme_with(&[])
    }

    /// The same, started with other arguments.
    pub(crate) fn acme_with(arguments: &[&str]) -> Self {
        let server = Self::start_with(arguments);
        let code = server.operator().run_ok("org create acme --admin ann").line();
        let ann = server.person("ann");
        ann.run_ok(&format!("login --invite {code}"));
        let code = ann.run_ok("user invite bob").line();
        server.person("bob").run_ok(&format!("login --invite {code}"));
        ann.run_ok("project create api");
        ann.run_ok("workspace create ws1 --project api --owner bob");
        ann.run_ok("member add bob --project api");
        server
    }

    pub(crate) fn operator(&self) -> Person<'_> {
        let token = self.directory.path().join("data/operator-token");
        self.person("operator").with("SECRETS_TOKEN_FILE", token.to_str().unwrap())
    }

    /// Somebody by name; the same name has the same configuration.
    pub(crate) fn person(&self, name: &str) -> Person<'_> {
        let home = self.directory.path().join(name);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(home.join(".runtime")).unwrap();
        Person { server: self, home, environment: Vec::new() }
    }
}
