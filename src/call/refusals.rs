//! Errors for requests that are not sent.

use http::StatusCode;

use crate::chat::{Error, ErrorKind, Request};
use crate::routes::{ResolveError, Route};

/// Refuses unknown parameters if the channel wants that.
pub(super) fn refuse_unknown(route: &Route<'_>, request: &Request<'_>) -> Result<(), Error> {
    let unknown = request.unknown.first();
    let Some(name) = unknown.filter(|_| route.channel.refuses_unknown) else {
        return Ok(());
    };
    let message = format!("Unknown parameter: '{name}'. Remove it, or correct its spelling.");
    Err(Error::invalid(name.to_string(), message).code("unknown_parameter"))
}

/// The client's error, and a line in the log if only the operator can fix it.
pub(crate) fn unserved(why: &ResolveError) -> Error {
    if matches!(why, ResolveError::NoCredentials(_)) {
        log::warn!(
            "a request got a 503, because no channel for its model has valid credentials; the config-service \
             knows why it could not renew them"
        );
    }
    why.error()
}

/// The error for a request that is too large.
pub(crate) fn too_large(limit: usize) -> Error {
    let message = format!("The request is larger than the gateway's limit of {limit} bytes.");
    Error::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::InvalidRequest,
        message,
    )
    .code("request_too_large")
}
