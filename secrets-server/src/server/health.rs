//! `grpc.health.v1`: readiness for each service that a listener offers, liveness for the listener as a whole.
//!
//! The listener as a whole, which has the empty name, serves from its start to the request to stop, whatever becomes of the
//! database: whoever restarts a process that does not would make things worse. A listener that offers nothing else tells the
//! readiness of every service.
//!
//! Not that of tonic-health: there a watch of an unknown service ends, which the protocol forbids, and anybody may open any
//! number of them.

mod list;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{self, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use self::list::WithList;
use super::anonymous_streams::{AnonymousStreamPermit, AnonymousStreams};
use crate::config::Offered;
use crate::error::{Error, Reason};

/// The health of one listener's services. Clones share it.
#[derive(Clone)]
pub(crate) struct Health {
    /// By name; the empty one is the listener as a whole.
    services: Arc<BTreeMap<&'static str, watch::Sender<ServingStatus>>>,
    watches: AnonymousStreams,
}

impl Health {
    /// Health of what is `offered`, all serving.
    pub(crate) fn serving(offered: &Offered, watches: AnonymousStreams) -> Self {
        let names = std::iter::once("").chain(offered.health_names());
        let services = names.map(|name| (name, watch::Sender::new(ServingStatus::Serving))).collect();
        Self { services: Arc::new(services), watches }
    }

    pub(crate) fn server(&self) -> WithList<HealthServer<Self>> {
        WithList::new(HealthServer::new(self.clone()), self.clone())
    }

    /// The status of every service, by name.
    fn statuses(&self) -> impl Iterator<Item = (&'static str, ServingStatus)> {
        self.services.iter().map(|(name, status)| (*name, *status.borrow()))
    }

    pub(crate) fn stopping(&self) {
        for service in self.services.values() {
            service.send_replace(ServingStatus::NotServing);
        }
    }

    fn report_services(&self, status: ServingStatus) {
        for (_, service) in self.services.iter().filter(|(name, _)| !name.is_empty()) {
            // Whoever watches hears of changes alone.
            service.send_if_modified(|known| std::mem::replace(known, status) != status);
        }
    }
}

/// Reports whether the services can answer, on all listeners, for as long as it is polled.
pub(crate) async fn follow(readiness: &mut watch::Receiver<bool>, healths: &[Health]) {
    loop {
        let is_ready = *readiness.borrow_and_update();
        let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        healths.iter().for_each(|health| health.report_services(status));
        if readiness.changed().await.is_err() {
            // Nobody checks: it stays as it is.
            std::future::pending::<()>().await;
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = self.services.get(request.get_ref().service.as_str()).ok_or_else(unknown)?;
        let status = *service.borrow();
        Ok(Response::new(response(status)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let permit = self.watches.permit(request.extensions())?;
        let watched = match self.services.get(request.get_ref().service.as_str()) {
            Some(service) => Watched { status: service.subscribe(), _unknown: None, _permit: permit },
            None => Watched::unknown(permit),
        };
        Ok(Response::new(Box::pin(stream::unfold(watched.at_once(), Watched::next))))
    }
}

/// A watch: its service's status now, and each change of it.
struct Watched {
    status: watch::Receiver<ServingStatus>,
    /// Keeps the watch of an unknown service open: none is added to a listener later.
    _unknown: Option<watch::Sender<ServingStatus>>,
    _permit: AnonymousStreamPermit,
}

impl Watched {
    fn unknown(permit: AnonymousStreamPermit) -> Self {
        let (sender, status) = watch::channel(ServingStatus::ServiceUnknown);
        Self { status, _unknown: Some(sender), _permit: permit }
    }

    fn at_once(mut self) -> Self {
        self.status.mark_changed();
        self
    }

    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        self.status.changed().await.ok()?;
        let status = *self.status.borrow_and_update();
        Some((Ok(response(status)), self))
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

fn unknown() -> Status {
    Error::new(Reason::ResourceNotFound, "this listener offers no such service").into()
}
