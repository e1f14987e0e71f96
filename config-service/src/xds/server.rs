//! The gRPC side of xDS: moves messages between streams and their sessions.

mod elsewhere;
mod events;
mod services;
mod watchdog;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use envoy_types::pb::envoy::service::cluster::v3::cluster_discovery_service_server::ClusterDiscoveryServiceServer;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryServiceServer;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitServiceServer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tonic::{Status, Streaming};
use tonic_health::ServingStatus;

use super::rate_limits::{self, HEALTH_NAME, MAX_QUESTION_BYTES};
use super::session::{Kind, Lack, Session};
use super::stopping::say_goodbye;
use super::{Resources, incoming, limit_rules, wire};
use crate::fleet::{Entry, Fleet, Node, STALLED_AFTER};
use crate::limit_rules::LimitRules;
use crate::listen::tls::Tls;
use crate::metrics::Metrics;
use crate::publish::Snapshot;
use crate::rate_limits::{Paces, RateLimits};
use crate::usage::UsageServer;
use watchdog::{Alarm, Watchdog};

/// Longest request, in bytes; the first one lists all of the Envoy's extensions.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Longest response, in bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;

/// How often to ping a silent connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long an Envoy may be silent, by default.
///
/// Envoy answers pings on its main thread, which also compiles the module. That takes seconds on a
/// whole core, and a minute on a small share of one. An Envoy whose connection is closed meanwhile is
/// sent everything again.
pub const ENVOY_TIMEOUT: Duration = Duration::from_secs(120);

/// The xDS services, and what else Envoys call on their port. Clones share one state.
#[derive(Clone, Debug)]
pub struct XdsServer {
    published: watch::Receiver<Arc<Snapshot>>,
    fleet: Fleet,
    resources: Resources,
    stopped: watch::Receiver<bool>,
    metrics: Metrics,
    envoy_timeout: Duration,
    limits: RateLimits,
    limit_rules: LimitRules,
    usage: Option<UsageServer>,
}

/// Why the server stopped.
#[derive(Debug, thiserror::Error)]
#[error("the xDS server failed: {0}")]
pub struct ServeError(#[from] tonic::transport::Error);

type Responses = ReceiverStream<Result<DiscoveryResponse, Status>>;

impl XdsServer {
    /// Serves the contents of `published`, until `stopped` turns true.
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
            envoy_timeout: ENVOY_TIMEOUT,
            limits: RateLimits::new(Paces::default()),
            limit_rules: LimitRules::default(),
            usage: None,
        }
    }

    /// Answers what Envoys' rate limit filters ask from these.
    #[must_use]
    pub(crate) fn limiting(self, limits: RateLimits) -> Self {
        Self { limits, ..self }
    }

    /// Gives a fleet's own rate limit service these rules.
    #[must_use]
    pub(crate) fn ruling(self, limit_rules: LimitRules) -> Self {
        Self {
            limit_rules,
            ..self
        }
    }

    /// Closes connections on which an Envoy has been silent for this long.
    #[must_use]
    pub(crate) fn closing_after(self, envoy_timeout: Duration) -> Self {
        Self {
            envoy_timeout,
            ..self
        }
    }

    /// Takes what Envoys report of requests.
    #[must_use]
    pub(crate) fn recording(self, usage: Option<UsageServer>) -> Self {
        Self { usage, ..self }
    }

    /// Counts Envoys' answers in these metrics.
    #[must_use]
    pub(crate) fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Serves until stopped, and then ends open streams; in plain text without `tls`.
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
        // A ping follows after the interval; the rest of the time is for its answer.
        let unanswered = self.envoy_timeout.saturating_sub(KEEPALIVE_INTERVAL);
        let service = rate_limits::Service::new(
            self.limits.clone(),
            self.fleet.clone(),
            self.metrics.clone(),
        );
        let limits =
            RateLimitServiceServer::new(service).max_decoding_message_size(MAX_QUESTION_BYTES);
        let (health, checks) = tonic_health::server::health_reporter();
        health
            .set_service_status(HEALTH_NAME, ServingStatus::Serving)
            .await;
        let aggregated = AggregatedDiscoveryServiceServer::new(self.clone())
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        let extensions = ExtensionConfigDiscoveryServiceServer::new(self.clone())
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        let usage = self.usage.clone();
        let clusters = ClusterDiscoveryServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_RESPONSE_BYTES);
        Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(unanswered))
            .http2_max_header_list_size(elsewhere::MAX_HEADER_BYTES)
            .add_service(aggregated)
            .add_service(extensions)
            .add_service(clusters)
            .add_service(limits)
            .add_service(checks)
            .add_optional_service(usage)
            .serve_with_incoming_shutdown(incoming, async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            })
            .await?;
        Ok(())
    }

    /// Starts a stream; `only` is its type of resource, if it is for a single one.
    fn open(
        &self,
        request: tonic::Request<Streaming<DiscoveryRequest>>,
        only: Option<Kind>,
    ) -> Responses {
        let (responses, receiver) = mpsc::channel(4);
        let mut published = self.published.clone();
        let target = Arc::clone(&published.borrow_and_update());
        let mut stream = Stream {
            server: self.clone(),
            only,
            peer: request.remote_addr(),
            clusters: elsewhere::clusters(request.metadata()),
            session: Session::new(
                self.resources.terms.clone(),
                only,
                Arc::clone(&target),
                unlike_others(),
            ),
            lack: Lack::Nothing,
            watchdog: Watchdog::default(),
            entry: None,
            responses,
        };
        stream.aim_at(target);
        tokio::spawn(stream.run(request.into_inner(), published));
        ReceiverStream::new(receiver)
    }
}

/// One open stream.
struct Stream {
    server: XdsServer,
    only: Option<Kind>,
    peer: Option<SocketAddr>,
    /// Those that the Envoy says it has from elsewhere.
    clusters: Option<BTreeSet<String>>,
    session: Session,
    /// What the Envoy may lack of what is published.
    lack: Lack,
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
            "Envoy has been behind the published configuration for {seconds} seconds"
        ),
        Some(Alarm::Over) => {
            tracing::info!(
                node.id,
                node.cluster,
                "Envoy runs the published configuration again"
            )
        }
        None => {}
    }
}

/// A number that is unlikely to be another stream's.
fn unlike_others() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// Waits until a point in time; without one, waits forever.
async fn wake(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The client has disconnected.
struct Disconnected;

impl Stream {
    async fn run(
        mut self,
        mut requests: Streaming<DiscoveryRequest>,
        mut published: watch::Receiver<Arc<Snapshot>>,
    ) {
        let mut stopped = self.server.stopped.clone();
        let fleet = &self.server.fleet;
        let mut pools_filters = self.clusters.as_ref().map(|_| fleet.pools_filters());
        let first = loop {
            tokio::select! {
                message = requests.message() => match message {
                    Ok(Some(request)) if self.is_for_rules(&request) => break Some(request),
                    Ok(Some(request)) => self.take(&request),
                    Ok(None) | Err(_) => break None,
                },
                changed = published.changed() => match changed {
                    Ok(()) => {
                        self.aim_at(Arc::clone(&published.borrow_and_update()));
                    }
                    Err(_) => break None,
                },
                () = elsewhere::change(&mut pools_filters) => {}
                () = wake(self.session.wakes_at()) => {}
                () = wake(self.watchdog.wakes_at()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => break None,
            }
            if self.answer().await.is_err() {
                break None;
            }
        };
        if let Some(first) = first {
            let Self {
                server, responses, ..
            } = self;
            let rules = limit_rules::Stream::new(&server.limit_rules, &first);
            return rules.run(requests, responses, server.stopped).await;
        }
        say_goodbye(&stopped, &self.responses);
        if let Some((_, node)) = &self.entry {
            tracing::info!(node.id, node.cluster, "Envoy disconnected");
        }
    }

    /// Whether a request says that this is no Envoy's stream, but a rate limit service's.
    fn is_for_rules(&self, first: &DiscoveryRequest) -> bool {
        self.entry.is_none() && self.only.is_none() && limit_rules::are_asked(first)
    }

    fn take(&mut self, wire: &DiscoveryRequest) {
        if self.entry.is_none() {
            // Only the first request of a stream must name the node.
            let node = wire.node.as_ref().map(wire::node).unwrap_or_default();
            let node = Node {
                clusters: self.clusters.clone(),
                ..node
            };
            tracing::info!(
                node.id,
                node.cluster,
                node.version,
                peer = self.peer.map(tracing::field::display),
                "Envoy connected"
            );
            let entry = self.server.fleet.connect(node.clone(), self.peer);
            self.entry = Some((entry, node));
            self.log_lack();
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

    async fn answer(&mut self) -> Result<(), Disconnected> {
        let now = Instant::now();
        self.note_lack(now);
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
}
