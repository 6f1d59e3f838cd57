//! One member that watches as often as it can.

use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::{Context, WatchRequest};
use tonic::Status;
use tonic::transport::Channel;

use super::calls::authorized;
use super::repeat::over_channels;
use crate::target::{Account, Target};

const CONNECTIONS: usize = 64;
/// As many as a connection may have.
const WATCHES_PER_CONNECTION: usize = 64;

pub(super) async fn run(target: Target) {
    let member = target.member.clone();
    over_channels(&target, CONNECTIONS, WATCHES_PER_CONNECTION, move |_, channel| watch(channel, member.clone())).await;
}

async fn watch(channel: Channel, member: Account) -> Result<(), Status> {
    let context = Context { organization: member.organization, project: member.project, ..Default::default() };
    let request = WatchRequest { context: Some(context), ..Default::default() };
    let request = authorized(&member.token, request)?;
    let mut events = ResolveServiceClient::new(channel).watch(request).await?.into_inner();
    while events.message().await?.is_some() {}
    Ok(())
}
