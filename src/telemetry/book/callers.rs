//! Counters by caller, of which there are at most so many as the configuration says.

use std::collections::BTreeMap;

use super::Meter;
use crate::chat::Usage;
use crate::telemetry::metric::{CALLER_REQUESTS, CALLER_TOKENS, OTHER};
use crate::telemetry::{Metric, Report};

/// The counters of a caller: by metric, by the value of its other label.
type Counters = BTreeMap<(&'static str, &'static str), Option<u32>>;

/// The callers that this worker has counted by name, and the others together.
#[derive(Debug, Default)]
pub(super) struct ByCaller {
    counters: BTreeMap<String, Counters>,
}

impl ByCaller {
    /// Counts a request of a caller, if callers are counted.
    pub(super) fn enter(&mut self, report: &Report, meter: &mut dyn Meter) {
        let Some(own) = &report.caller else {
            return;
        };
        let label = self.label(own.caller.name(), own.most);
        let counters = self.counters.entry(label.to_owned()).or_default();
        let ending = report.ending.name();
        add(counters, (&CALLER_REQUESTS, label, ending), 1, meter);
        let usage = report.usage.unwrap_or_default();
        for (kind, count) in tokens(usage).into_iter().filter(|(_, count)| *count > 0) {
            add(counters, (&CALLER_TOKENS, label, kind), count, meter);
        }
    }

    /// The name if it may have counters of its own: counters are never removed.
    fn label<'n>(&self, name: &'n str, most: u32) -> &'n str {
        let others = usize::from(self.counters.contains_key(OTHER));
        let known = self.counters.len() - others;
        if known < most as usize || self.counters.contains_key(name) {
            name
        } else {
            OTHER
        }
    }
}

/// Adds to a counter, whose second label is one of a few words.
fn add(
    counters: &mut Counters,
    (metric, label, word): (&'static Metric, &str, &'static str),
    by: u64,
    meter: &mut dyn Meter,
) {
    let number = counters
        .entry((metric.name, word))
        .or_insert_with(|| meter.define(metric.kind, &metric.statistic([label, word])));
    // A counter that Envoy refuses is not worth failing a request.
    if let Some(number) = *number {
        meter.add(number, by);
    }
}

/// The tokens that are counted, by kind; those of a cache are also part of the input.
fn tokens(usage: Usage) -> [(&'static str, u64); 4] {
    [
        ("input", usage.prompt()),
        ("output", usage.output),
        ("cache_read", usage.cache_read),
        ("cache_write", usage.cache_write),
    ]
}
