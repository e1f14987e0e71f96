//! The pools' filter of an Envoy that gets it on another stream.
//!
//! An Envoy that has its clusters from elsewhere opens a stream for each filter, and after a restart of this service each
//! comes back when it likes. A plugin configuration that arrives before the pools' filter would send requests to pools
//! that cannot sign yet; and if the pools that the Envoy has are another module's, to none at all.

use std::time::{Duration, Instant};

use super::Session;
use super::resource::Resource;

/// How long one that runs nothing waits: as long as compiling the module may take on a small share of a core.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether an Envoy has the pools' filter from another stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// It has, or needs none.
    #[default]
    Settled,
    /// It has not, and is waited for until then, or for as long as it takes.
    Awaited(Option<Instant>),
    /// It has not, and is not waited for any longer.
    GivenUp,
}

impl Session {
    /// Says whether the Envoy has pools, and on no stream their filter.
    pub fn lacks_pools_filter(&mut self, lacks: bool, now: Instant) {
        self.elsewhere = match (lacks, self.elsewhere) {
            (false, _) => Elsewhere::Settled,
            (true, Elsewhere::Settled) => {
                // What it runs, it runs with other pools, and goes on doing so.
                let known = self.plugin.as_ref().and_then(Resource::taken);
                let runs_nothing = known.is_none() && self.brought.content.is_none();
                let until = runs_nothing.then(|| now.checked_add(PATIENCE));
                Elsewhere::Awaited(until.flatten())
            }
            (true, Elsewhere::Awaited(Some(until))) if until <= now => Elsewhere::GivenUp,
            (true, known) => known,
        };
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
