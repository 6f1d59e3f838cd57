//! `secrets-server healthcheck`: for container runtimes and start-up scripts, which have no gRPC client.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{CommandError, block_on};

/// The arguments of `healthcheck`.
#[derive(Debug, clap::Args)]
pub(super) struct Healthcheck {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    endpoint: String,

    /// Trust this certificate (PEM) instead of the system's, for an `https` address
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Ask for this service, for instance `secretsapi.v1.ResolveService` [default: the server as a whole]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    service: String,

    /// Wait this long for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    timeout: u64,
}

/// Why a server counts as not serving.
#[derive(Debug, thiserror::Error)]
pub(super) enum HealthError {
    /// Not an address, or one with a user name and perhaps a password: it is not shown.
    #[error("--endpoint must be an address without a user name or password, for instance `http://127.0.0.1:50051`")]
    Endpoint,
    /// The certificate to trust can't be read.
    #[error("cannot read `{path}`: {error}")]
    Ca { path: PathBuf, error: io::Error },
    /// No connection.
    #[error("cannot connect to `{endpoint}`: {reason}")]
    Unreachable { endpoint: String, reason: String },
    /// It answered with an error.
    #[error("`{endpoint}` does not report its health: {code}")]
    Refused { endpoint: String, code: tonic::Code },
    /// It answered that it does not serve.
    #[error("`{endpoint}` does not serve")]
    NotServing { endpoint: String },
    /// It did not answer.
    #[error("`{endpoint}` did not answer within {seconds} s")]
    Silent { endpoint: String, seconds: u64 },
}

impl Healthcheck {
    /// Succeeds when the server says `SERVING`.
    pub(super) fn run(self) -> Result<(), CommandError> {
        block_on(async {
            let silent = HealthError::Silent { endpoint: self.endpoint.clone(), seconds: self.timeout };
            let asked = tokio::time::timeout(Duration::from_secs(self.timeout), self.ask());
            Ok(asked.await.unwrap_or(Err(silent))?)
        })
    }

    async fn ask(&self) -> Result<(), HealthError> {
        let endpoint = self.endpoint.clone();
        let channel = self
            .target()?
            .connect()
            .await
            .map_err(|error| HealthError::Unreachable { endpoint: endpoint.clone(), reason: innermost(&error) })?;
        let request = HealthCheckRequest { service: self.service.clone() };
        match HealthClient::new(channel).check(request).await {
            Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
            Ok(_) => Err(HealthError::NotServing { endpoint }),
            Err(status) => Err(HealthError::Refused { endpoint, code: status.code() }),
        }
    }

    fn target(&self) -> Result<Endpoint, HealthError> {
        let invalid = |_| HealthError::Endpoint;
        // A password may hold any character: what stands before the `@` is not looked up as a host.
        if self.endpoint.contains('@') {
            return Err(HealthError::Endpoint);
        }
        let target = Endpoint::from_shared(self.endpoint.clone()).map_err(invalid)?;
        match target.uri().scheme_str() {
            Some("http") => Ok(target),
            Some("https") => {
                let tls = match &self.ca {
                    Some(path) => {
                        let unreadable = |error| HealthError::Ca { path: path.clone(), error };
                        let pem = std::fs::read(path).map_err(unreadable)?;
                        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
                    }
                    None => ClientTlsConfig::new().with_native_roots(),
                };
                target.tls_config(tls).map_err(invalid)
            }
            _ => Err(HealthError::Endpoint),
        }
    }
}

/// The reason at the bottom of an error: the transport's own says only that there was one.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
