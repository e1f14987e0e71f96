//! The filter's own metrics, among Envoy's statistics.

use std::cell::Cell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

/// Linear memory of all VMs that served a request, in bytes. Envoy keeps one value for the process, to
/// which every VM adds what it grew by. A VM that Envoy replaces after a fault is not taken off again.
const MEMORY: &str = "bedrock_memory_bytes";

/// Bytes of a page of linear memory.
const PAGE: usize = 64 * 1024;

thread_local! {
    /// Asked for once: looking a metric up costs more than changing it.
    static MEMORY_ID: Cell<Option<u32>> = const { Cell::new(None) };
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

#[cfg(target_arch = "wasm32")]
fn pages() -> usize {
    core::arch::wasm32::memory_size::<0>()
}

/// Where the host's functions are not, there is no linear memory either.
#[cfg(not(target_arch = "wasm32"))]
fn pages() -> usize {
    0
}
