//! Counters by caller, of which there are at most so many as the configuration says.

use std::collections::BTreeMap;

use super::Meter;
use super::series::Series;
use crate::chat::Usage;
use crate::telemetry::metric::{CALLER_REQUESTS, CALLER_TOKENS, OTHER};
use crate::telemetry::{Metric, Report};

/// The callers that this worker has counted by name, and the others together.
#[derive(Debug, Default)]
pub(super) struct ByCaller {
    series: BTreeMap<String, Series>,
}

impl ByCaller {
    /// Counts a request of a caller, if callers are counted.
    pub(super) fn enter(&mut self, report: &Report, meter: &mut dyn Meter) {
        let Some(own) = &report.caller else {
            return;
        };
        let (name, most) = (own.caller.name(), own.most as usize);
        if let Some(series) = self.series.get_mut(name) {
            return count(series, name, report, meter);
        }
        // Counters are never removed.
        let others = usize::from(self.series.contains_key(OTHER));
        let has_room = self.series.len() - others < most;
        let label = if has_room { name } else { OTHER };
        let series = self.series.entry(label.to_owned()).or_default();
        count(series, label, report, meter);
    }
}

/// Counts a request among those with this label.
fn count(series: &mut Series, label: &str, report: &Report, meter: &mut dyn Meter) {
    let mut add = |metric: &'static Metric, word: &'static str, by: u64| {
        let name = || metric.statistic([label, word]);
        series.change((metric, [word, ""]), by, name, meter);
    };
    add(&CALLER_REQUESTS, report.ending.name(), 1);
    let usage = report.usage.unwrap_or_default();
    for (kind, count) in tokens(usage).into_iter().filter(|(_, count)| *count > 0) {
        add(&CALLER_TOKENS, kind, count);
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
