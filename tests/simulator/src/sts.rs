//! A local AWS STS that speaks the real wire format: the Query protocol in, XML out.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Router};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Key;

/// A running STS; it stops when dropped.
#[derive(Debug)]
pub struct Sts {
    address: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

/// A call, as received.
#[derive(Clone, Debug)]
pub struct Call {
    /// Parameters of the Query protocol.
    pub parameters: BTreeMap<String, String>,
    /// The header `authorization`.
    pub authorization: Option<String>,
    /// The header `x-amz-security-token`.
    pub security_token: Option<String>,
}

/// HTTP status, code and message of a refusal.
pub type Failure = (u16, &'static str, &'static str);

type Shared = Arc<Mutex<Inner>>;

struct Inner {
    life: Duration,
    failure: Option<Failure>,
    calls: Vec<Call>,
    issued: u32,
    issue: Box<dyn FnMut(Key) + Send>,
}

impl Sts {
    /// Issues credentials that are valid for `life`.
    ///
    /// # Errors
    ///
    /// No port of loopback is free.
    pub async fn start(life: Duration) -> io::Result<Self> {
        Self::start_with(life, |_| ()).await
    }

    /// The same, but calls `issue` with every key before it is issued.
    ///
    /// # Errors
    ///
    /// No port of loopback is free.
    pub async fn start_with(
        life: Duration,
        issue: impl FnMut(Key) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Mutex::new(Inner {
            life,
            failure: None,
            calls: Vec::new(),
            issued: 0,
            issue: Box::new(issue),
        }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        // axum's own loop retries failed accepts and never returns an error.
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// `http://…`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on refuses like this; `None` issues again.
    pub fn fail(&self, failure: Option<Failure>) {
        lock(&self.shared).failure = failure;
    }

    /// Calls so far, the first one first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared).calls.clone()
    }
}

impl Drop for Sts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("issued", &self.issued)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// The secret key of the `number`th credentials, counted from 1.
#[must_use]
pub fn secret(number: u32) -> String {
    format!("issued-secret-{number:04}-wJalrXUtnFEMIK7MDENG")
}

/// The session token of the `number`th credentials.
#[must_use]
pub fn session_token(number: u32) -> String {
    format!("issued-token-{number:04}-AQoDYXdzEPT")
}

fn lock(shared: &Shared) -> MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(parameters): Form<BTreeMap<String, String>>,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let action = parameters.get("Action").cloned().unwrap_or_default();
    let mut inner = lock(&shared);
    inner.calls.push(Call {
        parameters,
        authorization: header("authorization"),
        security_token: header("x-amz-security-token"),
    });
    let (status, xml) = match inner.failure {
        Some((status, code, message)) => (status, failure(code, message)),
        None => (200, inner.success(&action)),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "text/xml")], xml).into_response()
}

impl Inner {
    fn success(&mut self, action: &str) -> String {
        self.issued += 1;
        let number = self.issued;
        let (id, secret) = (format!("ASIAISSUED{number:04}"), secret(number));
        let token = session_token(number);
        let expiry = OffsetDateTime::from(SystemTime::now() + self.life);
        let expiry = expiry.truncate_to_millisecond();
        let key = Key::new(&id, &secret).with_session_token(&token);
        (self.issue)(key.until(expiry.into()));
        let expiry = expiry.format(&Rfc3339).unwrap_or_default();
        format!(
            r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser>
      <AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/r/session</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{id}</AccessKeyId>
      <SecretAccessKey>{secret}</SecretAccessKey>
      <SessionToken>{token}</SessionToken>
      <Expiration>{expiry}</Expiration>
    </Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</{action}Response>"#
        )
    }
}

fn failure(code: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
</ErrorResponse>"#
    )
}
