//! Outages of the server and of the network: every client must reconnect by itself, in the same process.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use secrets_client::{Client, v1};

use super::language;
use super::scenario_run::code_name;
use super::session::{client, session};
use crate::support::TlsServer;
use crate::support::UnreliableNetwork;

/// How long after the service's return a client must have resolved.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to its first answer; some start slowly.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A client that resolves again and again.
struct ResolvingClient {
    name: &'static str,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    /// None for Rust's, which is no process of its own.
    process: Option<Child>,
}

impl ResolvingClient {
    fn rust(client: Client) -> Self {
        let said = Arc::<Mutex<Vec<_>>>::default();
        let (log, seen) = (Arc::downgrade(&said), said.clone());
        tokio::spawn(async move {
            while let Some(log) = log.upgrade() {
                let line = match client.resolve(v1::ResolveRequest::default()).await {
                    Ok(_) => "resolved".to_owned(),
                    Err(error) => format!("failed {}", code_name(error.code())),
                };
                log.lock().unwrap().push((Instant::now(), line));
                drop(log);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        Self { name: "rust", said: seen, process: None }
    }

    fn start(language: &'static language::Language, endpoint: &str, authority: PathBuf, token: PathBuf) -> Self {
        let mut runner = language.runner(endpoint, &authority, &token);
        let mut process = runner.arg("--resolve-forever").stdout(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<Vec<_>>>::default();
        let (log, lines) = (said.clone(), BufReader::new(process.stdout.take().unwrap()).lines());
        thread::spawn(move || lines.for_each(|line| log.lock().unwrap().push((Instant::now(), line.unwrap()))));
        Self { name: language.name, said, process: Some(process) }
    }

    fn resolved_after(&self, time: Instant) -> Option<Instant> {
        let said = self.said.lock().unwrap();
        said.iter().find(|(at, line)| *at > time && line == "resolved").map(|(at, _)| *at)
    }

    /// Waits until it has resolved after a time, for so long; the last that it said when it has not.
    async fn resolves(&mut self, after: Instant, within: Duration) -> Result<Duration, String> {
        loop {
            if let Some(at) = self.resolved_after(after) {
                return Ok(at - after);
            }
            if let Some(ended) = self.process.as_mut().and_then(|process| process.try_wait().unwrap()) {
                return Err(format!("{} has ended: {ended}", self.name));
            }
            if after.elapsed() > within {
                let said = self.said.lock().unwrap();
                let last: Vec<_> = said.iter().rev().take(3).map(|(at, line)| (at.elapsed(), line)).collect();
                return Err(format!("{} has not resolved for {within:?}; what it said last: {last:?}", self.name));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for ResolvingClient {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_reconnects_after_a_restart_a_kill_a_stop_and_a_silent_network() {
    let mut server = TlsServer::start();
    let network = UnreliableNetwork::to(server.port()).await;
    let endpoint = format!("https://localhost:{}", network.port);
    let directory = tempfile::tempdir().unwrap();
    let token = session(&server, directory.path(), "LINEAR_API_KEY").await;
    let client = client(&endpoint, &server, &std::fs::read_to_string(&token).unwrap());
    let mut clients = vec![ResolvingClient::rust(client)];
    for language in language::ALL {
        clients.push(ResolvingClient::start(language, &endpoint, server.authority(), token.clone()));
    }
    all_resolve(&mut clients, "start", Instant::now(), START_TIMEOUT).await;

    tokio::task::block_in_place(|| server.stop()); // on the connections that they have: they are told
    tokio::task::block_in_place(|| server.restart());
    all_resolve(&mut clients, "a restart", Instant::now(), RECOVERY_TIMEOUT).await;

    for (how, down) in [("a kill", Duration::ZERO), ("a stop", Duration::from_secs(30))] {
        network.refuses();
        server.kill();
        tokio::time::sleep(down).await;
        tokio::task::block_in_place(|| server.restart());
        network.works();
        all_resolve(&mut clients, how, Instant::now(), RECOVERY_TIMEOUT).await;
    }

    network.loses_packets();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let silence = Instant::now();
    tokio::time::sleep(Duration::from_secs(13)).await;
    for client in &clients {
        assert!(client.resolved_after(silence).is_none(), "{} resolved in a silence", client.name);
    }
    network.works();
    all_resolve(&mut clients, "a silence", Instant::now(), RECOVERY_TIMEOUT).await;

    for client in &clients {
        let said = client.said.lock().unwrap();
        // Anything else would not be sent again.
        let other = said.iter().find(|(_, line)| line != "resolved" && line != "failed UNAVAILABLE");
        assert!(other.is_none(), "{}: {other:?}", client.name);
    }
}

async fn all_resolve(clients: &mut [ResolvingClient], what: &str, after: Instant, within: Duration) {
    let mut failures = Vec::new();
    for client in clients {
        match client.resolves(after, within).await {
            Ok(took) => println!("{what}: {} resolved after {} ms", client.name, took.as_millis()),
            Err(error) => failures.push(error),
        }
    }
    assert!(failures.is_empty(), "after {what}: {failures:#?}");
}
