//! The pools' filter of an Envoy that gets it on another stream.
//!
//! An Envoy that has its clusters from elsewhere opens a stream for each filter, and after a restart of this service each
//! comes back when it likes. A plugin configuration that arrives before the pools' filter would send requests to pools
//! that cannot sign yet, so it waits. And where pools are missing it has no failover, which needs none. One whose module
//! the Envoy could not fetch is never sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::resource::Resource;
use super::{Place, Session};

/// How long one that runs nothing waits: as long as compiling the module may take on a small share of a core.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an Envoy that has its clusters from elsewhere lacks of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing.
    Nothing,
    /// Its own filter's module: it is to fetch it from a cluster that it does not have.
    Module,
    /// Pools.
    Pools,
    /// The pools' filter, which no stream of it has.
    Filter,
}

/// Whether an Envoy has the pools and their filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// It has, or needs none.
    #[default]
    Settled,
    /// It lacks pools, so that its requests must not fail over.
    Alone,
    /// It lacks a filter or its module, and is waited for until then, or for as long as it takes.
    Awaited(Option<Instant>),
    /// It has no filter, and is not waited for any longer.
    GivenUp,
}

impl Session {
    /// Says what the Envoy lacks.
    pub fn lacks(&mut self, lack: Lack, now: Instant) {
        self.elsewhere = match (lack, self.elsewhere) {
            (Lack::Nothing, _) => Elsewhere::Settled,
            // Envoy takes such a configuration, and answers 503 on every path.
            (Lack::Module, _) => Elsewhere::Awaited(None),
            (Lack::Pools, _) => Elsewhere::Alone,
            (Lack::Filter, Elsewhere::Settled | Elsewhere::Alone) => {
                // What it runs, it runs with other pools, and goes on doing so.
                let known = self.plugin.as_ref().and_then(Resource::taken);
                let runs_nothing = known.is_none() && self.brought.content.is_none();
                let until = runs_nothing.then(|| now.checked_add(PATIENCE));
                Elsewhere::Awaited(until.flatten())
            }
            (Lack::Filter, Elsewhere::Awaited(Some(until))) if until <= now => Elsewhere::GivenUp,
            (Lack::Filter, known) => known,
        };
    }

    /// Where the target's plugin configuration goes.
    pub(super) fn listener(&self) -> Place {
        let target = Arc::clone(&self.target);
        match self.elsewhere {
            Elsewhere::Alone => Place::Alone(target),
            _ => Place::Listener(target),
        }
    }

    /// Whether this stream's plugin configuration waits.
    pub(super) fn awaits_pools(&self) -> bool {
        // What the Envoy has taken here, it runs already.
        let waits = |plugin: &Resource<_>| !plugin.is_answered();
        matches!(self.elsewhere, Elsewhere::Awaited(_)) && self.plugin.as_ref().is_some_and(waits)
    }

    /// When the waiting ends.
    pub(super) fn awaits_pools_until(&self) -> Option<Instant> {
        match self.elsewhere {
            Elsewhere::Awaited(until) if self.awaits_pools() => until,
            _ => None,
        }
    }
}
