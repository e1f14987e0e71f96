//! Models that Bedrock serves only through inference profiles, as it has told us.

use std::collections::BTreeSet;

use crate::routes::Route;

/// Models of channels that turned out to have no on-demand throughput, under one revision of the
/// configuration; of one worker.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
#[derive(Debug, Default)]
pub(super) struct ProfileOnly {
    revision: u64,
    /// Channel and base model id.
    models: BTreeSet<(String, String)>,
}

impl ProfileOnly {
    /// Remembers that Bedrock refused this route because it needs a profile.
    pub(super) fn add(&mut self, route: &Route<'_>, revision: u64) {
        if self.revision != revision {
            self.revision = revision;
            self.models.clear();
        }
        self.models.insert(key(route));
    }

    /// The route through an inference profile, if its model is known to need one.
    pub(super) fn redirect<'r>(&self, route: Route<'r>, revision: u64) -> Route<'r> {
        if self.revision == revision && self.models.contains(&key(&route)) {
            return route.through_geo_profile().unwrap_or(route);
        }
        route
    }
}

fn key(route: &Route<'_>) -> (String, String) {
    (route.channel.channel.name.clone(), route.model_id.clone())
}
