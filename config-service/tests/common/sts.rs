//! A local AWS STS that speaks the real wire format: the Query protocol in, XML out.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A running STS.
pub struct Sts {
    address: SocketAddr,
    state: Arc<Mutex<Inner>>,
}

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub parameters: BTreeMap<String, String>,
    pub authorization: Option<String>,
    pub security_token: Option<String>,
}

struct Inner {
    life: Duration,
    failure: Option<(u16, &'static str, &'static str)>,
    calls: Vec<Call>,
    issued: u32,
}

impl Sts {
    /// Issues credentials that live for `life`.
    pub async fn start(life: Duration) -> Self {
        let state = Arc::new(Mutex::new(Inner {
            life,
            failure: None,
            calls: Vec::new(),
            issued: 0,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on refuses like this; `None` issues again.
    pub fn fail(&self, failure: Option<(u16, &'static str, &'static str)>) {
        self.state.lock().unwrap().failure = failure;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

/// The secret key of the `number`th credentials.
pub fn secret(number: u32) -> String {
    format!("issued-secret-{number:04}-wJalrXUtnFEMIK7MDENG")
}

/// The session token of the `number`th credentials.
pub fn session_token(number: u32) -> String {
    format!("issued-token-{number:04}-AQoDYXdzEPT")
}

async fn answer(
    State(state): State<Arc<Mutex<Inner>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let parameters = parse_form(&body);
    let action = parameters.get("Action").cloned().unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.calls.push(Call {
        parameters,
        authorization: header("authorization"),
        security_token: header("x-amz-security-token"),
    });
    let (status, xml) = match state.failure {
        Some((status, code, message)) => (status, failure(code, message)),
        None => {
            state.issued += 1;
            (200, success(&action, state.issued, state.life))
        }
    };
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "text/xml")], xml).into_response()
}

fn success(action: &str, number: u32, life: Duration) -> String {
    let expiry = OffsetDateTime::from(SystemTime::now() + life);
    let expiry = expiry.truncate_to_millisecond().format(&Rfc3339).unwrap();
    let (secret, token) = (secret(number), session_token(number));
    format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser>
      <AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/r/session</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAISSUED{number:04}</AccessKeyId>
      <SecretAccessKey>{secret}</SecretAccessKey>
      <SessionToken>{token}</SessionToken>
      <Expiration>{expiry}</Expiration>
    </Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</{action}Response>"#
    )
}

fn failure(code: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
</ErrorResponse>"#
    )
}

fn parse_form(body: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://x/?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}
