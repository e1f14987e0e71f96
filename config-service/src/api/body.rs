//! Request bodies, limited in size.

use std::fmt::Display;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::Problem;
use crate::reader;

/// Longest body that is read, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A whole request body, of at most so many bytes.
#[derive(Debug)]
pub(super) struct Body<const MAX: usize = MAX_BODY_BYTES>(Vec<u8>);

impl<const MAX: usize> Body<MAX> {
    /// The body as JSON of the expected shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let unreadable =
            |error: &dyn Display| Problem::bad_request(format!("the body cannot be read: {error}"));
        let body = reader::without_mark(&self.0).map_err(|error| unreadable(&error))?;
        // serde names the field; it repeats an invalid value of an enumeration, which is not a
        // secret.
        serde_json::from_slice(body).map_err(|error| unreadable(&error))
    }
}

impl<const MAX: usize> AsRef<[u8]> for Body<MAX> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<S: Sync, const MAX: usize> FromRequest<S> for Body<MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX) {
            return Err(Problem::too_large(MAX));
        }
        match to_bytes(request.into_body(), MAX).await {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(error) if is_limit(&error) => Err(Problem::too_large(MAX)),
            Err(_) => Err(Problem::bad_request("the body ended early")),
        }
    }
}

/// As axum's documentation of `to_bytes` says, the exceeded limit is the source of the error.
fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(|source| source.to_string().contains("length limit exceeded"))
}
