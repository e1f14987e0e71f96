//! A closed loop of clients: each sends its next request once the last is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::canned;
use crate::load::Load;
use crate::variant::Variant;

/// What one client saw: how long each request took.
pub type Latencies = Vec<Duration>;

/// Runs a load through a variant for a time; every answer is checked.
///
/// # Errors
///
/// When a request is not answered, or not as it should be.
pub async fn run(
    address: SocketAddr,
    load: Load,
    variant: Variant,
    time: Duration,
) -> Result<Latencies> {
    let body = load.body(variant);
    let until = Instant::now() + time;
    let clients: Vec<_> = (0..load.concurrency())
        .map(|_| tokio::spawn(client(address, load, variant, body.clone(), until)))
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await??);
    }
    Ok(latencies)
}

async fn client(
    address: SocketAddr,
    load: Load,
    variant: Variant,
    body: Bytes,
    until: Instant,
) -> Result<Latencies> {
    let mut sender = connect(address).await?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let start = Instant::now();
        let answer = send(&mut sender, &variant.path(load), body.clone()).await?;
        latencies.push(start.elapsed());
        check(load, variant, &answer)
            .with_context(|| format!("{} through {}", load.name(), variant.name()))?;
    }
    Ok(latencies)
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn send(sender: &mut SendRequest<Full<Bytes>>, path: &str, body: Bytes) -> Result<Bytes> {
    sender.ready().await?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "gateway.example")
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-of-the-client")
        .header("user-agent", "OpenAI/Python 3.52.0")
        .body(Full::new(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status != StatusCode::OK {
        bail!("{status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body)
}

fn check(load: Load, variant: Variant, answer: &[u8]) -> Result<()> {
    let contains = |part: &[u8]| answer.windows(part.len()).any(|window| window == part);
    if !variant.is_filtered() {
        ensure!(answer.len() > 500, "only {} bytes", answer.len());
    } else if load.is_stream() {
        ensure!(answer.ends_with(b"data: [DONE]\n\n"), "no [DONE]");
        let last = format!(" token{}\"", canned::TOKENS - 1);
        ensure!(contains(last.as_bytes()), "the last token is missing");
    } else {
        let kind: &[u8] = match load {
            Load::Messages200k => b"\"message\"",
            Load::Responses1k => b"\"response\"",
            _ => b"\"chat.completion\"",
        };
        ensure!(contains(kind), "not the answer of {}", load.path());
    }
    Ok(())
}
