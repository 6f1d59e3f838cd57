//! A PgBouncer of a test's own in front of the PostgreSQL server.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A running PgBouncer; it ends with this.
pub struct PgBouncer {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl PgBouncer {
    /// Starts one in front of the server of the database at `url`. `settings` are lines of its configuration.
    pub fn start(url: &str, settings: &str) -> Self {
        let server = Server::of(url);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={} user={} password={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n{settings}\n",
            server.host, server.port, server.user, server.password
        );
        fs::write(&config, text).unwrap();
        let child = unprivileged(directory.path(), &config).spawn().expect("pgbouncer; `deploy/dev/install` brings it");
        let mut bouncer = Self { child, port, _directory: directory };
        bouncer.await_listening();
        bouncer
    }

    fn await_listening(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(self.child.try_wait().unwrap().is_none() && begun.elapsed() < START_TIMEOUT, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The address of the database at `url`, through this.
    pub fn url(&self, url: &str) -> String {
        let database = url.rsplit_once('/').unwrap().1;
        format!("postgres://anybody@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it prepares statements again on each connection to the server, as from 1.21.
pub fn prepares_statements() -> bool {
    let output =
        Command::new("pgbouncer").arg("--version").output().expect("pgbouncer; `deploy/dev/install` brings it");
    let text = String::from_utf8(output.stdout).unwrap();
    let version = text.split_whitespace().nth(1).unwrap();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap());
    (numbers.next(), numbers.next()) >= (Some(1), Some(21))
}

/// It refuses to run as root.
fn unprivileged(directory: &Path, config: &Path) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        assert!(Command::new("chown").args(["-R", "postgres:"]).arg(directory).status().unwrap().success());
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups", "--", "pgbouncer"]);
        command
    } else {
        Command::new("pgbouncer")
    };
    command
        .arg("--quiet")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// The parts of an address.
struct Server<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
}

impl<'a> Server<'a> {
    fn of(url: &'a str) -> Self {
        let authority = url.split('/').nth(2).unwrap();
        let (who, address) = authority.split_once('@').unwrap();
        let ((user, password), (host, port)) = (who.split_once(':').unwrap(), address.split_once(':').unwrap());
        Self { user, password, host, port }
    }
}
