//! The filter's own metrics, among Envoy's statistics.

use std::cell::{Cell, RefCell};

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::exchange::Exchange;
use crate::failover::{ChannelPicker, Event};
use crate::telemetry::metric::{LIMITED, MEMORY};
use crate::telemetry::{Book, Kind, Meter, Report};

/// Bytes of a page of linear memory.
const PAGE: usize = 64 * 1024;

thread_local! {
    static BOOK: RefCell<Book> = RefCell::default();
    /// Pages that have been reported.
    static PAGES: Cell<usize> = const { Cell::new(0) };
}

/// Envoy's statistics.
struct Statistics;

impl Meter for Statistics {
    fn define(&mut self, kind: Kind, statistic: &str) -> Option<u32> {
        let kind = match kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        hostcalls::define_metric(kind, statistic)
            .inspect_err(|_| log::error!("Envoy refused the metric {statistic}"))
            .ok()
    }

    fn add(&mut self, number: u32, by: u64) {
        // A number that Envoy refuses is not worth failing a request.
        let _ = hostcalls::increment_metric(number, i64::try_from(by).unwrap_or(i64::MAX));
    }

    fn record(&mut self, number: u32, value: u64) {
        let _ = hostcalls::record_metric(number, value);
    }
}

/// Tells Envoy if memory has grown. It never shrinks, so most calls cost one comparison.
pub(super) fn report_memory() {
    let pages = pages();
    let grown = pages.saturating_sub(PAGES.replace(pages));
    if grown > 0 {
        let bytes = u64::try_from(grown * PAGE).unwrap_or(u64::MAX);
        BOOK.with_borrow_mut(|book| book.add(&MEMORY, bytes, &mut Statistics));
    }
}

/// Counts what happened to requests that may be tried several times.
pub(super) fn report_events(picker: &ChannelPicker) {
    for event in picker.take_events() {
        let Event {
            channel,
            kind,
            reason,
        } = event;
        BOOK.with_borrow_mut(|book| {
            book.event(kind.metric(), channel.as_deref(), reason, &mut Statistics);
        });
    }
}

/// Counts and measures a request that has ended.
pub(super) fn report_end(report: &Report) {
    BOOK.with_borrow_mut(|book| book.enter(report, &mut Statistics));
}

/// Counts a request that was denied by a limit.
pub(super) fn report_denial(exchange: &mut Exchange) {
    if let Some(reason) = exchange.take_denial() {
        BOOK.with_borrow_mut(|book| book.event(&LIMITED, None, reason, &mut Statistics));
    }
}

fn pages() -> usize {
    core::arch::wasm32::memory_size::<0>()
}
