//! Keys in the Parameter Store of AWS Systems Manager.
//!
//! One signed call; AWS's own client for the whole of Systems Manager would be larger than all the rest of this service.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use bedrock_filter::endpoint::{Endpoint, HostVariant};
use reqwest::{Method, Request, Response};
use serde::Deserialize;
use serde_json::json;

use super::aws::Aws;
use super::error::FetchError;
use crate::channel::AwsSecret;
use crate::outbound::read_all;

/// The service's name in signatures and hosts.
const SERVICE: &str = "ssm";

/// The operation, as the header of AWS's JSON protocol names it.
const TARGET: (&str, &str) = ("x-amz-target", "AmazonSSM.GetParameter");

/// The content type of that protocol.
const JSON: &str = "application/x-amz-json-1.1";

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(7);

/// How often it is tried while AWS does not answer, or asks for time.
const ATTEMPTS: u32 = 2;

/// Longest answer that is read, in bytes: a parameter has at most 8 KB.
const MAX_ANSWER: usize = 64 * 1024;

/// Any error of `aws-sigv4`, or of a URL.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The parts of an answer that matter:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameter: Option<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: Option<String>,
}

/// A refusal.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl Aws {
    /// The text of a parameter, decrypted.
    pub(super) async fn parameter(
        &self,
        wanted: &AwsSecret,
        region: &str,
    ) -> Result<String, FetchError> {
        let (source, region) = self.reader(wanted, region).await?;
        let mut tried = 1;
        loop {
            let request = self
                .request(&wanted.id, &source, region.as_ref())
                .map_err(|error| FetchError::Aws(format!("the call cannot be signed: {error}")))?;
            match self.attempt(request).await {
                Err((_, true)) if tried < ATTEMPTS => tried += 1,
                outcome => return outcome.map_err(|(error, _)| error),
            }
        }
    }

    /// One attempt; an error says whether another may succeed.
    async fn attempt(&self, request: Request) -> Result<String, (FetchError, bool)> {
        let answer = self.outbound.call(request).await;
        let answer = answer.map_err(|error| (FetchError::Aws(error.to_string()), true))?;
        read(answer).await
    }

    fn request(
        &self,
        name: &str,
        source: &AwsCredentials,
        region: &str,
    ) -> Result<Request, BoxError> {
        let origin = match &self.endpoints.parameter_store {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{}", host(region)?),
        };
        let url = format!("{origin}/");
        let body = json!({"Name": name, "WithDecryption": true}).to_string();
        let identity = source.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?;
        let headers = [TARGET, (CONTENT_TYPE.as_str(), JSON)];
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), bytes)?;
        let (signed, _) = http_request::sign(signable, &params.into())?.into_parts();
        let mut request = Request::new(Method::POST, url.parse()?);
        for (name, value) in headers.into_iter().chain(signed.headers()) {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(!headers.iter().any(|own| own.0 == name));
            request
                .headers_mut()
                .insert(HeaderName::try_from(name)?, value);
        }
        *request.timeout_mut() = Some(PATIENCE);
        *request.body_mut() = Some(body.into());
        Ok(request)
    }
}

/// The host of a region.
fn host(region: &str) -> Result<String, BoxError> {
    let endpoint = Endpoint::of_region(region, HostVariant::Standard)?;
    let (_, rest) = endpoint.host().split_once('.').ok_or("no region")?;
    Ok(format!("{SERVICE}.{rest}"))
}

/// What an answer says; an error says whether another attempt may succeed.
async fn read(answer: Response) -> Result<String, (FetchError, bool)> {
    let status = answer.status();
    let Some(body) = read_all(answer, MAX_ANSWER).await else {
        return Err((FetchError::TimedOut, true));
    };
    if status.is_success() {
        let read = serde_json::from_slice::<Answer>(&body).ok();
        let text = read.and_then(|own| own.parameter?.value);
        return text.ok_or((FetchError::NoText, false));
    }
    let refusal = serde_json::from_slice::<Refusal>(&body).ok();
    let kind = refusal.as_ref().and_then(|own| own.kind.as_deref());
    // Some services put their namespace before it.
    let kind = kind.and_then(|kind| kind.rsplit('#').next());
    let message = refusal.as_ref().and_then(|own| own.message.as_deref());
    let told = match (kind, message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(kind), None) => kind.to_owned(),
        _ => format!("HTTP {}", status.as_u16()),
    };
    let is_passing = status.is_server_error() || kind == Some("ThrottlingException");
    Err((FetchError::Aws(told), is_passing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_the_partition() {
        assert_eq!(host("eu-west-1").unwrap(), "ssm.eu-west-1.amazonaws.com");
        assert_eq!(
            host("cn-north-1").unwrap(),
            "ssm.cn-north-1.amazonaws.com.cn"
        );
        assert!(host("moon").is_err());
    }
}
