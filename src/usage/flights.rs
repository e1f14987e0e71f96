//! Copies of the reports that are under way, where a fault of the VM does not reach: the records in them are in no queue.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::proto::{Fields, Value};
use super::{Mailbox, Stored};

/// Most copies: those of a worker that sends, and of one that has just ceased to.
pub(super) const PLACES: usize = 8;

/// Key of the list of places.
const LIST: &str = "bedrock.usage.flights";

/// Version of its format.
const VERSION: u8 = 1;

/// How often to try again if another worker was faster.
const TRIES: usize = 16;

/// When the worker that sent a report must be gone: it gives up on the answer earlier than that.
const ABANDONED_AFTER: Duration = Duration::from_secs(8);

/// Since when each place is taken, in milliseconds since the epoch; 0 if it is free.
type List = [u64; PLACES];

/// The place of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Keeps a copy of a report; `None` if there is no place for it, which takes several faults at a time.
pub(super) fn keep(report: &[u8], now: SystemTime, mailbox: &mut dyn Mailbox) -> Option<Place> {
    let since = millis(now).max(1);
    let place = change(mailbox, |list| {
        let index = list.iter().position(|own| *own == 0)?;
        *list.get_mut(index)? = since;
        Some(index)
    })?;
    mailbox.store(&key(place), report, None);
    Some(Place(place))
}

/// Throws a copy away: the report was acknowledged, or its records are in the queue again.
pub(super) fn free(place: Place, mailbox: &mut dyn Mailbox) {
    mailbox.store(&key(place.0), &[], None);
    change(mailbox, |list| {
        *list.get_mut(place.0)? = 0;
        Some(())
    });
}

/// The records of a report whose worker is gone, and the place of the copy.
pub(super) fn abandoned(
    now: SystemTime,
    mailbox: &mut dyn Mailbox,
) -> Option<(Place, Vec<Vec<u8>>)> {
    let now = millis(now);
    let patience = u64::try_from(ABANDONED_AFTER.as_millis()).unwrap_or(u64::MAX);
    let (list, _) = mailbox.load(LIST);
    // A clock that was set back must not keep a copy for ever.
    let is_old = |since: &u64| *since != 0 && since.abs_diff(now) >= patience;
    let place = read(&list).iter().position(is_old)?;
    let (report, _) = mailbox.load(&key(place));
    let records = Fields(&report).filter_map(|field| match field {
        (1, Value::Bytes(record)) => Some(record.to_vec()),
        _ => None,
    });
    Some((Place(place), records.collect()))
}

/// Makes a change to the list, if there is one to make.
fn change<T>(mailbox: &mut dyn Mailbox, mut make: impl FnMut(&mut List) -> Option<T>) -> Option<T> {
    for _ in 0..TRIES {
        let (stored, version) = mailbox.load(LIST);
        let mut list = read(&stored);
        let made = make(&mut list)?;
        let bytes = list.map(u64::to_le_bytes);
        let value = [&[VERSION][..], bytes.as_flattened()].concat();
        if mailbox.store(LIST, &value, version) == Stored::Kept {
            return Some(made);
        }
    }
    None
}

fn read(value: &[u8]) -> List {
    let mut list = List::default();
    let places = value.strip_prefix(&[VERSION]).unwrap_or_default();
    for (own, bytes) in list.iter_mut().zip(places.as_chunks().0) {
        *own = u64::from_le_bytes(*bytes);
    }
    list
}

fn key(place: usize) -> String {
    format!("bedrock.usage.flight.{place}")
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
