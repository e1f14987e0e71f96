//! Keeps credentials fresh: calls AWS when the ledger says so, and publishes the outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use super::aws::Aws;
use super::error::FetchError;
use super::ledger::{Fetched, IssuedCredentials, Job, Ledger, Saved};
use crate::channel::{CredentialState, CredentialStatus, StoredChannel};

/// How long AWS may take for one attempt, all of its calls together.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause before retrying a failed publication.
const PUBLISH_PAUSE: Duration = Duration::from_secs(1);

/// Wakes up at least this often, in case the clock was changed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Most attempts that run at once: many channels may come due together, as at the start.
const MAX_ATTEMPTS: usize = 16;

/// Gets credentials for all channels that have a source. Clones share one state.
#[derive(Clone, Debug)]
pub struct Keeper {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ledger: Mutex<Ledger>,
    aws: Aws,
    wake: Notify,
    /// Limits the attempts that run at once.
    slots: Arc<Semaphore>,
}

type Attempts = JoinSet<(Job, Result<Fetched, FetchError>)>;

impl Keeper {
    /// Calls AWS through this client.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        let inner = Inner {
            ledger: Mutex::default(),
            aws,
            wake: Notify::new(),
            slots: Arc::new(Semaphore::new(MAX_ATTEMPTS)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Adopts the configuration, and requests new credentials at once.
    pub(crate) fn sync(&self, channels: &[StoredChannel]) {
        self.lock().sync(channels, SystemTime::now());
        self.inner.wake.notify_one();
    }

    /// Adopts what an earlier process kept.
    pub(crate) fn restore(&self, saved: Vec<Saved>) {
        self.lock().restore(saved, SystemTime::now());
    }

    /// The credentials that can be kept across a restart.
    pub(crate) fn saved(&self) -> Vec<Saved> {
        self.lock().saved()
    }

    /// The credentials to publish.
    pub(crate) fn issued(&self) -> IssuedCredentials {
        self.lock().issued()
    }

    /// Ids of the channels whose source has not provided credentials.
    pub(crate) fn lacking(&self) -> BTreeSet<String> {
        let status = self.status().into_iter();
        let lacking = status.filter(|(_, status)| status.state != CredentialState::Ready);
        lacking.map(|(id, _)| id).collect()
    }

    /// The state of each source, by channel id; for the API and for metrics.
    #[must_use]
    pub fn status(&self) -> BTreeMap<String, CredentialStatus> {
        self.lock().status()
    }

    /// Waits for the first answers from AWS, but no longer than `patience`, so that the first
    /// configuration has every channel that can serve.
    ///
    /// Returns whether there was an answer to publish.
    pub(crate) async fn settle(&self, patience: Duration) -> bool {
        let mut changed = false;
        let settled = async {
            let mut attempts = Attempts::new();
            loop {
                self.start_due(&mut attempts);
                if self.lock().is_settled() {
                    break;
                }
                match attempts.join_next().await {
                    Some(Ok((job, outcome))) => {
                        changed |= self.record(&job, outcome);
                    }
                    Some(Err(_)) => {}
                    None => break,
                }
            }
        };
        if tokio::time::timeout(patience, settled).await.is_err() {
            tracing::warn!("AWS has not answered for every channel yet; starting without them");
        }
        self.lock().forget_jobs();
        changed
    }

    /// Runs until `stopped` turns true; `publish` publishes the current credentials.
    pub(crate) async fn run<F, E>(self, publish: impl Fn() -> F, mut stopped: watch::Receiver<bool>)
    where
        F: Future<Output = Result<(), E>>,
        E: Display,
    {
        let mut attempts = Attempts::new();
        let mut unpublished = false;
        loop {
            self.start_due(&mut attempts);
            let pause = if unpublished {
                PUBLISH_PAUSE
            } else {
                self.until_next_event()
            };
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = self.inner.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                Some(done) = attempts.join_next() => {
                    let more = std::iter::from_fn(|| attempts.try_join_next());
                    for (job, outcome) in std::iter::once(done).chain(more).flatten() {
                        unpublished |= self.record(&job, outcome);
                    }
                }
            }
            unpublished |= self.lock().retire(SystemTime::now());
            if unpublished {
                match publish().await {
                    Ok(()) => unpublished = false,
                    Err(error) => {
                        tracing::error!(%error, "renewed credentials could not be published");
                    }
                }
            }
        }
    }

    fn start_due(&self, attempts: &mut Attempts) {
        for job in self.lock().due(SystemTime::now()) {
            let (aws, slots) = (self.inner.aws.clone(), Arc::clone(&self.inner.slots));
            attempts.spawn(async move {
                // A separate task, so that a panic counts as a failure, which is retried later.
                let task = tokio::spawn(attempt(aws, slots, job.clone()));
                let outcome = task.await;
                let outcome = outcome.unwrap_or(Err(FetchError::Interrupted));
                (job, outcome)
            });
        }
    }

    fn record(&self, job: &Job, outcome: Result<Fetched, FetchError>) -> bool {
        let kind = job.credentials.kind();
        match &outcome {
            Ok(_) => tracing::info!(channel.id = job.channel_id, kind, "credentials renewed"),
            Err(reason) => tracing::warn!(
                channel.id = job.channel_id,
                kind,
                %reason,
                "credentials could not be renewed"
            ),
        }
        self.lock().record(job, outcome, SystemTime::now())
    }

    fn until_next_event(&self) -> Duration {
        let next = self.lock().next_event();
        let until = next.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
        until.unwrap_or(MAX_SLEEP).min(MAX_SLEEP)
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.inner
            .ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn attempt(aws: Aws, slots: Arc<Semaphore>, job: Job) -> Result<Fetched, FetchError> {
    // The semaphore is never closed.
    let _slot = slots.acquire().await;
    let fetch = aws.fetch(&job.credentials, &job.region);
    let outcome = tokio::time::timeout(ATTEMPT_TIMEOUT, fetch).await;
    let outcome = outcome.unwrap_or(Err(FetchError::TimedOut));
    outcome.and_then(usable)
}

/// Credentials that the filter would refuse must not get into the configuration, where they would hold
/// up all others.
fn usable(fetched: Fetched) -> Result<Fetched, FetchError> {
    if fetched.credentials.faults().is_empty() {
        Ok(fetched)
    } else {
        Err(FetchError::Unusable)
    }
}
