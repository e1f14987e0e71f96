//! Sends records in batches, and sends again what is not acknowledged.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::flights::{self, Place};
use super::level::{Change, settle};
use super::proto::{message, number};
use super::{Ack, Exhausted, Mailbox, Record, Stored, lease};

/// Most records that wait in an Envoy, some 40 MB: half an hour's at 100 a second. What comes on top is dropped, and
/// counted.
pub const MAX_WAITING: u64 = 200_000;

/// Most records of refused clients that a worker puts between two ticks.
const MAX_REFUSED: u64 = 20;

/// Most records of one report.
const BATCH: usize = 1_000;

/// Most bytes of one report; gRPC servers take 4 MiB.
const BATCH_BYTES: usize = 1024 * 1024;

/// Most reports that are under way at once.
const MAX_FLIGHTS: usize = 4;

/// When to give up on an answer. Envoy gives up after two seconds; but it forgets the calls of a configuration that is
/// replaced, and then no answer comes at all.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// Key of the latest answer, which all workers read.
const ANSWER: &str = "bedrock.usage.answer";

/// Version of its format.
const ANSWER_VERSION: u8 = 1;

/// How often to report at least: the answer says whose budget others have spent.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// One worker's end of the queue.
#[derive(Debug)]
pub struct Outbox {
    /// The worker's name, unlike any other's.
    own: [u8; 8],
    flights: BTreeMap<u32, Flight>,
    /// What the other workers do not know of yet.
    change: Change,
    /// How many more records may be put until the next tick.
    room: u64,
    /// How many more records of refused clients may be put until then.
    room_for_refused: u64,
    /// Whether the latest answer was none: then one report at a time is enough to find out when that is over.
    is_failing: bool,
    /// Whether this worker was the one that sends, at the latest tick.
    leads: bool,
    sent_at: Option<SystemTime>,
    /// The latest answer, as it is kept for all workers, and what it says.
    answer: (Vec<u8>, Ack),
}

/// A report that is under way.
#[derive(Debug)]
struct Flight {
    records: Vec<Vec<u8>>,
    dropped: u64,
    since: SystemTime,
    /// Where a copy of it is, for when this VM ends.
    copy: Option<Place>,
}

impl Outbox {
    /// The outbox of a worker with this name, which must be unlike any other's.
    #[must_use]
    pub fn new(own: [u8; 8]) -> Self {
        Self {
            own,
            flights: BTreeMap::new(),
            change: Change::default(),
            room: MAX_WAITING,
            room_for_refused: MAX_REFUSED,
            is_failing: false,
            leads: false,
            sent_at: None,
            answer: Default::default(),
        }
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> [u8; 8] {
        self.own
    }

    /// Whether it takes records.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.room > 0
    }

    /// Whether the latest report was not acknowledged.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Takes the record of a request that has ended; `false` if there is no room for it.
    ///
    /// Whoever has no key can be refused as often as it likes, and must take no room from requests that cost something. So
    /// of refused clients only some are recorded; metrics count them all.
    pub fn add(&mut self, record: &Record, mailbox: &mut dyn Mailbox) -> bool {
        if record.is_of_refused_client() {
            let Some(room) = self.room_for_refused.checked_sub(1) else {
                return true;
            };
            self.room_for_refused = room;
        }
        let is_in = self.room > 0 && mailbox.put(&record.encode());
        if is_in {
            self.room -= 1;
            self.change.put += 1;
        } else {
            self.change.dropped += 1;
        }
        is_in
    }

    /// Takes a tick, which comes about once a second.
    pub fn tick(&mut self, now: SystemTime, mailbox: &mut dyn Mailbox) {
        self.give_up(now, mailbox);
        self.room_for_refused = MAX_REFUSED;
        let mut dropped = 0;
        if let Some(level) = settle(self.change, mailbox) {
            self.change = Change::default();
            self.room = MAX_WAITING.saturating_sub(level.waiting);
            let flights = self.flights.values();
            let under_way: u64 = flights.map(|own| own.dropped).sum();
            dropped = level.dropped.saturating_sub(under_way);
        }
        let (answer, _) = mailbox.load(ANSWER);
        self.learn(answer);
        self.leads = lease::renew(self.own, now, mailbox);
        if self.leads {
            self.recover(now, mailbox);
            self.send(now, dropped, mailbox);
        }
    }

    /// The budget that keeps a caller from asking.
    #[must_use]
    pub fn against(&self, caller: &str, now: SystemTime) -> Option<&Exhausted> {
        self.answer.1.against(caller, now)
    }

    /// Takes what was answered, if that is new.
    fn learn(&mut self, answer: Vec<u8>) {
        if answer != self.answer.0 {
            let message = answer.strip_prefix(&[ANSWER_VERSION]).unwrap_or_default();
            let ack = Ack::read(message);
            self.answer = (answer, ack);
        }
    }

    /// Takes the answer to a report, or that there is none.
    pub fn answered(
        &mut self,
        number: u32,
        answer: Option<&[u8]>,
        now: SystemTime,
        mailbox: &mut dyn Mailbox,
    ) {
        let Some(flight) = self.flights.remove(&number) else {
            return;
        };
        self.is_failing = answer.is_none();
        let Some(answer) = answer else {
            return self.put_back(flight, mailbox);
        };
        self.keep(answer, mailbox);
        if let Some(copy) = flight.copy {
            flights::free(copy, mailbox);
        }
        self.change.told += flight.dropped;
        // There may be more in the queue than fits into what a tick sends.
        if self.leads && flight.records.len() >= BATCH {
            self.send(now, 0, mailbox);
        }
    }

    /// Keeps an answer for all workers, if it is new. The latest counts.
    fn keep(&mut self, message: &[u8], mailbox: &mut dyn Mailbox) {
        let answer = [&[ANSWER_VERSION], message].concat();
        let (stored, version) = mailbox.load(ANSWER);
        if stored == answer || mailbox.store(ANSWER, &answer, version) == Stored::Kept {
            self.learn(answer);
        }
    }

    /// Puts back what is under way: nobody will take the answers.
    pub fn close(&mut self, mailbox: &mut dyn Mailbox) {
        for (_, flight) in std::mem::take(&mut self.flights) {
            self.put_back(flight, mailbox);
        }
        // What is not told now, nobody tells.
        if settle(self.change, mailbox).is_some() {
            self.change = Change::default();
        }
    }

    fn give_up(&mut self, now: SystemTime, mailbox: &mut dyn Mailbox) {
        let is_lost = |flight: &Flight| {
            let waited = now.duration_since(flight.since);
            waited.is_ok_and(|waited| waited >= LOST_AFTER)
        };
        let lost: Vec<_> = self.flights.extract_if(.., |_, own| is_lost(own)).collect();
        for (_, flight) in lost {
            self.is_failing = true;
            self.put_back(flight, mailbox);
        }
    }

    /// Puts the records into the queue again that a VM had under way when a fault ended it. Some may have arrived, but
    /// what arrives twice counts once.
    fn recover(&mut self, now: SystemTime, mailbox: &mut dyn Mailbox) {
        for _ in 0..flights::PLACES {
            let Some((copy, records)) = flights::abandoned(now, mailbox) else {
                return;
            };
            let flight = Flight {
                records,
                dropped: 0,
                since: now,
                copy: Some(copy),
            };
            self.put_back(flight, mailbox);
        }
    }

    fn put_back(&mut self, flight: Flight, mailbox: &mut dyn Mailbox) {
        for record in flight.records {
            if mailbox.put(&record) {
                self.change.put += 1;
            } else {
                self.change.dropped += 1;
            }
        }
        // Not before: between the two they are there twice, and not at all the other way round.
        if let Some(copy) = flight.copy {
            flights::free(copy, mailbox);
        }
    }

    /// Sends what waits, as far as reports may be under way; an empty one if none was sent for a while.
    fn send(&mut self, now: SystemTime, mut dropped: u64, mailbox: &mut dyn Mailbox) {
        let most = if self.is_failing { 1 } else { MAX_FLIGHTS };
        while self.flights.len() < most {
            let records = self.take(mailbox);
            let is_due = self.sent_at.is_none_or(|at| {
                let silent = now.duration_since(at);
                silent.is_ok_and(|silent| silent >= AT_LEAST_EVERY)
            });
            if records.is_empty() && dropped == 0 && !is_due {
                return;
            }
            let is_last = records.len() < BATCH;
            let mut flight = Flight {
                records,
                dropped: std::mem::take(&mut dropped),
                since: now,
                copy: None,
            };
            let report = flight.report();
            if !flight.records.is_empty() {
                flight.copy = flights::keep(&report, now, mailbox);
            }
            self.sent_at = Some(now);
            match mailbox.send(&report) {
                Some(number) => {
                    self.flights.insert(number, flight);
                }
                None => {
                    self.is_failing = true;
                    return self.put_back(flight, mailbox);
                }
            }
            if is_last {
                return;
            }
        }
    }

    /// Takes a batch from the queue.
    fn take(&mut self, mailbox: &mut dyn Mailbox) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.len() < BATCH && bytes < BATCH_BYTES {
            let Some(record) = mailbox.take() else {
                (self.change.put, self.change.taken) = (0, 0);
                self.change.emptied = true;
                return records;
            };
            self.change.taken += 1;
            bytes += record.len();
            records.push(record);
        }
        records
    }
}

impl Flight {
    /// The message `Report` of `usage.proto`.
    fn report(&self) -> Vec<u8> {
        let size = self.records.iter().map(|record| record.len() + 4).sum();
        let mut out = Vec::with_capacity(size);
        for record in &self.records {
            message(&mut out, 1, record);
        }
        number(&mut out, 2, self.dropped);
        out
    }
}
