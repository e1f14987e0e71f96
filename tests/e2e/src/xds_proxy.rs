//! Sits between Envoy and the config-service and delays responses by type, so that what Envoy usually gets
//! within a millisecond arrives a second apart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::Empty;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status, Streaming, async_trait};

/// Type of clusters.
pub const CDS: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

/// Type of filters.
pub const ECDS: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

/// Longest message, in bytes.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// A running proxy. It ends when dropped.
#[derive(Debug)]
pub struct XdsProxy {
    port: u16,
    shared: Shared,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct Shared {
    delays: Arc<Mutex<BTreeMap<String, Duration>>>,
    messages: Arc<Mutex<Vec<String>>>,
    /// Counts how often all streams were cut.
    cuts: Arc<watch::Sender<u64>>,
}

impl XdsProxy {
    /// Listens on loopback and forwards to an xDS server there.
    pub async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Shared::default();
        let service = Service {
            upstream,
            shared: shared.clone(),
        };
        let server = AggregatedDiscoveryServiceServer::new(service)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        let server = Server::builder().add_service(server);
        let task = tokio::spawn(async move {
            let _ = server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await;
        });
        Self { port, shared, task }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Delays every response of a type by this long; those of the same type stay in order.
    pub fn delay(&self, type_url: &str, delay: Duration) {
        let mut delays = self.shared.delays.lock().expect("no panic");
        delays.insert(type_url.to_owned(), delay);
    }

    /// Ends every stream, as a broken connection would.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// What has passed through so far, one line per message.
    pub fn messages(&self) -> Vec<String> {
        self.shared.messages.lock().expect("no panic").clone()
    }
}

impl Drop for XdsProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Service {
    upstream: u16,
    shared: Shared,
}

type Responses = ReceiverStream<Result<DiscoveryResponse, Status>>;

#[async_trait]
impl AggregatedDiscoveryService for Service {
    type StreamAggregatedResourcesStream = Responses;
    type DeltaAggregatedResourcesStream = Empty<Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let address = format!("http://127.0.0.1:{}", self.upstream);
        let channel = Channel::from_shared(address).expect("an address");
        let gone = |error: tonic::transport::Error| Status::unavailable(error.to_string());
        let channel = channel.connect().await.map_err(gone)?;
        let mut client = AggregatedDiscoveryServiceClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        let shared = self.shared.clone();
        let requests = request.into_inner().filter_map(move |request| {
            let request = request.ok();
            if let Some(request) = &request {
                shared.note(shown_request(request));
            }
            futures::future::ready(request)
        });
        let responses = client.stream_aggregated_resources(requests).await?;
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(self.shared.clone().hand_on(responses.into_inner(), sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn delta_aggregated_resources(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("the state of the world only"))
    }
}

impl Shared {
    fn note(&self, message: String) {
        self.messages.lock().expect("no panic").push(message);
    }

    async fn hand_on(
        self,
        mut responses: Streaming<DiscoveryResponse>,
        sender: mpsc::Sender<Result<DiscoveryResponse, Status>>,
    ) {
        let (mut lanes, mut cuts) = (BTreeMap::new(), self.cuts.subscribe());
        loop {
            let next = tokio::select! {
                next = responses.message() => next,
                () = sender.closed() => return,
                _ = cuts.changed() => Err(Status::unavailable("cut")),
            };
            let ended = match next {
                Ok(Some(response)) => {
                    self.note(shown_response(&response));
                    let lane = lanes.entry(response.type_url.clone());
                    let lane = lane.or_insert_with(|| self.lane(sender.clone()));
                    let _ = lane.send(response);
                    continue;
                }
                // Said as a failure, because delayed responses would keep Envoy's stream open otherwise.
                Ok(None) => Status::unavailable("the config-service has ended the stream"),
                Err(status) => status,
            };
            let _ = sender.send(Err(ended)).await;
            return;
        }
    }

    /// Passes on the responses of one type.
    fn lane(
        &self,
        sender: mpsc::Sender<Result<DiscoveryResponse, Status>>,
    ) -> mpsc::UnboundedSender<DiscoveryResponse> {
        let (lane, mut responses) = mpsc::unbounded_channel::<DiscoveryResponse>();
        let shared = self.clone();
        tokio::spawn(async move {
            while let Some(response) = responses.recv().await {
                let delay = {
                    let delays = shared.delays.lock().expect("no panic");
                    delays.get(&response.type_url).copied().unwrap_or_default()
                };
                tokio::time::sleep(delay).await;
                if sender.send(Ok(response)).await.is_err() {
                    return;
                }
            }
        });
        lane
    }
}

fn shown_request(request: &DiscoveryRequest) -> String {
    let error = request.error_detail.as_ref();
    format!(
        "> {} version [{}] nonce [{}] names {:?} {}",
        kind(&request.type_url),
        request.version_info,
        request.response_nonce,
        request.resource_names,
        error.map_or("", |status| status.message.as_str()),
    )
}

fn shown_response(response: &DiscoveryResponse) -> String {
    format!(
        "< {} version [{}] nonce [{}] resources {}",
        kind(&response.type_url),
        response.version_info,
        response.nonce,
        response.resources.len(),
    )
}

fn kind(type_url: &str) -> &str {
    type_url.rsplit('.').next().unwrap_or_default()
}
