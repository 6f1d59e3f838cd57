//! Clients that create secrets, each in a project and over a connection of its own.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::fixture::{Administrator, Fixture};
use crate::{Outcome, Result};

/// How many secrets a project can have.
const MAX_SECRETS_PER_PROJECT: u64 = 1_000;

/// Clients that write to one server at once.
pub(crate) struct Writers<'a> {
    fixture: &'a Fixture,
    clients: usize,
    prepared: usize,
    pub(crate) duration: Duration,
}

impl<'a> Writers<'a> {
    pub(crate) fn new(fixture: &'a Fixture, clients: usize) -> Self {
        Self { fixture, clients, prepared: 0, duration: Duration::ZERO }
    }

    /// Connects the clients and gives each an empty project, so that a measurement begins with the first secret.
    pub(crate) async fn prepare(&mut self) -> Result<Prepared> {
        self.prepared += 1;
        let mut writers = Vec::with_capacity(self.clients);
        for client in 0..self.clients {
            let prefix = format!("w{}-{}-{client}", self.clients, self.prepared);
            writers.push(Writer::new(self.fixture.administrator().await?, prefix).await?);
        }
        Ok(Prepared(writers))
    }
}

/// Clients that are ready to write.
pub(crate) struct Prepared(Vec<Writer>);

impl Prepared {
    /// One measurement: every client sends its next secret when the last one is acknowledged.
    pub(crate) async fn run(self, duration: Duration) -> Result<Outcome> {
        let start = Instant::now();
        let mut clients: JoinSet<Result<u64>> =
            self.0.into_iter().map(|writer| writer.write_until(start + duration)).collect();
        let mut requests = 0;
        while let Some(created) = clients.join_next().await {
            requests += created??;
        }
        Ok(Outcome { requests, elapsed: start.elapsed() })
    }
}

struct Writer {
    administrator: Administrator,
    prefix: String,
    project: String,
}

impl Writer {
    async fn new(administrator: Administrator, prefix: String) -> Result<Self> {
        let project = administrator.create_project(&prefix).await?;
        Ok(Self { administrator, prefix, project })
    }

    async fn write_until(mut self, deadline: Instant) -> Result<u64> {
        let mut created = 0;
        while Instant::now() < deadline {
            if created > 0 && created % MAX_SECRETS_PER_PROJECT == 0 {
                let next = format!("{}-{}", self.prefix, created / MAX_SECRETS_PER_PROJECT);
                self.project = self.administrator.create_project(&next).await?;
            }
            self.administrator.create_secret(&self.project, &format!("SERVICE_{created}_API_KEY")).await?;
            created += 1;
        }
        Ok(created)
    }
}
