//! Who makes one call after the other, and measures how long each takes.

use std::time::{Duration, Instant};

use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::{ResolveRequest, ResolveResponse};
use tonic::Status;
use tonic::transport::Channel;

use crate::support::server::authorized;

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A caller with one connection to each server, which it calls in turn.
pub(crate) struct Calm {
    clients: Vec<ResolveServiceClient<Channel>>,
    token: String,
    values: usize,
}

/// What a measurement found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) median: Duration,
    /// The 99th percentile.
    pub(crate) p99: Duration,
    pub(crate) made: u64,
    pub(crate) failed: u64,
}

impl Calm {
    /// A caller whose `token` resolves `values` values.
    pub(crate) fn new(channels: Vec<Channel>, token: String, values: usize) -> Self {
        Self { clients: channels.into_iter().map(ResolveServiceClient::new).collect(), token, values }
    }

    /// Resolves `calls` times. A call that fails counts as long as it took.
    pub(crate) async fn measure(&mut self, calls: usize) -> Calls {
        let mut times = Vec::with_capacity(calls);
        let (mut failed, mut last_failure) = (0, None);
        let servers = self.clients.len();
        for turn in 0..calls {
            let start = Instant::now();
            let outcome = self.resolve(turn % servers).await;
            times.push(start.elapsed());
            if let Err(failure) = outcome {
                failed += 1;
                last_failure = Some(failure);
            }
        }
        if let Some(failure) = last_failure {
            eprintln!("the calm caller's last failure of {failed}: {failure}");
        }
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        Calls { median: at(50), p99: at(99), made: times.len() as u64, failed }
    }

    async fn resolve(&mut self, server: usize) -> Result<(), String> {
        let mut request =
            authorized(&self.token, ResolveRequest::default()).map_err(|_| "the token is not ASCII".to_owned())?;
        request.set_timeout(DEADLINE);
        let client = self.clients.get_mut(server).ok_or("no such server")?;
        match client.resolve(request).await.map(|response| delivered(response.get_ref())) {
            Ok(delivered) if delivered == self.values => Ok(()),
            Ok(delivered) => Err(format!("{delivered} of {} values", self.values)),
            Err(status) => Err(text(&status)),
        }
    }
}

fn delivered(response: &ResolveResponse) -> usize {
    response.secrets.iter().filter(|secret| !secret.value.is_empty()).count()
}

fn text(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
