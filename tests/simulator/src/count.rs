//! `CountTokens`: another operation's request inside its own.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::AwsError;

/// The body of `InvokeModel` inside a request; it is judged like one of its own.
///
/// # Errors
/// `ValidationException` where there is none.
pub(crate) fn inner(body: &Value) -> Result<Value, AwsError> {
    let fields = body
        .as_object()
        .map(|fields| fields.keys().collect::<Vec<_>>());
    if fields.is_none_or(|fields| fields != ["input"]) {
        return Err(AwsError::validation(
            "Malformed input request: #: required key [input] not found, please reformat your input and try again.",
        ));
    }
    let encoded = body
        .pointer("/input/invokeModel/body")
        .and_then(Value::as_str);
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    let inner = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    inner.ok_or_else(|| {
        AwsError::validation("Malformed input request, please reformat your input and try again.")
    })
}
