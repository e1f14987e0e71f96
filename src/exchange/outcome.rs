//! What became of an exchange, for metrics and accounting.

use std::time::SystemTime;

use super::Exchange;
use crate::bedrock::ResponseStream;
use crate::call::Call;
use crate::chat::{Error, FinishReason, Usage};

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
            self.note_end(|| End::Answered { reason, usage });
        }
    }
}
