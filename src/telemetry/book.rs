//! Turns reports of requests into changes of statistics.

mod callers;
mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;

use super::metric::{
    ATTEMPTS, DURATION, FIRST_TOKEN, OTHER, PER_TOKEN, REFUSALS, REQUESTS, TOKEN_USAGE, TOKENS,
    UNKNOWN_REASONS,
};
use super::report::millis;
use super::{Kind, Metric, Report};
use crate::chat::Usage;
use callers::ByCaller;
use series::{Series, Words};

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

/// The statistics that this worker has used.
#[derive(Debug, Default)]
pub struct Book {
    /// Places of pairs: by channel, by model.
    places: BTreeMap<String, BTreeMap<String, usize>>,
    pairs: Vec<Pair>,
    reasons: BTreeSet<String>,
    /// Statistics with words that models choose, by name.
    named: BTreeMap<String, Option<u32>>,
    by_caller: ByCaller,
}

/// A channel and a model, of which either may be missing, with their statistics.
#[derive(Debug, Default)]
struct Pair {
    channel: String,
    model: String,
    series: Series,
    /// Place of the pair of this channel and no model.
    of_channel: Option<usize>,
    /// Place of the pair of this model and no channel.
    of_model: Option<usize>,
}

impl Book {
    /// Counts and measures a request that has ended.
    pub fn enter(&mut self, report: &Report, meter: &mut dyn Meter) {
        let called = report.called.as_ref();
        let (channel, model) =
            called.map_or(("", ""), |own| (own.channel.as_str(), short(&own.model)));
        let pair = self.place(channel, model);
        let ending = report.ending.name();
        self.change(pair, (&REQUESTS, [report.protocol, ending]), 1, meter);
        self.by_caller.enter(report, meter);
        if called.is_none() {
            self.refusal(report, meter);
            return;
        }
        if let Some(reason) = report.attempt {
            let of_channel = self.of_channel(pair, channel);
            self.change(of_channel, (&ATTEMPTS, [reason, ""]), 1, meter);
        }
        let usage = report.usage.unwrap_or_default();
        if usage != Usage::default() {
            self.tokens(usage, pair, meter);
        }
        if let Some(duration) = report.duration {
            self.times(duration, report.first_token, (usage, pair), meter);
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
        let pair = self.place(channel.unwrap_or_default(), "");
        self.change(pair, (metric, [reason, ""]), 1, meter);
    }

    /// Adds to a metric without labels.
    pub fn add(&mut self, metric: &'static Metric, by: u64, meter: &mut dyn Meter) {
        let pair = self.place("", "");
        self.change(pair, (metric, ["", ""]), by, meter);
    }

    /// Counts a request that was sent to no channel, if that is because of who asks or for what.
    fn refusal(&mut self, report: &Report, meter: &mut dyn Meter) {
        let fault = report.fault.as_ref();
        let fault = fault.filter(|own| REFUSED.contains(&own.status));
        if let Some(code) = fault.and_then(|own| own.code) {
            self.event(&REFUSALS, None, code, meter);
        }
    }

    fn tokens(&mut self, usage: Usage, pair: usize, meter: &mut dyn Meter) {
        let of_model = self.of_model(pair);
        for (kind, count) in [("input", usage.prompt()), ("output", usage.output)] {
            self.change(of_model, (&TOKEN_USAGE, [kind, ""]), count, meter);
            self.change(pair, (&TOKENS, [kind, ""]), count, meter);
        }
        let cached = [
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write),
        ];
        for (kind, count) in cached.into_iter().filter(|(_, count)| *count > 0) {
            self.change(pair, (&TOKENS, [kind, ""]), count, meter);
        }
    }

    fn times(
        &mut self,
        duration: Duration,
        first_token: Option<Duration>,
        (usage, pair): (Usage, usize),
        meter: &mut dyn Meter,
    ) {
        self.change(pair, (&DURATION, ["", ""]), millis(duration), meter);
        let Some(first) = first_token else {
            return;
        };
        self.change(pair, (&FIRST_TOKEN, ["", ""]), millis(first), meter);
        let later = usage.output.saturating_sub(1);
        if let Some(each) = millis(duration.saturating_sub(first)).checked_div(later) {
            self.change(pair, (&PER_TOKEN, ["", ""]), each, meter);
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

    /// The place of the pair of these two, or of `other` if there are too many.
    fn place(&mut self, channel: &str, model: &str) -> usize {
        let known = self.places.get(channel).and_then(|own| own.get(model));
        if let Some(place) = known.copied() {
            return place;
        }
        let is_full = self.pairs.len() >= MAX_PAIRS && (channel, model) != (OTHER, OTHER);
        if is_full && !(channel.is_empty() && model.is_empty()) {
            return self.place(OTHER, OTHER);
        }
        let place = self.pairs.len();
        self.pairs.push(Pair {
            channel: channel.to_owned(),
            model: model.to_owned(),
            ..Pair::default()
        });
        let models = self.places.entry(channel.to_owned()).or_default();
        models.insert(model.to_owned(), place);
        place
    }

    /// The place of a pair's channel without a model. If the pair has become `other`, the channel need not have.
    fn of_channel(&mut self, pair: usize, channel: &str) -> usize {
        let own = self.pairs.get(pair);
        let own = own.filter(|own| own.channel == channel);
        if let Some(place) = own.and_then(|own| own.of_channel) {
            return place;
        }
        let is_own = own.is_some();
        let place = self.place(channel, "");
        if let Some(own) = self.pairs.get_mut(pair).filter(|_| is_own) {
            own.of_channel = Some(place);
        }
        place
    }

    /// The place of a pair's model without a channel.
    fn of_model(&mut self, pair: usize) -> usize {
        let Some(own) = self.pairs.get(pair) else {
            return pair;
        };
        if let Some(place) = own.of_model {
            return place;
        }
        let model = own.model.clone();
        let place = self.place("", &model);
        if let Some(own) = self.pairs.get_mut(pair) {
            own.of_model = Some(place);
        }
        place
    }

    /// Changes a statistic.
    fn change(
        &mut self,
        pair: usize,
        (metric, words): (&'static Metric, Words),
        by: u64,
        meter: &mut dyn Meter,
    ) {
        if let Some(own) = self.pairs.get_mut(pair) {
            let (channel, model) = (&own.channel, &own.model);
            let name = || metric.statistic(labels(metric, [channel, model], words));
            own.series.change((metric, words), by, name, meter);
        }
    }
}

/// The values of a metric's labels, in their order.
fn labels<'v>(
    metric: &'static Metric,
    [channel, model]: [&'v str; 2],
    words: Words,
) -> impl Iterator<Item = &'v str> {
    let mut words = words.into_iter();
    metric.labels.iter().map(move |label| match label {
        super::Label::Channel => channel,
        super::Label::Model => model,
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

#[cfg(test)]
mod tests;
