//! Who takes over a request when the channel that comes first fails, and how long each of them has.

use std::time::Duration;

use crate::call::{Prepared, response_timeout};
use crate::catalog::ModelFamily;
use crate::chat::Request;
use crate::config::{Api, Guardrail};
use crate::routes::{CompiledChannel, Pool, Route, Routes};

/// Who can take over from `chosen`: every candidate, or nobody if one of them could not carry the request.
/// Which pools there are is known beforehand, so none can be made without the one.
pub(super) fn backups<'r>(
    routes: &Routes,
    chosen: &Route<'r>,
    all: &[Route<'r>],
    request: &Request<'_>,
) -> Vec<&'r CompiledChannel> {
    let carries = |other: &Route<'r>| {
        Target::of(other) == Target::of(chosen) || Prepared::new(routes, other, request).is_ok()
    };
    if all.iter().all(carries) {
        all.iter().map(|own| own.channel).collect()
    } else {
        Vec::new()
    }
}

/// The longest time that a channel of a pool wants for its attempt.
pub(super) fn longest_timeout(
    pool: &Pool<'_>,
    all: &[Route<'_>],
    request: &Request<'_>,
) -> Duration {
    let is_in_pool = |own: &&Route<'_>| {
        let name = &own.channel.channel.name;
        pool.channels
            .iter()
            .any(|other| other.channel.name == *name)
    };
    let timeouts = all.iter().filter(is_in_pool);
    let longest = timeouts.map(|own| response_timeout(own, request)).max();
    longest.unwrap_or_default()
}

/// All that decides whether a request can be translated.
#[derive(PartialEq)]
struct Target<'r> {
    /// The catalogue's name of the model, or else what is called.
    model: String,
    family: ModelFamily,
    api: Api,
    guardrail: Option<&'r Guardrail>,
}

impl<'r> Target<'r> {
    fn of(route: &Route<'r>) -> Self {
        let known = route.model.map(|model| model.id.to_owned());
        Self {
            model: known.unwrap_or_else(|| route.model_id.clone()),
            family: route.family,
            api: route.api(),
            guardrail: route.channel.channel.guardrail.as_ref(),
        }
    }
}
