//! What is left out of a request and told to its client.

use super::{Dialect, EncodedRequest};
use crate::chat::{EndUser, Param, Request, Treatment};

/// The parameters, by the client's names, that have no effect and that it would miss.
///
/// These are how much to think, and what Anthropic's own clients say to their own models. Of others, the documentation
/// says what becomes of them.
#[must_use]
pub fn left_out(
    dialect: &dyn Dialect,
    request: &Request<'_>,
    encoded: &EncodedRequest,
) -> Vec<&'static str> {
    let is_lost = |param: Param| {
        let is_ignored = || dialect.treatment(param) == Treatment::Ignored;
        encoded.left_out.contains(&param) || (is_missed(param, request) && is_ignored())
    };
    let asked = request.asked.iter().filter(|own| is_lost(own.param));
    asked.map(|own| own.name).collect()
}

/// Whether a client misses a parameter that its model cannot be told.
fn is_missed(param: Param, request: &Request<'_>) -> bool {
    match param {
        Param::ContextEdits => true,
        Param::Effort | Param::Thinking => request.reasoning.wishes().any(|own| own == param),
        Param::User => matches!(request.user, Some(EndUser::Opaque(_))),
        _ => false,
    }
}
