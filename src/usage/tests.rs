//! The outbox against any order of events: outages, lost answers, changed configurations, several workers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::proto::{Fields, Value};
use super::*;

/// Workers of the simulated Envoy.
const WORKERS: usize = 3;

/// A report that is under way: who sent it, its records, and the dropped ones that it tells of.
type Letter = (usize, Vec<[u8; 16]>, u64);

/// What the workers of an Envoy share, and the config-service at the other end.
#[derive(Default)]
struct World {
    queue: VecDeque<Vec<u8>>,
    values: BTreeMap<String, (Vec<u8>, u32)>,
    letters: BTreeMap<u32, Letter>,
    next: u32,
    /// Whether reports can be sent at all.
    is_cut_off: bool,
    /// Ids that have arrived, and how often anything did.
    arrived: BTreeSet<[u8; 16]>,
    told: u64,
    longest: usize,
}

/// A worker's hands.
struct Hands<'w> {
    world: &'w mut World,
    worker: usize,
}

impl Mailbox for Hands<'_> {
    fn put(&mut self, record: &[u8]) -> bool {
        self.world.queue.push_back(record.to_vec());
        self.world.longest = self.world.longest.max(self.world.queue.len());
        true
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        self.world.queue.pop_front()
    }

    fn load(&mut self, key: &str) -> (Vec<u8>, Option<u32>) {
        match self.world.values.get(key) {
            Some((value, version)) => (value.clone(), Some(*version)),
            None => (Vec::new(), None),
        }
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Stored {
        let known = self.world.values.get(key).map(|own| own.1);
        // Envoy takes any value if no version is given.
        if version.is_some() && version != known {
            return Stored::Overtaken;
        }
        let next = known.map_or(1, |own| own + 1);
        self.world
            .values
            .insert(key.to_owned(), (value.to_vec(), next));
        Stored::Kept
    }

    fn send(&mut self, report: &[u8]) -> Option<u32> {
        if self.world.is_cut_off {
            return None;
        }
        let mut ids = Vec::new();
        let mut dropped = 0;
        for field in Fields(report) {
            match field {
                (1, Value::Bytes(record)) => ids.push(id(record)),
                (2, Value::Number(count)) => dropped = count,
                _ => panic!("an unknown field: {field:?}"),
            }
        }
        self.world.next += 1;
        let letter = (self.worker, ids, dropped);
        self.world.letters.insert(self.world.next, letter);
        Some(self.world.next)
    }
}

fn id(record: &[u8]) -> [u8; 16] {
    match Fields(record).next() {
        Some((1, Value::Bytes(id))) => id.try_into().unwrap(),
        other => panic!("not a record's id: {other:?}"),
    }
}

/// An Envoy with its workers.
struct Envoy {
    world: World,
    workers: Vec<Outbox>,
    now: SystemTime,
    made: BTreeSet<[u8; 16]>,
    dropped: u64,
}

impl Envoy {
    fn new() -> Self {
        let worker = |number: usize| Outbox::new((number as u64 + 1).to_le_bytes());
        Self {
            world: World::default(),
            workers: (0..WORKERS).map(worker).collect(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_000_000),
            made: BTreeSet::new(),
            dropped: 0,
        }
    }

    fn with<T>(&mut self, worker: usize, act: impl FnOnce(&mut Outbox, &mut Hands<'_>) -> T) -> T {
        let mut hands = Hands {
            world: &mut self.world,
            worker,
        };
        act(&mut self.workers[worker], &mut hands)
    }

    fn request(&mut self, worker: usize) {
        let number = self.made.len() as u128 + u128::from(self.dropped) + 1;
        let record = Record {
            id: RecordId(number.to_le_bytes()),
            ..Record::default()
        };
        if self.with(worker, |own, hands| own.add(&record, hands)) {
            self.made.insert(record.id.0);
        } else {
            self.dropped += 1;
        }
    }

    fn tick(&mut self) {
        self.now += Duration::from_secs(1);
        let now = self.now;
        for worker in 0..WORKERS {
            self.with(worker, |own, hands| own.tick(now, hands));
        }
    }

    /// Every report that is under way arrives; its answer may not.
    fn deliver(&mut self, is_answered: bool) {
        let now = self.now;
        while let Some((number, (worker, ids, dropped))) = self.world.letters.pop_first() {
            self.world.arrived.extend(ids);
            self.world.told += dropped;
            let answer = is_answered.then_some(&[][..]);
            self.with(worker, |own, hands| {
                own.answered(number, answer, now, hands)
            });
        }
    }

    /// Every report that is under way fails.
    fn fail(&mut self) {
        let now = self.now;
        for (number, (worker, ..)) in std::mem::take(&mut self.world.letters) {
            self.with(worker, |own, hands| own.answered(number, None, now, hands));
        }
    }

    /// A VM ends without a word, and another one starts.
    fn trap(&mut self, worker: usize) {
        self.world.letters.retain(|_, letter| letter.0 != worker);
        self.world.next += 1;
        let name = (u64::from(self.world.next) + 1_000).to_le_bytes();
        self.workers[worker] = Outbox::new(name);
    }

    /// Until nothing waits any more.
    fn settle(&mut self) {
        self.world.is_cut_off = false;
        for _ in 0..20 {
            self.tick();
            self.deliver(true);
        }
        assert!(self.world.queue.is_empty());
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Requests(usize, usize),
    Tick,
    Delivered,
    DeliveredInVain,
    Failed,
    /// The calls are forgotten, as when a root context ends.
    Forgotten,
    CutOff(bool),
    /// The VM ends in good order, and another one starts.
    Replaced(usize),
    /// A fault ends the VM, and with it the calls that are under way; another one starts.
    Trapped(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..WORKERS, 1..700_usize).prop_map(|(worker, count)| Event::Requests(worker, count)),
        6 => Just(Event::Tick),
        4 => Just(Event::Delivered),
        1 => Just(Event::DeliveredInVain),
        2 => Just(Event::Failed),
        1 => Just(Event::Forgotten),
        1 => any::<bool>().prop_map(Event::CutOff),
        1 => (0..WORKERS).prop_map(Event::Replaced),
        1 => (0..WORKERS).prop_map(Event::Trapped),
    ]
}

fn apply(envoy: &mut Envoy, event: Event) {
    match event {
        Event::Requests(worker, count) => (0..count).for_each(|_| envoy.request(worker)),
        Event::Tick => envoy.tick(),
        Event::Delivered => envoy.deliver(true),
        Event::DeliveredInVain => envoy.deliver(false),
        Event::Failed => envoy.fail(),
        Event::Forgotten => envoy.world.letters.clear(),
        Event::CutOff(is_cut_off) => envoy.world.is_cut_off = is_cut_off,
        Event::Replaced(worker) => {
            envoy.with(worker, |own, hands| own.close(hands));
            envoy.trap(worker);
        }
        Event::Trapped(worker) => envoy.trap(worker),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_arrives_whatever_happens(events in prop::collection::vec(event(), 1..120)) {
        let mut envoy = Envoy::new();
        for event in events {
            apply(&mut envoy, event);
        }
        envoy.settle();
        prop_assert_eq!(envoy.dropped, 0);
        prop_assert_eq!(&envoy.world.arrived, &envoy.made);
    }
}

#[test]
fn one_worker_sends_for_all() {
    let mut envoy = Envoy::new();
    for worker in 0..WORKERS {
        envoy.request(worker);
    }
    envoy.tick();
    let senders: BTreeSet<_> = envoy.world.letters.values().map(|own| own.0).collect();
    assert_eq!(senders.len(), 1);
    envoy.deliver(true);
    envoy.tick();
    envoy.deliver(true);
    assert_eq!(envoy.world.arrived, envoy.made);
}

#[test]
fn another_worker_takes_over_when_the_first_is_silent() {
    let mut envoy = Envoy::new();
    envoy.tick();
    envoy.deliver(true);
    envoy.request(2);
    for _ in 0..5 {
        envoy.now += Duration::from_secs(1);
        let now = envoy.now;
        envoy.with(2, |own, hands| own.tick(now, hands));
    }
    envoy.deliver(true);
    assert_eq!(envoy.world.arrived, envoy.made);
}

#[test]
fn a_queue_that_is_full_takes_nothing_more_and_what_is_dropped_is_told() {
    let mut envoy = Envoy::new();
    envoy.world.is_cut_off = true;
    let limit = usize::try_from(MAX_WAITING).unwrap();
    for _ in 0..5 {
        for worker in 0..WORKERS {
            (0..limit / 8).for_each(|_| envoy.request(worker));
        }
        envoy.tick();
    }
    // Between two ticks a worker does not know what the others put.
    assert!(
        envoy.world.longest <= limit + limit * WORKERS / 8,
        "{}",
        envoy.world.longest
    );
    assert!(envoy.dropped > 0);
    envoy.world.is_cut_off = false;
    for _ in 0..limit {
        envoy.tick();
        envoy.deliver(true);
        if envoy.world.queue.is_empty() {
            break;
        }
    }
    envoy.settle();
    assert_eq!(envoy.world.arrived, envoy.made);
    assert_eq!(envoy.world.told, envoy.dropped);
    envoy.request(0);
    envoy.settle();
    assert_eq!(envoy.world.arrived, envoy.made, "there is room again");
}

#[test]
fn while_nobody_answers_one_report_at_a_time_is_tried() {
    let mut envoy = Envoy::new();
    (0..5_000).for_each(|_| envoy.request(0));
    envoy.tick();
    assert_eq!(envoy.world.letters.len(), 4);
    envoy.fail();
    envoy.tick();
    assert_eq!(envoy.world.letters.len(), 1);
    envoy.deliver(true);
    envoy.settle();
    assert_eq!(envoy.world.arrived, envoy.made);
}

#[test]
fn a_fault_of_the_vm_loses_nothing_that_was_under_way() {
    let mut envoy = Envoy::new();
    (0..3_500).for_each(|_| envoy.request(0));
    envoy.tick();
    assert_eq!(envoy.world.letters.len(), 4);
    let (sender, ..) = envoy.world.letters.values().next().unwrap();
    envoy.trap(*sender);
    assert!(envoy.world.letters.is_empty() && envoy.world.queue.is_empty());
    envoy.settle();
    assert_eq!(envoy.world.arrived, envoy.made);
    // Nothing is left of the copies.
    let copies = envoy.world.values.iter();
    let mut copies = copies.filter(|(key, _)| key.starts_with("bedrock.usage.flight."));
    assert!(copies.all(|(_, (copy, _))| copy.is_empty()));
}

#[test]
fn more_faults_than_there_is_room_for_copies_cost_nobody_else_anything() {
    let mut envoy = Envoy::new();
    for _ in 0..5 {
        (0..5_000).for_each(|_| envoy.request(0));
        envoy.tick();
        let senders: BTreeSet<_> = envoy.world.letters.values().map(|own| own.0).collect();
        senders.into_iter().for_each(|worker| envoy.trap(worker));
        envoy.now += Duration::from_secs(3);
    }
    envoy.settle();
    let before = envoy.world.arrived.len();
    assert!(before >= 8_000, "{before}: what there was room for");
    assert!(envoy.world.arrived.is_subset(&envoy.made));
    envoy.request(0);
    envoy.settle();
    assert_eq!(envoy.world.arrived.len(), before + 1);
}

#[test]
fn an_idle_envoy_asks_now_and_then() {
    let mut envoy = Envoy::new();
    let mut asked = 0;
    for _ in 0..20 {
        envoy.tick();
        asked += envoy.world.letters.len();
        envoy.deliver(true);
    }
    assert_eq!(asked, 4);
}

/// Two budgets that are spent: a's tokens until 2001-09-09, and b's money.
fn spent() -> Vec<u8> {
    [
        &[0x0a, 9, 0x0a, 1, b'a', 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03][..],
        &[
            0x0a, 11, 0x0a, 1, b'b', 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03, 0x18, 1,
        ],
    ]
    .concat()
}

#[test]
fn an_answer_says_whose_budget_is_spent() {
    let ack = Ack::read(&spent());
    let all: Vec<_> = ack
        .exhausted
        .iter()
        .map(|own| (&*own.caller, own.budget))
        .collect();
    assert_eq!(all, [("a", Budget::Tokens), ("b", Budget::Money)]);
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let own = ack.against("a", at(999_999_000)).unwrap();
    assert_eq!(ack.against("c", at(0)), None);
    assert_eq!(
        ack.against("a", at(1_000_000_000)),
        None,
        "it has begun anew"
    );
    let error = own.error(at(999_999_000));
    assert_eq!(
        (error.status.as_u16(), error.code),
        (429, Some("insufficient_quota"))
    );
    assert_eq!(error.retry_after, Some(1_000));
    assert!(error.message.contains("(tokens)"), "{error}");
    assert!(error.message.contains("2001-09-09 01:46 UTC"), "{error}");
}

#[test]
fn every_worker_learns_what_was_answered_within_a_tick() {
    let mut envoy = Envoy::new();
    envoy.tick();
    let (now, long_ago) = (envoy.now, SystemTime::UNIX_EPOCH);
    let (number, letter) = envoy.world.letters.pop_first().unwrap();
    let answer = spent();
    envoy.with(letter.0, |own, hands| {
        own.answered(number, Some(&answer), now, hands)
    });
    let knows = |envoy: &Envoy| {
        let knows = |own: &Outbox| own.against("a", long_ago).is_some();
        envoy.workers.iter().filter(|own| knows(own)).count()
    };
    assert_eq!(knows(&envoy), 1);
    envoy.tick();
    assert_eq!(knows(&envoy), WORKERS);
    envoy.deliver(true);
    envoy.tick();
    assert_eq!(knows(&envoy), WORKERS, "no report was due");
    for _ in 0..6 {
        envoy.tick();
        envoy.deliver(true);
    }
    assert_eq!(knows(&envoy), 0, "an empty answer frees everybody");
}

#[test]
fn refused_clients_take_no_room_from_others() {
    let mut envoy = Envoy::new();
    let refused = Record {
        code: "missing_api_key",
        foreseen: "missing_api_key",
        ..Record::default()
    };
    let served = Record {
        foreseen: "served",
        ..Record::default()
    };
    let put = |envoy: &mut Envoy, record: &Record| {
        let before = envoy.world.queue.len();
        assert!(envoy.with(0, |outbox, hands| outbox.add(record, hands)));
        envoy.world.queue.len() - before
    };
    let kept: usize = (0..1_000).map(|_| put(&mut envoy, &refused)).sum();
    assert!((1..100).contains(&kept), "{kept}");
    assert_eq!(put(&mut envoy, &served), 1);
    envoy.world.is_cut_off = true;
    let now = envoy.now;
    envoy.with(0, |outbox, hands| outbox.tick(now, hands));
    assert_eq!(put(&mut envoy, &refused), 1, "a second has passed");
}
