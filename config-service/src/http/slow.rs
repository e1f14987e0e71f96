//! Requests whose body did not arrive in time.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::Problem;
use crate::listen::Pulse;

/// Reports it, whatever a handler made of half a body, without waiting for the rest.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let pulse = request.extensions().get::<Pulse>().cloned();
    let response = next.run(request).await;
    if !pulse.is_some_and(|pulse| pulse.was_late()) {
        return response;
    }
    let mut response = Problem::request_timeout().into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}
