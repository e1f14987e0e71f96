//! How far a request got with its attempts.

use std::rc::Rc;
use std::time::SystemTime;

use http::StatusCode;

use super::begun::BegunAnswer;
use super::cooldowns::{Failure, Target};
use crate::chat::Error;

/// How far a request got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// In the order in which they were made.
    pub(super) attempts: Vec<Attempt>,
    /// When the latest attempt began, while it has no result.
    pub(super) open_since: Option<SystemTime>,
    /// Whether the channel of the latest attempt has said anything.
    pub(super) is_heard: bool,
    /// Attempts beside the plan: one, if another seems to have failed because of its connection alone.
    pub(super) spare: usize,
    /// Whether Envoy waited in vain for the latest attempt to be answered.
    pub(super) timed_out: bool,
    /// Status of the last attempt's answer, which Envoy must not see: it would try again.
    pub(super) hidden_status: Option<StatusCode>,
    /// Why the latest attempt failed, if it did.
    pub(super) failure: Option<Failure>,
    /// The answer of the latest attempt, once that has begun.
    pub(super) answer: Option<Rc<BegunAnswer>>,
    pub(super) result: Option<AttemptResult>,
}

/// An attempt that was made.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) channel: String,
    /// The name that led to the model.
    pub(super) name: String,
    /// Model id or ARN that was called through it.
    pub(super) model: String,
}

impl Attempt {
    pub(super) fn target(&self) -> Target<'_> {
        Target {
            channel: &self.channel,
            model: &self.model,
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// The client gets an answer.
    Answered,
    /// The client gets this, unless a later attempt does better.
    Failed(Error),
}
