//! One request to the Bedrock Runtime: authenticate, resolve, validate, answer.

mod control;
mod response;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::catalog::{Apis, Model};
use crate::controls::Controls;
use crate::error::AwsError;
use crate::family::{Converse, Dialect, Overrides, Told};
use crate::fault::{Effect, Fault, Operation, Subject};
use crate::listener::Cut;
use crate::recorded::{Recorded, Verdict};
use crate::server::Upload;
use crate::signature::Caller;
use crate::simulator::Shared;
use crate::wire::WireRequest;
use crate::{account, count, delivery};
use response::{extend, instead, plain, raw, streamed, unknown_operation, whole};

/// Answers a request and records it.
pub(crate) async fn answer(
    shared: &Shared,
    request: &WireRequest,
    (upload, cut): (Upload, Cut),
) -> Response {
    if let Some(wanted) = account::operation(request) {
        return control::answer(shared, request, wanted, &cut).await;
    }
    let accepted = match judge(shared, request, upload) {
        Ok(accepted) => accepted,
        Err(refusal) => {
            shared.record(Recorded::new(request, refusal.verdict()));
            return refusal.into_response();
        }
    };
    let fault = accept(shared, request, accepted.subject()).await;
    let overrides = Overrides {
        told: Told::by(&accepted.body),
        script: shared.script_for(&accepted.body),
        ..Overrides::default()
    };
    let mut response = deliver(shared, &accepted, (&fault, overrides), &cut);
    extend(response.headers_mut(), &fault.headers);
    response
}

/// Records an accepted request with the fault that it meets, and waits as long as that says.
async fn accept(shared: &Shared, request: &WireRequest, subject: Subject<'_>) -> Fault {
    let fault = shared.faults().take(subject);
    let verdict = match &fault {
        None => Verdict::Accepted,
        Some(fault) => Verdict::Faulted {
            effect: fault.effect.name().to_owned(),
        },
    };
    shared.record(Recorded {
        fault: fault.clone(),
        ..Recorded::new(request, verdict)
    });
    let fault = fault.unwrap_or_else(|| Fault::new(Effect::None));
    tokio::time::sleep(Duration::from_millis(fault.pace.before_headers_ms)).await;
    fault
}

/// A request that AWS would serve.
struct Accepted<'a> {
    operation: Operation,
    model_id: String,
    model: &'a Model,
    caller: Caller,
    controls: Controls,
    body: Value,
    /// Changes when streams that are held shall go on.
    released: watch::Receiver<()>,
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
    shared: &'a Shared,
    request: &WireRequest,
    upload: Upload,
) -> Result<Accepted<'a>, Refusal> {
    let (segment, operation) = route(request).ok_or(Refusal::UnknownOperation)?;
    check_upload(upload)?;
    let caller = shared.keyring().authenticate(request, now())?;
    check_key_region(&caller)?;
    let model_id = decode(segment)?;
    let model = match operation {
        Operation::CountTokens => shared.settings.catalog.counted(&model_id)?,
        _ => shared.settings.catalog.resolve(&model_id, &caller)?,
    };
    check_api(model, operation)?;
    let mut body: Value = serde_json::from_slice(&request.body).map_err(|_| {
        let text = "Malformed input request, please reformat your input and try again.";
        AwsError::validation(text)
    })?;
    if operation == Operation::CountTokens {
        body = count::inner(&body)?;
    }
    let controls = match operation.converses() {
        true => {
            Controls::refuse_headers(request)?;
            Controls::default()
        }
        false => Controls::take(request, &mut body)?,
    };
    dialect(model, operation).validate(model, &body)?;
    Ok(Accepted {
        operation,
        model_id,
        model,
        caller,
        controls,
        body,
        released: shared.released(),
    })
}

/// Not every model is served by both APIs.
fn check_api(model: &Model, operation: Operation) -> Result<(), AwsError> {
    match (model.apis, operation.converses()) {
        (Apis::Invoke, true) | (Apis::Converse, false) => Err(AwsError::validation(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        )),
        _ => Ok(()),
    }
}

fn dialect(model: &Model, operation: Operation) -> &'static dyn Dialect {
    match operation {
        Operation::Converse => &Converse::Plain,
        Operation::ConverseStream => &Converse::Stream,
        _ => model.family.dialect(),
    }
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
        "converse" => Some((segment, Operation::Converse)),
        "converse-stream" => Some((segment, Operation::ConverseStream)),
        "count-tokens" => Some((segment, Operation::CountTokens)),
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

fn deliver(
    shared: &Shared,
    accepted: &Accepted<'_>,
    (fault, mut overrides): (&Fault, Overrides),
    cut: &Cut,
) -> Response {
    if let Some(response) = instead(&fault.effect, cut) {
        return response;
    }
    match &fault.effect {
        Effect::Bytes {
            status,
            headers,
            body,
        } => {
            let body = STANDARD.decode(body).unwrap_or_default();
            let pieces = delivery::pieces(body, fault.pace);
            return raw(*status, headers, pieces);
        }
        Effect::GuardrailIntervened { message } => overrides.guardrail = Some(message.clone()),
        Effect::CachedTokens { read, write } => {
            (overrides.cache_read, overrides.cache_write) = (*read, *write);
        }
        _ => {}
    }
    let speaker = dialect(accepted.model, accepted.operation);
    let mut answer = speaker.answer(accepted.model, &accepted.body, &overrides);
    if accepted.operation == Operation::CountTokens {
        answer.body = json!({"inputTokens": answer.input_tokens});
        return whole(&answer, fault);
    }
    shared.bill().add(&answer, &overrides);
    if !accepted.operation.converses() {
        answer.measure(&overrides);
        let intervened = overrides.guardrail.as_deref();
        accepted.controls.mark(&mut answer, intervened);
    }
    match accepted.operation {
        Operation::Converse | Operation::CountTokens => whole(&answer, fault),
        Operation::InvokeStream | Operation::ConverseStream => streamed(&answer, accepted, fault),
        _ => plain(&answer, accepted, fault),
    }
}
