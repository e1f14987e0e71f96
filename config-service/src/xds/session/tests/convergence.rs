//! From every state that edits, refusals, fetches, lost streams, restarts and new modules lead to, an Envoy
//! reaches what is published, and on the way no request loses the clusters and filters that it uses.
//!
//! `PROPTEST_CASES` sets the number of interleavings. The seed is fixed, so that runs are repeatable;
//! `PROPTEST_RNG_SEED` sets another.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::super::*;
use super::simulated::{Envoy, Sent};
use super::{DRAIN_TIME, cluster, terms};

/// Interleavings in the suite.
const CASES: u32 = 1_000;

/// Seed of the suite.
const SEED: u64 = 1;

/// The most events in one interleaving.
const MAX_STEPS: usize = 80;

/// The keys in use. In the end, an Envoy that lacks one is restarted with both.
const KEYS: [u8; 2] = [1, 2];

/// Enough steps to come to rest, whatever happened.
const PATIENCE: usize = 5_000;

#[derive(Clone, Debug)]
enum Step {
    /// An edit: which of four hosts channels lead to.
    Edit(u8),
    EnvoyReceives,
    ServiceReceives,
    NameIsResolved,
    FetchEnds,
    StreamBreaks,
    EnvoyConnects,
    /// The service restarts, perhaps with another module or key, with failover on or off.
    Restart {
        module: u64,
        failover: bool,
        key: u8,
    },
    /// The service restarts with an old copy of its database.
    Restore,
    /// The Envoy restarts, with the first of the keys or with both.
    EnvoyRestarts {
        lacks_key: bool,
    },
    RefusePlugin(bool),
    RefuseStages(bool),
    RefuseHost(Option<u8>),
    FailFetches(bool),
    /// A name cannot be resolved, until it can or is no longer needed.
    LoseName(Option<u8>),
    /// Requests continue on removed clusters, or end.
    RequestsGoOn(bool),
    /// Seconds.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..16).prop_map(Step::Edit),
        12 => Just(Step::EnvoyReceives),
        12 => Just(Step::ServiceReceives),
        6 => Just(Step::NameIsResolved),
        4 => Just(Step::FetchEnds),
        1 => Just(Step::StreamBreaks),
        3 => Just(Step::EnvoyConnects),
        2 => restart(),
        1 => faults(),
        1 => faults(),
        1 => faults(),
        3 => proptest::sample::select(WAITS.to_vec()).prop_map(Step::Wait),
    ]
}

/// None, a retry, part of the drain time, all of it, a day.
const WAITS: [u64; 6] = [
    0,
    1,
    20,
    DRAIN_TIME.as_secs() / 2,
    DRAIN_TIME.as_secs(),
    86_400,
];

fn restart() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1_u64..4, any::<bool>(), key())
            .prop_map(|(module, failover, key)| Step::Restart { module, failover, key }),
        1 => Just(Step::Restore),
        1 => any::<bool>().prop_map(|lacks_key| Step::EnvoyRestarts { lacks_key }),
    ]
}

/// Mostly the key that every Envoy has.
fn key() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(KEYS[0]), 1 => Just(KEYS[1])]
}

fn faults() -> impl Strategy<Value = Step> {
    let host = || proptest::option::of(0_u8..4);
    prop_oneof![
        any::<bool>().prop_map(Step::RefusePlugin),
        any::<bool>().prop_map(Step::RefuseStages),
        host().prop_map(Step::RefuseHost),
        any::<bool>().prop_map(Step::FailFetches),
        host().prop_map(Step::LoseName),
        any::<bool>().prop_map(Step::RequestsGoOn),
    ]
}

/// The service and one Envoy.
struct World {
    now: Instant,
    delivery: ModuleDelivery,
    module: Generation,
    key: u8,
    failover: bool,
    hosts: u8,
    published: Arc<Snapshot>,
    streams: u32,
    session: Option<Session>,
    envoy: Envoy,
    /// Listener filters that were in force, and when that ended: requests may still use them.
    earlier: Vec<(Instant, Sent)>,
    /// Whether the service has forgotten which clusters an Envoy may have.
    is_forgetful: bool,
}

fn host(number: u8) -> String {
    char::from(b'a' + number).to_string()
}

/// A cluster for each host, and pools of them if there is failover.
fn clusters(hosts: u8, failover: Option<Generation>) -> BTreeSet<Cluster> {
    let hosts = (0..4).filter(|number| hosts & 1 << number != 0).map(host);
    let plain: Vec<_> = hosts.map(|host| cluster(&host)).collect();
    let pools = failover.into_iter().flat_map(|generation| {
        plain
            .iter()
            .zip(plain.iter().cycle().skip(1))
            .map(move |(one, other)| Cluster {
                name: format!("bedrock|pool|{generation}|{}|{}", one.name, other.name),
                stage: Some(generation),
                ..one.clone()
            })
    });
    pools.chain(plain.clone()).collect()
}

impl World {
    fn new(delivery: ModuleDelivery) -> Self {
        let module = Generation::new(1);
        let clusters = clusters(1, Some(module));
        Self {
            now: Instant::now(),
            delivery,
            module,
            key: KEYS[0],
            failover: true,
            hosts: 1,
            published: Arc::new(Snapshot::with_clusters(1, clusters)),
            streams: 0,
            session: None,
            envoy: Envoy::new(delivery, KEYS.into()),
            earlier: Vec::new(),
            is_forgetful: false,
        }
    }

    fn publish(&mut self, revision: u64) {
        let failover = self.failover.then_some(self.module);
        let clusters = clusters(self.hosts, failover);
        let snapshot = Snapshot::with_clusters(revision, clusters).retire(&self.published);
        self.published = Arc::new(snapshot);
        if let Some(session) = &mut self.session {
            session.retarget(Arc::clone(&self.published));
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Edit(hosts) => {
                self.hosts = *hosts;
                self.publish(self.published.revision + 1);
            }
            Step::EnvoyReceives => self.envoy.receive(),
            Step::ServiceReceives => self.serve(),
            Step::NameIsResolved => self.envoy.resolve(),
            Step::FetchEnds => self.envoy.end_fetch(self.module),
            Step::StreamBreaks => self.disconnect(),
            Step::EnvoyConnects => self.connect(),
            Step::Restart {
                module,
                failover,
                key,
            } => {
                self.disconnect();
                self.module = Generation::new(*module);
                self.failover = *failover;
                self.key = *key;
                self.publish(self.published.revision);
            }
            Step::Restore => {
                self.disconnect();
                self.is_forgetful = true;
                let nothing = Snapshot::with_clusters(0, BTreeSet::new());
                self.published = Arc::new(nothing);
                self.publish(1);
            }
            Step::EnvoyRestarts { lacks_key } => {
                let keys = KEYS.into_iter().take(if *lacks_key { 1 } else { 2 });
                self.restart_envoy(keys.collect());
            }
            Step::RefusePlugin(is_on) => self.envoy.faults.refuses_plugin = *is_on,
            Step::RefuseStages(is_on) => self.envoy.faults.refuses_stages = *is_on,
            Step::RefuseHost(number) => self.envoy.faults.refuses_host = number.map(host),
            Step::FailFetches(is_on) => self.envoy.faults.fetches_fail = *is_on,
            Step::LoseName(number) => self.envoy.faults.unresolved = number.map(host),
            Step::RequestsGoOn(true) => self.envoy.faults.requests_go_on = true,
            Step::RequestsGoOn(false) => self.envoy.end_requests(),
            Step::Wait(seconds) => self.now += Duration::from_secs(*seconds),
        }
        self.advance();
    }

    fn connect(&mut self) {
        if self.session.is_none() {
            let terms = Terms {
                generation: self.module,
                stage_digest: format!("{} {}", self.module, self.key),
                ..terms(self.delivery)
            };
            self.streams += 1000;
            let target = Arc::clone(&self.published);
            self.session = Some(Session::new(terms, None, target, self.streams));
            self.envoy.connect();
        }
    }

    /// Its requests end with it.
    fn restart_envoy(&mut self, keys: BTreeSet<u8>) {
        self.session = None;
        self.earlier.clear();
        self.is_forgetful = false;
        self.envoy = Envoy::new(self.delivery, keys);
    }

    fn disconnect(&mut self) {
        self.session = None;
        self.envoy.disconnect();
    }

    fn serve(&mut self) {
        if let (Some(session), Some(request)) = (&mut self.session, self.envoy.outbox.pop_front()) {
            session.request(&request, self.now);
        }
    }

    fn advance(&mut self) {
        if let Some(session) = &mut self.session {
            for response in session.advance(self.now) {
                let delivered = (response, self.module, self.key);
                self.envoy.inbox.push_back(delivered);
            }
        }
    }

    /// Takes one step, then checks what must be true after it.
    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let before = self.envoy.listener().cloned();
        self.take(step);
        if let Some(before) = before
            && self.envoy.listener() != Some(&before)
            && !matches!(step, Step::EnvoyRestarts { .. })
        {
            self.earlier.push((self.now, before));
        }
        let (now, listener) = (self.now, self.envoy.listener().cloned());
        self.earlier.retain(|(ended, _)| now < *ended + DRAIN_TIME);
        if self.envoy.has_refused_clusters || self.is_forgetful {
            // Clusters that are left behind and refused are dropped, although they may be needed.
            return Ok(());
        }
        for sent in self.earlier.iter().map(|(_, sent)| sent).chain(&listener) {
            self.check_way_out(sent)?;
        }
        Ok(())
    }

    /// Checks that requests from a listener's filter arrive: every cluster that it names exists, and its
    /// pools' filter runs in the same VM.
    fn check_way_out(&self, sent: &Sent) -> Result<(), TestCaseError> {
        for cluster in sent.named() {
            let is_there = self.envoy.active.contains_key(&cluster.name);
            prop_assert!(
                is_there,
                "{} is missing for {}",
                cluster.name,
                sent.revision()
            );
            if let Some(generation) = cluster.stage {
                let stage = self.envoy.stage(generation);
                prop_assert_eq!(stage.map(|stage| stage.module), Some(sent.module));
            }
        }
        Ok(())
    }

    /// Makes everything go well from here on.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.envoy.end_requests();
        self.envoy.faults = Default::default();
        for _ in 0..PATIENCE {
            let step = if !self.envoy.keys.contains(&self.key) {
                Step::EnvoyRestarts { lacks_key: false }
            } else if self.session.is_none() {
                Step::EnvoyConnects
            } else if !self.envoy.outbox.is_empty() {
                Step::ServiceReceives
            } else if !self.envoy.inbox.is_empty() {
                Step::EnvoyReceives
            } else if self.envoy.resolves() {
                Step::NameIsResolved
            } else if !self.envoy.fetching.is_empty() {
                Step::FetchEnds
            } else {
                let wakes_at = self.session.as_ref().and_then(Session::wakes_at);
                let Some(wakes_at) = wakes_at else {
                    return self.check_arrived();
                };
                self.now = self.now.max(wakes_at);
                Step::Wait(0)
            };
            self.step(&step)?;
        }
        Err(TestCaseError::fail("it does not come to rest"))
    }

    fn check_arrived(&self) -> Result<(), TestCaseError> {
        let listener = self.envoy.listener();
        let seen = listener.map(|sent| (sent.revision(), sent.module));
        prop_assert_eq!(seen, Some((self.published.revision, self.module)));
        let mut expected = self.published.clusters.clone();
        expected.insert(Cluster::carrier(self.module));
        let active: BTreeSet<_> = self.envoy.active.values().cloned().collect();
        prop_assert_eq!(active, expected);
        let progress = self.session.as_ref().map(Session::progress);
        let progress = progress.unwrap_or_default();
        prop_assert_eq!(progress.waiting_for, None);
        prop_assert!(progress.plugin.is_current && progress.clusters.is_current);
        prop_assert_eq!(progress.plugin.active, Some(self.published.revision));
        Ok(())
    }
}

#[test]
fn every_envoy_reaches_what_is_published_from_every_state() {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    let mut runner = TestRunner::new(config);
    let delivery = prop_oneof![Just(ModuleDelivery::Fetched), Just(ModuleDelivery::Local)];
    let steps = proptest::collection::vec(step(), 1..MAX_STEPS);
    let outcome = runner.run(&(delivery, steps), |(delivery, steps)| {
        let mut world = World::new(delivery);
        for step in &steps {
            world.step(step)?;
        }
        world.settle()
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}
