//! The limits of the caller, as they concern one exchange.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};

use super::{Edit, Exchange, Phase, Reply, Step};
use crate::call::Headers;
use crate::limits::{Counters, Denial, Meter, Tally};
use crate::protocol::Parsed;
use crate::telemetry::Shared;

/// Start of the headers in which Envoy's rate limit filter, and the service behind it, say how a caller stands.
const LIMITER_PREFIX: &str = "x-ratelimit-";

/// In how many seconds the limit nearest to its end starts anew, by Envoy's rate limit filter.
const LIMITER_RESET: &str = "x-ratelimit-reset";

/// What counts against limits in an exchange, on the listener.
pub(super) struct Limited {
    meter: Meter,
    tally: Rc<Tally>,
    /// Why the request was denied, until somebody has counted it.
    denied: Option<&'static str>,
}

impl Exchange {
    /// Begins to count for the caller's limits, if it has any. Nothing is taken yet.
    pub(super) fn start_meter(&mut self, parsed: &Parsed<'_>) {
        let Some(caller) = self.caller.as_deref() else {
            return;
        };
        // Whoever asks how many tokens a prompt has uses none.
        if parsed.counter.is_some() {
            return;
        }
        let mode = self.routes.callers().limit_mode();
        let meter = caller.account();
        let meter = meter.and_then(|account| Meter::new(account, caller.limits(), mode));
        let Some(mut meter) = meter else {
            return;
        };
        if meter.counts_tokens() {
            meter.set_text(parsed.text_bytes());
        }
        let tally = Rc::<Tally>::default();
        self.tally = Some(Rc::clone(&tally));
        self.limited = Some(Box::new(Limited {
            meter,
            tally,
            denied: None,
        }));
    }

    /// Whether the caller has limits that the request counts against.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.limited.is_some()
    }

    /// Takes from the caller's limits what a request needs that is about to leave; a limit that is reached here replaces
    /// the step.
    pub fn admit(&mut self, step: Step, counters: &dyn Counters, now: SystemTime) -> Step {
        let (Some(limited), Step::Edit(_)) = (&mut self.limited, &step) else {
            return step;
        };
        self.now = Some(now);
        match limited.meter.admit(counters, since_epoch(now)) {
            Ok(()) => step,
            Err(denial) => self.deny(denial),
        }
    }

    /// What Envoy's rate limit filter has to know, as properties of the stream.
    #[must_use]
    pub fn claims(&self) -> Vec<(&'static str, String)> {
        let limited = self.limited.as_deref();
        limited.map_or_else(Vec::new, |own| own.meter.claims())
    }

    /// Whether an answer may be the rate limit filter's own; its details tell.
    #[must_use]
    pub fn may_be_limiters(&self, headers: &Headers) -> bool {
        let is_asking = self
            .limited
            .as_deref()
            .is_some_and(|own| own.meter.is_asking());
        is_asking && matches!(headers.get(":status"), Some(b"429" | b"500"))
    }

    /// The reply in place of the rate limit filter's own; `None` if the answer is somebody else's.
    pub fn limiters_reply(
        &mut self,
        headers: &Headers,
        details: &[u8],
        now: SystemTime,
    ) -> Option<Step> {
        let limited = self.limited.as_deref_mut()?;
        let seconds = |name| headers.get_str(name)?.parse().ok().map(Duration::from_secs);
        let wait = seconds(RETRY_AFTER.as_str()).or_else(|| seconds(LIMITER_RESET));
        let denial = limited.meter.refused(details, wait)?;
        limited.meter.note(|name| headers.get_str(name));
        self.now = Some(now);
        Some(self.deny(denial))
    }

    /// Why the request was denied, once.
    pub fn take_denial(&mut self) -> Option<&'static str> {
        self.limited.as_deref_mut()?.denied.take()
    }

    /// Settles with the caller's limits when the exchange is over, whatever became of it; what Envoy's rate limit filter
    /// has to know, as a property of the stream.
    pub fn settle(
        &mut self,
        counters: &dyn Counters,
        now: SystemTime,
    ) -> Option<(&'static str, String)> {
        let limited = self.limited.as_deref_mut()?;
        limited
            .meter
            .settle(&limited.tally, counters, since_epoch(now))
    }

    /// Notes how the caller stands with its limits, as the headers of an answer say.
    pub(super) fn note_limits(&mut self, headers: &Headers) {
        if let Some(limited) = &mut self.limited {
            limited.meter.note(|name| headers.get_str(name));
        }
    }

    /// The step with what tells the client how it stands, if the step has an answer's headers.
    pub(super) fn with_limits(&self, mut step: Step) -> Step {
        if self.limited.is_none() {
            return step;
        }
        match &mut step {
            Step::Reply(reply) => self.tell_standing(&mut |name, value| {
                if let Ok(value) = HeaderValue::try_from(value) {
                    reply.headers.push((HeaderName::from_static(name), value));
                }
            }),
            Step::Edit(edit) => self.tell_limits(edit),
            _ => {}
        }
        step
    }

    /// Tells the client how it stands, if the edit has an answer's headers.
    pub(super) fn tell_limits(&self, edit: &mut Edit) {
        let headers = edit.headers.as_mut();
        if let Some(headers) = headers.filter(|own| own.get(":status").is_some()) {
            headers.remove(|name| name.starts_with(LIMITER_PREFIX));
            self.tell_standing(&mut |name, value| headers.add(name, value));
        }
    }

    /// Tells how the caller stands with its limits, in the headers of the client's API.
    fn tell_standing(&self, tell: &mut dyn FnMut(&'static str, String)) {
        if let Some(limited) = self.limited.as_deref() {
            let now = self.now.unwrap_or(UNIX_EPOCH);
            let standings = limited.meter.standings();
            self.protocol.limit_headers(standings, now, tell);
        }
    }

    /// Ends an exchange that a limit does not let pass. No channel has anything to do with it.
    fn deny(&mut self, denial: Denial) -> Step {
        self.phase = Phase::Done;
        self.outcome = Shared::default();
        let error = denial.error();
        self.account.limit(&error);
        if let Some(limited) = &mut self.limited {
            limited.denied = Some(denial.reason());
        }
        let reply = Reply::error(self.protocol, &error, self.said.id.as_deref());
        let step = self.with_limits(Step::Reply(reply));
        self.readable(step)
    }
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
