//! The filter's own metrics, among Envoy's statistics.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::relay::{Dispatcher, Event};

/// Linear memory of all VMs that served a request, in bytes. Envoy keeps one value for the process, to
/// which every VM adds what it grew by. A VM that Envoy replaces after a fault is not taken off again.
const MEMORY: &str = "bedrock_memory_bytes";

/// Bytes of a page of linear memory.
const PAGE: usize = 64 * 1024;

thread_local! {
    /// Asked for once: looking a metric up costs more than changing it.
    static MEMORY_ID: Cell<Option<u32>> = const { Cell::new(None) };
    /// Counters that were looked up, by name.
    static COUNTERS: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
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
        if let Some(id) = counter(&event) {
            // A metric that Envoy does not take is not worth a request.
            let _ = hostcalls::increment_metric(id, 1);
        }
    }
}

/// The counter of an event. Channel and reason stand in its name, between marks that the bootstrap's
/// `stats_tags` make labels of.
fn counter(event: &Event) -> Option<u32> {
    let (metric, reason) = (event.what.metric(), event.reason);
    let name = match &event.channel {
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
