//! Wiring: opens the database, starts both servers and stops them again.

mod limits;
mod ports;
mod recording;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bedrock_filter::config::{Failover, Limits, StreamKeepAlive};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::AppState;
use crate::args::{Args, InvalidSecret, Listening};
use crate::channels::{Channels, FirstError, LoadError};
use crate::credentials::{Aws, keeper::Keeper};
use crate::environment::Variables;
use crate::filter_code::{FilterCode, ModuleError, ServedModule};
use crate::fleet::Fleet;
use crate::http;
use crate::limit_rules::RulesError;
use crate::listen::tls::{Port, Tls, TlsError};
use crate::listen::{self, Guard, Patience, Places};
use crate::outbound::{Outbound, Reach};
use crate::prices::PricesError;
use crate::proxies::TrustedProxies;
use crate::rate_limits::RateLimits;
use crate::seal::{SealError, Sealer};
use crate::settings::{self, FileError, Settings};
use crate::store::{Store, StoreError};
use crate::usage::{Ledger, UsageServer};
use crate::xds::{self, Resources, Setup, XdsServer};
use ports::{Bound, Ports};
use tls::{admin_tls, xds_tls};

/// How long open requests may take after the service is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Connections allowed to the address for metrics; Prometheus needs one.
const PLACES_FOR_METRICS: Places = Places {
    all: 16,
    per_address: 8,
};

/// A running config-service.
#[derive(Debug)]
pub struct Service {
    admin_addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    xds_addr: SocketAddr,
    store: Store,
    usage: Option<Ledger>,
    stop: watch::Sender<bool>,
    admin: JoinHandle<()>,
    metrics: JoinHandle<()>,
    xds: JoinHandle<Result<(), xds::ServeError>>,
    keeping: JoinHandle<()>,
    discovering: JoinHandle<()>,
    probing: JoinHandle<()>,
    pruning: JoinHandle<()>,
    publishing: JoinHandle<()>,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be served.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The certificates of the xDS server cannot be used.
    #[error("TLS for xDS cannot be used: {0}")]
    XdsTls(TlsError),
    /// The certificates of the admin port cannot be used.
    #[error("TLS for the admin API cannot be used: {0}")]
    AdminTls(TlsError),
    /// Plain text on an address that others can reach.
    #[error(
        "xDS on {0} would be in plain text for whoever can reach it; set --xds-tls-certificate and \
         --xds-tls-key, preferably with --xds-tls-client-ca, or --xds-allow-plaintext if the \
         network itself is private or encrypted"
    )]
    PlaintextXds(SocketAddr),
    /// The admin token or the seal keys cannot be used.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// Nothing can be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The rules for Anthropic's Messages cannot be used.
    #[error(transparent)]
    Rules(#[from] FileError),
    /// The prices cannot be used.
    #[error(transparent)]
    Prices(#[from] PricesError),
    /// The environment does not describe valid channels.
    #[error(transparent)]
    First(#[from] FirstError),
    /// The rules of the fleet's rate limit service cannot be written.
    #[error(transparent)]
    LimitRules(#[from] RulesError),
    /// The filter module cannot be served.
    #[error(transparent)]
    Module(#[from] ModuleError),
}

/// Why the service stopped unexpectedly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The admin server failed.
    #[error("the admin server stopped: {0}")]
    Admin(String),
    /// The server for Prometheus failed.
    #[error("the metrics server stopped: {0}")]
    Metrics(String),
    /// The xDS server failed.
    #[error("the xDS server stopped: {0}")]
    Xds(String),
    /// Credentials are no longer renewed.
    #[error("the renewal of credentials stopped: {0}")]
    Credentials(String),
    /// Edits of callers are no longer published.
    #[error("the publication of callers stopped: {0}")]
    Publishing(String),
    /// Nobody asks accounts any more.
    #[error("the discovery of accounts stopped: {0}")]
    Discovery(String),
    /// Channels are no longer probed.
    #[error("the probing of channels stopped: {0}")]
    Probing(String),
    /// Old usage is no longer deleted.
    #[error("the deletion of old usage stopped: {0}")]
    Pruning(String),
}

impl Service {
    /// Starts the service; it serves when this returns.
    ///
    /// # Errors
    ///
    /// When an address is taken, or the database or the filter module cannot be read.
    pub async fn start(args: Args) -> Result<Self, StartError> {
        let token = args.admin_token()?;
        let tls = xds_tls(&args.xds).await?;
        let admin_tls = admin_tls(&args).await?;
        let ports = Ports::bind(&args).await?;
        let code = filter_code(&args, ports.admin.address).await?;
        let sealer = Sealer::new(args.seal_key.keys()?);
        sealer.announce();
        let (database, create) = args.database();
        let store = Store::serve(&database, sealer.clone(), create).await?;
        let usage = recording::open(&args, &store).await?;
        let settings = settings(&args, &sealer, &code).await?;
        let limit_rules = settings.limit_rules.clone();
        let keeper = Keeper::new(Aws::new(
            settings.outbound.clone(),
            args.aws.endpoints(),
            settings.file_places.clone(),
        ));
        let fleet = Fleet::default();
        let channels =
            Channels::load(store.clone(), settings, keeper.clone(), fleet.clone()).await?;
        let usage = usage.map(|own| own.telling(channels.seen()));
        if args.channels_from_environment {
            channels.create_first(&Variables::of_process()).await?;
        }
        let (stop, stopped) = watch::channel(false);
        let keeping = renew(keeper, channels.clone(), stopped.clone());
        let discovering = channels.clone().keep_discovering(stopped.clone());
        let probing = channels.clone().keep_probing(stopped.clone());
        let edits = (store.clone(), channels.subscribe());
        let retention = args.usage.retention;
        let pruning = recording::keep(usage.clone(), retention, edits, stopped.clone());
        let publishing = channels.clone().keep_publishing(stopped.clone());
        let published = channels.subscribe();
        let resources = Resources::new(setup(&args, code), &sealer)?;
        let proxies = TrustedProxies::from(args.trusted_proxies);
        let state = AppState::new(token, proxies, channels, fleet.clone(), resources.clone()).await;
        let state = state.with_usage(usage.clone());
        let patience = args.listening.patience();
        let guard = guard(&args.listening, admin_tls);
        let server = XdsServer::new(published, fleet, resources, stopped.clone())
            .counting(state.metrics.clone())
            .limiting(RateLimits::new(args.caller_limits.paces()))
            .ruling(limit_rules)
            .recording(usage.clone().map(UsageServer::new))
            .closing_after(Duration::from_secs(args.envoy_timeout_seconds));
        let (admin, xds) = (ports.admin, ports.xds);
        tracing::info!(admin = %admin.address, xds = %xds.address, "config-service started");
        let metrics_addr = ports.metrics.as_ref().map(|own| own.address);
        let metrics = serve_metrics(ports.metrics, state.clone(), patience, stopped.clone());
        let serving = listen::serve(admin.listener, http::admin(state), guard, stopped);
        Ok(Self {
            admin_addr: admin.address,
            metrics_addr,
            xds_addr: xds.address,
            store,
            usage,
            stop,
            admin: tokio::spawn(serving),
            metrics: tokio::spawn(metrics),
            keeping: tokio::spawn(keeping),
            discovering: tokio::spawn(discovering),
            probing: tokio::spawn(probing),
            pruning: tokio::spawn(pruning),
            publishing: tokio::spawn(publishing),
            xds: tokio::spawn(server.serve(xds.listener, tls)),
        })
    }

    /// Where the admin API listens.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// Where metrics are served without a token, if at all.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// Where the xDS server listens.
    #[must_use]
    pub fn xds_addr(&self) -> SocketAddr {
        self.xds_addr
    }

    /// Waits until a part of the service stops unexpectedly.
    pub async fn failed(&mut self) -> RunError {
        tokio::select! {
            ended = &mut self.admin => RunError::Admin(format!("{ended:?}")),
            ended = &mut self.metrics => RunError::Metrics(format!("{ended:?}")),
            ended = &mut self.xds => RunError::Xds(format!("{ended:?}")),
            ended = &mut self.keeping => RunError::Credentials(format!("{ended:?}")),
            ended = &mut self.discovering => RunError::Discovery(format!("{ended:?}")),
            ended = &mut self.probing => RunError::Probing(format!("{ended:?}")),
            ended = &mut self.pruning => RunError::Pruning(format!("{ended:?}")),
            ended = &mut self.publishing => RunError::Publishing(format!("{ended:?}")),
        }
    }

    /// Stops: no new requests, open ones may finish within a grace period, xDS streams
    /// are ended, the database is closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let all = async {
            let _ = (&mut self.admin).await;
            let _ = (&mut self.metrics).await;
            let _ = (&mut self.xds).await;
            let _ = (&mut self.keeping).await;
            let _ = (&mut self.discovering).await;
            let _ = (&mut self.probing).await;
            let _ = (&mut self.pruning).await;
            let _ = (&mut self.publishing).await;
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("requests were still open after the grace period and were cut");
            self.admin.abort();
            self.metrics.abort();
            self.xds.abort();
            self.keeping.abort();
            self.discovering.abort();
            self.probing.abort();
            self.pruning.abort();
            self.publishing.abort();
        }
        self.store.close().await;
        if let Some(usage) = &self.usage {
            usage.store().close().await;
        }
        tracing::info!("config-service stopped");
    }
}

/// What protects the admin port.
fn guard(listening: &Listening, tls: Option<Arc<Tls>>) -> Guard {
    Guard {
        port: Port::Admin,
        places: listening.places(),
        patience: listening.patience(),
        tls,
    }
}

/// What Envoys get besides channels.
fn setup(args: &Args, code: FilterCode) -> Setup {
    Setup {
        code,
        upstream_ca_file: args.upstream_ca_file.clone(),
        drain_time: Duration::from_secs(args.drain_seconds),
    }
}

/// What command line and seal key say about channels and what is published of them.
async fn settings(args: &Args, sealer: &Sealer, code: &FilterCode) -> Result<Settings, StartError> {
    let reach = if args.allow_link_local_endpoints {
        Reach::Everywhere
    } else {
        Reach::Network
    };
    let clients = &args.clients;
    Ok(Settings {
        limits: Limits {
            max_request_bytes: args.max_request_bytes,
            ..Limits::default()
        },
        unknown_parameters: clients.unknown_parameters,
        protocols: clients.protocols.iter().copied().collect(),
        path_prefixes: clients.path_prefixes.iter().cloned().collect(),
        cors_origins: clients.cors_origins.iter().cloned().collect(),
        no_health_endpoints: clients.no_health_endpoints,
        anthropic_rules: settings::read("--anthropic-rules", clients.anthropic_rules.as_deref())
            .await?,
        model_choices: settings::read_choices(clients.model_choices.as_deref()).await?,
        caller_metrics: clients.caller_metrics,
        anthropic_messages: clients.anthropic_messages,
        stream_keep_alive: StreamKeepAlive(args.stream_keep_alive_seconds),
        usage: args.usage.reports(),
        failover: args.failover.then(|| Failover {
            max_attempts: args.max_attempts,
            answer_headers: !args.hide_answer_headers,
            max_held_bytes: args.max_held_bytes,
            generation: Some(code.generation()),
        }),
        master_key: args.master_key.read()?,
        sealer: sealer.clone(),
        allow_link_local_endpoints: args.allow_link_local_endpoints,
        trusted_endpoints: args.trusted_endpoints.clone(),
        file_places: args.aws.file_places(),
        probe_minutes: args.probe_minutes,
        outbound: Outbound::new(reach),
        limit_rules: limits::rules(&args.caller_limits).await?,
    })
}

/// Renews credentials until the stop, and publishes them.
async fn renew(keeper: Keeper, channels: Channels, stopped: watch::Receiver<bool>) {
    let publish = || {
        let channels = channels.clone();
        async move { channels.renew().await }
    };
    keeper.run(publish, stopped).await;
}

/// Serves metrics on a separate address; without one, only waits for the stop.
async fn serve_metrics(
    bound: Option<Bound>,
    state: AppState,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
) {
    if let Some(Bound { listener, address }) = bound {
        tracing::info!(%address, "metrics are served without a token");
        let guard = Guard {
            port: Port::Metrics,
            places: PLACES_FOR_METRICS,
            patience,
            tls: None,
        };
        return listen::serve(listener, http::metrics(state), guard, stopped).await;
    }
    // An error means that the service is gone, which also means to stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn filter_code(args: &Args, admin_addr: SocketAddr) -> Result<FilterCode, ModuleError> {
    match (&args.wasm, &args.wasm_path_in_envoy) {
        (Some(file), _) => {
            let scheme = args.listening.tls().map_or("http", |_| "https");
            let own = format!("{scheme}://{admin_addr}");
            let url_base = args.wasm_url_base.as_deref().unwrap_or(&own);
            let module = ServedModule::read(file, url_base, &args.wasm_cluster).await?;
            Ok(FilterCode::Served(module))
        }
        (None, path) => Ok(FilterCode::InEnvoy {
            path: path.clone().unwrap_or_default(),
        }),
    }
}
