//! The filter's own metrics, among Envoy's statistics.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::exchange::Exchange;
use crate::relay::{Dispatcher, Event};

/// Linear memory of all VMs that served a request, in bytes. Envoy keeps one value for the process, to
/// which every VM adds what it grew by. A VM that Envoy replaces after a fault is not taken off again.
const MEMORY: &str = "bedrock_memory_bytes";

/// Answers that ended for a reason that nobody knows.
const UNKNOWN_REASONS: &str = "bedrock_unknown_finish_reasons_total";

/// How many reasons have a counter of their own: a counter is never forgotten, and models choose the words.
const MAX_REASONS: usize = 16;

/// Bytes of a page of linear memory.
const PAGE: usize = 64 * 1024;

thread_local! {
    /// Asked for once: looking a metric up costs more than changing it.
    static MEMORY_ID: Cell<Option<u32>> = const { Cell::new(None) };
    /// Counters that were looked up, by name.
    static COUNTERS: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
    /// Unknown reasons that have a counter.
    static REASONS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// Pages that were reported.
    static PAGES: Cell<usize> = const { Cell::new(0) };
}

/// Tells Envoy if memory has grown. It never shrinks, so most calls cost a comparison.
pub(super) fn report_memory() {
    let pages = pages();
    let grown = pages.saturating_sub(PAGES.replace(pages));
    if grown == 0 {
        return;
    }
    let id = MEMORY_ID.get().or_else(|| {
        let id = hostcalls::define_metric(MetricType::Gauge, MEMORY).ok();
        MEMORY_ID.set(id);
        id
    });
    let bytes = i64::try_from(grown * PAGE).unwrap_or(i64::MAX);
    if let Some(id) = id
        && hostcalls::increment_metric(id, bytes).is_err()
    {
        log::error!("Envoy did not take the metric {MEMORY}");
    }
}

/// Counts what happened to requests that are to be relayed.
pub(super) fn report_events(dispatcher: &Dispatcher) {
    for event in dispatcher.take_events() {
        let Event {
            channel, reason, ..
        } = &event;
        count(event.what.metric(), channel.as_deref(), reason);
    }
}

/// Counts an answer that ended for a reason that nobody knows, if this one did.
pub(super) fn report_end(exchange: &mut Exchange) {
    let Some((channel, reason)) = exchange.take_unknown_reason() else {
        return;
    };
    let is_counted = REASONS.with_borrow_mut(|reasons| {
        if reasons.len() < MAX_REASONS {
            reasons.insert(reason.clone());
        }
        reasons.contains(&reason)
    });
    let reason = if is_counted { &reason } else { "other" };
    count(UNKNOWN_REASONS, Some(channel), reason);
}

/// Adds one to a counter.
fn count(metric: &str, channel: Option<&str>, reason: &str) {
    if let Some(id) = counter(metric, channel, reason) {
        // A metric that Envoy does not take is not worth a request.
        let _ = hostcalls::increment_metric(id, 1);
    }
}

/// The id of a counter. Channel and reason stand in its name, between marks that the bootstrap's
/// `stats_tags` make labels of.
fn counter(metric: &str, channel: Option<&str>, reason: &str) -> Option<u32> {
    let name = match channel {
        Some(channel) => format!("{metric}_c.{channel}.__r.{reason}._"),
        None => format!("{metric}_r.{reason}._"),
    };
    COUNTERS.with_borrow_mut(|counters| {
        if let Some(id) = counters.get(&name) {
            return Some(*id);
        }
        let id = hostcalls::define_metric(MetricType::Counter, &name).ok()?;
        counters.insert(name, id);
        Some(id)
    })
}

fn pages() -> usize {
    core::arch::wasm32::memory_size::<0>()
}
