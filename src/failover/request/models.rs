//! Which of several models an attempt asks.

use std::time::SystemTime;

use super::RetryableRequest;
use crate::failover::Target;
use crate::routes::Route;

impl RetryableRequest {
    /// Whether the name that the client asked for has chosen a model.
    #[must_use]
    pub fn chooses(&self) -> bool {
        self.chooses
    }

    /// The name of the model of the latest attempt.
    #[must_use]
    pub fn model(&self) -> String {
        let progress = self.progress.borrow();
        let latest = progress.attempts.last().map(|own| own.name.clone());
        latest.unwrap_or_else(|| self.request().model.to_string())
    }

    /// Where a channel leads: to the first of the models that was not tried there and is not cooling down, else to one
    /// that was not tried, else to any.
    pub(super) fn next_route(&self, channel: &str, now: SystemTime) -> Option<Route<'_>> {
        let on = |model: &String| {
            let route = self.routes.route_on(channel, model)?;
            Some(self.picker.redirect(&self.routes, route))
        };
        let mut routes: Vec<_> = self.models.iter().filter_map(on).collect();
        if routes.len() < 2 {
            return routes.pop();
        }
        let progress = self.progress.borrow();
        let is_new = |own: &Route<'_>| {
            let target = Target::of(own);
            !progress.attempts.iter().any(|made| made.target() == target)
        };
        let cooldowns = self.picker.cooldowns.borrow();
        let revision = self.routes.revision();
        let cools = |own: &Route<'_>| cooldowns.is_cooling_down(Target::of(own), revision, now);
        let best = routes.iter().position(|own| is_new(own) && !cools(own));
        let best = best.or_else(|| routes.iter().position(is_new));
        Some(routes.swap_remove(best.unwrap_or(0)))
    }
}
