//! The outcome of an exchange, for metrics and accounting.

use std::borrow::Cow;
use std::time::SystemTime;

use super::Exchange;
use crate::bedrock::ResponseStream;
use crate::call::{Call, Headers};
use crate::telemetry::{End, Outcome, Speech};

/// Who counts attempts and records the health of channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Calls {
    /// The exchange itself, which makes the only call.
    #[default]
    Own,
    /// Each attempt for its own call.
    Attempts,
}

impl Exchange {
    /// The outcome of the latest call, as far as it is known; `None` if none was sent.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Whether a streamed answer has just had its first content.
    #[must_use]
    pub fn has_just_spoken(&self) -> bool {
        let outcome = self.outcome.borrow();
        outcome.as_ref().map(|own| own.speech) == Some(Speech::Begun)
    }

    /// Says when that was.
    pub fn spoke_at(&mut self, now: SystemTime) {
        if let Some(outcome) = &mut *self.outcome.borrow_mut() {
            outcome.speech = Speech::Since(now);
        }
    }

    /// Notes that a call is sent.
    pub(super) fn note_call(&mut self, call: &Call, attempt: usize, now: SystemTime) {
        *self.outcome.borrow_mut() = Some(Outcome {
            channel: call.channel.clone(),
            model: call.model.clone(),
            caller: self.caller.clone(),
            chosen: call.chosen.clone(),
            profile: call.profile.clone(),
            base_model: call.base_model,
            tier: call.tier.map(Cow::Borrowed),
            attempt,
            started: now,
            speech: Speech::Silent,
            so_far: None,
            end: None,
        });
    }

    /// Notes on which service tier it was served.
    pub(super) fn note_tier(&mut self, headers: &Headers) {
        if self.routes.usage().is_some()
            && let Some(tier) = headers.get_str("x-amzn-bedrock-service-tier")
            && let Some(outcome) = &mut *self.outcome.borrow_mut()
        {
            outcome.tier = Some(Cow::Owned(tier.to_owned()));
        }
    }

    /// Notes how the call ended; the first end counts.
    pub(super) fn note_end(&mut self, end: impl FnOnce() -> End) {
        let mut outcome = self.outcome.borrow_mut();
        if let Some(own) = outcome.as_mut().filter(|own| own.end.is_none()) {
            let end = end();
            if let (Some(tally), End::Answered { usage, .. }) = (&self.tally, &end) {
                tally.used(usage.prompt().saturating_add(usage.output));
            }
            own.end = Some(end);
            drop(outcome);
            self.tell_end();
        }
    }

    /// Notes whether a stream has had content, and its end if it has been reached.
    pub(super) fn note_stream(&mut self, stream: &ResponseStream) {
        if let Some(tally) = &self.tally {
            tally.streamed(stream.count());
        }
        if let Some(outcome) = &mut *self.outcome.borrow_mut()
            && outcome.speech == Speech::Silent
            && stream.has_content()
        {
            outcome.speech = Speech::Begun;
        }
        if self.routes.usage().is_some()
            && let Some(outcome) = &mut *self.outcome.borrow_mut()
        {
            outcome.so_far = Some(stream.so_far());
        }
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
