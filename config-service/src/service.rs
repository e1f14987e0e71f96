//! Wiring: opens the database, starts both servers and stops them again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bedrock_filter::config::{Failover, Limits};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::AppState;
use crate::args::{Args, InvalidSecret};
use crate::channels::{Channels, LoadError};
use crate::credentials::{Aws, TokenFolders, keeper::Keeper};
use crate::filter_code::{FilterCode, ModuleError, ServedModule};
use crate::fleet::Fleet;
use crate::http;
use crate::listen::tls::{Port, Tls, TlsError};
use crate::listen::{self, Guard, Patience, Places};
use crate::outbound::{Outbound, Reach};
use crate::proxies::TrustedProxies;
use crate::seal::{SealError, Sealer};
use crate::settings::Settings;
use crate::store::{Store, StoreError};
use crate::xds::{self, Resources, Setup, XdsServer};

/// How long open requests may take after the service was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Connections to the address for metrics: Prometheus needs one.
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
    stop: watch::Sender<bool>,
    admin: JoinHandle<()>,
    metrics: JoinHandle<()>,
    xds: JoinHandle<Result<(), xds::ServeError>>,
    keeping: JoinHandle<()>,
}

/// Why the service did not start.
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
    #[error("there can be no TLS for xDS: {0}")]
    XdsTls(TlsError),
    /// The certificates of the admin port cannot be used.
    #[error("there can be no TLS for the admin API: {0}")]
    AdminTls(TlsError),
    /// Plain text on an address that others reach.
    #[error(
        "xDS on {0} would be in plain text for whoever reaches it: give --xds-tls-certificate and \
         --xds-tls-key, best with --xds-tls-client-ca, or --xds-allow-plaintext where the network \
         itself is private or encrypted"
    )]
    PlaintextXds(SocketAddr),
    /// The admin token or the keys for sealing cannot be used.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// Nothing can be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The filter module cannot be served.
    #[error(transparent)]
    Module(#[from] ModuleError),
}

/// Why the service ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The admin server failed.
    #[error("the admin server ended: {0}")]
    Admin(String),
    /// The server for Prometheus failed.
    #[error("the server of metrics ended: {0}")]
    Metrics(String),
    /// The xDS server failed.
    #[error("the xDS server ended: {0}")]
    Xds(String),
    /// Nobody renews credentials any more.
    #[error("the renewal of credentials ended: {0}")]
    Credentials(String),
}

impl Service {
    /// Starts the service; it serves when this returns.
    ///
    /// # Errors
    ///
    /// When an address is taken, or the database or the filter module cannot be read.
    pub async fn start(args: Args) -> Result<Self, StartError> {
        let token = args.admin_token.read()?;
        let tls = xds_tls(&args).await?;
        let admin_tls = admin_tls(&args).await?;
        let (admin_listener, admin_addr) = bind(args.listen).await?;
        let metrics_listener = match args.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let (xds_listener, xds_addr) = bind(args.xds_listen).await?;
        let code = filter_code(&args, admin_addr).await?;
        let sealer = Sealer::new(args.seal_key.keys()?);
        sealer.announce();
        let (database, create) = args.database();
        let store = Store::serve(&database, sealer.clone(), create).await?;
        let sts_endpoint = args.sts_endpoint();
        let token_folders = TokenFolders::from(args.token_file_dirs);
        let outbound = Outbound::new(if args.allow_link_local_endpoints {
            Reach::Everywhere
        } else {
            Reach::Network
        });
        let aws = Aws::new(outbound.clone(), sts_endpoint, token_folders.clone());
        let keeper = Keeper::new(aws);
        let settings = Settings {
            limits: Limits {
                max_request_bytes: args.max_request_bytes,
                ..Limits::default()
            },
            unknown_parameters: args.unknown_parameters,
            anthropic_messages: args.anthropic_messages,
            failover: args.failover.then(|| Failover {
                max_attempts: args.max_attempts,
                answer_headers: !args.hide_answer_headers,
                max_held_bytes: args.max_held_bytes,
                generation: Some(code.generation()),
            }),
            sealer: sealer.clone(),
            allow_link_local_endpoints: args.allow_link_local_endpoints,
            trusted_endpoints: args.trusted_endpoints,
            token_folders,
            outbound,
        };
        let channels = Channels::load(store.clone(), settings, keeper.clone()).await?;
        let (stop, stopped) = watch::channel(false);
        let renewing = channels.clone();
        let renew = move || {
            let channels = renewing.clone();
            async move { channels.renew().await }
        };
        let keeping = keeper.run(renew, stopped.clone());
        let published = channels.subscribe().await;
        let fleet = Fleet::default();
        let setup = Setup {
            code,
            upstream_ca_file: args.upstream_ca_file,
            drain_time: Duration::from_secs(args.drain_seconds),
        };
        let resources = Resources::new(setup, &sealer)?;
        let proxies = TrustedProxies::from(args.trusted_proxies);
        let state = AppState::new(token, proxies, channels, fleet.clone(), resources.clone()).await;
        let metrics = state.metrics.clone();
        let patience = args.listening.patience();
        let guard = Guard {
            port: Port::Admin,
            places: args.listening.places(),
            patience,
            tls: admin_tls,
        };
        let server = XdsServer::new(published, fleet, resources, stopped.clone()).counting(metrics);
        tracing::info!(admin = %admin_addr, xds = %xds_addr, "config-service started");
        let metrics_addr = metrics_listener.as_ref().map(|(_, address)| *address);
        let metrics = serve_metrics(metrics_listener, state.clone(), patience, stopped.clone());
        Ok(Self {
            admin_addr,
            metrics_addr,
            xds_addr,
            store,
            stop,
            admin: tokio::spawn(listen::serve(
                admin_listener,
                http::admin(state),
                guard,
                stopped,
            )),
            metrics: tokio::spawn(metrics),
            keeping: tokio::spawn(keeping),
            xds: tokio::spawn(server.serve(xds_listener, tls)),
        })
    }

    /// Where the admin API listens.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// Where metrics are served without a token, if they are.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// Where the xDS server listens.
    #[must_use]
    pub fn xds_addr(&self) -> SocketAddr {
        self.xds_addr
    }

    /// Waits until a part of the service ends by itself, which it should not.
    pub async fn failed(&mut self) -> RunError {
        tokio::select! {
            ended = &mut self.admin => RunError::Admin(format!("{ended:?}")),
            ended = &mut self.metrics => RunError::Metrics(format!("{ended:?}")),
            ended = &mut self.xds => RunError::Xds(format!("{ended:?}")),
            ended = &mut self.keeping => RunError::Credentials(format!("{ended:?}")),
        }
    }

    /// Stops: no new requests, open ones end within a grace period, xDS streams are ended, the
    /// database is closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let all = async {
            let _ = (&mut self.admin).await;
            let _ = (&mut self.metrics).await;
            let _ = (&mut self.xds).await;
            let _ = (&mut self.keeping).await;
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("requests were still open after the grace period and are cut");
            self.admin.abort();
            self.metrics.abort();
            self.xds.abort();
            self.keeping.abort();
        }
        self.store.close().await;
        tracing::info!("config-service stopped");
    }
}

/// TLS for the xDS server; plain text is for loopback, unless it is asked for.
async fn xds_tls(args: &Args) -> Result<Option<Arc<Tls>>, StartError> {
    match args.xds_tls() {
        Some(files) => {
            let tls = Tls::load(Port::Xds, files).await;
            Ok(Some(Arc::new(tls.map_err(StartError::XdsTls)?)))
        }
        None if args.xds_listen.ip().is_loopback() => Ok(None),
        None if args.xds_allow_plaintext => {
            tracing::warn!(
                address = %args.xds_listen,
                "xDS is served in plain text and to everybody who reaches the address"
            );
            Ok(None)
        }
        None => Err(StartError::PlaintextXds(args.xds_listen)),
    }
}

/// TLS for the admin port. Plain text is served too, because a proxy or a mesh may do TLS in front of it.
async fn admin_tls(args: &Args) -> Result<Option<Arc<Tls>>, StartError> {
    if let Some(files) = args.listening.tls() {
        let tls = Tls::load(Port::Admin, files).await;
        return Ok(Some(Arc::new(tls.map_err(StartError::AdminTls)?)));
    }
    if !args.listen.ip().is_loopback() {
        tracing::warn!(
            address = %args.listen,
            "the admin API is served in plain text beyond this machine: tokens and secrets can be read on the \
             way; give --tls-certificate and --tls-key, unless something in front of it speaks TLS"
        );
    }
    Ok(None)
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves metrics on an address of their own; without one it only waits for the end.
async fn serve_metrics(
    listener: Option<(TcpListener, SocketAddr)>,
    state: AppState,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
) {
    if let Some((listener, address)) = listener {
        tracing::info!(%address, "metrics are served without a token");
        let guard = Guard {
            port: Port::Metrics,
            places: PLACES_FOR_METRICS,
            patience,
            tls: None,
        };
        return listen::serve(listener, http::metrics(state), guard, stopped).await;
    }
    // An error means that the service is gone, which is a stop as well.
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
