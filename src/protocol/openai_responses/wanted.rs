//! How a client wants its answer.

use super::echo::Echo;
use super::names::Names;

/// How a client wants its answer.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The parts of the request that every response repeats.
    pub(super) echo: Echo,
    /// What the client calls tools that have other names or kinds here.
    pub(super) names: Names,
    /// Whether what the model thought is shown.
    pub(super) shows_thoughts: bool,
    /// Whether thoughts are sealed, for the client to send back.
    pub(super) seals_thoughts: bool,
}
