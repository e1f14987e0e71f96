//! A fake Envoy that speaks xDS.

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::core::v3::{Node, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::wasm::v3::PluginConfig;
use envoy_types::pb::envoy::service::cluster::v3::cluster_discovery_service_client::ClusterDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient;
use envoy_types::pb::google::protobuf::StringValue;
use envoy_types::pb::google::rpc::Status as RpcStatus;
use prost::Message as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::AsciiMetadataKey;
use tonic::Streaming;
use tonic::transport::Channel;

use super::{DEADLINE, TestService};

pub const CDS: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
pub const ECDS: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

/// The discovery service on which to open a stream.
#[derive(Clone, Copy)]
pub enum Service {
    Aggregated,
    Extensions,
    Clusters,
}

pub struct Envoy {
    node: Node,
    /// Filters that clusters ask for.
    filters: Vec<String>,
    /// The latest request for filters, if there was one.
    asked: Option<DiscoveryRequest>,
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

impl Envoy {
    pub async fn connect(service: &TestService, id: &str, at: Service) -> Self {
        Self::connect_over(channel(service).await, id, at)
            .await
            .unwrap()
    }

    /// Opens a stream on an existing connection.
    pub async fn connect_over(
        channel: Channel,
        id: &str,
        at: Service,
    ) -> Result<Self, tonic::Status> {
        Self::open(channel, id, at, &[]).await
    }

    /// Opens a stream for filters alone, which says which clusters the Envoy has from elsewhere, if it lists any.
    pub async fn naming_clusters(service: &TestService, id: &str, lists: &[String]) -> Self {
        let channel = channel(service).await;
        let opened = Self::open(channel, id, Service::Extensions, lists).await;
        opened.unwrap()
    }

    async fn open(
        channel: Channel,
        id: &str,
        at: Service,
        lists: &[String],
    ) -> Result<Self, tonic::Status> {
        let (requests, receiver) = mpsc::channel(16);
        let mut outbound = tonic::Request::new(ReceiverStream::new(receiver));
        for (list, number) in lists.iter().zip(1..) {
            let key = match number {
                1 => "x-bedrock-clusters".to_owned(),
                number => format!("x-bedrock-clusters-{number}"),
            };
            let key: AsciiMetadataKey = key.parse().unwrap();
            outbound.metadata_mut().insert(key, list.parse().unwrap());
        }
        let opened = match at {
            Service::Aggregated => {
                AggregatedDiscoveryServiceClient::new(channel)
                    .stream_aggregated_resources(outbound)
                    .await
            }
            Service::Extensions => {
                ExtensionConfigDiscoveryServiceClient::new(channel)
                    .stream_extension_configs(outbound)
                    .await
            }
            Service::Clusters => {
                ClusterDiscoveryServiceClient::new(channel)
                    .stream_clusters(outbound)
                    .await
            }
        };
        Ok(Self {
            node: Node {
                id: id.to_owned(),
                cluster: "test-mesh".to_owned(),
                ..Node::default()
            },
            filters: Vec::new(),
            asked: None,
            requests,
            responses: opened?.into_inner(),
        })
    }

    /// Connects, subscribes to everything like a real Envoy and acknowledges it.
    pub async fn settled(service: &TestService, id: &str) -> Self {
        let mut envoy = Self::connect(service, id, Service::Aggregated).await;
        envoy.subscribe(CDS, "").await;
        let clusters = envoy.receive(CDS).await;
        envoy.subscribe(ECDS, "").await;
        envoy.ack(&clusters).await;
        let plugin = envoy.receive(ECDS).await;
        envoy.ack(&plugin).await;
        envoy
    }

    /// Sends the first request for a type; `version` is what it got on an earlier stream.
    pub async fn subscribe(&mut self, type_url: &str, version: &str) {
        self.send(DiscoveryRequest {
            version_info: version.to_owned(),
            type_url: type_url.to_owned(),
            ..DiscoveryRequest::default()
        })
        .await;
    }

    /// Asks for a filter on pools alone, and returns it.
    pub async fn ask_for(&mut self, filter: &str) -> DiscoveryResponse {
        self.send(DiscoveryRequest {
            type_url: ECDS.to_owned(),
            resource_names: vec![filter.to_owned()],
            ..DiscoveryRequest::default()
        })
        .await;
        self.receive_any(ECDS).await
    }

    /// Accepts a filter on pools, on a stream for it alone.
    pub async fn ack_of(&mut self, filter: &str, response: &DiscoveryResponse) {
        self.send(DiscoveryRequest {
            resource_names: vec![filter.to_owned()],
            ..answer(response)
        })
        .await;
    }

    pub async fn ack(&mut self, response: &DiscoveryResponse) {
        self.send(answer(response)).await;
    }

    pub async fn nack(&mut self, response: &DiscoveryResponse, reason: &str) {
        self.send(DiscoveryRequest {
            version_info: String::new(),
            error_detail: Some(RpcStatus {
                code: 13,
                message: reason.to_owned(),
                ..RpcStatus::default()
            }),
            ..answer(response)
        })
        .await;
    }

    pub async fn send(&mut self, request: DiscoveryRequest) {
        if request.type_url == ECDS && request.resource_names.is_empty() {
            self.asked = Some(DiscoveryRequest {
                error_detail: None,
                ..request.clone()
            });
        }
        let names = if request.type_url == ECDS && request.resource_names.is_empty() {
            let listener = "bedrock".to_owned();
            self.filters.iter().cloned().chain([listener]).collect()
        } else {
            request.resource_names.clone()
        };
        let request = DiscoveryRequest {
            node: Some(self.node.clone()),
            resource_names: names,
            ..request
        };
        self.requests.send(request).await.unwrap();
    }

    /// The next response, which must be of this type. The pools' filter is accepted
    /// silently.
    pub async fn receive(&mut self, type_url: &str) -> DiscoveryResponse {
        loop {
            let response = self.receive_any(type_url).await;
            if !filter_name(&response).is_some_and(|name| self.filters.contains(&name)) {
                return response;
            }
            self.ack(&response).await;
        }
    }

    /// The next response of this type, whatever it is about.
    pub async fn receive_any(&mut self, type_url: &str) -> DiscoveryResponse {
        let next = tokio::time::timeout(DEADLINE, self.responses.message());
        let response = next
            .await
            .expect("a response")
            .unwrap()
            .expect("an open stream");
        assert_eq!(
            response.type_url, type_url,
            "version {}",
            response.version_info
        );
        if type_url == CDS && self.filters != filters(&response) {
            self.filters = filters(&response);
            if let Some(asked) = self.asked.clone() {
                self.send(asked).await;
            }
        }
        response
    }

    /// How the stream ended.
    pub async fn end(mut self) -> Result<Option<DiscoveryResponse>, tonic::Status> {
        tokio::time::timeout(DEADLINE, self.responses.message())
            .await
            .expect("the end of the stream")
    }
}

pub async fn channel(service: &TestService) -> Channel {
    let uri = format!("http://{}", service.xds_addr());
    Channel::from_shared(uri).unwrap().connect().await.unwrap()
}

pub fn clusters(response: &DiscoveryResponse) -> Vec<Cluster> {
    response
        .resources
        .iter()
        .map(|any| {
            assert_eq!(any.type_url, CDS);
            Cluster::decode(any.value.as_slice()).unwrap()
        })
        .collect()
}

/// Names of the clusters with endpoints.
pub fn cluster_names(response: &DiscoveryResponse) -> Vec<String> {
    clusters(response)
        .into_iter()
        .map(|cluster| cluster.name)
        .filter(|name| !name.starts_with("bedrock|filter|"))
        .collect()
}

/// The channels in the name of a pool's cluster.
pub fn pool_channels(name: &str) -> Option<&str> {
    let (_, rest) = name.strip_prefix("bedrock|pool|")?.split_once('|')?;
    rest.rsplit_once('|').map(|(channels, _)| channels)
}

/// Names of the filters that clusters ask for.
fn filters(response: &DiscoveryResponse) -> Vec<String> {
    let options = clusters(response).into_iter().filter_map(|cluster| {
        let mut options = cluster.typed_extension_protocol_options.into_values();
        HttpProtocolOptions::decode(options.next()?.value.as_slice()).ok()
    });
    let filters = options.flat_map(|options| options.http_filters);
    let mut names: Vec<_> = filters
        .filter(|filter| matches!(filter.config_type, Some(ConfigType::ConfigDiscovery(_))))
        .map(|filter| filter.name)
        .collect();
    names.dedup();
    names
}

/// Name of the filter in an ECDS response.
pub fn filter_name(response: &DiscoveryResponse) -> Option<String> {
    let [any] = response.resources.as_slice() else {
        return None;
    };
    let extension = TypedExtensionConfig::decode(any.value.as_slice()).ok()?;
    (any.type_url == ECDS).then_some(extension.name)
}

/// The revision that a response's version names.
pub fn revision(response: &DiscoveryResponse) -> &str {
    let version = response.version_info.as_str();
    version
        .split_once('-')
        .map_or(version, |(revision, _)| revision)
}

/// The Wasm plugin of an ECDS response.
pub fn plugin(response: &DiscoveryResponse) -> PluginConfig {
    let [any] = response.resources.as_slice() else {
        panic!("expected one resource, found {}", response.resources.len());
    };
    let extension = TypedExtensionConfig::decode(any.value.as_slice()).unwrap();
    assert_eq!(extension.name, "bedrock");
    let typed = extension.typed_config.unwrap();
    assert_eq!(
        typed.type_url,
        "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    );
    Wasm::decode(typed.value.as_slice())
        .unwrap()
        .config
        .unwrap()
}

/// The filter's own configuration in an ECDS response.
pub fn plugin_json(response: &DiscoveryResponse) -> Value {
    let configuration = plugin(response).configuration.unwrap();
    assert_eq!(
        configuration.type_url,
        "type.googleapis.com/google.protobuf.StringValue"
    );
    let text = StringValue::decode(configuration.value.as_slice()).unwrap();
    serde_json::from_str(&text.value).unwrap()
}

fn answer(response: &DiscoveryResponse) -> DiscoveryRequest {
    DiscoveryRequest {
        version_info: response.version_info.clone(),
        type_url: response.type_url.clone(),
        response_nonce: response.nonce.clone(),
        ..DiscoveryRequest::default()
    }
}
