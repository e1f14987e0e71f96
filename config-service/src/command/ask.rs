//! `config-service explain` and `config-service test`: questions about channels that change nothing.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use bedrock_filter::config::ProtocolName;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use super::channels::Api;
use super::documents::read;
use super::say;
use crate::args::Remote;

/// What to explain.
pub(super) struct Question {
    /// The name of a model, unless there is a file.
    pub(super) model: Option<String>,
    /// The file with a request.
    pub(super) file: Option<PathBuf>,
    /// What the client speaks.
    pub(super) protocol: ProtocolName,
    /// The name of the only channel to ask.
    pub(super) channel: Option<String>,
}

/// What to test.
#[derive(Serialize)]
pub(super) struct Plan {
    /// Names as clients send them; all that the channel names if there are none.
    pub(super) models: Vec<String>,
    /// What the client speaks.
    pub(super) protocol: ProtocolName,
    /// Only streamed answers, or only whole ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
}

/// The same as the API takes it.
#[derive(Serialize)]
struct Body {
    protocol: ProtocolName,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    /// The channel's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

/// Writes where a request would go, as YAML.
pub(super) async fn explain(remote: &Remote, asked: Question) -> Result<()> {
    let api = Api::new(remote)?;
    let channel = match &asked.channel {
        Some(name) => Some(api.id_of(name).await?),
        None => None,
    };
    let body = Body {
        protocol: asked.protocol,
        request: asked.file.as_deref().map(read).transpose()?,
        model: asked.model,
        channel,
    };
    let body = serde_json::to_string(&body)?;
    let told = api.send(Method::POST, "/api/explain", &body).await?;
    say(serde_saphyr::to_string(&told)?.trim_end())
}

/// Sends requests through a channel and writes the outcome, as YAML.
pub(super) async fn test(remote: &Remote, channel: &str, plan: &Plan) -> Result<()> {
    let api = Api::new(remote)?;
    let path = format!("/api/channels/{}/test", api.id_of(channel).await?);
    let plan = serde_json::to_string(plan)?;
    let report = api.send(Method::POST, &path, &plan).await?;
    say(serde_saphyr::to_string(&report)?.trim_end())?;
    let is_ok = report.get("ok").and_then(Value::as_bool);
    ensure!(is_ok == Some(true), "the test failed; `stages` says where");
    Ok(())
}
