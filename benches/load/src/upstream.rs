//! A fake Bedrock that costs as little as possible: canned answers, no checks.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::canned;
use crate::load::Load;

/// Pause between the events of a paced stream: 200 tokens per second, like a fast model.
const PACE: Duration = Duration::from_millis(5);

/// The answers, prepared once.
#[derive(Debug)]
struct Answers {
    whole: Bytes,
    burst: Bytes,
    frames: Arc<[Bytes]>,
}

/// Serves on a free port until the runtime ends.
///
/// # Errors
///
/// When there is no free port.
pub async fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let frames = canned::frames();
    let answers = Arc::new(Answers {
        whole: canned::answer(),
        burst: frames.concat().into(),
        frames: frames.into(),
    });
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&answers)));
        }
    });
    Ok(address)
}

async fn serve(socket: TcpStream, answers: Arc<Answers>) {
    // A paced event must leave at once.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&answers)));
    // Envoy closes connections when it exits, which is not an error.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn answer(
    mut request: Request<Incoming>,
    answers: Arc<Answers>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    while let Some(Ok(_)) = request.body_mut().frame().await {}
    let is_stream = path.ends_with(Load::StreamBurst.operation());
    let paced = Load::StreamPaced.name().replace('-', "");
    let (kind, body) = if !is_stream {
        ("application/json", whole(&answers.whole))
    } else if path.contains(&paced) {
        let body = Paced::new(Arc::clone(&answers.frames)).boxed();
        ("application/vnd.amazon.eventstream", body)
    } else {
        ("application/vnd.amazon.eventstream", whole(&answers.burst))
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let kind = http::HeaderValue::from_static(kind);
    headers.insert(http::header::CONTENT_TYPE, kind);
    let id = http::HeaderValue::from_static("0b7c1f1c-9f0e-4b5c-9d3e-0123456789ab");
    headers.insert("x-amzn-requestid", id);
    Ok(response)
}

fn whole(bytes: &Bytes) -> BoxBody<Bytes, Infallible> {
    Full::new(bytes.clone()).boxed()
}

/// A body whose frames are sent one by one.
struct Paced {
    frames: Arc<[Bytes]>,
    next: usize,
    interval: Interval,
}

impl Paced {
    fn new(frames: Arc<[Bytes]>) -> Self {
        let mut interval = interval(PACE);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            frames,
            next: 0,
            interval,
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(frame) = self.frames.get(self.next).cloned() else {
            return std::task::Poll::Ready(None);
        };
        std::task::ready!(self.interval.poll_tick(context));
        self.next += 1;
        std::task::Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}
