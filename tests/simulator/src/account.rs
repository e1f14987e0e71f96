//! What an account has: the control plane's `ListFoundationModels`, `ListInferenceProfiles` and
//! `GetInferenceProfile`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock.html>

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::catalog::{Catalog, Profile};
use crate::error::AwsError;
use crate::fault::Operation;
use crate::signature::Caller;
use crate::wire::WireRequest;

/// The account of keys that belong to none.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The most that a page may have.
const MAX_RESULTS: usize = 1000;

/// What a page has where the caller does not say.
const USUAL_RESULTS: usize = 100;

/// Which control operation a request is for, with the profile that it names, still percent-encoded.
///
/// A host of AWS's form serves either the runtime or the control plane; any other serves both.
pub(crate) fn operation(request: &WireRequest) -> Option<(Operation, &str)> {
    let host = request.header("host").unwrap_or_default();
    if request.method != "GET" || is_runtime(host) {
        return None;
    }
    match request.path.as_str() {
        "/foundation-models" => Some((Operation::ListFoundationModels, "")),
        "/inference-profiles" => Some((Operation::ListInferenceProfiles, "")),
        path => {
            let id = path.strip_prefix("/inference-profiles/")?;
            let is_one = !id.is_empty() && !id.contains('/');
            is_one.then_some((Operation::GetInferenceProfile, id))
        }
    }
}

fn is_runtime(host: &str) -> bool {
    let labels = host.split('.');
    let mut labels = labels.skip_while(|label| !label.starts_with("bedrock-runtime"));
    labels.next().is_some() && labels.nth(1).is_some_and(|label| label == "amazonaws")
}

/// The body of the answer.
///
/// # Errors
///
/// What AWS answers to a query or an identifier that it does not take.
pub(crate) fn answer(
    catalog: &Catalog,
    (operation, id): (Operation, &str),
    request: &WireRequest,
    caller: &Caller,
) -> Result<Value, AwsError> {
    check_region(caller, operation)?;
    let profiles = |application| catalog.profiles_of(application, &caller.region, account(caller));
    match operation {
        Operation::ListFoundationModels => Ok(json!({
            "modelSummaries": catalog.summaries(&caller.region),
        })),
        Operation::ListInferenceProfiles => {
            let application = match parameter(request, "type").as_deref() {
                None | Some("SYSTEM_DEFINED") => false,
                Some("APPLICATION") => true,
                Some(other) => return Err(refused("type", other, "[SYSTEM_DEFINED, APPLICATION]")),
            };
            page(&profiles(application), catalog.page_size(), request)
        }
        _ => {
            let id = percent_decode_str(id).decode_utf8_lossy();
            if !is_identifier(&id) {
                return Err(refused(
                    "inferenceProfileIdentifier",
                    &id,
                    "a profile's id or ARN",
                ));
            }
            let mut all = profiles(false).into_iter().chain(profiles(true));
            let found = all.find(|own| own.id == id || own.arn == id);
            let found = found.ok_or_else(|| {
                let message =
                    "The requested inference profile does not exist. Check the identifier.";
                AwsError::new(404, "ResourceNotFoundException", message)
            })?;
            Ok(found.json())
        }
    }
}

/// A JSON answer.
pub(crate) fn respond(body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn account(caller: &Caller) -> &str {
    let key = caller.key.as_ref();
    key.and_then(|key| key.account_id.as_deref())
        .unwrap_or(ACCOUNT)
}

fn check_region(caller: &Caller, operation: Operation) -> Result<(), AwsError> {
    match &caller.key {
        Some(key) if !key.may_use(&caller.region) => Err(AwsError::access_denied(format!(
            "User: arn:aws:iam::{}:user/simulated is not authorized to perform: bedrock:{operation:?} with an explicit deny in a service control policy",
            account(caller)
        ))),
        _ => Ok(()),
    }
}

/// One page of a list, and the token of the next one.
fn page(all: &[Profile], most: usize, request: &WireRequest) -> Result<Value, AwsError> {
    let size = match parameter(request, "maxResults") {
        None => USUAL_RESULTS,
        Some(text) => {
            let number = text
                .parse()
                .ok()
                .filter(|number| (1..=MAX_RESULTS).contains(number));
            number.ok_or_else(|| refused("maxResults", &text, "1 to 1000"))?
        }
    };
    let start = match parameter(request, "nextToken") {
        None => 0,
        Some(token) => position(&token)
            .ok_or_else(|| refused("nextToken", &token, "a token of an earlier page"))?,
    };
    let end = start.saturating_add(size.min(most)).min(all.len());
    let items = all.get(start..end).unwrap_or_default().iter();
    let mut body =
        json!({"inferenceProfileSummaries": items.map(Profile::json).collect::<Vec<_>>()});
    if end < all.len()
        && let Some(object) = body.as_object_mut()
    {
        object.insert("nextToken".to_owned(), json!(token(end)));
    }
    Ok(body)
}

/// Tokens have characters in them that a query must encode, as AWS's do.
fn token(position: usize) -> String {
    format!("page+{position}/==")
}

fn position(token: &str) -> Option<usize> {
    token
        .strip_prefix("page+")?
        .strip_suffix("/==")?
        .parse()
        .ok()
}

fn parameter(request: &WireRequest, name: &str) -> Option<String> {
    let mut pairs = request
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(own, _)| *own == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// `[a-zA-Z0-9-:.]+`, or an ARN that ends so.
fn is_identifier(text: &str) -> bool {
    let id = match text.strip_prefix("arn:") {
        Some(rest) => rest.split_once('/').map_or("", |(_, id)| id),
        None => text,
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.');
    !id.is_empty() && id.bytes().all(fits)
}

fn refused(field: &str, value: &str, wanted: &str) -> AwsError {
    AwsError::validation(format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy {wanted}"
    ))
}
