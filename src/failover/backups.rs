//! Which channels take over a request when the first one fails, and how long each of them has.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::call::Prepared;
use crate::catalog::ModelFamily;
use crate::chat::Request;
use crate::config::{Api, Guardrail};
use crate::protocol::Parsed;
use crate::routes::{CompiledChannel, Pool, Route, Routes};

/// The channels that can take over from `picked`: every candidate's, or none if one of them could not serve the
/// request. Pools are made with the configuration, so there is none that leaves a single channel out.
pub(super) fn backups<'r>(
    routes: &Routes,
    picked: &Route<'r>,
    all: &[&Route<'r>],
    parsed: &Parsed<'_>,
) -> Vec<&'r CompiledChannel> {
    let serves = |other: &&Route<'r>| {
        Translation::of(other) == Translation::of(picked)
            || Prepared::new(routes, other, parsed).is_ok()
    };
    if all.iter().all(serves) {
        let mut seen = BTreeSet::new();
        let channels = all.iter().map(|own| own.channel);
        channels
            .filter(|own| seen.insert(own.channel.name.as_str()))
            .collect()
    } else {
        Vec::new()
    }
}

/// The longest time that a channel of a pool allows an attempt.
pub(super) fn longest_timeout(
    pool: &Pool<'_>,
    all: &[&Route<'_>],
    (prepared, request): (&Prepared, &Request<'_>),
) -> Duration {
    let is_in_pool = |own: &&&Route<'_>| {
        let name = &own.channel.channel.name;
        pool.channels
            .iter()
            .any(|other| other.channel.name == *name)
    };
    let timeouts = all.iter().filter(is_in_pool);
    let longest = timeouts.map(|own| prepared.timeout(own, request)).max();
    longest.unwrap_or_default()
}

/// Everything that decides whether a request can be translated.
#[derive(PartialEq)]
struct Translation<'r> {
    /// The catalogue's name of the model, or else the id that is called.
    model: String,
    family: ModelFamily,
    api: Api,
    guardrail: Option<&'r Guardrail>,
}

impl<'r> Translation<'r> {
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
