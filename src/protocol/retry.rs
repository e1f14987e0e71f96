//! Tells clients which errors will be the same at the next try.

use http::{HeaderName, HeaderValue};

use crate::chat::Error;

/// The official clients of both vendors do as it says, whatever the status.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Errors that only an administrator can fix, or another request.
const FINAL: [&str; 6] = [
    "channel_misconfigured",
    "insufficient_quota",
    "no_route",
    "prompt_exceeds_limit",
    "unknown_operation",
    "upstream_authentication_failed",
];

/// What an error says about being retried, besides `retry-after`.
pub(super) fn headers(error: &Error) -> Vec<(HeaderName, HeaderValue)> {
    let is_final = error.code.is_some_and(|code| FINAL.contains(&code));
    let header = is_final.then(|| (SHOULD_RETRY, HeaderValue::from_static("false")));
    header.into_iter().collect()
}
