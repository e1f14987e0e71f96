//! A running simulator.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::bill::Bill;
use crate::fault::{Fault, FaultQueue};
use crate::key::Key;
use crate::listener::{self, SimulatorListener};
use crate::recorded::{Log, Recorded};
use crate::script::Script;
use crate::server;
use crate::settings::{Builder, Pem, Settings};
use crate::signature::Keyring;

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken or not local.
    #[error("cannot listen on {address}")]
    Bind {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The PEM texts are not a certificate chain and private key.
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
    scripts: Mutex<Vec<Script>>,
    log: Mutex<Log>,
    bill: Mutex<Bill>,
    released: watch::Sender<()>,
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
            scripts: Mutex::default(),
            log: Mutex::default(),
            bill: Mutex::default(),
            released: watch::Sender::default(),
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

    /// The tokens of everything that was answered since the start.
    #[must_use]
    pub fn billed(&self) -> Bill {
        *self.shared.bill()
    }

    /// Forgets what was received, the faults that wait, and the scripts.
    pub fn clear(&self) {
        self.shared.log().clear();
        self.shared.faults().clear();
        self.shared.scripts().clear();
    }

    /// Answers requests from a script from now on.
    pub fn play(&self, script: Script) {
        self.shared.scripts().push(script);
    }

    /// Queues a fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults().push(fault);
    }

    /// Replaces the waiting faults by these; what was received is kept.
    pub fn replace_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut queue = self.shared.faults();
        queue.clear();
        faults.into_iter().for_each(|fault| queue.push(fault));
    }

    /// Lets every stream that has begun go on, if it is held or will be.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Accepts another access key, as IAM does with credentials that STS has just issued.
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

    pub(crate) fn scripts(&self) -> MutexGuard<'_, Vec<Script>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first script for a request with this body.
    pub(crate) fn script_for(&self, body: &Value) -> Option<Script> {
        let scripts = self.scripts();
        scripts.iter().find(|script| script.is_for(body)).cloned()
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

    pub(crate) fn release(&self) {
        self.released.send_replace(());
    }

    /// Changes when streams that are held shall go on.
    pub(crate) fn released(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    pub(crate) fn bill(&self) -> MutexGuard<'_, Bill> {
        self.bill.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
