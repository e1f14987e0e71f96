//! One request that may be tried on several channels, and who is tried first.
//!
//! The listener stage makes a [`Relay`] of a request: read once, kept until it is answered. Envoy then
//! tries the endpoints of a pool one after the other, each of them a channel, and for every attempt the
//! upstream stage encodes and signs the request afresh from the same [`Relay`].

mod backups;
mod choice;
mod health;
mod held;
mod on_demand;
mod tally;

pub use health::{Failure, Health, Target};
pub use held::{Client, Hold, overloaded};
pub use tally::{Event, What};

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self_cell::self_cell;

use crate::call::{Prepared, unserved};
use crate::chat::{Error, Request};
use crate::protocol::{Parsed, Protocol};
use crate::routes::{Route, Routes};
use backups::{backups, longest_timeout};
use choice::target;
use held::Held;
use on_demand::OnDemand;

/// How long requests leave without failover after one that no attempt was made of.
const DETOUR: Duration = Duration::from_secs(10);

self_cell!(
    /// A body with the request that was read from it.
    struct Body {
        owner: Vec<u8>,
        #[covariant]
        dependent: Parsed,
    }
);

/// What the requests of one worker share.
#[derive(Debug, Default)]
pub struct Dispatcher {
    health: RefCell<Health>,
    on_demand: RefCell<OnDemand>,
    /// Requests so far; decides between channels of one priority.
    turns: Cell<u64>,
    /// What of requests is held for another attempt.
    held: Rc<Held>,
    /// Until when no request is sent to a pool.
    detour: Cell<Option<SystemTime>>,
    /// What is still to be counted.
    events: RefCell<Vec<Event>>,
}

/// A request on its way, shared by the listener stage and every attempt.
pub struct Relay {
    routes: Arc<Routes>,
    dispatcher: Rc<Dispatcher>,
    body: Body,
    protocol: &'static dyn Protocol,
    /// As long as the body is there.
    _hold: Hold,
    /// Translated already, for the channel that comes first.
    first: RefCell<First>,
    progress: RefCell<Progress>,
}

/// How far a request got.
#[derive(Debug, Default)]
struct Progress {
    /// In the order in which they were tried.
    tried: Vec<Tried>,
    /// Whether the latest attempt is still open.
    is_open: bool,
    /// Why the latest attempt failed, if it did.
    failure: Option<Failure>,
    end: Option<End>,
}

/// A channel that was tried.
#[derive(Debug)]
struct Tried {
    channel: String,
    /// What was called through it.
    model: String,
}

impl Tried {
    fn target(&self) -> Target<'_> {
        Target {
            channel: &self.channel,
            model: &self.model,
        }
    }
}

/// What an attempt has settled.
#[derive(Clone, Debug)]
pub enum End {
    /// The client gets an answer.
    Answered,
    /// The client gets this, unless a later attempt does better.
    Failed(Error),
}

/// Where a relayed request goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Envoy cluster of the pool.
    pub cluster: String,
    /// Attempts after the first at most.
    pub retries: usize,
    /// How long each attempt may take until its answer begins.
    pub timeout: Duration,
}

impl Dispatcher {
    /// Takes what has happened since the last call.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.events.take()
    }

    /// Requests follow these routes from now on.
    pub fn configured(&self, routes: &Routes) {
        let mut health = self.health.borrow_mut();
        health.keep(|channel| routes.has_channel(channel));
    }

    fn count(&self, channel: &str, what: What, reason: &'static str) {
        self.events.borrow_mut().push(Event {
            channel: Some(channel.to_owned()),
            what,
            reason,
        });
    }

    /// Whether attempts are made of requests that are sent to pools, as far as is known.
    #[must_use]
    pub fn reaches_pools(&self, now: SystemTime) -> bool {
        self.detour.get().is_none_or(|until| until <= now)
    }

    /// Reads a request that there is room for, and chooses who shall serve it.
    ///
    /// # Errors
    ///
    /// The client's error.
    pub fn relay(
        self: &Rc<Self>,
        routes: &Arc<Routes>,
        protocol: &'static dyn Protocol,
        (body, hold): (Vec<u8>, Hold),
        now: SystemTime,
    ) -> Result<(Rc<Relay>, Plan), Error> {
        let body = Body::try_new(body, |body| protocol.parse(body))?;
        let (plan, first) = self.plan(routes, &body.borrow_dependent().request, now)?;
        let relay = Relay {
            routes: Arc::clone(routes),
            dispatcher: Rc::clone(self),
            body,
            protocol,
            _hold: hold,
            first: RefCell::new(first),
            progress: RefCell::default(),
        };
        Ok((Rc::new(relay), plan))
    }

    /// The route as it has to be, by what Bedrock said of others like it.
    fn mend<'r>(&self, routes: &Routes, route: Route<'r>) -> Route<'r> {
        self.on_demand.borrow().mend(route, routes.revision())
    }

    /// Chooses who comes first, and translates the request for them.
    fn plan(
        &self,
        routes: &Routes,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Result<(Plan, First), Error> {
        let all: Vec<_> = routes
            .candidates(&request.model)
            .map(|route| self.mend(routes, route))
            .collect();
        let mut left: Vec<_> = all.iter().filter(|route| route.is_valid(now)).collect();
        let mut objection = None;
        while let Some(chosen) = self.choose(&left, routes.revision(), now) {
            let name = &chosen.channel.channel.name;
            match Prepared::new(routes, chosen, request) {
                Ok(prepared) => {
                    self.health.borrow_mut().chosen(target(chosen), now);
                    let pool = routes.pool(chosen.channel, &backups(routes, chosen, &all, request));
                    let again = all.iter().any(|own| own.through_geo_profile().is_some());
                    let plan = Plan {
                        timeout: longest_timeout(&pool, &all, request),
                        cluster: pool.cluster,
                        retries: pool.channels.len() - 1 + usize::from(again),
                    };
                    return Ok((plan, Some((name.clone(), prepared))));
                }
                Err(error) => {
                    objection = objection.or(Some(error));
                    left.retain(|other| other.channel.channel.name != *name);
                }
            }
        }
        Err(objection.unwrap_or_else(|| unserved(&routes.why_not(&request.model))))
    }
}

/// What was translated for the channel that comes first.
type First = Option<(String, Prepared)>;

impl Relay {
    /// The configuration that serves the request to its end.
    #[must_use]
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
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

    /// Begins an attempt on a channel; `None` when it does not serve the request at all.
    pub fn begin(&self, channel: &str, now: SystemTime) -> Option<Route<'_>> {
        self.note_silence(now);
        let route = self.routes.route_on(channel, &self.request().model)?;
        let route = self.dispatcher.mend(&self.routes, route);
        let mut progress = self.progress.borrow_mut();
        if let (Some(last), Some(failure)) = (progress.tried.last(), progress.failure) {
            self.dispatcher
                .count(&last.channel, What::Failover, failure.reason());
        }
        progress.failure = None;
        progress.tried.push(Tried {
            channel: channel.to_owned(),
            model: route.model_id.clone(),
        });
        progress.is_open = true;
        Some(route)
    }

    /// The request in the words of the model behind a route.
    ///
    /// # Errors
    ///
    /// When the model cannot be told what the request says.
    pub fn prepared(&self, route: &Route<'_>) -> Result<Prepared, Error> {
        let first = self.first.take();
        match first.filter(|(channel, _)| *channel == route.channel.channel.name) {
            Some((_, prepared)) => Ok(prepared),
            None => Prepared::new(&self.routes, route, self.request()),
        }
    }

    /// Settles the latest attempt: its channel has answered.
    pub fn answered(&self) {
        let mut progress = self.progress.borrow_mut();
        progress.is_open = false;
        progress.end = Some(End::Answered);
        if let Some(own) = progress.tried.last() {
            self.dispatcher
                .count(&own.channel, What::Attempt, "answered");
            self.dispatcher.health.borrow_mut().succeeded(own.target());
        }
    }

    /// Settles the latest attempt: its channel failed. `error` is for the client if nobody does better
    /// and Envoy's own view of the answer would not do.
    pub fn failed(&self, failure: Failure, error: Option<Error>, now: SystemTime) {
        let mut progress = self.progress.borrow_mut();
        progress.is_open = false;
        progress.end = error.map(End::Failed);
        progress.failure = Some(failure);
        if let Some(own) = progress.tried.last() {
            let revision = self.routes.revision();
            let mut health = self.dispatcher.health.borrow_mut();
            let pauses = health.failed(own.target(), failure, revision, now);
            drop(health);
            let (channel, reason) = (own.channel.as_str(), failure.reason());
            self.dispatcher.count(channel, What::Attempt, reason);
            if pauses {
                self.dispatcher.count(channel, What::Cooldown, reason);
            }
        }
    }

    /// Settles the latest attempt: its channel refused the request, which is no fault of the channel's.
    /// `error` is for the client where Envoy's own view of the answer would not do.
    pub fn refused(&self, error: Option<Error>) {
        self.settle_refusal("refused", error);
    }

    /// Settles the latest attempt: the base model has no on-demand throughput in this channel, so that
    /// the next attempt there goes through a profile. `error` is for the client if there is none.
    pub fn lacks_on_demand(&self, route: &Route<'_>, error: Error) {
        let mut on_demand = self.dispatcher.on_demand.borrow_mut();
        on_demand.note(route, self.routes.revision());
        self.settle_refusal("on_demand_not_supported", Some(error));
    }

    fn settle_refusal(&self, reason: &'static str, error: Option<Error>) {
        let mut progress = self.progress.borrow_mut();
        progress.is_open = false;
        progress.end = error.map(End::Failed);
        if let Some(own) = progress.tried.last() {
            self.dispatcher.count(&own.channel, What::Attempt, reason);
        }
    }

    /// An attempt that ended without an answer has failed: no connection, a reset, or a timeout.
    pub fn note_silence(&self, now: SystemTime) {
        if self.progress.borrow().is_open {
            self.failed(Failure::Unavailable, None, now);
        }
    }

    /// Something came back: whether any attempt was made. If none was, the pool is not there, or its filter
    /// runs in another VM; others do not go there for a while.
    #[must_use]
    pub fn was_tried(&self, now: SystemTime) -> bool {
        let was_tried = !self.progress.borrow().tried.is_empty();
        if !was_tried {
            self.dispatcher.detour.set(Some(now + DETOUR));
        }
        was_tried
    }

    /// What the latest attempt has settled, if more than Envoy sees.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.progress.borrow().end.clone()
    }

    /// The channel that was tried last, and how many were.
    #[must_use]
    pub fn attempts(&self) -> (Option<String>, usize) {
        let progress = self.progress.borrow();
        let last = progress.tried.last();
        let channel = last.map(|own| own.channel.clone());
        (channel, progress.tried.len())
    }
}

#[cfg(test)]
mod tests;
