//! Which channel a request goes to first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::backups::{backups, longest_timeout};
use super::buffer::{Buffer, Client, Reservation};
use super::connections::Connections;
use super::cooldowns::{Cooldowns, Target};
use super::events::{Event, EventKind};
use super::profile_only::ProfileOnly;
use super::turns::Turns;
use crate::call::{Prepared, Wish};
use crate::callers::Caller;
use crate::chat::Error;
use crate::health::Seen;
use crate::protocol::Parsed;
use crate::routes::{Permitted, Route, Routes};

/// How long requests leave without failover after one of which no attempt was made.
const BYPASS: Duration = Duration::from_secs(10);

/// What the requests of one worker share.
#[derive(Debug, Default)]
pub struct ChannelPicker {
    pub(super) cooldowns: RefCell<Cooldowns>,
    pub(super) profile_only: RefCell<ProfileOnly>,
    pub(super) connections: RefCell<Connections>,
    turns: Turns,
    /// Memory of the requests that may need another attempt.
    pub(super) buffer: Rc<Buffer>,
    /// Until when requests leave without failover.
    bypass_until: Cell<Option<SystemTime>>,
    /// What is still to be counted.
    pub(super) events: RefCell<Vec<Event>>,
    /// What attempts have shown of the channels and was not taken yet.
    pub(super) seen: RefCell<Vec<Seen>>,
}

/// Where a request goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Envoy cluster of the pool.
    pub cluster: String,
    /// Most attempts after the first.
    pub retries: usize,
    /// How long each attempt may take until its answer begins.
    pub timeout: Duration,
    /// The names of the models that may be tried, in their order.
    pub models: Vec<String>,
}

/// What was translated for the channel and the model that come first.
pub(super) struct First {
    channel: String,
    model_id: String,
    pub(super) prepared: Prepared,
}

impl First {
    fn new(route: &Route<'_>, prepared: Prepared) -> Self {
        Self {
            channel: route.channel.channel.name.clone(),
            model_id: route.model_id.clone(),
            prepared,
        }
    }

    pub(super) fn is_for(&self, route: &Route<'_>) -> bool {
        self.channel == route.channel.channel.name && self.model_id == route.model_id
    }
}

impl ChannelPicker {
    /// Takes what has happened since the last call.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.events.take()
    }

    /// Takes what attempts have shown of the channels since the last call.
    #[must_use]
    pub fn take_seen(&self) -> Vec<Seen> {
        self.seen.take()
    }

    /// Requests follow these routes from now on: forgets the channels that they lack.
    pub fn use_routes(&self, routes: &Routes) {
        let mut cooldowns = self.cooldowns.borrow_mut();
        cooldowns.retain_channels(|channel| routes.has_channel(channel));
        let mut connections = self.connections.borrow_mut();
        connections.retain(|channel| routes.has_channel(channel));
    }

    pub(super) fn count(&self, channel: &str, kind: EventKind, reason: &'static str) {
        self.events.borrow_mut().push(Event {
            channel: Some(channel.to_owned()),
            kind,
            reason,
        });
    }

    /// Whether requests may be sent to pools: as far as is known, attempts are made of them there.
    #[must_use]
    pub fn uses_pools(&self, now: SystemTime) -> bool {
        self.bypass_until.get().is_none_or(|until| until <= now)
    }

    /// Sends requests past the pools for a while: no attempt was made of one that went there.
    pub(super) fn bypass_pools(&self, now: SystemTime) {
        self.bypass_until.set(Some(now + BYPASS));
    }

    /// Reserves memory for a request of so many bytes, before it is read.
    ///
    /// # Errors
    ///
    /// A 503 when requests hold too much already, in all or of this client.
    pub fn reserve(
        &self,
        routes: &Routes,
        client: Client,
        bytes: usize,
    ) -> Result<Reservation, Error> {
        let limit = routes.failover().unwrap_or_default().max_held_bytes;
        self.buffer.reserve(client, bytes, limit).map_err(|full| {
            self.events.borrow_mut().push(Event {
                channel: None,
                kind: EventKind::Overload,
                reason: full.reason(),
            });
            full.error()
        })
    }

    /// The route through an inference profile, where Bedrock has said that the model needs one.
    pub(super) fn redirect<'r>(&self, routes: &Routes, route: Route<'r>) -> Route<'r> {
        let profile_only = self.profile_only.borrow();
        profile_only.redirect(route, routes.revision())
    }

    /// Picks the channel and the model that a request goes to first, and translates the request for them.
    ///
    /// # Errors
    ///
    /// The client's error.
    pub(super) fn plan(
        &self,
        routes: &Routes,
        caller: Option<&Caller>,
        (parsed, wish): (&Parsed<'_>, &Wish<'_>),
        now: SystemTime,
    ) -> Result<(Plan, Option<First>), Error> {
        let everything = routes.permitted(caller);
        let permitted = wish.permitted(everything);
        let all = self.candidates(permitted, wish);
        let mut left: Vec<_> = all.iter().filter(|own| own.route.is_valid(now)).collect();
        let mut objection = None;
        while let Some(picked) = self.pick(&left, routes.revision(), now) {
            match Prepared::new(routes, &picked.route, parsed) {
                Ok(prepared) => {
                    let target = Target::of(&picked.route);
                    self.cooldowns.borrow_mut().picked(target, now);
                    let plan = plan(permitted, (wish, picked), &all, (parsed, &prepared));
                    return Ok((plan, Some(First::new(&picked.route, prepared))));
                }
                Err(error) => {
                    objection = objection.or(Some(error));
                    left.retain(|other| !std::ptr::eq(*other, picked));
                }
            }
        }
        Err(objection.unwrap_or_else(|| wish.unserved(everything)))
    }

    /// Every channel with every model that it may serve the request with, in the order of the models.
    fn candidates<'r>(&self, permitted: Permitted<'r>, wish: &Wish<'_>) -> Vec<Candidate<'r>> {
        let models = wish.models().iter().enumerate();
        let all = models.flat_map(|(model, name)| {
            let on = permitted.candidates(name).into_iter();
            on.map(move |route| Candidate {
                model,
                route: self.redirect(permitted.routes(), route),
            })
        });
        all.collect()
    }

    /// The best candidate: of the first model of which one is not cooling down, else of the first; by turns.
    fn pick<'a, 'r>(
        &self,
        candidates: &[&'a Candidate<'r>],
        revision: u64,
        now: SystemTime,
    ) -> Option<&'a Candidate<'r>> {
        let cooldowns = self.cooldowns.borrow();
        let cools = |own: &Route<'_>| cooldowns.is_cooling_down(Target::of(own), revision, now);
        let ready = candidates.iter().find(|own| !cools(&own.route));
        let model = ready.or(candidates.first())?.model;
        let own = candidates.iter().filter(|own| own.model == model);
        let routes: Vec<_> = own.map(|own| &own.route).collect();
        let route = self.turns.pick(&routes, cools)?;
        let mut all = candidates.iter().copied();
        all.find(|own| std::ptr::eq(&own.route, route))
    }
}

/// A channel with one of the models that may serve a request.
struct Candidate<'r> {
    /// The model's place in the order.
    model: usize,
    route: Route<'r>,
}

/// The candidates without those of models that refuse something in the request, if every channel is still among them:
/// there is a pool of all channels of the models together, but none of some of them.
fn without_refusing<'a, 'r>(
    routes: &Routes,
    (candidates, picked): (&'a [Candidate<'r>], &Candidate<'r>),
    parsed: &Parsed<'_>,
) -> Option<Vec<&'a Candidate<'r>>> {
    let refuses = |own: &&Candidate<'r>| Prepared::new(routes, &own.route, parsed).is_err();
    let refusing = candidates.iter().filter(refuses).map(|own| own.model);
    let refusing: BTreeSet<_> = refusing.collect();
    let able = candidates
        .iter()
        .filter(|own| !refusing.contains(&own.model));
    let able: Vec<_> = able.collect();
    let channel = |own: &'a Candidate<'r>| own.route.channel.channel.name.as_str();
    let left: BTreeSet<_> = able.iter().copied().map(channel).collect();
    let is_complete = candidates.iter().all(|own| left.contains(channel(own)));
    (is_complete && !refusing.contains(&picked.model)).then_some(able)
}

/// The plan for a request that goes to `picked` first.
fn plan(
    permitted: Permitted<'_>,
    (wish, picked): (&Wish<'_>, &Candidate<'_>),
    candidates: &[Candidate<'_>],
    (parsed, prepared): (&Parsed<'_>, &Prepared),
) -> Plan {
    let routes = permitted.routes();
    let names = wish.models();
    let mut models: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut all: Vec<_> = candidates.iter().map(|own| &own.route).collect();
    let mut others = backups(routes, &picked.route, &all, parsed);
    let is_restricted = permitted.is_restricted();
    let able = (models.len() > 1 && others.is_empty() && !is_restricted)
        .then(|| without_refusing(routes, (candidates, picked), parsed));
    if let Some(able) = able.flatten() {
        let is_able = |model: usize| able.iter().any(|own| own.model == model);
        let mut index = 0..;
        models.retain(|_| index.next().is_some_and(is_able));
        all = able.iter().map(|own| &own.route).collect();
        others = backups(routes, &picked.route, &all, parsed);
    } else if models.len() > 1 && (others.is_empty() || is_restricted) {
        // One of the models cannot take over, or the caller may not use it on all channels. There is no pool that leaves
        // out single channels, but there is one for the picked model alone.
        let own = candidates.iter().filter(|own| own.model == picked.model);
        all = own.map(|own| &own.route).collect();
        others = backups(routes, &picked.route, &all, parsed);
        models = models.into_iter().skip(picked.model).take(1).collect();
    }
    let pool = routes.pool(picked.route.channel, &others);
    let channels = pool.channels.len();
    // A channel may be tried once with each model.
    let most = routes.failover().map_or(1, |own| own.max_attempts);
    let attempts = if models.len() > 1 {
        all.len().min(most).max(channels)
    } else {
        channels
    };
    let again = all.iter().any(|own| own.through_geo_profile().is_some());
    Plan {
        timeout: longest_timeout(&pool, &all, (prepared, &parsed.request)),
        cluster: pool.cluster,
        retries: attempts - 1 + usize::from(again),
        models,
    }
}
