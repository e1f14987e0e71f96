//! A fake rate limit service that costs as little as possible: canned answers, no counting.
//!
//! They are as long as a config-service's: what Envoy and the filter do with an answer depends on that.
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ratelimit/v3/rls.proto>

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

/// Longest message whose length fits into one byte.
const SHORT: usize = 127;

/// Field of a question with a descriptor, and that it has a length.
const DESCRIPTOR: u8 = (2 << 3) | 2;

/// The answers to questions about one limit and about both.
#[derive(Debug)]
struct Answers {
    one: Bytes,
    both: Bytes,
}

/// Serves on a port until the runtime ends.
///
/// # Errors
///
/// When the port is not free.
pub async fn start(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let answers = Arc::new(Answers {
        one: answer(&["tokens"]),
        both: answer(&["requests", "tokens"]),
    });
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&answers)));
        }
    });
    Ok(())
}

async fn serve(socket: TcpStream, answers: Arc<Answers>) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| reply(request, Arc::clone(&answers)));
    // Envoy closes connections when it exits, which is not an error.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn reply(
    request: Request<Incoming>,
    answers: Arc<Answers>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let question = request.into_body().collect().await;
    let question = question.map(|own| own.to_bytes()).unwrap_or_default();
    let answer = match descriptors(question.get(5..).unwrap_or_default()) {
        1 => answers.one.clone(),
        _ => answers.both.clone(),
    };
    let trailers = async {
        let ok = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        Some(Ok(ok))
    };
    let mut response = Response::new(Full::new(answer).with_trailers(trailers).boxed());
    let kind = HeaderValue::from_static("application/grpc");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    Ok(response)
}

/// How many descriptors a question has, each of which is short.
fn descriptors(question: &[u8]) -> usize {
    let mut rest = question;
    let mut count = 0;
    while let [tag, length, ..] = rest {
        count += usize::from(*tag == DESCRIPTOR);
        rest = rest.get(2 + usize::from(*length)..).unwrap_or_default();
    }
    count
}

/// The message in gRPC's frame: the limits are not reached, and how the caller stands with each.
fn answer(units: &[&str]) -> Bytes {
    let mut message = vec![1 << 3, 1];
    for _ in units {
        // OK, of 1,000,000,000 a minute.
        let limit = [1 << 3, 0x80, 0x94, 0xeb, 0xdc, 3, 2 << 3, 2];
        let name = [(3 << 3) | 2, 3, b'r', b'p', b'm'];
        let mut status = vec![1 << 3, 1];
        status.extend(field(2, &[&limit[..], &name].concat()));
        status.extend([3 << 3, 0xff, 0x93, 0xeb, 0xdc, 3]);
        status.extend(field(4, &[1 << 3, 42]));
        message.extend(field(2, &status));
    }
    for unit in units {
        for (what, value) in [
            ("limit", "1000000000"),
            ("remaining", "999999999"),
            ("reset", "42s"),
        ] {
            let name = format!("x-ratelimit-{what}-{unit}");
            let header = [field(1, name.as_bytes()), field(2, value.as_bytes())];
            message.extend(field(3, &header.concat()));
        }
    }
    let length = u32::try_from(message.len()).unwrap_or_default();
    let head = [&[0][..], &length.to_be_bytes()].concat();
    [head, message].concat().into()
}

/// A field with a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() <= SHORT, "{} bytes", content.len());
    let length = u8::try_from(content.len()).unwrap_or_default();
    [&[(number << 3) | 2, length][..], content].concat()
}
