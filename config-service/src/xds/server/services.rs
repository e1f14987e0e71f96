//! The gRPC services, all on one [`XdsServer`], in the state-of-the-world variant only.

use envoy_types::pb::envoy::service::cluster::v3::cluster_discovery_service_server::ClusterDiscoveryService;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryService;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryService;
use tokio_stream::Empty;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{Responses, XdsServer};
use crate::xds::session::Kind;

type NoDelta = Empty<Result<DeltaDiscoveryResponse, Status>>;

fn no_delta() -> Status {
    Status::unimplemented("delta xDS is not served; use the state of the world: api_type GRPC")
}

fn no_fetch() -> Status {
    Status::unimplemented("polling is not served; open a stream")
}

#[async_trait]
impl AggregatedDiscoveryService for XdsServer {
    type StreamAggregatedResourcesStream = Responses;
    type DeltaAggregatedResourcesStream = NoDelta;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses>, Status> {
        Ok(Response::new(self.open(request, None)))
    }

    async fn delta_aggregated_resources(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<NoDelta>, Status> {
        Err(no_delta())
    }
}

#[async_trait]
impl ExtensionConfigDiscoveryService for XdsServer {
    type StreamExtensionConfigsStream = Responses;
    type DeltaExtensionConfigsStream = NoDelta;

    async fn stream_extension_configs(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses>, Status> {
        Ok(Response::new(self.open(request, Some(Kind::Filters))))
    }

    async fn delta_extension_configs(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<NoDelta>, Status> {
        Err(no_delta())
    }

    async fn fetch_extension_configs(
        &self,
        _: Request<DiscoveryRequest>,
    ) -> Result<Response<DiscoveryResponse>, Status> {
        Err(no_fetch())
    }
}

#[async_trait]
impl ClusterDiscoveryService for XdsServer {
    type StreamClustersStream = Responses;
    type DeltaClustersStream = NoDelta;

    async fn stream_clusters(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses>, Status> {
        Ok(Response::new(self.open(request, Some(Kind::Clusters))))
    }

    async fn delta_clusters(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<NoDelta>, Status> {
        Err(no_delta())
    }

    async fn fetch_clusters(
        &self,
        _: Request<DiscoveryRequest>,
    ) -> Result<Response<DiscoveryResponse>, Status> {
        Err(no_fetch())
    }
}
