//! One request and its answer.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode, Uri};
use bedrock_filter::bedrock::decode_error;
use bedrock_filter::exchange::{Headers, Step};
use bedrock_filter::routes::Routes;
use http_body_util::{BodyExt as _, Full, Limited};

use super::remedy;
use super::stage::{Stage, StageReport, Trail};
use crate::call::{Call, Refusal};
use crate::http_client::{self, HttpClient, chain};

/// How long Bedrock has until its answer begins, and as long again until it ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest answer that is read, in bytes.
const MOST_ANSWER: usize = 4 * 1024 * 1024;

/// How much of an answer is shown, in characters.
const SHOWN: usize = 200;

/// Sends requests to Bedrock. Clones share their connections.
#[derive(Clone, Debug, Default)]
pub struct Prober {
    // Made when it is needed first: reading the system's trusted certificates takes time.
    client: Arc<OnceLock<Result<HttpClient, String>>>,
}

/// What a stage gave, with what to say about it; or what to say about its failure.
type Stepped<T> = Result<(T, String), (String, Option<String>)>;

impl Trail {
    /// Notes how a stage went; `None` ends the request.
    fn note<T>(&mut self, stage: Stage, start: Instant, stepped: Stepped<T>) -> Option<T> {
        let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (ok, detail, remedy, value) = match stepped {
            Ok((value, detail)) => (true, detail, None, Some(value)),
            Err((detail, remedy)) => (false, detail, remedy, None),
        };
        self.stages.push(StageReport {
            stage,
            ok,
            elapsed_ms,
            detail,
            remedy,
        });
        value
    }
}

impl Prober {
    /// Sends a client's request on its way and follows it.
    pub(super) async fn ask(&self, routes: Arc<Routes>, request: &[u8]) -> Trail {
        let mut trail = Trail::default();
        let _ = self.follow(&mut trail, routes, request).await;
        trail
    }

    async fn follow(&self, trail: &mut Trail, routes: Arc<Routes>, request: &[u8]) -> Option<()> {
        let start = Instant::now();
        let mut call = trail.note(Stage::Prepare, start, prepare(Arc::clone(&routes), request))?;
        let start = Instant::now();
        let sent = self.send(&mut call).await;
        let answer = trail.note(Stage::Connect, start, sent)?;
        let start = Instant::now();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = read(answer).await;
        let body = match body {
            Ok(body) => body,
            Err(reason) => {
                let broken = Err((format!("HTTP {}, then {reason}", status.as_u16()), None));
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

    async fn send(&self, call: &mut Call) -> Stepped<Response<hyper::body::Incoming>> {
        let failed = |reason: String| (reason, Some(remedy::OF_CONNECTION.to_owned()));
        let client = self.client.get_or_init(http_client::new).as_ref();
        let client = client.map_err(|reason| (reason.clone(), None))?;
        let origin = format!("{}://{}", call.header(":scheme"), call.header(":authority"));
        let request = request(call, &origin).map_err(|reason| (reason, None))?;
        let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
        let answer = answer.map_err(|_| failed(format!("{origin} did not answer in time")))?;
        let answer = answer.map_err(|error| failed(format!("{origin}: {}", chain(&error))))?;
        Ok((answer, format!("connected to {origin}")))
    }
}

fn prepare(routes: Arc<Routes>, request: &[u8]) -> Stepped<Call> {
    match Call::of(routes, request, SystemTime::now()) {
        Ok(call) => {
            let path = call.header(":path").to_owned();
            Ok((call, format!("POST {path}")))
        }
        Err(refusal) => Err((
            refusal.message(),
            Some("Explain shows which rule decides, and why.".to_owned()),
        )),
    }
}

fn request(call: &mut Call, origin: &str) -> Result<Request<Full<Bytes>>, String> {
    let uri: Uri = format!("{origin}{}", call.header(":path"))
        .parse()
        .map_err(|_| "the address is no URI".to_owned())?;
    let mut builder = Request::builder().method("POST").uri(uri);
    let own = ["content-length", "x-bedrock-cluster"];
    for (name, value) in &call.headers.0 {
        if !name.starts_with(':') && !own.contains(&name.as_str()) {
            builder = builder.header(name, value.as_slice());
        }
    }
    let body = Full::new(Bytes::from(std::mem::take(&mut call.body)));
    builder
        .body(body)
        .map_err(|_| "a header is none that HTTP can carry".to_owned())
}

async fn read(answer: Response<hyper::body::Incoming>) -> Result<Bytes, String> {
    let body = Limited::new(answer.into_body(), MOST_ANSWER).collect();
    match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err("the answer broke off, or is too long".to_owned()),
        Err(_) => Err("the answer did not end in time".to_owned()),
    }
}

fn judge(status: StatusCode, error_type: Option<&str>, body: &[u8]) -> Stepped<()> {
    if status == StatusCode::OK {
        return Ok(((), "HTTP 200".to_owned()));
    }
    let error = decode_error(status, error_type, body);
    // What the client would see: account numbers and the like are redacted in it.
    let said = error.reply().message;
    let remedy = remedy::of_status(status, &error.exception, &error.message);
    Err((
        format!("HTTP {} {}: {said}", status.as_u16(), error.exception),
        remedy.map(str::to_owned),
    ))
}

/// What the client would get.
fn decode(routes: Arc<Routes>, request: &[u8], (head, body): (Headers, &[u8])) -> Stepped<Vec<u8>> {
    // The exchange that made the call was left behind when the call went out.
    let begun = Call::begin(routes, request, SystemTime::now());
    let (_, mut exchange) = begun.map_err(|refusal| (refusal.message(), None))?;
    let mut step = exchange.response_headers(head, body.is_empty());
    if step == Step::Wait {
        step = exchange.response_body(body.len(), true, &mut || body.to_vec());
    }
    let failed = |status, body: &[u8]| {
        let message = Refusal::new(status, body).message();
        (
            format!("the client would get HTTP {status}: {message}"),
            None,
        )
    };
    match step {
        Step::Edit(edit) => {
            let status = edit.headers.as_ref().and_then(|own| own.get_str(":status"));
            let status = status.and_then(|own| own.parse().ok()).unwrap_or(502);
            let body = edit.body.unwrap_or_default().into_vec();
            match status {
                200 if body.is_empty() => Err(failed(502, &body)),
                200 if body.starts_with(b"data: ") && !is_done(&body) => Err(broken_off(&body)),
                200 => Ok((body, "the answer was understood".to_owned())),
                _ => Err(failed(status, &body)),
            }
        }
        Step::Reply(reply) => Err(failed(reply.status.as_u16(), &reply.body)),
        Step::Pass | Step::Wait => Err(failed(502, b"")),
    }
}

/// Whether a stream of the client's came to its proper end.
fn is_done(stream: &[u8]) -> bool {
    stream.trim_ascii_end().ends_with(b"data: [DONE]")
}

/// What a stream that broke off says for itself.
fn broken_off(stream: &[u8]) -> (String, Option<String>) {
    let text = String::from_utf8_lossy(stream);
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let error = events
        .map(|event| Refusal::new(200, event.as_bytes()))
        .find(|refusal| !refusal.error.is_null());
    let reason = error.map_or_else(|| "it has no end".to_owned(), |error| error.message());
    (format!("the stream broke off: {reason}"), None)
}

/// The start of the answer's text, and its usage, from a completion or a stream of chunks.
fn shown(body: &[u8]) -> (Option<String>, Option<serde_json::Value>) {
    let text = String::from_utf8_lossy(body);
    let mut answer = String::new();
    let mut usage = None;
    for line in text.lines() {
        let document = line.strip_prefix("data: ").unwrap_or(line);
        let Ok(document) = serde_json::from_str::<serde_json::Value>(document) else {
            continue;
        };
        for place in ["message", "delta"] {
            let text = document.pointer(&format!("/choices/0/{place}/content"));
            answer.push_str(text.and_then(serde_json::Value::as_str).unwrap_or_default());
        }
        usage = document
            .get("usage")
            .filter(|own| !own.is_null())
            .cloned()
            .or(usage);
    }
    let start: String = answer.chars().take(SHOWN).collect();
    ((!start.is_empty()).then_some(start), usage)
}
