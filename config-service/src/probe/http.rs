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
use super::candor::Candor;
use super::failure::{BrokenAnswer, Failure, Silence, Unsendable};
use super::stage::{Stage, Stepped, Trail};
use crate::call::Call;
use crate::outbound::Outbound;

/// How long Bedrock has until its answer begins, if the channel gives it no less, and as long again until
/// it ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a host that is not known has until its answer begins; and when it is said that Bedrock did not
/// answer, whatever the reason, so that the time does not tell it.
const GUARDED: Duration = Duration::from_secs(10);

/// Tests that run at once: each may keep a connection and its answer for minutes.
const MOST_TESTS: usize = 4;

/// Longest answer that is read, in bytes.
const MOST_ANSWER: usize = 4 * 1024 * 1024;

/// What Bedrock says about each of its answers.
const REQUEST_ID: &str = "x-amzn-requestid";

/// Headers that are worth something to whoever reads them.
const SENSITIVE: [&str; 2] = ["authorization", "x-amz-security-token"];

/// Sends requests to Bedrock. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Prober {
    outbound: Outbound,
    pub(super) tests: Arc<Semaphore>,
}

impl Prober {
    /// Sends them this way.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            tests: Arc::new(Semaphore::new(MOST_TESTS)),
        }
    }

    /// Sends a client's request on its way and follows it.
    pub(super) async fn ask(&self, routes: Arc<Routes>, request: &[u8], candor: Candor) -> Trail {
        let mut trail = Trail::default();
        let _ = self.follow(&mut trail, routes, request, candor).await;
        trail
    }

    async fn follow(
        &self,
        trail: &mut Trail,
        routes: Arc<Routes>,
        request: &[u8],
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
            head.add(name.as_str(), value.as_bytes());
        }
        let decoded = decode(routes, request, (head, &body));
        let text = trail.note(Stage::Decode, start, decoded)?;
        (trail.answer, trail.usage) = shown(&text);
        Some(())
    }

    async fn send(&self, call: &mut Call, candor: Candor) -> Stepped<Response> {
        let start = Instant::now();
        let origin = format!("{}://{}", call.header(":scheme"), call.header(":authority"));
        let request = request(call, &origin)?;
        let patience = match candor {
            Candor::Full => call.timeout().unwrap_or(PATIENCE).min(PATIENCE),
            Candor::Guarded => GUARDED,
        };
        let answer = tokio::time::timeout(patience, self.outbound.call(request)).await;
        let reason = match answer {
            Ok(Ok(answer)) if candor == Candor::Full || is_bedrocks(&answer) => {
                return Ok((answer, format!("connected to {origin}")));
            }
            Ok(Ok(_)) => Silence::Stranger,
            Ok(Err(error)) => error.into(),
            Err(_) => Silence::TimedOut(patience),
        };
        if candor == Candor::Full {
            return Err(Failure::Unanswered { origin, reason });
        }
        tracing::info!(origin, %reason, "a test of a channel found no Bedrock");
        tokio::time::sleep_until(start + GUARDED).await;
        Err(Failure::NotBedrock(origin))
    }
}

fn is_bedrocks(answer: &Response) -> bool {
    answer.headers().contains_key(REQUEST_ID)
}

fn prepare(routes: Arc<Routes>, request: &[u8]) -> Stepped<Call> {
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
        // The client that sends it adds the length itself.
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
    match tokio::time::timeout(PATIENCE, read_all(answer)).await {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(BrokenAnswer::Incomplete),
        Err(_) => Err(BrokenAnswer::TimedOut),
    }
}

async fn read_all(mut answer: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > MOST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
