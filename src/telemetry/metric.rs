//! The metrics, and how their labels travel in the names of Envoy's statistics.
//!
//! Metrics of models follow OpenTelemetry's conventions for generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>) as far as Envoy allows: its values are integers, so
//! times are in milliseconds, and statistics have neither unit nor description.

use std::borrow::Cow;

/// Longest value of a label, in bytes.
const MAX_VALUE: usize = 128;

/// The value of a label in place of one that cannot be shown, or of one too many.
pub const OTHER: &str = "other";

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A value that can change either way.
    Gauge,
    /// A distribution of values.
    Histogram,
}

/// A label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Name of the caller.
    Caller,
    /// Name of the channel.
    Channel,
    /// Name of the model, as the client asked for it.
    Model,
    /// How a request ended.
    Outcome,
    /// What the client speaks.
    Protocol,
    /// Why something happened.
    Reason,
    /// Which tokens are counted.
    TokenType,
}

impl Label {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Caller,
        Self::Channel,
        Self::Model,
        Self::Outcome,
        Self::Protocol,
        Self::Reason,
        Self::TokenType,
    ];

    /// Its name as an attribute of OpenTelemetry's; Prometheus has underscores in place of dots.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Channel => "channel",
            Self::Model => "gen_ai.request.model",
            Self::Outcome => "outcome",
            Self::Protocol => "protocol",
            Self::Reason => "reason",
            Self::TokenType => "gen_ai.token.type",
        }
    }

    /// The letter that marks it in the name of a statistic.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Caller => 'w',
            Self::Channel => 'c',
            Self::Model => 'm',
            Self::Outcome => 'o',
            Self::Protocol => 'p',
            Self::Reason => 'r',
            Self::TokenType => 'k',
        }
    }
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name as OpenTelemetry knows it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels, in their order: channel and model first, if it has them.
    pub labels: &'static [Label],
}

impl Metric {
    /// Its name in Prometheus.
    #[must_use]
    pub fn exported(&self) -> String {
        self.name.replace('.', "_")
    }

    /// The name of the statistic with these values of its labels. An empty value is a label that is absent.
    ///
    /// A value stands between marks, `_c.` and `._`, that the `stats_tags` of a bootstrap look for.
    #[must_use]
    pub fn statistic<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> String {
        let mut name = self.name.to_owned();
        for (label, text) in self.labels.iter().zip(values) {
            if !text.is_empty() {
                name.extend(['_', label.mark(), '.']);
                name.push_str(&value(text));
                name.push_str("._");
            }
        }
        name
    }
}

/// A text as the value of a label: a word of printable characters without anything that looks like a mark.
fn value(text: &str) -> Cow<'_, str> {
    if text.len() > MAX_VALUE || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return OTHER.into();
    }
    if has_mark(text) {
        return text.replace('_', "-").into();
    }
    text.into()
}

/// Whether a text has the end of a label in it, or the beginning of one.
fn has_mark(text: &str) -> bool {
    let is_mark = |mark: u8| Label::ALL.iter().any(|own| own.mark() == char::from(mark));
    let begins = |own: &[u8]| matches!(own, [b'_', mark, b'.'] if is_mark(*mark));
    text.contains("._") || text.as_bytes().windows(3).any(begins)
}

/// Distribution of the tokens of answered requests.
pub static TOKEN_USAGE: Metric = Metric {
    name: "gen_ai.client.token.usage",
    kind: Kind::Histogram,
    labels: &[Label::Model, Label::TokenType],
};

/// Time from the complete request to the end of its answer.
pub static DURATION: Metric = Metric {
    name: "gen_ai.server.request.duration_milliseconds",
    kind: Kind::Histogram,
    labels: &[Label::Channel, Label::Model],
};

/// Time from the complete request to the first content of a streamed answer.
pub static FIRST_TOKEN: Metric = Metric {
    name: "gen_ai.server.time_to_first_token_milliseconds",
    kind: Kind::Histogram,
    labels: &[Label::Channel, Label::Model],
};

/// Time that each output token after the first took, in streamed answers.
pub static PER_TOKEN: Metric = Metric {
    name: "gen_ai.server.time_per_output_token_milliseconds",
    kind: Kind::Histogram,
    labels: &[Label::Channel, Label::Model],
};

/// Requests by how they ended.
pub static REQUESTS: Metric = Metric {
    name: "bedrock_requests_total",
    kind: Kind::Counter,
    labels: &[
        Label::Channel,
        Label::Model,
        Label::Protocol,
        Label::Outcome,
    ],
};

/// Tokens of answered requests, added up.
pub static TOKENS: Metric = Metric {
    name: "bedrock_tokens_total",
    kind: Kind::Counter,
    labels: &[Label::Channel, Label::Model, Label::TokenType],
};

/// Calls of channels by how they ended.
pub static ATTEMPTS: Metric = Metric {
    name: "bedrock_attempts_total",
    kind: Kind::Counter,
    labels: &[Label::Channel, Label::Reason],
};

/// Requests that went on from a channel to the next.
pub static FAILOVERS: Metric = Metric {
    name: "bedrock_failovers_total",
    kind: Kind::Counter,
    labels: &[Label::Channel, Label::Reason],
};

/// Failures that made a channel cool down.
pub static COOLDOWNS: Metric = Metric {
    name: "bedrock_cooldowns_total",
    kind: Kind::Counter,
    labels: &[Label::Channel, Label::Reason],
};

/// Requests refused for lack of memory.
pub static OVERLOADS: Metric = Metric {
    name: "bedrock_overloads_total",
    kind: Kind::Counter,
    labels: &[Label::Reason],
};

/// Requests that a limit of their caller denied.
pub static LIMITED: Metric = Metric {
    name: "bedrock_limited_total",
    kind: Kind::Counter,
    labels: &[Label::Reason],
};

/// Requests that the gateway itself refused for who asks, or for what may not or cannot be used.
pub static REFUSALS: Metric = Metric {
    name: "bedrock_refusals_total",
    kind: Kind::Counter,
    labels: &[Label::Reason],
};

/// Requests of a caller by how they ended, if callers are counted.
pub static CALLER_REQUESTS: Metric = Metric {
    name: "bedrock_caller_requests_total",
    kind: Kind::Counter,
    labels: &[Label::Caller, Label::Outcome],
};

/// Tokens of a caller's answered requests, added up, if callers are counted.
pub static CALLER_TOKENS: Metric = Metric {
    name: "bedrock_caller_tokens_total",
    kind: Kind::Counter,
    labels: &[Label::Caller, Label::TokenType],
};

/// Answers with a finish reason that the filter does not know.
pub static UNKNOWN_REASONS: Metric = Metric {
    name: "bedrock_unknown_finish_reasons_total",
    kind: Kind::Counter,
    labels: &[Label::Channel, Label::Reason],
};

/// Linear memory of all VMs that have served a request, in bytes.
///
/// Envoy keeps one value for the process, to which every VM adds its growth. The memory of a VM that Envoy replaces after a fault is not subtracted.
pub static MEMORY: Metric = Metric {
    name: "bedrock_memory_bytes",
    kind: Kind::Gauge,
    labels: &[],
};

/// All metrics.
pub static ALL: [&Metric; 16] = [
    &REQUESTS,
    &DURATION,
    &FIRST_TOKEN,
    &PER_TOKEN,
    &TOKEN_USAGE,
    &TOKENS,
    &ATTEMPTS,
    &FAILOVERS,
    &COOLDOWNS,
    &OVERLOADS,
    &LIMITED,
    &REFUSALS,
    &CALLER_REQUESTS,
    &CALLER_TOKENS,
    &UNKNOWN_REASONS,
    &MEMORY,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_between_marks() {
        let name = REQUESTS.statistic(["team-a", "claude-3.5:0", "openai_chat", "answered"]);
        assert_eq!(
            name,
            "bedrock_requests_total_c.team-a.__m.claude-3.5:0.__p.openai_chat.__o.answered._"
        );
        assert_eq!(MEMORY.statistic([]), "bedrock_memory_bytes");
    }

    #[test]
    fn an_empty_value_is_an_absent_label() {
        assert_eq!(
            ATTEMPTS.statistic(["", "refused"]),
            "bedrock_attempts_total_r.refused._"
        );
    }

    #[test]
    fn a_value_cannot_end_its_label_or_break_a_line() {
        assert_eq!(value("a._b"), "a.-b");
        assert_eq!(value("a_c.b_d"), "a-c.b-d");
        assert_eq!(value("meta_llama.x"), "meta_llama.x");
        assert_eq!(value("a\nb"), OTHER);
        assert_eq!(value("für"), OTHER);
        assert_eq!(value(&"a".repeat(129)), OTHER);
    }

    #[test]
    fn marks_and_names_are_unique_and_counters_end_in_total() {
        let marks: std::collections::BTreeSet<_> =
            Label::ALL.iter().map(|own| own.mark()).collect();
        assert_eq!(marks.len(), Label::ALL.len());
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|own| own.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            // There are too many callers, and a histogram takes 10 KB.
            let has_caller = metric.labels.contains(&Label::Caller);
            assert!(
                !has_caller || metric.kind == Kind::Counter,
                "{}",
                metric.name
            );
            let is_total = metric.name.ends_with("_total");
            assert_eq!(is_total, metric.kind == Kind::Counter, "{}", metric.name);
        }
    }
}
