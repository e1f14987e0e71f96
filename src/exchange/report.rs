//! Reports each request once, when it has ended.

use std::sync::Arc;
use std::time::SystemTime;

use super::Exchange;
use super::health::trouble;
use super::outcome::Calls;
use crate::chat::Error;
use crate::health::Trouble;
use crate::telemetry::{Called, CountedCaller, End, Ending, Fault, Outcome, Report, Speech};

/// What the report needs besides the outcome of the calls.
#[derive(Debug, Default)]
pub(super) struct Account {
    reporting: Reporting,
    /// Who counts attempts and records the health of channels.
    pub(super) calls: Calls,
    /// When the whole request was there.
    asked: Option<SystemTime>,
    /// When the request had ended.
    ended: Option<SystemTime>,
    /// What the client got in place of a call.
    refused: Option<Refusal>,
}

/// What the client got in place of an answer.
#[derive(Debug)]
struct Refusal {
    ending: Ending,
    fault: Fault,
}

/// Whether the request still has to be reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reporting {
    /// Not needed: it is not a request to a model.
    #[default]
    None,
    Due,
    Done,
}

impl Account {
    /// A request for a model has begun.
    pub(super) fn open(&mut self) {
        self.reporting = Reporting::Due;
    }

    /// The whole request is there.
    pub(super) fn asked(&mut self, now: SystemTime) {
        self.asked = Some(now);
    }

    /// A limit of the caller denies the request.
    pub(super) fn limit(&mut self, error: &Error) {
        self.refused = Some(Refusal {
            ending: Ending::Limited,
            fault: error.into(),
        });
    }

    /// The client gets this error.
    pub(super) fn refuse(&mut self, error: &Error) {
        self.refused = Some(Refusal {
            ending: Ending::of(error),
            fault: error.into(),
        });
    }
}

impl Exchange {
    /// Reports how the request ended, as soon as that is known; once.
    pub fn take_report(&mut self, now: impl FnOnce() -> SystemTime) -> Option<Report> {
        let is_over = {
            let outcome = self.outcome.borrow();
            let has_end = |own: &Outcome| own.end.is_some();
            outcome
                .as_ref()
                .map_or(self.account.refused.is_some(), has_end)
        };
        (is_over && self.is_unreported()).then(|| self.report(now(), None))
    }

    /// When the request had ended, if it has been reported.
    #[must_use]
    pub fn ended_at(&self) -> Option<SystemTime> {
        self.account.ended
    }

    /// Whether the request has not been reported yet.
    #[must_use]
    pub fn is_unreported(&self) -> bool {
        self.account.reporting == Reporting::Due
    }

    /// Reports a request whose answer was never completed, for this reason.
    pub fn take_last_report(&mut self, now: SystemTime, why: Ending) -> Option<Report> {
        self.is_unreported().then(|| self.report(now, Some(why)))
    }

    fn report(&mut self, now: SystemTime, why: Option<Ending>) -> Report {
        self.account.reporting = Reporting::Done;
        self.account.ended = Some(now);
        let since = self.account.asked;
        let outcome = self.outcome.borrow_mut().take();
        let refused = self.account.refused.take();
        let (refused, fault) = refused.map(|own| (own.ending, own.fault)).unzip();
        let mut report = Report {
            at: since.unwrap_or(now),
            protocol: self.protocol.name(),
            ending: why.or(refused).unwrap_or(Ending::Failed),
            fault,
            called: None,
            duration: since.and_then(|since| now.duration_since(since).ok()),
            first_token: None,
            usage: None,
            so_far: None,
            unknown_reason: None,
            attempt: None,
            caller: self.counted_caller(),
        };
        let Some(outcome) = outcome else {
            return report;
        };
        if let Speech::Since(first) = outcome.speech {
            report.first_token = since.and_then(|since| first.duration_since(since).ok());
        }
        if self.account.calls == Calls::Own {
            report.attempt = attempt(&outcome, report.ending);
        }
        if let Some(ending) = outcome.end.as_ref().map(|end| ending(end, outcome.speech)) {
            report.ending = ending;
        }
        if matches!(report.ending, Ending::Broken | Ending::Cancelled) {
            report.so_far = outcome.so_far;
        }
        match outcome.end {
            Some(End::Answered {
                usage,
                unknown_reason,
                ..
            }) => {
                report.usage = Some(usage);
                report.unknown_reason = unknown_reason;
            }
            Some(End::Failed(error)) => report.fault = Some((&error).into()),
            None => {}
        }
        report.called = Some(Called {
            channel: outcome.channel,
            model: outcome.model,
            profile: outcome.profile,
            base_model: outcome.base_model,
            tier: outcome.tier,
            attempts: outcome.attempt,
        });
        report
    }
}

impl Exchange {
    fn counted_caller(&self) -> Option<CountedCaller> {
        let most = self.routes.caller_metrics();
        let caller = self.caller.as_ref().filter(|_| most > 0)?;
        Some(CountedCaller {
            caller: Arc::clone(caller),
            most,
        })
    }
}

fn ending(end: &End, speech: Speech) -> Ending {
    match end {
        End::Answered { .. } => Ending::Answered,
        End::Failed(_) if speech != Speech::Silent => Ending::Broken,
        End::Failed(error) => Ending::of(error),
    }
}

/// The label that counts a call; none if the client did not wait for its end.
fn attempt(outcome: &Outcome, ending: Ending) -> Option<&'static str> {
    match &outcome.end {
        Some(End::Answered { .. }) => Some("answered"),
        Some(End::Failed(error)) => Some(trouble(error).map_or("refused", Trouble::name)),
        None => (ending == Ending::Broken).then_some(Trouble::Unavailable.name()),
    }
}
