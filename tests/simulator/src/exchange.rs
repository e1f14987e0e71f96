//! One request to the Bedrock Runtime: authenticate, resolve, validate, answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::catalog::Model;
use crate::delivery;
use crate::error::AwsError;
use crate::family::{Answer, Overrides};
use crate::fault::{Effect, Fault, Operation, Subject};
use crate::listener::Cut;
use crate::recorded::{Recorded, Verdict};
use crate::server::Upload;
use crate::settings::Settings;
use crate::signature::Caller;
use crate::simulator::Shared;
use crate::wire::WireRequest;

/// Answers a request and records it.
pub(crate) async fn answer(
    shared: &Shared,
    request: &WireRequest,
    (upload, cut): (Upload, Cut),
) -> Response {
    let accepted = match judge(&shared.settings, request, upload) {
        Ok(accepted) => accepted,
        Err(refusal) => {
            shared.log().push(Recorded::new(request, refusal.verdict()));
            return refusal.into_response();
        }
    };
    let fault = shared.faults().take(accepted.subject());
    let verdict = match &fault {
        None => Verdict::Accepted,
        Some(fault) => Verdict::Faulted {
            effect: fault.effect.name().to_owned(),
        },
    };
    shared.log().push(Recorded::new(request, verdict));
    let fault = fault.unwrap_or_else(|| Fault::new(Effect::None));
    tokio::time::sleep(Duration::from_millis(fault.pace.before_headers_ms)).await;
    deliver(&accepted, &fault, &cut)
}

/// A request that AWS would serve.
struct Accepted<'a> {
    operation: Operation,
    model_id: String,
    model: &'a Model,
    caller: Caller,
    body: Value,
}

enum Refusal {
    UnknownOperation,
    Error(AwsError),
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Self::Error(error)
    }
}

/// Applies AWS's rules in AWS's order: route, size, caller, model, body.
fn judge<'a>(
    settings: &'a Settings,
    request: &WireRequest,
    upload: Upload,
) -> Result<Accepted<'a>, Refusal> {
    let (segment, operation) = route(request).ok_or(Refusal::UnknownOperation)?;
    check_upload(upload)?;
    let caller = settings.keyring.authenticate(request, now())?;
    check_key_region(&caller)?;
    let model_id = decode(segment)?;
    let model = settings.catalog.resolve(&model_id, &caller)?;
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| {
        let text = "Malformed input request, please reformat your input and try again.";
        AwsError::validation(text)
    })?;
    check_guardrail_headers(request)?;
    model.family.dialect().validate(model, &body)?;
    Ok(Accepted {
        operation,
        model_id,
        model,
        caller,
        body,
    })
}

/// `POST /model/{one segment}/{operation}` and nothing else. The segment is
/// still percent-encoded, so an ARN's `/` must have arrived as `%2F`.
fn route(request: &WireRequest) -> Option<(&str, Operation)> {
    if request.method != "POST" {
        return None;
    }
    let (segment, operation) = request.path.strip_prefix("/model/")?.split_once('/')?;
    match operation {
        "invoke" => Some((segment, Operation::Invoke)),
        "invoke-with-response-stream" => Some((segment, Operation::InvokeStream)),
        _ => None,
    }
}

fn check_upload(upload: Upload) -> Result<(), AwsError> {
    match upload {
        Upload::Complete => Ok(()),
        Upload::TooLarge => Err(AwsError::new(
            413,
            "RequestEntityTooLargeException",
            "The request body exceeds the maximum allowed size.",
        )),
        Upload::Incomplete => Err(AwsError::new(
            400,
            "RequestTimeoutException",
            "The request body ended before its announced length.",
        )),
    }
}

fn check_key_region(caller: &Caller) -> Result<(), AwsError> {
    match &caller.key {
        Some(key) if !key.may_use(&caller.region) => {
            let account = key.account_id.as_deref().unwrap_or("123456789012");
            Err(AwsError::access_denied(format!(
                "User: arn:aws:iam::{account}:user/simulated is not authorized to perform: bedrock:InvokeModel in region {} with an explicit deny in a service control policy",
                caller.region
            )))
        }
        _ => Ok(()),
    }
}

fn decode(segment: &str) -> Result<String, AwsError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| AwsError::validation("The provided model identifier is invalid."))
}

/// Identifier and version come together or not at all.
fn check_guardrail_headers(request: &WireRequest) -> Result<(), AwsError> {
    let sent = |part| {
        let name = format!("x-amzn-bedrock-guardrail{part}");
        request.header(&name).is_some()
    };
    let both = ["identifier", "version"].map(sent);
    match both {
        [true, false] | [false, true] => Err(AwsError::validation(
            "Guardrail identifier and version must be provided together.",
        )),
        _ => Ok(()),
    }
}

fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| {
        i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
    })
}

impl Accepted<'_> {
    fn subject(&self) -> Subject<'_> {
        Subject {
            model: &self.model_id,
            operation: self.operation,
            region: &self.caller.region,
            access_key_id: self
                .caller
                .key
                .as_ref()
                .map(|key| key.access_key_id.as_str()),
        }
    }
}

impl Refusal {
    fn verdict(&self) -> Verdict {
        match self {
            Self::UnknownOperation => Verdict::UnknownOperation,
            Self::Error(error) => Verdict::Refused {
                status: error.status,
                name: error.name.clone(),
                message: error.message.clone(),
            },
        }
    }

    fn into_response(self) -> Response {
        match self {
            Self::UnknownOperation => unknown_operation(),
            Self::Error(error) => error.into_response(),
        }
    }
}

fn deliver(accepted: &Accepted<'_>, fault: &Fault, cut: &Cut) -> Response {
    let mut overrides = Overrides::default();
    match &fault.effect {
        Effect::Error {
            status,
            name,
            message,
            headers,
        } => {
            let mut response = AwsError::new(*status, name, message).into_response();
            extend(response.headers_mut(), headers);
            return response;
        }
        Effect::Raw {
            status,
            headers,
            body,
        } => {
            let mut response = Response::new(Body::from(body.clone()));
            *response.status_mut() =
                StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            extend(response.headers_mut(), headers);
            return response;
        }
        Effect::UnknownOperation => return unknown_operation(),
        Effect::Close => cut.now(),
        Effect::GuardrailIntervened { message } => overrides.guardrail = Some(message.clone()),
        Effect::CachedTokens { read, write } => {
            (overrides.cache_read, overrides.cache_write) = (*read, *write);
        }
        _ => {}
    }
    let dialect = accepted.model.family.dialect();
    let answer = dialect.answer(accepted.model, &accepted.body, &overrides);
    match accepted.operation {
        Operation::Invoke => plain(&answer, fault),
        Operation::InvokeStream => streamed(&answer, fault),
    }
}

fn plain(answer: &Answer, fault: &Fault) -> Response {
    let body = delivery::whole(answer.body.to_string(), &fault.effect, fault.pace);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    for (name, count) in [
        ("x-amzn-bedrock-input-token-count", answer.input_tokens),
        ("x-amzn-bedrock-output-token-count", answer.output_tokens),
        ("x-amzn-bedrock-invocation-latency", 100),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(count));
    }
    response
}

fn streamed(answer: &Answer, fault: &Fault) -> Response {
    let body = delivery::events(&answer.events, &fault.effect, fault.pace);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.amazon.eventstream"),
    );
    headers.insert(
        "x-amzn-bedrock-content-type",
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A path that no operation has is answered with HTTP 200:
/// <https://github.com/BerriAI/litellm/issues/3805>.
fn unknown_operation() -> Response {
    let body = json!({
        "Output": { "__type": "com.amazon.coral.service#UnknownOperationException" },
        "Version": "1.0",
    });
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn extend(target: &mut HeaderMap, headers: &std::collections::BTreeMap<String, String>) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            target.insert(name, value);
        }
    }
}
