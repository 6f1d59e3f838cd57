//! gRPC server reflection, v1 and v1alpha, of what a listener offers.

use tonic::service::{LayerExt as _, Routes};
use tonic_reflection::server::{Builder, Error};

use super::layers::{EndOnStopLayer, LimitReflectionLayer};
use crate::config::{Offered, OfferedService};

/// The full names of reflection itself.
const V1: &str = "grpc.reflection.v1.ServerReflection";
const V1ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
const HEALTH: &str = "grpc.health.v1.Health";

/// Adds reflection to `routes`, with `layers` around it, if it is offered. It lists the services that are offered, although it has the messages of
/// all.
///
/// # Errors
/// When a descriptor is damaged.
pub(crate) fn add(
    routes: Routes,
    offered: &Offered,
    layers: &(EndOnStopLayer, LimitReflectionLayer),
) -> Result<Routes, Error> {
    if !offered.contains(OfferedService::Reflection) {
        return Ok(routes);
    }
    let (v1, v1alpha) = (builder(offered).build_v1()?, builder(offered).build_v1alpha()?);
    Ok(routes.add_service(layers.named_layer(v1)).add_service(layers.named_layer(v1alpha)))
}

fn builder(offered: &Offered) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(secrets_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
        // The details of errors: without these, a tool that has only reflection prints them as base64.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .include_reflection_service(false);
    offered.grpc_names().chain([HEALTH, V1, V1ALPHA]).fold(builder, Builder::with_service_name)
}
