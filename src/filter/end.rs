//! Reports requests that have ended.

use super::{host, metrics, usage};
use crate::exchange::Exchange;
use crate::telemetry::{Ending, Report, tell_fields};

/// Notes the time at which a streamed answer had its first content.
pub(super) fn note_speech(exchange: &mut Exchange) {
    if exchange.has_just_spoken() {
        exchange.spoke_at(host::now());
    }
}

/// Reports a request to metrics, access log, traces and usage, if it has ended. Traces are closed at the end of the
/// answer, so that is when it has to be called.
pub(super) fn report(exchange: &mut Exchange) {
    if let Some(report) = exchange.take_report(host::now) {
        tell(exchange, &report);
    }
}

/// Does the same for a request whose stream is over: without an end, it was cancelled by the client or broke off.
pub(super) fn report_at_last(exchange: &mut Exchange) {
    report(exchange);
    if exchange.is_unreported() {
        let why = Ending::of_details(&host::reply_details());
        if let Some(report) = exchange.take_last_report(host::now(), why) {
            tell(exchange, &report);
        }
    }
}

fn tell(exchange: &Exchange, report: &Report) {
    metrics::report_end(report);
    if let Some(record) = exchange.record(report, usage::next_id) {
        usage::add(&record);
    }
    tell_fields(report, host::set_field);
}
