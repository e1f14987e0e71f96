//! The HTTP server: `/_simulator/…` is ours, everything else is Bedrock's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderValue;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use crate::listener::{Cut, SimulatorListener};
use crate::simulator::Shared;
use crate::wire::WireRequest;
use crate::{control, exchange};

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: SimulatorListener, shared: Arc<Shared>) {
    let router = Router::new()
        .nest("/_simulator", control::router())
        .fallback(bedrock)
        .with_state(shared)
        .into_make_service_with_connect_info::<Cut>();
    // axum's own loop retries failed accepts and never returns an error.
    let _ = axum::serve(listener, router).await;
}

async fn bedrock(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = read(body, shared.settings.max_body_bytes).await;
    let (body, upload) = match body {
        Ok(body) => (body, Upload::Complete),
        Err(upload) => (Bytes::new(), upload),
    };
    let request = WireRequest::new(&parts, body);
    let mut response = exchange::answer(&shared, &request, (upload, cut)).await;
    response
        .headers_mut()
        .insert("x-amzn-requestid", request_id());
    response
}

/// How the upload of a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    /// All of it arrived.
    Complete,
    /// It is larger than the limit.
    TooLarge,
    /// The connection ended before the announced length.
    Incomplete,
}

/// Reads to the end even past the limit: answering early while a client still
/// writes would reset the connection instead of delivering the 413.
async fn read(body: Body, limit: usize) -> Result<Bytes, Upload> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Upload::Incomplete)?;
        total += piece.len();
        if total <= limit {
            bytes.extend_from_slice(&piece);
        }
    }
    match total <= limit {
        true => Ok(bytes.freeze()),
        false => Err(Upload::TooLarge),
    }
}

/// A UUID that counts up, so that logs of a test read in order.
fn request_id() -> HeaderValue {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("00000000-0000-4000-8000-{id:012x}")).unwrap_or(
        HeaderValue::from_static("00000000-0000-4000-8000-000000000000"),
    )
}
