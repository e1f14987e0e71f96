//! Answers questions about the channels' health, and reports what this request says about it.

use std::rc::Rc;
use std::time::SystemTime;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::outcome::Calls;
use super::{End, Exchange, Phase, Stage, Step};
use crate::chat::Error;
use crate::failover::BegunAnswer;
use crate::health::{Ledger, Seen, Trouble, report};

/// Gets the ledger of a channel.
pub type Recall<'r> = &'r mut dyn FnMut(&str) -> Ledger;

impl Exchange {
    /// `GET /health`: waits for what is remembered.
    pub(super) fn health_head(&mut self, query: Option<&str>) -> Step {
        let model = query.and_then(|query| value(query, "model"));
        if let Some(name) = &model
            && let Err(reason) = self.permitted().describe(name)
        {
            return self.reply(&Error::model_not_found(&reason));
        }
        self.phase = Phase::Health { model };
        Step::Wait
    }

    /// Whether the request asks how the channels are doing, so that [`Self::health`] comes next.
    #[must_use]
    pub fn asks_health(&self) -> bool {
        matches!(self.phase, Phase::Health { .. })
    }

    /// Answers that.
    pub fn health(&mut self, now: SystemTime, recall: Recall<'_>) -> Step {
        let Phase::Health { model } = self.take_phase() else {
            return Step::Pass;
        };
        let mut permitted = self.permitted();
        let mut example = None;
        if let Some(name) = &model {
            example = permitted.example_of(name);
            permitted = permitted.by(name);
        }
        let body = report(permitted, example, now, recall);
        let step = self.reply_json(Ok(body));
        self.readable(step)
    }

    /// The outcome of the call, for the channel's health; returned only once. For a request that is tried several
    /// times, the attempts report it.
    pub fn take_seen(&mut self) -> Option<Seen> {
        let is_told = self.is_told || self.account.calls == Calls::Attempts;
        if is_told || self.measure.is_some_and(|own| own.counts()) {
            return None;
        }
        let outcome = self.outcome.borrow();
        let outcome = outcome.as_ref()?;
        let trouble = match outcome.end.as_ref()? {
            End::Answered { .. } => None,
            End::Failed(error) => Some(trouble(error)?),
        };
        self.is_told = true;
        Some(Seen {
            channel: outcome.channel.clone(),
            model: outcome.chosen.as_ref().unwrap_or(&outcome.model).clone(),
            trouble,
            revision: self.routes.revision(),
        })
    }

    /// Follows the answer of an attempt to its end, which may show more of the channel than its beginning.
    pub(super) fn follow(&mut self, answer: Option<Rc<BegunAnswer>>) {
        if let Some(answer) = answer {
            self.stage = Stage::Answering(answer);
            self.tell_end();
        }
    }

    /// Tells of the end of an attempt's answer, if that has come.
    pub(super) fn tell_end(&self) {
        let outcome = self.outcome.borrow();
        let end = outcome.as_ref().and_then(|own| own.end.as_ref());
        if let (Stage::Answering(answer), Some(end)) = (&self.stage, end) {
            answer.ended(end.trouble());
        }
    }

    /// Whether more of an answer is awaited, so that Envoy may know why it does not come.
    #[must_use]
    pub fn awaits_more(&self) -> bool {
        match &self.stage {
            Stage::Answering(answer) => answer.is_open(),
            Stage::Single | Stage::Listener { .. } | Stage::Cluster(_) => {
                let outcome = self.outcome.borrow();
                outcome.as_ref().is_some_and(|own| own.end.is_none()) && !self.is_done()
            }
        }
    }

    /// Notes that the connection to the upstream broke, so that no more of the answer comes.
    pub fn broke_off(&mut self) {
        if let Stage::Answering(answer) = &self.stage {
            return answer.ended(Some(Trouble::Unavailable));
        }
        let message = "The connection to the model broke in the middle of its answer.";
        let error = || Error::server(StatusCode::BAD_GATEWAY, "bad_gateway", message);
        self.note_end(|| End::Failed(error()));
    }
}

impl End {
    /// What it says about the channel; nothing if the channel answered, or is not at fault.
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Answered { .. } => None,
            Self::Failed(error) => trouble(error),
        }
    }
}

/// What an error says about the channel; nothing if the request is at fault, or the gateway.
pub(super) fn trouble(error: &Error) -> Option<Trouble> {
    Trouble::of(error.code, error.status)
}

/// A value of a query.
fn value(query: &str, wanted: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(name, _)| *name == wanted);
    let (_, value) = found.next()?;
    let value = value.replace('+', " ");
    Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
}
