//! Decides which credentials to use, when to renew them and when to stop using them. Does no IO: the
//! time and AWS's answers go in, and what to do comes out.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bedrock_filter::config::Credentials as Issued;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::FetchError;
use crate::channel::{CredentialState, CredentialStatus, Credentials, StoredChannel};

/// Credentials are renewed at this fraction of their lifetime. As much is left for this service to do
/// without AWS, or for Envoys to do without this service.
const RENEW_AT: u32 = 2;

/// Credentials without an expiry are looked up again after this time: a file may have changed.
const RECHECK: Duration = Duration::from_secs(5 * 60);

/// Credentials are dropped this long before they expire, or after nine tenths of their lifetime if
/// that is later, because a request that is signed now arrives a moment later.
const RETIRE_BEFORE: Duration = Duration::from_secs(10);

/// The first and the longest pause after a failure; it doubles each time.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Shortest time between two successful attempts.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The keys for the filter, by channel id.
pub type IssuedCredentials = BTreeMap<String, Issued>;

/// An answer from AWS.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fetched {
    /// Without the time until which the filter may use them, which the ledger decides.
    pub(crate) credentials: Issued,
    /// When AWS stops accepting them.
    pub(crate) expires_at: Option<SystemTime>,
}

/// Credentials to keep across a restart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saved {
    pub(crate) channel_id: String,
    /// The revision of the channel's edit for which they were issued.
    pub(crate) channel_revision: u64,
    pub(crate) channel_name: String,
    pub(crate) fetched: Fetched,
}

/// What to request from AWS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    pub(super) channel_id: String,
    pub(super) credentials: Credentials,
    pub(super) region: String,
}

/// All sources, by channel id.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    channel: String,
    channel_revision: u64,
    job: Job,
    held: Option<Held>,
    refreshed_at: Option<SystemTime>,
    last_error: Option<String>,
    refreshes: u64,
    failures: u64,
    /// Failures since the last success.
    streak: u32,
    next_attempt: SystemTime,
    busy: bool,
}

#[derive(Debug)]
struct Held {
    fetched: Fetched,
    /// When they must no longer be used.
    retire_at: Option<SystemTime>,
    /// They were issued for the configuration before the last edit.
    outdated: bool,
}

impl Ledger {
    /// Adopts the configuration. Credentials from a source that was changed stay in use until AWS
    /// has answered for the new one.
    pub(super) fn sync(&mut self, channels: &[StoredChannel], now: SystemTime) {
        let mut before = std::mem::take(&mut self.entries);
        for stored in channels {
            let channel = &stored.channel;
            if !channel.enabled || channel.credentials.written().is_some() {
                continue;
            }
            let job = Job {
                channel_id: stored.id.clone(),
                credentials: channel.credentials.clone(),
                region: channel.region.clone(),
            };
            let mut entry = before
                .remove(&stored.id)
                .unwrap_or_else(|| Entry::new(job.clone(), now));
            entry.channel.clone_from(&channel.name);
            entry.channel_revision = stored.revision;
            if entry.job != job {
                entry.restart(job, now);
            }
            self.entries.insert(stored.id.clone(), entry);
        }
    }

    /// Adopts what an earlier process kept, if it still matches the configuration and has not
    /// expired.
    pub(super) fn restore(&mut self, saved: Vec<Saved>, now: SystemTime) {
        for saved in saved {
            let entry = self.entries.get_mut(&saved.channel_id);
            if let Some(entry) = entry.filter(|it| it.channel_revision == saved.channel_revision) {
                entry.hold(saved.fetched, now);
                entry.retire(now);
            }
        }
    }

    /// The credentials that can be kept.
    pub(super) fn saved(&self) -> Vec<Saved> {
        let entries = self.entries.iter();
        entries
            .filter_map(|(id, entry)| {
                let held = entry.held.as_ref().filter(|held| !held.outdated)?;
                Some(Saved {
                    channel_id: id.clone(),
                    channel_revision: entry.channel_revision,
                    channel_name: entry.channel.clone(),
                    fetched: held.fetched.clone(),
                })
            })
            .collect()
    }

    /// What to request from AWS now; each job counts as running from here on.
    pub(super) fn due(&mut self, now: SystemTime) -> Vec<Job> {
        let due = |entry: &&mut Entry| !entry.busy && entry.next_attempt <= now;
        self.entries
            .values_mut()
            .filter(due)
            .map(|entry| {
                entry.busy = true;
                entry.job.clone()
            })
            .collect()
    }

    /// Records the outcome of a job. Returns whether the issued credentials have changed.
    pub(super) fn record(
        &mut self,
        job: &Job,
        outcome: Result<Fetched, FetchError>,
        now: SystemTime,
    ) -> bool {
        let entry = self.entries.get_mut(&job.channel_id);
        // The answer to an outdated request is useless.
        let Some(entry) = entry.filter(|entry| entry.job == *job) else {
            return false;
        };
        entry.busy = false;
        match outcome {
            Ok(fetched) => entry.succeed(fetched, now),
            Err(error) => entry.fail(&error, now),
        }
    }

    /// Drops credentials that are about to expire. Returns whether there were any.
    pub(super) fn retire(&mut self, now: SystemTime) -> bool {
        let mut changed = false;
        for entry in self.entries.values_mut() {
            changed |= entry.retire(now);
        }
        changed
    }

    /// Abandons running jobs, so that they are due again.
    pub(super) fn forget_jobs(&mut self) {
        for entry in self.entries.values_mut() {
            entry.busy = false;
        }
    }

    /// When there will be something to do next.
    pub(super) fn next_event(&self) -> Option<SystemTime> {
        let entries = self.entries.values();
        entries
            .flat_map(|entry| {
                let attempt = Some(entry.next_attempt).filter(|_| !entry.busy);
                let retire = entry.held.as_ref().and_then(|held| held.retire_at);
                attempt.into_iter().chain(retire)
            })
            .min()
    }

    /// Whether AWS has answered for every source at least once, or there are credentials for it
    /// already.
    pub(super) fn is_settled(&self) -> bool {
        let mut entries = self.entries.values();
        entries.all(|entry| entry.held.is_some() || entry.last_error.is_some())
    }

    /// The credentials to publish.
    pub(super) fn issued(&self) -> IssuedCredentials {
        let entries = self.entries.iter();
        entries
            .filter_map(|(id, entry)| {
                let held = entry.held.as_ref()?;
                let credentials = held.fetched.credentials.clone();
                let until = held.retire_at.map(seconds);
                Some((id.clone(), credentials.expiring(until)))
            })
            .collect()
    }

    /// The state of each source, by channel id.
    pub(super) fn status(&self) -> BTreeMap<String, CredentialStatus> {
        let entries = self.entries.iter();
        entries
            .map(|(id, entry)| (id.clone(), entry.status()))
            .collect()
    }
}

impl Entry {
    fn new(job: Job, now: SystemTime) -> Self {
        Self {
            channel: String::new(),
            channel_revision: 0,
            job,
            held: None,
            refreshed_at: None,
            last_error: None,
            refreshes: 0,
            failures: 0,
            streak: 0,
            next_attempt: now,
            busy: false,
        }
    }

    fn restart(&mut self, job: Job, now: SystemTime) {
        self.job = job;
        self.busy = false;
        self.streak = 0;
        self.last_error = None;
        self.next_attempt = now;
        if let Some(held) = &mut self.held {
            held.outdated = true;
        }
    }

    fn hold(&mut self, fetched: Fetched, now: SystemTime) {
        let life = fetched
            .expires_at
            .map(|expiry| expiry.duration_since(now).unwrap_or_default());
        let before_end = |margin: Duration| {
            let expiry = fetched.expires_at?;
            expiry.checked_sub(margin)
        };
        let renew_at = life.and_then(|life| before_end(life / RENEW_AT));
        // Unchanged credentials are not published again, so the filter keeps the time that it was
        // given before.
        let known = self.held.as_ref().filter(|held| held.fetched == fetched);
        let retire_at = match known {
            Some(held) => held.retire_at,
            None => life.and_then(|life| before_end(RETIRE_BEFORE.min(life / 10))),
        };
        self.next_attempt = renew_at.map_or(now + RECHECK, |at| at.max(now + MIN_INTERVAL));
        self.held = Some(Held {
            fetched,
            retire_at,
            outdated: false,
        });
    }

    fn succeed(&mut self, fetched: Fetched, now: SystemTime) -> bool {
        if fetched.expires_at.is_some_and(|expiry| expiry <= now) {
            return self.fail(&FetchError::Expired, now);
        }
        self.refreshes += 1;
        self.streak = 0;
        self.last_error = None;
        self.refreshed_at = Some(now);
        let held = self.held.as_ref().map(|held| &held.fetched);
        let changed = held != Some(&fetched);
        self.hold(fetched, now);
        changed
    }

    /// The last good ones stay until they expire; those from an earlier source do not.
    fn fail(&mut self, error: &FetchError, now: SystemTime) -> bool {
        let pause = MIN_BACKOFF * 2_u32.saturating_pow(self.streak.min(16));
        self.next_attempt = now + pause.min(MAX_BACKOFF);
        self.failures += 1;
        self.streak += 1;
        self.last_error = Some(error.to_string());
        self.held.take_if(|held| held.outdated).is_some()
    }

    fn retire(&mut self, now: SystemTime) -> bool {
        let over = |held: &mut Held| held.retire_at.is_some_and(|at| at <= now);
        self.held.take_if(over).is_some()
    }

    fn status(&self) -> CredentialStatus {
        let held = self.held.as_ref();
        let expiry = held.and_then(|held| held.fetched.expires_at);
        CredentialStatus {
            state: match (held, &self.last_error) {
                (Some(_), _) => CredentialState::Ready,
                (None, None) => CredentialState::Pending,
                (None, Some(_)) => CredentialState::Unavailable,
            },
            expires_at: expiry.and_then(shown),
            refreshed_at: self.refreshed_at.and_then(shown),
            last_error: self.last_error.clone(),
            refreshes: self.refreshes,
            failures: self.failures,
            expiry,
            channel: self.channel.clone(),
            kind: self.job.credentials.effective().kind(),
        }
    }
}

/// Whole seconds since the epoch.
fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn shown(time: SystemTime) -> Option<String> {
    let time = OffsetDateTime::from(time).truncate_to_millisecond();
    time.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests;
