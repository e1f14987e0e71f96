//! The gRPC side of xDS: moves messages between streams and their sessions.

mod services;
mod watchdog;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use envoy_types::pb::envoy::service::cluster::v3::cluster_discovery_service_server::ClusterDiscoveryServiceServer;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryServiceServer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tonic::{Status, Streaming};

use super::session::{Event, Kind, Request, Session};
use super::{Resources, incoming, wire};
use crate::fleet::{Entry, Fleet, Node, STALLED_AFTER};
use crate::listen::tls::Tls;
use crate::metrics::Metrics;
use crate::publish::Snapshot;
use watchdog::{Alarm, Watchdog};

/// Longest request, in bytes; the first one lists every extension that the Envoy has.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Longest response, in bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;

/// How often a silent connection is probed, and how long an answer may take. An Envoy that vanished
/// disappears from the status after both.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The xDS services. Clones share one state.
#[derive(Clone, Debug)]
pub struct XdsServer {
    published: watch::Receiver<Arc<Snapshot>>,
    fleet: Fleet,
    resources: Resources,
    stopped: watch::Receiver<bool>,
    metrics: Metrics,
}

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
#[error("the xDS server failed: {0}")]
pub struct ServeError(#[from] tonic::transport::Error);

type Responses = ReceiverStream<Result<DiscoveryResponse, Status>>;

impl XdsServer {
    /// Serves what `published` holds, until `stopped` turns true.
    #[must_use]
    pub fn new(
        published: watch::Receiver<Arc<Snapshot>>,
        fleet: Fleet,
        resources: Resources,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            published,
            fleet,
            resources,
            stopped,
            metrics: Metrics::default(),
        }
    }

    /// Counts what Envoys answer in these metrics.
    #[must_use]
    pub(crate) fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Serves until stopped, in plain text without `tls`; open streams are ended then.
    ///
    /// # Errors
    ///
    /// When the listener fails for good.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
    ) -> Result<(), ServeError> {
        match tls {
            Some(tls) => {
                let handshake = move |stream| {
                    let tls = Arc::clone(&tls);
                    async move { tls.handshake(stream).await }
                };
                let connections = incoming::connections(listener, handshake);
                self.serve_on(connections).await
            }
            None => {
                let connections =
                    incoming::connections(listener, |stream| std::future::ready(Some(stream)));
                self.serve_on(connections).await
            }
        }
    }

    async fn serve_on<C>(
        self,
        incoming: impl tokio_stream::Stream<Item = std::io::Result<C>>,
    ) -> Result<(), ServeError>
    where
        C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let mut stopped = self.stopped.clone();
        let aggregated = AggregatedDiscoveryServiceServer::new(self.clone())
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        let extensions = ExtensionConfigDiscoveryServiceServer::new(self.clone())
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        let clusters = ClusterDiscoveryServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .add_service(aggregated)
            .add_service(extensions)
            .add_service(clusters)
            .serve_with_incoming_shutdown(incoming, async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            })
            .await?;
        Ok(())
    }

    /// Starts a stream; `only` is the type that it is for when it is for one.
    fn open(
        &self,
        request: tonic::Request<Streaming<DiscoveryRequest>>,
        only: Option<Kind>,
    ) -> Responses {
        let (responses, receiver) = mpsc::channel(4);
        let mut published = self.published.clone();
        let target = Arc::clone(&published.borrow_and_update());
        let stream = Stream {
            server: self.clone(),
            only,
            peer: request.remote_addr(),
            session: Session::new(self.resources.terms.clone(), only, target, unlike_others()),
            watchdog: Watchdog::default(),
            entry: None,
            responses,
        };
        tokio::spawn(stream.run(request.into_inner(), published));
        ReceiverStream::new(receiver)
    }
}

/// One open stream.
struct Stream {
    server: XdsServer,
    only: Option<Kind>,
    peer: Option<SocketAddr>,
    session: Session,
    watchdog: Watchdog,
    entry: Option<(Entry, Node)>,
    responses: mpsc::Sender<Result<DiscoveryResponse, Status>>,
}

fn report(alarm: Option<Alarm>, node: &Node) {
    let seconds = STALLED_AFTER.as_secs();
    match alarm {
        Some(Alarm::Stalled(waiting_for)) => tracing::warn!(
            node.id,
            node.cluster,
            ?waiting_for,
            "Envoy has not run what is published for {seconds} seconds"
        ),
        Some(Alarm::Over) => {
            tracing::info!(node.id, node.cluster, "Envoy runs what is published again")
        }
        None => {}
    }
}

/// A number that hardly any other stream has.
fn unlike_others() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// Waits until a time; for ever without one.
async fn wake(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The client is gone.
struct Disconnected;

impl Stream {
    async fn run(
        mut self,
        mut requests: Streaming<DiscoveryRequest>,
        mut published: watch::Receiver<Arc<Snapshot>>,
    ) {
        let mut stopped = self.server.stopped.clone();
        loop {
            tokio::select! {
                message = requests.message() => match message {
                    Ok(Some(request)) => self.take(&request),
                    Ok(None) | Err(_) => break,
                },
                changed = published.changed() => match changed {
                    Ok(()) => self.session.retarget(Arc::clone(&published.borrow_and_update())),
                    Err(_) => break,
                },
                () = wake(self.session.wakes_at()) => {}
                () = wake(self.watchdog.wakes_at()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {
                    let status = Status::unavailable("the config-service is stopping");
                    let _ = self.responses.try_send(Err(status));
                    break;
                }
            }
            if self.answer().await.is_err() {
                break;
            }
        }
        if let Some((_, node)) = &self.entry {
            tracing::info!(node.id, node.cluster, "Envoy disconnected");
        }
    }

    fn take(&mut self, wire: &DiscoveryRequest) {
        if self.entry.is_none() {
            // Only the first request of a stream has to name the node.
            let node = wire.node.as_ref().map(wire::node).unwrap_or_default();
            tracing::info!(
                node.id,
                node.cluster,
                node.version,
                peer = self.peer.map(tracing::field::display),
                "Envoy connected"
            );
            let entry = self.server.fleet.connect(node.clone(), self.peer);
            self.entry = Some((entry, node));
        }
        let Some(request) = wire::request(wire, self.only) else {
            tracing::debug!(
                type_url = wire.type_url,
                "request for a type that is not served"
            );
            return;
        };
        let was_held = self.session.is_held();
        let event = self.session.request(&request, Instant::now());
        if self.session.is_held() && !was_held {
            self.log_hold(&request);
        }
        let kind = request.wanted.kind();
        self.count(kind, &event);
        self.log(kind, &event);
    }

    fn count(&self, kind: Kind, event: &Event) {
        let metrics = &self.server.metrics;
        match event {
            Event::Acknowledged(_) => metrics.answered(kind.name(), true),
            Event::Activated(revision) => {
                metrics.answered(kind.name(), true);
                let current = self.server.published.borrow();
                if current.revision == *revision {
                    metrics.pushed(current.made_at.elapsed());
                }
            }
            Event::Rejected { .. } => metrics.answered(kind.name(), false),
            Event::Subscribed | Event::Deferred(_) | Event::Stale => {}
        }
    }

    async fn answer(&mut self) -> Result<(), Disconnected> {
        let now = Instant::now();
        let responses = self.session.advance(now);
        let progress = self.session.progress();
        let alarm = self.watchdog.watch(progress.waiting_for, now);
        if let Some((entry, node)) = &self.entry {
            entry.update(&progress, self.watchdog.behind_since());
            report(alarm, node);
        }
        for response in responses {
            let message = wire::response(response, &self.server.resources);
            self.responses
                .send(Ok(message))
                .await
                .map_err(|_| Disconnected)?;
        }
        Ok(())
    }

    fn log_hold(&self, request: &Request) {
        tracing::warn!(
            node.id = self.entry.as_ref().map_or("", |(_, node)| node.id.as_str()),
            version = request.version,
            "Envoy keeps its channels: the service started without any, and only an edit takes them away; \
             if the database was lost, stop the service and put a backup in its place"
        );
    }

    fn log(&self, kind: Kind, event: &Event) {
        let id = self.entry.as_ref().map_or("", |(_, node)| node.id.as_str());
        match event {
            Event::Acknowledged(revision) => {
                tracing::debug!(node.id = id, ?kind, revision, "acknowledged");
            }
            Event::Activated(revision) => {
                tracing::debug!(node.id = id, ?kind, revision, "active");
            }
            // It is sent again and again; that it is still refused is no news.
            Event::Rejected {
                revision,
                reason,
                times,
            } if times.is_power_of_two() => {
                tracing::warn!(
                    node.id = id,
                    ?kind,
                    revision,
                    reason,
                    times,
                    "rejected by Envoy"
                );
            }
            Event::Rejected { .. } => {}
            Event::Deferred(revision) => {
                tracing::debug!(node.id = id, revision, "not taken by Envoy yet");
            }
            Event::Subscribed => tracing::debug!(node.id = id, ?kind, "subscribed"),
            Event::Stale => tracing::debug!(node.id = id, ?kind, "stale request ignored"),
        }
    }
}
