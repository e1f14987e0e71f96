//! Which worker sends: one of all that share a queue, so that an Envoy needs one connection.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Mailbox, Stored};

/// Key of the lease.
const KEY: &str = "bedrock.usage.leader";

/// Version of its format.
const VERSION: u8 = 1;

/// How long a worker may be silent before another one takes over.
const TERM: Duration = Duration::from_secs(3);

/// Takes or renews the lease; whether the worker of this name has it.
pub(super) fn renew(own: [u8; 8], now: SystemTime, mailbox: &mut dyn Mailbox) -> bool {
    let now = millis(now);
    let (stored, version) = mailbox.load(KEY);
    if let Some((leader, until)) = read(&stored)
        && leader != own
        // A clock that was set back must not leave the Envoy without a leader.
        && (now..=now.saturating_add(millis(UNIX_EPOCH + TERM))).contains(&until)
    {
        return false;
    }
    let until = now.saturating_add(millis(UNIX_EPOCH + TERM));
    let value = [&[VERSION][..], &own, &until.to_le_bytes()].concat();
    mailbox.store(KEY, &value, version) == Stored::Kept
}

/// Who has it, and until when.
fn read(value: &[u8]) -> Option<([u8; 8], u64)> {
    let rest = value.strip_prefix(&[VERSION])?;
    let (leader, until) = rest.split_first_chunk()?;
    Some((*leader, u64::from_le_bytes(until.try_into().ok()?)))
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
