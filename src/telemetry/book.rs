//! Turns reports of requests into changes of statistics.

mod callers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;

use super::metric::{
    ATTEMPTS, DURATION, FIRST_TOKEN, OTHER, PER_TOKEN, REFUSALS, REQUESTS, TOKEN_USAGE, TOKENS,
    UNKNOWN_REASONS,
};
use super::{Kind, Metric, Report};
use crate::chat::Usage;
use callers::ByCaller;

/// Most pairs of a channel and a model that get statistics of their own: statistics are never removed, and a histogram
/// takes 10 KB. Later pairs are counted as `other`.
const MAX_PAIRS: usize = 500;

/// How many unknown reasons get a counter of their own: models choose the words.
const MAX_REASONS: usize = 16;

/// Longest unknown reason, in bytes.
const MAX_REASON_LEN: usize = 40;

/// What clients get who may not do what they ask, or ask for what nobody serves.
const REFUSED: [StatusCode; 3] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
];

/// Defines and changes statistics.
pub trait Meter {
    /// The number of a statistic, which is made if it does not exist; `None` if that fails.
    fn define(&mut self, kind: Kind, statistic: &str) -> Option<u32>;

    /// Adds to a counter or a gauge.
    fn add(&mut self, number: u32, by: u64);

    /// Adds a value to a histogram.
    fn record(&mut self, number: u32, value: u64);
}

/// The statistics that this worker has used, so that their names are put together only once.
#[derive(Debug, Default)]
pub struct Book {
    /// Numbers of pairs: by channel, by model.
    pairs: BTreeMap<String, BTreeMap<String, u32>>,
    pair_count: u32,
    reasons: BTreeSet<String>,
    numbers: BTreeMap<Series, Option<u32>>,
    /// Statistics with words that models choose, by name.
    named: BTreeMap<String, Option<u32>>,
    by_caller: ByCaller,
}

/// Key of a statistic: its metric, the number of a pair, and the values of the remaining labels.
type Series = (&'static str, u32, [&'static str; 2]);

/// Values of a statistic's labels.
#[derive(Clone, Copy, Debug)]
struct Values<'v> {
    channel: &'v str,
    model: &'v str,
    /// Number of the pair of these two.
    pair: u32,
}

impl Book {
    /// Counts and measures a request that has ended.
    pub fn enter(&mut self, report: &Report, meter: &mut dyn Meter) {
        let called = report.called.as_ref();
        let (channel, model) =
            called.map_or(("", ""), |own| (own.channel.as_str(), short(&own.model)));
        let values = self.values(channel, model);
        let ending = report.ending.name();
        self.change(&REQUESTS, values, [report.protocol, ending], 1, meter);
        self.by_caller.enter(report, meter);
        if called.is_none() {
            self.refusal(report, meter);
            return;
        }
        if let Some(reason) = report.attempt {
            self.event(&ATTEMPTS, Some(channel), reason, meter);
        }
        let usage = report.usage.unwrap_or_default();
        self.tokens(usage, values, meter);
        if let Some(duration) = report.duration {
            self.times(duration, report.first_token, (usage, values), meter);
        }
        if let Some(word) = &report.unknown_reason {
            self.unknown_reason(channel, word, meter);
        }
    }

    /// Counts something that happened on a channel, or on none.
    pub fn event(
        &mut self,
        metric: &'static Metric,
        channel: Option<&str>,
        reason: &'static str,
        meter: &mut dyn Meter,
    ) {
        let values = self.values(channel.unwrap_or_default(), "");
        self.change(metric, values, [reason, ""], 1, meter);
    }

    /// Adds to a metric without labels.
    pub fn add(&mut self, metric: &'static Metric, by: u64, meter: &mut dyn Meter) {
        let values = self.values("", "");
        self.change(metric, values, ["", ""], by, meter);
    }

    /// Counts a request that was sent to no channel, if that is because of who asks or for what.
    fn refusal(&mut self, report: &Report, meter: &mut dyn Meter) {
        let fault = report.fault.as_ref();
        let fault = fault.filter(|own| REFUSED.contains(&own.status));
        if let Some(code) = fault.and_then(|own| own.code) {
            self.event(&REFUSALS, None, code, meter);
        }
    }

    fn tokens(&mut self, usage: Usage, values: Values<'_>, meter: &mut dyn Meter) {
        for (kind, count) in [("input", usage.prompt()), ("output", usage.output)] {
            if usage != Usage::default() {
                let of_model = self.values("", values.model);
                self.change(&TOKEN_USAGE, of_model, [kind, ""], count, meter);
                self.change(&TOKENS, values, [kind, ""], count, meter);
            }
        }
        let cached = [
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write),
        ];
        for (kind, count) in cached.into_iter().filter(|(_, count)| *count > 0) {
            self.change(&TOKENS, values, [kind, ""], count, meter);
        }
    }

    fn times(
        &mut self,
        duration: Duration,
        first_token: Option<Duration>,
        (usage, values): (Usage, Values<'_>),
        meter: &mut dyn Meter,
    ) {
        self.change(&DURATION, values, ["", ""], millis(duration), meter);
        let Some(first) = first_token else {
            return;
        };
        self.change(&FIRST_TOKEN, values, ["", ""], millis(first), meter);
        let later = usage.output.saturating_sub(1);
        if let Some(each) = millis(duration.saturating_sub(first)).checked_div(later) {
            self.change(&PER_TOKEN, values, ["", ""], each, meter);
        }
    }

    fn unknown_reason(&mut self, channel: &str, word: &str, meter: &mut dyn Meter) {
        let word = plain(word);
        if self.reasons.len() < MAX_REASONS {
            self.reasons.insert(word.clone());
        }
        let is_known = self.reasons.contains(&word);
        let reason = if is_known { &*word } else { OTHER };
        let name = UNKNOWN_REASONS.statistic([channel, reason]);
        let number = self.named.entry(name);
        let number = number.or_insert_with_key(|name| meter.define(UNKNOWN_REASONS.kind, name));
        if let Some(number) = *number {
            meter.add(number, 1);
        }
    }

    /// These two as values of labels, or `other` if there are too many.
    fn values<'v>(&mut self, channel: &'v str, model: &'v str) -> Values<'v> {
        let known = self.pairs.get(channel).and_then(|own| own.get(model));
        if let Some(pair) = known.copied() {
            return Values {
                channel,
                model,
                pair,
            };
        }
        let is_full = self.pair_count as usize >= MAX_PAIRS && (channel, model) != (OTHER, OTHER);
        if is_full && !(channel.is_empty() && model.is_empty()) {
            return self.values(OTHER, OTHER);
        }
        let pair = self.pair_count;
        self.pair_count += 1;
        let models = self.pairs.entry(channel.to_owned()).or_default();
        models.insert(model.to_owned(), pair);
        Values {
            channel,
            model,
            pair,
        }
    }

    /// Changes a statistic, which is defined when it is needed first.
    fn change(
        &mut self,
        metric: &'static Metric,
        values: Values<'_>,
        words: [&'static str; 2],
        by: u64,
        meter: &mut dyn Meter,
    ) {
        let series = (metric.name, values.pair, words);
        let number = self.numbers.entry(series).or_insert_with(|| {
            let statistic = metric.statistic(labels(metric, values, words));
            meter.define(metric.kind, &statistic)
        });
        // A statistic that Envoy refuses is not worth failing a request.
        match (*number, metric.kind) {
            (None, _) => {}
            (Some(number), Kind::Histogram) => meter.record(number, by),
            (Some(number), Kind::Counter | Kind::Gauge) => meter.add(number, by),
        }
    }
}

/// The values of a metric's labels, in their order.
fn labels<'v>(
    metric: &'static Metric,
    values: Values<'v>,
    words: [&'static str; 2],
) -> impl Iterator<Item = &'v str> {
    let mut words = words.into_iter();
    metric.labels.iter().map(move |label| match label {
        super::Label::Channel => values.channel,
        super::Label::Model => values.model,
        _ => words.next().unwrap_or_default(),
    })
}

/// A model's name; of an ARN, the last segment.
fn short(model: &str) -> &str {
    if !model.starts_with("arn:") {
        return model;
    }
    model.rsplit('/').next().unwrap_or(model)
}

/// A model's word as a label. Anything that is not a word is not repeated, because it could be text of an answer.
fn plain(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if word.len() <= MAX_REASON_LEN && word.chars().all(is_plain) {
        word.to_ascii_lowercase()
    } else {
        OTHER.to_owned()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
