//! `grpc.health.v1` for each service that a listener offers, and for the listener as a whole.

use tonic_health::ServingStatus;
use tonic_health::pb::health_server;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::config::Offered;

/// The health of one listener's services.
pub(crate) struct Health {
    reporter: HealthReporter,
    /// The empty one is the listener as a whole.
    names: Vec<&'static str>,
}

impl Health {
    /// Health of what is `offered`, all serving.
    pub(crate) async fn serving(
        offered: &Offered,
    ) -> (Self, health_server::HealthServer<impl health_server::Health + use<>>) {
        let (reporter, server) = health_reporter();
        let names: Vec<_> = std::iter::once("").chain(offered.grpc_names()).collect();
        let mut health = Self { reporter, names };
        health.report(ServingStatus::Serving).await;
        (health, server)
    }

    pub(crate) async fn stopping(&mut self) {
        self.report(ServingStatus::NotServing).await;
    }

    async fn report(&mut self, status: ServingStatus) {
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
