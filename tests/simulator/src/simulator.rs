//! A running simulator.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fault::{Fault, FaultQueue};
use crate::key::Key;
use crate::listener::{self, SimulatorListener};
use crate::recorded::{Log, Recorded};
use crate::server;
use crate::settings::{Builder, Pem, Settings};
use crate::signature::Keyring;

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken or not local.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The PEM texts are no certificate chain and private key.
    #[error("the TLS certificate or key is not usable: {0}")]
    Tls(String),
}

/// A running simulator; it stops, and closes its connections, when dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    task: JoinHandle<()>,
    /// Dropping it ends every open connection.
    _running: oneshot::Sender<()>,
}

/// What the simulator and its request handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    keyring: RwLock<Keyring>,
    faults: Mutex<FaultQueue>,
    log: Mutex<Log>,
}

impl Simulator {
    /// A builder with defaults: a free port of 127.0.0.1, no TLS, no keys.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn start(
        settings: Settings,
        keyring: Keyring,
        listen: SocketAddr,
        pem: Option<Pem>,
    ) -> Result<Self, StartError> {
        let acceptor = pem.as_ref().map(listener::acceptor).transpose()?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let bind_error = |source| StartError::Bind {
            address: listen,
            source,
        };
        let tcp = TcpListener::bind(listen).await.map_err(bind_error)?;
        let address = tcp.local_addr().map_err(bind_error)?;
        let shared = Arc::new(Shared {
            settings,
            keyring: RwLock::new(keyring),
            faults: Mutex::default(),
            log: Mutex::default(),
        });
        let (running, stopped) = oneshot::channel();
        let listener = SimulatorListener::new(tcp, acceptor, stopped);
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self {
            shared,
            address,
            scheme,
            task,
            _running: running,
        })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://…` or `https://…`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What was received since the start or the last [`clear`](Self::clear),
    /// oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.log().all()
    }

    /// Forgets what was received, and the faults that wait.
    pub fn clear(&self) {
        self.shared.log().clear();
        self.shared.faults().clear();
    }

    /// Queues a fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults().push(fault);
    }

    /// Queues these faults in the place of those that wait; what was received is kept.
    pub fn replace_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut queue = self.shared.faults();
        queue.clear();
        faults.into_iter().for_each(|fault| queue.push(fault));
    }

    /// Lets another access key call, as IAM does with credentials that STS has just issued.
    pub fn admit(&self, key: Key) {
        let keyring = self.shared.keyring.write();
        let mut keyring = keyring.unwrap_or_else(PoisonError::into_inner);
        keyring.keys.push(key);
    }

    /// The faults that no request has taken yet.
    #[must_use]
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.shared.faults().pending()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultQueue> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, recorded: Recorded) {
        self.settings.observer.see(&recorded);
        self.log().push(recorded);
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
