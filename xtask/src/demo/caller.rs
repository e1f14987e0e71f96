//! The demo's caller: its key, and that clients need one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Site;
use crate::http;
use crate::process::wait_until;

/// Creates a caller, makes clients send keys, and returns the caller's.
pub(super) fn admit(site: &Site<'_>) -> Result<String> {
    let api = format!("{}/api", site.admin());
    let caller = send(
        site,
        http::post,
        &format!("{api}/callers"),
        &json!({"name": "demo"}),
    )?;
    let id = text(&caller, "id")?;
    let keys = format!("{api}/callers/{id}/keys");
    let key = send(site, http::post, &keys, &json!({"name": "demo"}))?;
    let settings = format!("{api}/caller-settings");
    send(site, http::patch, &settings, &json!({"mode": "required"}))?;
    text(&key, "key").map(str::to_owned)
}

/// Checks that the gateway refuses who has no key, once all of Envoy's workers know.
pub(super) fn check_refusal(site: &Site<'_>) -> Result<()> {
    let url = format!("{}/v1/models", site.gateway());
    let mut last = String::from("no answer");
    let refused = wait_until(Duration::from_secs(30), || {
        site.interrupt.check()?;
        let Ok(answer) = http::get(&url, None) else {
            return Ok(None);
        };
        last = format!("{} {}", answer.status, answer.body);
        Ok((answer.status == 401).then_some(()))
    })?;
    refused.with_context(|| format!("GET {url} without a key said: {last}"))
}

/// How JSON is sent.
type How = fn(&str, &str, &Value) -> Result<http::Answer>;

fn send(site: &Site<'_>, how: How, url: &str, body: &Value) -> Result<Value> {
    let answer = how(url, &site.token, body)?;
    let is_done = matches!(answer.status, 200 | 201);
    ensure!(is_done, "{url}: {} {}", answer.status, answer.body);
    answer.json()
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    let found = value.get(name).and_then(Value::as_str);
    found.with_context(|| format!("the config-service's answer has no `{name}`"))
}
