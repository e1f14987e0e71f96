//! One request and its answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::HeaderValue;
use bedrock_filter::call::Headers;
use bedrock_filter::routes::Routes;
use reqwest::{Method, Request, Response, Url};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::answer::{decode, judge, shown};
use super::failure::{BrokenAnswer, Failure, Unsendable};
use super::stage::{Stage, Stepped, Trail};
use crate::call::{Ask, Call};
use crate::candor::Candor;
use crate::outbound::{Outbound, read_all};

/// How long Bedrock may take to start its answer, unless the channel allows less, and as long again to
/// finish it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many tests may run at once: each may keep a connection and its answer for minutes.
const MAX_TESTS: usize = 4;

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Headers that must stay secret.
const SENSITIVE: [&str; 2] = ["authorization", "x-amz-security-token"];

/// Sends requests to Bedrock. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Prober {
    outbound: Outbound,
    pub(super) tests: Arc<Semaphore>,
}

impl Prober {
    /// The client that sends them.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            tests: Arc::new(Semaphore::new(MAX_TESTS)),
        }
    }

    /// Sends a client's request and follows it through its stages.
    pub(super) async fn send_and_follow(
        &self,
        routes: Arc<Routes>,
        request: Ask<'_>,
        candor: Candor,
    ) -> Trail {
        let mut trail = Trail::default();
        let _ = self.follow(&mut trail, routes, request, candor).await;
        trail
    }

    async fn follow(
        &self,
        trail: &mut Trail,
        routes: Arc<Routes>,
        request: Ask<'_>,
        candor: Candor,
    ) -> Option<()> {
        let start = Instant::now();
        let mut call = trail.note(Stage::Prepare, start, prepare(Arc::clone(&routes), request))?;
        let start = Instant::now();
        let sent = self.send(&mut call, candor).await;
        let answer = trail.note(Stage::Connect, start, sent)?;
        let start = Instant::now();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = match read(answer).await {
            Ok(body) => body,
            Err(reason) => {
                let broken = Err(Failure::Broken { status, reason });
                return trail.note(Stage::Status, start, broken);
            }
        };
        let error_type = headers.get("x-amzn-errortype");
        let error_type = error_type.and_then(|value| value.to_str().ok());
        trail.note(Stage::Status, start, judge(status, error_type, &body))?;
        let start = Instant::now();
        let mut head = Headers::default();
        head.add(":status", status.as_str());
        for (name, value) in &headers {
            head.add(name.as_str().to_owned(), value.as_bytes());
        }
        let decoded = decode(routes, request, (head, &body));
        let text = trail.note(Stage::Decode, start, decoded)?;
        (trail.answer, trail.usage) = shown(&text);
        Some(())
    }

    async fn send(&self, call: &mut Call, candor: Candor) -> Stepped<Response> {
        let origin = format!("{}://{}", call.header(":scheme"), call.header(":authority"));
        let request = request(call, &origin)?;
        let patience = call.timeout().unwrap_or(PATIENCE).min(PATIENCE);
        let answer = candor
            .call(&self.outbound, &origin, request, patience)
            .await?;
        Ok((answer, format!("connected to {origin}")))
    }
}

fn prepare(routes: Arc<Routes>, request: Ask<'_>) -> Stepped<Call> {
    match Call::of(routes, request, SystemTime::now()) {
        Ok(call) => {
            let path = call.header(":path").to_owned();
            Ok((call, format!("POST {path}")))
        }
        Err(refusal) => Err(Failure::Refused(refusal)),
    }
}

fn request(call: &mut Call, origin: &str) -> Result<Request, Unsendable> {
    let url: Url = format!("{origin}{}", call.header(":path"))
        .parse()
        .map_err(|_| Unsendable::Address)?;
    let mut request = Request::new(Method::POST, url);
    for (name, value) in call.headers_to_bedrock() {
        // The HTTP client adds the length itself.
        if name == "content-length" {
            continue;
        }
        let name = name.parse::<axum::http::HeaderName>();
        let value = HeaderValue::from_bytes(value);
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(Unsendable::Header);
        };
        value.set_sensitive(SENSITIVE.contains(&name.as_str()));
        request.headers_mut().insert(name, value);
    }
    *request.body_mut() = Some(std::mem::take(&mut call.body).into());
    Ok(request)
}

async fn read(answer: Response) -> Result<Vec<u8>, BrokenAnswer> {
    match tokio::time::timeout(PATIENCE, read_all(answer, MAX_ANSWER)).await {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(BrokenAnswer::Incomplete),
        Err(_) => Err(BrokenAnswer::TimedOut),
    }
}
