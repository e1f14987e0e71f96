//! A request that may be tried several times.

mod models;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use self_cell::self_cell;

use super::begun::BegunAnswer;
use super::buffer::Reservation;
use super::cooldowns::Failure;
use super::events::EventKind;
use super::picker::{ChannelPicker, First, Plan};
use super::progress::{Attempt, AttemptResult, Progress};
use crate::call::{Prepared, Wish, read_request};
use crate::callers::Caller;
use crate::chat::{Error, Request};
use crate::health::{Seen, Trouble};
use crate::limits::Tally;
use crate::protocol::{Parsed, Protocol, Said};
use crate::routes::{Route, Routes};
use crate::telemetry::Shared;

self_cell!(
    /// A body with the request that was read from it.
    struct Body {
        owner: Vec<u8>,
        #[covariant]
        dependent: Parsed,
    }
);

/// By how much Envoy's clock for an attempt may be ahead of the one that the filter reads.
const CLOCKS: Duration = Duration::from_millis(100);

/// Attempts that Envoy may make beside those planned, in case one meets a connection that has been closed. If none
/// does, the filter sees to it that this one is not made.
pub(crate) const ENVOYS_SPARE: usize = 1;

/// A request on its way, shared by the listener stage and every attempt.
pub struct RetryableRequest {
    routes: Arc<Routes>,
    caller: Option<Arc<Caller>>,
    /// Where attempts say what was used, if the caller has limits.
    tally: RefCell<Option<Rc<Tally>>>,
    picker: Rc<ChannelPicker>,
    body: Body,
    protocol: &'static dyn Protocol,
    /// The proxy's id of the request.
    id: Option<String>,
    outcome: Shared,
    /// Lasts as long as the body.
    _reservation: Reservation,
    /// Already translated for the channel that comes first.
    first: RefCell<Option<First>>,
    /// The names of the models that may serve it, in their order.
    models: Vec<String>,
    /// Whether the name that the client asked for has chosen them.
    chooses: bool,
    /// How many attempts the plan allows.
    planned: usize,
    /// How long Envoy waits for each to be answered.
    timeout: Duration,
    progress: RefCell<Progress>,
}

impl RetryableRequest {
    /// Reads a request for which memory is reserved, and picks the channel that it goes to first.
    ///
    /// # Errors
    ///
    /// The client's error.
    pub fn start(
        picker: &Rc<ChannelPicker>,
        (routes, caller): (&Arc<Routes>, Option<Arc<Caller>>),
        (protocol, said): (&'static dyn Protocol, &Said),
        (body, reservation): (Vec<u8>, Reservation),
        now: SystemTime,
    ) -> Result<(Rc<Self>, Plan), Error> {
        let rules = routes.callers().rules(caller.as_deref());
        let body = Body::try_new(body, |body| read_request((protocol, said), body, rules))?;
        let parsed = body.borrow_dependent();
        let wish = Wish::of(routes, parsed, said.tag.as_deref());
        let (plan, first) = picker.plan(routes, caller.as_deref(), (parsed, &wish), now)?;
        let chooses = wish.chosen.is_some();
        drop(wish);
        let request = Self {
            routes: Arc::clone(routes),
            caller,
            tally: RefCell::default(),
            picker: Rc::clone(picker),
            body,
            protocol,
            id: said.id.clone(),
            outcome: Shared::default(),
            _reservation: reservation,
            first: RefCell::new(first),
            models: plan.models.clone(),
            chooses,
            planned: plan.retries + 1,
            timeout: plan.timeout,
            progress: RefCell::default(),
        };
        Ok((Rc::new(request), plan))
    }

    /// The configuration that serves the request to its end.
    #[must_use]
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }

    /// Who asks, if that is known.
    #[must_use]
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.caller.as_ref()
    }

    /// Has attempts say what was used.
    pub fn count_in(&self, tally: Option<&Rc<Tally>>) {
        *self.tally.borrow_mut() = tally.cloned();
    }

    /// Where attempts say what was used.
    #[must_use]
    pub fn tally(&self) -> Option<Rc<Tally>> {
        self.tally.borrow().clone()
    }

    /// The request, read once.
    #[must_use]
    pub fn request(&self) -> &Request<'_> {
        &self.parsed().request
    }

    /// The request, and how its client wants the answer.
    #[must_use]
    pub fn parsed(&self) -> &Parsed<'_> {
        self.body.borrow_dependent()
    }

    /// What its client speaks.
    #[must_use]
    pub fn protocol(&self) -> &'static dyn Protocol {
        self.protocol
    }

    /// The proxy's id of the request.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The outcome of the latest attempt, which it notes itself.
    #[must_use]
    pub fn outcome(&self) -> &Shared {
        &self.outcome
    }

    /// Begins an attempt on a channel; `None` when there have been enough, or the channel does not serve the request
    /// at all.
    pub fn begin_attempt(&self, channel: &str, now: SystemTime) -> Option<Route<'_>> {
        self.fail_open_attempt(now);
        if self.is_last() {
            return None;
        }
        let route = self.next_route(channel, now)?;
        let mut progress = self.progress.borrow_mut();
        if let (Some(last), Some(failure)) = (progress.attempts.last(), progress.failure) {
            self.picker
                .count(&last.channel, EventKind::Failover, failure.reason());
        }
        progress.failure = None;
        progress.attempts.push(Attempt {
            channel: channel.to_owned(),
            name: route.requested.clone(),
            model: route.model_id.clone(),
        });
        progress.open_since = Some(now);
        progress.is_heard = false;
        progress.timed_out = false;
        Some(route)
    }

    /// The request in the words of the model behind a route.
    ///
    /// # Errors
    ///
    /// When the request cannot be expressed for the model.
    pub fn prepared(&self, route: &Route<'_>) -> Result<Prepared, Error> {
        let first = self.first.take();
        match first.filter(|first| first.is_for(route)) {
            Some(first) => Ok(first.prepared),
            None => Prepared::new(&self.routes, route, self.parsed()),
        }
    }

    /// The channel of the latest attempt has said something, so Envoy has a connection to it that was used.
    pub fn heard(&self) {
        let mut progress = self.progress.borrow_mut();
        progress.is_heard = true;
        if let Some(own) = progress.attempts.last() {
            self.picker.connections.borrow_mut().used(&own.channel);
        }
    }

    /// Whether no attempt may follow the latest one, although Envoy has one left: see [`ENVOYS_SPARE`].
    #[must_use]
    pub fn is_last(&self) -> bool {
        let progress = self.progress.borrow();
        progress.attempts.len() >= self.planned + progress.spare
    }

    /// Keeps the status of the last attempt's answer from Envoy, for the client's error.
    pub fn hide_status(&self, status: StatusCode) {
        self.progress.borrow_mut().hidden_status = Some(status);
    }

    /// The status that Envoy does not know.
    #[must_use]
    pub fn hidden_status(&self) -> Option<StatusCode> {
        self.progress.borrow().hidden_status
    }

    /// Whether Envoy waited in vain for the latest attempt to be answered.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.progress.borrow().timed_out
    }

    /// Settles the latest attempt: its channel's answer has begun, and the client gets it.
    pub fn answered(&self) {
        let mut progress = self.progress.borrow_mut();
        progress.open_since = None;
        progress.result = Some(AttemptResult::Answered);
        if let Some(own) = progress.attempts.last() {
            self.picker
                .count(&own.channel, EventKind::Attempt, "answered");
            self.picker.cooldowns.borrow_mut().succeeded(own.target());
            self.show(own, None);
            let begun = BegunAnswer::new(&self.picker, self.seen(own, None));
            progress.answer = Some(Rc::new(begun));
        }
    }

    /// The answer that the client gets, once it has begun.
    #[must_use]
    pub fn answer(&self) -> Option<Rc<BegunAnswer>> {
        self.progress.borrow().answer.clone()
    }

    /// Settles the latest attempt: its channel failed. `error` is for the client if no later attempt does
    /// better and what Envoy knows of the answer would not do.
    pub fn failed(&self, failure: Failure, error: Option<Error>, now: SystemTime) {
        let mut progress = self.progress.borrow_mut();
        progress.open_since = None;
        progress.result = error.map(AttemptResult::Failed);
        progress.failure = Some(failure);
        if let Some(own) = progress.attempts.last() {
            let revision = self.routes.revision();
            let mut cooldowns = self.picker.cooldowns.borrow_mut();
            // A channel that does not count tokens may answer very well.
            let cools_down = self.parsed().counter.is_none()
                && cooldowns.failed(own.target(), failure, revision, now);
            drop(cooldowns);
            self.show(own, Some(failure.trouble()));
            let (channel, reason) = (own.channel.as_str(), failure.reason());
            self.picker.count(channel, EventKind::Attempt, reason);
            if cools_down {
                self.picker.count(channel, EventKind::Cooldown, reason);
            }
        }
    }

    /// Keeps what an attempt has shown of its channel. One to count tokens shows nothing of others.
    fn show(&self, attempt: &Attempt, trouble: Option<Trouble>) {
        if self.parsed().counter.is_some() {
            return;
        }
        let seen = self.seen(attempt, trouble);
        self.picker.seen.borrow_mut().push(seen);
    }

    fn seen(&self, attempt: &Attempt, trouble: Option<Trouble>) -> Seen {
        Seen {
            channel: attempt.channel.clone(),
            model: attempt.name.clone(),
            trouble,
            revision: self.routes.revision(),
        }
    }

    /// Settles the latest attempt: its channel refused the request, which is not the channel's fault.
    /// `error` is for the client where what Envoy knows of the answer would not do.
    pub fn refused(&self, error: Option<Error>) {
        self.settle_refusal("refused", error);
    }

    /// Settles the latest attempt: the base model has no on-demand throughput in this channel, so the next
    /// attempt there goes through a profile. `error` is for the client if there is none.
    pub fn lacks_on_demand(&self, route: &Route<'_>, error: Error) {
        let mut profile_only = self.picker.profile_only.borrow_mut();
        profile_only.add(route, self.routes.revision());
        self.settle_refusal("on_demand_not_supported", Some(error));
    }

    fn settle_refusal(&self, reason: &'static str, error: Option<Error>) {
        let mut progress = self.progress.borrow_mut();
        progress.open_since = None;
        progress.result = error.map(AttemptResult::Failed);
        if let Some(own) = progress.attempts.last() {
            self.picker.count(&own.channel, EventKind::Attempt, reason);
        }
    }

    /// Settles the latest attempt as failed if it ended without an answer: no connection, a reset, or a
    /// timeout.
    ///
    /// A reset of a connection that was used before need not be the channel's fault: the other side may have closed it
    /// while nothing happened. Such an attempt counts for nothing, once for each request, and there is one more.
    pub fn fail_open_attempt(&self, now: SystemTime) {
        let since = self.progress.borrow().open_since;
        let Some(since) = since else {
            return;
        };
        let waited = now.duration_since(since).unwrap_or_default();
        // The two clocks may differ a little.
        let timed_out = waited >= self.timeout.saturating_sub(CLOCKS);
        self.progress.borrow_mut().timed_out = timed_out;
        if !timed_out && self.was_stale() {
            self.progress.borrow_mut().spare = 1;
            return self.settle_refusal("stale_connection", None);
        }
        self.failed(Failure::Unavailable, None, now);
    }

    /// Whether the latest attempt may have failed because of a connection that had been closed. One whose answer has
    /// begun, even if no client has seen any of it, broke for another reason.
    fn was_stale(&self) -> bool {
        let progress = self.progress.borrow();
        let Some(own) = progress.attempts.last() else {
            return false;
        };
        let was_used = self.picker.connections.borrow_mut().broke(&own.channel);
        was_used && !progress.is_heard && progress.spare == 0
    }

    /// Whether any attempt was made, now that something came back. If none was, the pool does not exist, or
    /// its filter runs in another VM; other requests bypass the pools for a while.
    #[must_use]
    pub fn was_attempted(&self, now: SystemTime) -> bool {
        let was_attempted = self.attempts() > 0;
        if !was_attempted {
            self.picker.bypass_pools(now);
        }
        was_attempted
    }

    /// Sets the client's error, unless a later attempt does better.
    pub fn explain(&self, error: Error) {
        self.progress.borrow_mut().result = Some(AttemptResult::Failed(error));
    }

    /// What came of the latest attempt, if that is more than Envoy sees.
    #[must_use]
    pub fn last_result(&self) -> Option<AttemptResult> {
        self.progress.borrow().result.clone()
    }

    /// How many attempts were made so far.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.progress.borrow().attempts.len()
    }

    /// The channel of the latest attempt.
    #[must_use]
    pub fn last_channel(&self) -> Option<String> {
        let progress = self.progress.borrow();
        progress.attempts.last().map(|own| own.channel.clone())
    }
}
