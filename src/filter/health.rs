//! What all workers know of the channels, in Envoy's shared data.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

use super::host;
use crate::exchange::Exchange;
use crate::failover::ChannelPicker;
use crate::health::{Ledger, Seen, Trouble};

/// Start of the keys; each channel has one, so that workers seldom write the same.
const KEY: &str = "bedrock.health";

/// The key of a counter, which changes whenever the standing of any model does.
const CHANGES: &str = "bedrock.health.changes";

/// How often to try again if another worker was faster.
const TRIES: usize = 8;

/// Most models of which this worker remembers what it noted last, before it starts anew.
const MAX_NOTED: usize = 1_000;

/// What was noted, in which second, and what [`CHANGES`] was then.
type Noted = (Option<Trouble>, u64, u64);

thread_local! {
    /// What was noted last, by channel and model: the same need not be noted twice in one second.
    static NOTED: RefCell<BTreeMap<(String, String), Noted>> = const { RefCell::new(BTreeMap::new()) };
}

/// Notes what became of the call of a request that is tried once.
pub(super) fn report_call(exchange: &mut Exchange) {
    if let Some(seen) = exchange.take_seen() {
        note(&seen);
    }
}

/// Notes what became of attempts.
pub(super) fn report_attempts(picker: &ChannelPicker) {
    for seen in picker.take_seen() {
        note(&seen);
    }
}

/// What is remembered of a channel.
pub(super) fn recall(channel: &str) -> Ledger {
    Ledger::read(&load(&key(channel)).0)
}

fn note(seen: &Seen) {
    let now = host::now();
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if was_noted(seen, second) {
        return;
    }
    let mut has_changed = false;
    update(&key(&seen.channel), |bytes| {
        let mut ledger = Ledger::read(bytes);
        has_changed = ledger.note(seen, now);
        ledger.to_bytes()
    });
    if has_changed {
        update(CHANGES, |bytes| {
            count(bytes).wrapping_add(1).to_le_bytes().to_vec()
        });
    }
}

/// Whether nothing is new about a call.
fn was_noted(seen: &Seen, second: u64) -> bool {
    let own = (seen.trouble, second, count(&load(CHANGES).0));
    NOTED.with_borrow_mut(|noted| {
        if noted.len() >= MAX_NOTED {
            noted.clear();
        }
        noted.insert((seen.channel.clone(), seen.model.clone()), own) == Some(own)
    })
}

/// Replaces what is stored, unless other workers are always faster.
fn update(key: &str, mut change: impl FnMut(&[u8]) -> Vec<u8>) {
    for _ in 0..TRIES {
        let (stored, version) = load(key);
        let written = hostcalls::set_shared_data(key, Some(&change(&stored)), version);
        if !matches!(written, Err(Status::CasMismatch)) {
            return;
        }
    }
}

fn load(key: &str) -> (Vec<u8>, Option<u32>) {
    let (bytes, version) = hostcalls::get_shared_data(key).unwrap_or_default();
    (bytes.unwrap_or_default(), version)
}

fn count(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn key(channel: &str) -> String {
    format!("{KEY}|{channel}")
}
