//! One call of the control plane.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use bedrock_filter::bedrock::{UpstreamError, decode_error};
use bedrock_filter::config::Credentials;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Request, Response};
use serde_json::Value;

use crate::candor::Candor;
use crate::channel::Trouble;
use crate::outbound::{Outbound, read_all};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a call is tried that AWS throttles or fails to answer.
const ATTEMPTS: u32 = 3;

/// Pause before the second attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest answer that is read, in bytes. A page of a thousand profiles has a few hundred kilobytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// What stays as it is in a query and in a segment of a path: the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Any error of `aws-sigv4`.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How an account is reached.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Where its control plane is.
    pub(crate) origin: String,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    /// How much is revealed about a host that does not answer like Bedrock.
    pub(crate) candor: Candor,
}

/// One account's control plane.
pub(super) struct Control<'a> {
    pub(super) outbound: &'a Outbound,
    pub(super) access: &'a Access,
}

/// Why a call failed, and whether another attempt may succeed.
struct Failure {
    trouble: Trouble,
    is_passing: bool,
}

/// A call: its operation's name, path and query.
pub(super) struct Call<'a> {
    pub(super) operation: &'static str,
    pub(super) path: String,
    pub(super) query: &'a [(&'static str, String)],
}

impl Control<'_> {
    /// Makes a call, more than once if AWS asks for time.
    pub(super) async fn get(&self, call: &Call<'_>) -> Result<Value, Trouble> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(call).await {
                Err(failure) if failure.is_passing => tokio::time::sleep(pause).await,
                outcome => return outcome.map_err(|failure| failure.trouble),
            }
            pause *= 2;
        }
        let last = self.attempt(call).await;
        last.map_err(|failure| failure.trouble)
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Value, Failure> {
        let request = self.request(call).map_err(|error| {
            Failure::new(
                call,
                "unsigned",
                format!("the request cannot be signed: {error}"),
            )
        })?;
        let Access { origin, candor, .. } = self.access;
        let answer = candor.call(self.outbound, origin, request, PATIENCE).await;
        let answer = answer.map_err(|error| Failure::new(call, "unanswered", error.to_string()))?;
        read(call, answer).await
    }

    fn request(&self, call: &Call<'_>) -> Result<Request, BoxError> {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let query = call.query.iter();
        let query: Vec<_> = query
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let mut url = format!("{}{}", self.access.origin, call.path);
        if !query.is_empty() {
            url = format!("{url}?{}", query.join("&"));
        }
        let mut request = Request::new(Method::GET, url.parse()?);
        let headers = match &self.access.credentials {
            Credentials::BedrockApiKey { api_key, .. } => {
                vec![(
                    "authorization".to_owned(),
                    format!("Bearer {}", api_key.expose()),
                )]
            }
            credentials => sign(credentials, &self.access.region, &url)?,
        };
        for (name, value) in headers {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(name != "x-amz-date");
            request
                .headers_mut()
                .insert(HeaderName::try_from(name)?, value);
        }
        Ok(request)
    }
}

/// The segment of a path that stands for an identifier.
pub(super) fn segment(identifier: &str) -> String {
    utf8_percent_encode(identifier, ENCODED).to_string()
}

/// The headers of a signed request for the service `bedrock`, which is the runtime's and the control plane's.
fn sign(
    credentials: &Credentials,
    region: &str,
    url: &str,
) -> Result<Vec<(String, String)>, BoxError> {
    let Credentials::Static {
        access_key_id,
        secret_access_key,
        session_token,
        ..
    } = credentials
    else {
        return Err("the channel has no credentials".into());
    };
    let token = session_token
        .as_ref()
        .map(|token| token.expose().to_owned());
    let secret = secret_access_key.expose();
    let identity =
        aws_credential_types::Credentials::new(access_key_id, secret, token, None, "channel")
            .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("bedrock")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    let request = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (signed, _) = http_request::sign(request, &params.into())?.into_parts();
    let headers = signed.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

async fn read(call: &Call<'_>, answer: Response) -> Result<Value, Failure> {
    let status = answer.status();
    let error_type = answer.headers().get("x-amzn-errortype");
    let error_type = error_type
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = tokio::time::timeout(PATIENCE, read_all(answer, MAX_ANSWER)).await;
    let Ok(Some(body)) = body else {
        let message = "the answer was cut off, is too long, or did not end in time";
        return Err(Failure::new(call, "unreadable", message));
    };
    if !status.is_success() {
        let error = decode_error(status, error_type.as_deref(), &body);
        return Err(Failure::of_error(call, status, &error));
    }
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| Failure::new(call, "unreadable", "the answer is not JSON"))?;
    if is_unknown_operation(&body) {
        let message = "the host does not know the operation";
        return Err(Failure::new(call, "UnknownOperationException", message));
    }
    Ok(body)
}

/// Bedrock answers an unknown path with HTTP 200.
fn is_unknown_operation(body: &Value) -> bool {
    let kind = body.pointer("/Output/__type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.ends_with("UnknownOperationException"))
}

impl Failure {
    fn new(call: &Call<'_>, code: &str, message: impl Into<String>) -> Self {
        Self {
            trouble: Trouble {
                operation: call.operation.to_owned(),
                code: code.to_owned(),
                message: message.into(),
                remedy: remedy(code, call.operation),
            },
            is_passing: false,
        }
    }

    /// An error that Bedrock answered with.
    fn of_error(call: &Call<'_>, status: StatusCode, error: &UpstreamError) -> Self {
        let code = given(&error.exception).unwrap_or("unnamed");
        let reason = given(&error.message).unwrap_or("no reason was given");
        let message = format!("HTTP {}: {reason}", status.as_u16());
        Self {
            is_passing: status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
            ..Self::new(call, code, message)
        }
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What to do about an error.
fn remedy(code: &str, operation: &str) -> Option<String> {
    Some(match code {
        "AccessDeniedException" => format!(
            "Give the channel's identity bedrock:{operation}; without it the channel works as before, but what the \
             account has is unknown."
        ),
        "ThrottlingException" => "Ask again later: AWS allows few of these calls.".to_owned(),
        "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" => {
            "Check the channel's credentials; testing the channel tells more.".to_owned()
        }
        "unanswered" => {
            "Check the region and that this service reaches Bedrock's control plane: it has a different host from the \
             runtime's, and an interface endpoint of its own."
                .to_owned()
        }
        "UnknownOperationException" => {
            "The channel's endpoint serves the runtime alone, so its account cannot be asked."
                .to_owned()
        }
        _ => return None,
    })
}
