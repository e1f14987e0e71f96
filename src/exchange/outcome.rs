//! What became of an exchange, for metrics and accounting.

use std::time::SystemTime;

use super::Exchange;
use crate::bedrock::ResponseStream;
use crate::call::Call;
use crate::chat::{Error, FinishReason, Usage};

/// Longest label of a metric, in bytes.
const MAX_LABEL: usize = 40;

/// What became of one call of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name of the channel.
    pub channel: String,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// Which attempt of the request it was, counted from 1.
    pub attempt: usize,
    /// When it was sent.
    pub started: SystemTime,
    /// How it ended; `None` while it has not.
    pub end: Option<End>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With an answer.
    Answered {
        /// Why the answer ended.
        reason: FinishReason,
        /// What it cost.
        usage: Usage,
        /// The model's word for why, where nobody knows what it means.
        unknown_reason: Option<String>,
    },
    /// With an error instead, or in the middle of the answer.
    Failed(Error),
}

impl Exchange {
    /// What became of the call, as far as it is known; `None` when none was sent.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_deref()
    }

    /// The channel whose answer ended for a reason that nobody knows, and a label that says which; once.
    pub fn take_unknown_reason(&mut self) -> Option<(&str, String)> {
        let outcome = self.outcome.as_deref_mut()?;
        match &mut outcome.end {
            Some(End::Answered { unknown_reason, .. }) => {
                let word = unknown_reason.take()?;
                Some((&outcome.channel, label(&word)))
            }
            _ => None,
        }
    }

    /// Notes that a call leaves.
    pub(super) fn note_call(&mut self, call: &Call, attempt: usize, now: SystemTime) {
        self.outcome = Some(Box::new(Outcome {
            channel: call.channel.clone(),
            model: call.model.clone(),
            attempt,
            started: now,
            end: None,
        }));
    }

    /// Notes how the call ended; the first end counts.
    pub(super) fn note_end(&mut self, end: impl FnOnce() -> End) {
        if let Some(outcome) = self.outcome.as_mut().filter(|own| own.end.is_none()) {
            outcome.end = Some(end());
        }
    }

    /// Notes the end of a stream, if it has come.
    pub(super) fn note_stream(&mut self, stream: &ResponseStream) {
        if !stream.is_over() {
            return;
        }
        if let Some(error) = stream.failure() {
            self.note_end(|| End::Failed(error.clone()));
        } else if let Some((reason, usage)) = stream.end() {
            self.note_end(|| End::Answered {
                reason,
                usage,
                unknown_reason: stream.unknown_reason().map(str::to_owned),
            });
        }
    }
}

/// A model's word as a label of a metric. What is no word is not repeated: it could be anything.
fn label(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if word.len() <= MAX_LABEL && word.chars().all(is_plain) {
        word.to_ascii_lowercase()
    } else {
        "other".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_becomes_a_label() {
        assert_eq!(label("Model_Bored-2"), "model_bored-2");
        assert_eq!(label("a b"), "other");
        assert_eq!(label("a.b"), "other");
        assert_eq!(label(&"a".repeat(41)), "other");
    }
}
