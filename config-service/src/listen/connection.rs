//! One connection to the admin port, from the handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, HeaderValue};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::io::{InspectReader, InspectWriter};
use tower::ServiceExt as _;

use super::body::{Answer, Timed};
use super::tls::Tls;
use super::{Patience, Pulse, plain};

/// The longest headers of a request, and the most that is written at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Tells handlers that the client came over HTTPS, as a proxy in front would.
const SCHEME: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A connection, without its stream.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) pulse: Pulse,
    pub(super) patience: Patience,
    pub(super) router: Router,
    pub(super) tls: Option<Arc<Tls>>,
}

impl Connection {
    /// Serves requests until either side ends the connection.
    pub(super) async fn run(self, stream: TcpStream, watcher: Watcher) {
        let (pulse, patience, peer) = (self.pulse.clone(), self.patience, self.peer);
        tokio::select! {
            () = self.converse(stream, watcher) => {}
            end = pulse.ended(&patience) => tracing::debug!(%peer, ?end, "connection closed"),
        }
    }

    async fn converse(self, stream: TcpStream, watcher: Watcher) {
        match self.tls.clone() {
            None => self.serve(stream, watcher).await,
            Some(_) if plain::is_spoken(&stream).await => plain::refuse(stream).await,
            Some(tls) => {
                if let Some(stream) = tls.handshake(stream).await {
                    self.serve(stream, watcher).await;
                }
            }
        }
    }

    async fn serve<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (hears, sends) = (self.pulse.clone(), self.pulse.clone());
        let stream = InspectReader::new(stream, move |_: &[u8]| hears.heard());
        let stream = InspectWriter::new(stream, move |_: &[u8]| sends.sent());
        let service = service_fn(move |request| self.clone().answer(request));
        let connection = http1::Builder::new()
            // hyper's own timer would also run for connections without a request, which have a longer limit.
            .header_read_timeout(None)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "connection to the admin port failed");
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        // Pipelined requests are answered one by one, and other connections get their turn in between.
        tokio::task::yield_now().await;
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() {
            self.pulse.awaits_answer();
            AxumBody::empty()
        } else {
            let limit = self.patience.body;
            AxumBody::new(Timed::new(body, limit, self.pulse.clone()))
        };
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.pulse.clone());
        if self.tls.is_some() {
            let https = HeaderValue::from_static("https");
            request.headers_mut().insert(SCHEME, https);
        }
        let response = self.router.oneshot(request).await?;
        Ok(response.map(|body| Answer::new(body, self.pulse)))
    }
}
