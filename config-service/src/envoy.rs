//! Envoy as a child of this process, for everything in one container: started, restarted when it crashes, and
//! drained before it is stopped.

mod bootstrap;
mod drain;
mod launch;
mod restarts;

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use bootstrap::BootstrapError;
pub use launch::{Launch, Serving};
use restarts::Restarts;

/// How long Envoy may take to exit after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    stop: watch::Sender<Stop>,
    task: JoinHandle<Result<(), EnvoyError>>,
}

/// Why there is no Envoy.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyError {
    /// Its bootstrap cannot be made.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// It cannot be started.
    #[error("cannot start Envoy, {program}: {source}; check --with-envoy")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ends again and again.
    #[error(
        "Envoy ended {0} times in a row soon after its start, at last with {1}; its log says why"
    )]
    KeepsEnding(u32, ExitStatus),
    /// Its end went unnoticed.
    #[error("cannot wait for Envoy: {0}")]
    Wait(std::io::Error),
    /// Nobody watches over it any more.
    #[error("the supervision of Envoy ended: {0}")]
    Unsupervised(String),
}

/// Whether Envoy is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    No,
    /// Once the requests in progress have ended.
    Drained,
    /// At once.
    Now,
}

impl Envoy {
    /// Starts Envoy for the service that listens here.
    ///
    /// # Errors
    ///
    /// When its bootstrap cannot be made, or it cannot be started.
    pub fn start(launch: &Launch, serving: Serving) -> Result<Self, EnvoyError> {
        let prepared = launch.prepare(serving)?;
        let child = prepared.spawn()?;
        let (stop, stopped) = watch::channel(Stop::No);
        Ok(Self {
            stop,
            task: tokio::spawn(supervise(prepared, child, stopped)),
        })
    }

    /// Waits until Envoy has ended for good although nobody stopped it.
    pub async fn failed(&mut self) -> EnvoyError {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            ended => EnvoyError::Unsupervised(format!("{ended:?}")),
        }
    }

    /// Stops Envoy: it takes no new connections, and requests in progress may finish for a while, unless
    /// `hurry` completes.
    pub async fn stop(mut self, hurry: impl Future<Output = ()>) {
        self.stop.send_replace(Stop::Drained);
        tokio::select! {
            _ = &mut self.task => return,
            () = hurry => {}
        }
        tracing::warn!("Envoy is stopped without waiting for requests in progress");
        self.stop.send_replace(Stop::Now);
        let _ = self.task.await;
    }
}

/// Keeps Envoy running until it is to stop.
async fn supervise(
    launch: launch::Prepared,
    mut child: Child,
    mut stop: watch::Receiver<Stop>,
) -> Result<(), EnvoyError> {
    let mut restarts = Restarts::default();
    loop {
        let started = Instant::now();
        tracing::info!(pid = child.id(), "Envoy started");
        let status = tokio::select! {
            ended = child.wait() => ended.map_err(EnvoyError::Wait)?,
            _ = stopping(&mut stop) => {
                end(child, launch.admin, launch.patience, stop).await;
                return Ok(());
            }
        };
        let Some(pause) = restarts.after(started.elapsed()) else {
            return Err(EnvoyError::KeepsEnding(restarts.short_lives(), status));
        };
        tracing::error!(%status, ?pause, "Envoy ended by itself and is started again");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping(&mut stop) => return Ok(()),
        }
        child = launch.spawn()?;
    }
}

/// Waits until Envoy is to stop. An error means that its owner is gone, which also means to stop.
async fn stopping(stop: &mut watch::Receiver<Stop>) {
    let _ = stop.wait_for(|stop| *stop != Stop::No).await;
}

/// Ends Envoy, after its requests if there is time.
async fn end(
    mut child: Child,
    admin: SocketAddr,
    patience: Duration,
    mut stop: watch::Receiver<Stop>,
) {
    let hurry = async {
        let _ = stop.wait_for(|stop| *stop == Stop::Now).await;
    };
    tokio::select! {
        _ = child.wait() => return,
        () = drain::drain(admin, patience) => {}
        () = hurry => {}
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        // Fails if it has ended meanwhile, which is what is wanted.
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        tracing::warn!("Envoy does not end and is killed");
        let _ = child.kill().await;
    }
    tracing::info!("Envoy stopped");
}
