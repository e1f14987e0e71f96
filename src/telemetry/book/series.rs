//! Statistics that have been used, so that their names are put together only once.

use super::Meter;
use crate::telemetry::{Kind, Metric};

/// Values of the labels that are words of a few.
pub(super) type Words = [&'static str; 2];

/// The statistics with the same values of all other labels. They are few, and few steps lead past those of another metric:
/// a tree would compare their names instead.
#[derive(Debug, Default)]
pub(super) struct Series(Vec<(&'static Metric, Words, Option<u32>)>);

impl Series {
    /// Changes a statistic, which is defined when it is needed first.
    pub(super) fn change(
        &mut self,
        (metric, words): (&'static Metric, Words),
        by: u64,
        name: impl FnOnce() -> String,
        meter: &mut dyn Meter,
    ) {
        let is_it = |own: &&(&'static Metric, Words, Option<u32>)| {
            let ([one, two], [first, second]) = (own.1, words);
            std::ptr::eq(own.0, metric) && same(one, first) && same(two, second)
        };
        let known = self.0.iter().find(is_it);
        let number = match known {
            Some((_, _, number)) => *number,
            None => {
                let number = meter.define(metric.kind, &name());
                self.0.push((metric, words, number));
                number
            }
        };
        // A statistic that Envoy refuses is not worth failing a request.
        match (number, metric.kind) {
            (None, _) => {}
            (Some(number), Kind::Histogram) => meter.record(number, by),
            (Some(number), Kind::Counter | Kind::Gauge) => meter.add(number, by),
        }
    }
}

/// Whether two words are the same: mostly they are so in the same place.
fn same(one: &'static str, other: &'static str) -> bool {
    std::ptr::eq(one, other) || one == other
}
