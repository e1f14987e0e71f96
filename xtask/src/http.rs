//! A small HTTP client for loopback: JSON in, text or lines out.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use ureq::{Agent, Body, http};

/// A status code and the body as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Whole body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// When it is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body)
            .with_context(|| format!("not JSON (status {}): {}", self.status, self.body))
    }
}

/// Whether a GET returns 200.
#[must_use]
pub fn is_ok(url: &str) -> bool {
    get(url, None).is_ok_and(|answer| answer.status == 200)
}

/// Sends a GET, with a bearer token if there is one.
///
/// # Errors
///
/// When there is no answer; an error status is an answer.
pub fn get(url: &str, token: Option<&str>) -> Result<Answer> {
    let mut request = agent(Duration::from_secs(5)).get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.call().with_context(|| format!("GET {url}"))?;
    read(response)
}

/// Posts JSON with a bearer token.
///
/// # Errors
///
/// When there is no answer; an error status is an answer.
pub fn post(url: &str, token: &str, json: &Value) -> Result<Answer> {
    read(send(url, token, json)?)
}

/// Sends JSON with a bearer token as a PATCH.
///
/// # Errors
///
/// When there is no answer; an error status is an answer.
pub fn patch(url: &str, token: &str, json: &Value) -> Result<Answer> {
    let response = agent(Duration::from_secs(120))
        .patch(url)
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json")
        .send(json.to_string())
        .with_context(|| format!("PATCH {url}"))?;
    read(response)
}

/// Posts JSON with a bearer token and passes on the answer line by line, as it arrives.
///
/// # Errors
///
/// When there is no answer, the answer breaks off, or `line` fails.
pub fn post_lines(
    url: &str,
    token: &str,
    json: &Value,
    mut line: impl FnMut(&str) -> Result<()>,
) -> Result<u16> {
    let response = send(url, token, json)?;
    let status = response.status().as_u16();
    for text in BufReader::new(response.into_body().into_reader()).lines() {
        line(&text.context("the answer broke off")?)?;
    }
    Ok(status)
}

fn send(url: &str, token: &str, json: &Value) -> Result<http::Response<Body>> {
    agent(Duration::from_secs(120))
        .post(url)
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json")
        .send(json.to_string())
        .with_context(|| format!("POST {url}"))
}

fn read(mut response: http::Response<Body>) -> Result<Answer> {
    Ok(Answer {
        status: response.status().as_u16(),
        body: response.body_mut().read_to_string()?,
    })
}

/// No proxy: everything is on loopback.
fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .proxy(None)
        .build()
        .into()
}
