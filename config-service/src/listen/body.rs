//! Bodies that report their progress.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body as AxumBody;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::Pulse;

/// The body of a request, which must arrive in time.
pub(super) struct Timed {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
    pulse: Pulse,
}

/// The body of an answer.
pub(super) struct Answer {
    body: AxumBody,
    pulse: Pulse,
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The client was too slow.
    #[error("the body took too long")]
    Late,
    /// The connection failed.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

impl Timed {
    pub(super) fn new(body: Incoming, limit: Duration, pulse: Pulse) -> Self {
        pulse.awaits_body();
        Self {
            body,
            deadline: Box::pin(sleep(limit)),
            pulse,
        }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_pending() && self.deadline.as_mut().poll(context).is_ready() {
            self.pulse.note_late();
            return Poll::Ready(Some(Err(BodyError::Late)));
        }
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.pulse.has_body();
        }
        polled.map_err(BodyError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.pulse.has_body();
    }
}

impl Answer {
    pub(super) fn new(body: AxumBody, pulse: Pulse) -> Self {
        pulse.awaits_delivery();
        Self { body, pulse }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.pulse.awaits_request();
    }
}
