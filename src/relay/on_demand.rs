//! Models that Bedrock serves through inference profiles alone, as it said.

use std::collections::BTreeSet;

use crate::routes::Route;

/// Which models of which channels turned out to have no on-demand throughput, under one revision of
/// the configuration; of one worker.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
#[derive(Debug, Default)]
pub(super) struct OnDemand {
    revision: u64,
    /// Channel and base model id.
    lacking: BTreeSet<(String, String)>,
}

impl OnDemand {
    /// Bedrock said so of this route.
    pub(super) fn note(&mut self, route: &Route<'_>, revision: u64) {
        if self.revision != revision {
            self.revision = revision;
            self.lacking.clear();
        }
        self.lacking.insert(key(route));
    }

    /// The route as it has to be, by what is known.
    pub(super) fn mend<'r>(&self, route: Route<'r>, revision: u64) -> Route<'r> {
        if self.revision == revision && self.lacking.contains(&key(&route)) {
            return route.through_geo_profile().unwrap_or(route);
        }
        route
    }
}

fn key(route: &Route<'_>) -> (String, String) {
    (route.channel.channel.name.clone(), route.model_id.clone())
}
