//! Checks that exchanges went as they should, because one that breaks off early would
//! look cheap.

use anyhow::{Context as _, Result, ensure};
use load::canned;
use serde_json::Value;

use super::{Play, configurations};
use crate::envoy::{Call, Played};

/// Checks an unstreamed chat: the question reached every upstream, and the client got the
/// answer.
pub(super) fn completion(play: &Play, played: &Played) -> Result<()> {
    let (text, tokens) = ("/choices/0/message/content", "/usage/completion_tokens");
    answered(played, text, tokens)?;
    upstream(play, played, "/invoke")
}

/// Checks an unstreamed message, likewise.
pub(super) fn message(play: &Play, played: &Played) -> Result<()> {
    answered(played, "/content/0/text", "/usage/output_tokens")?;
    upstream(play, played, "/invoke")
}

/// Checks an unstreamed response, likewise.
pub(super) fn response(play: &Play, played: &Played) -> Result<()> {
    let text = "/output/0/content/0/text";
    answered(played, text, "/usage/output_tokens")?;
    upstream(play, played, "/invoke")
}

/// Checks that the client has the model's text and usage at these places.
fn answered(played: &Played, text: &str, tokens: &str) -> Result<()> {
    ensure!(played.status == "200", "not 200");
    let answered: Value = serde_json::from_slice(&canned::answer())?;
    let client: Value = serde_json::from_slice(&played.body)?;
    ensure!(
        client.pointer(text) == answered.pointer("/content/0/text"),
        "not the model's text"
    );
    ensure!(
        client.pointer(tokens) == answered.pointer("/usage/output_tokens"),
        "not the model's usage"
    );
    Ok(())
}

/// Checks a streamed chat: every token in order, and the end.
pub(super) fn stream(play: &Play, played: &Played) -> Result<()> {
    ensure!(played.status == "200", "not 200");
    let text = std::str::from_utf8(&played.body)?;
    let text = text.strip_suffix("data: [DONE]\n\n").context("no [DONE]")?;
    let mut said = String::new();
    for event in text.split_terminator("\n\n") {
        let data = event
            .strip_prefix("data: ")
            .context("no data in an event")?;
        let chunk: Value = serde_json::from_str(data)?;
        let delta = chunk.pointer("/choices/0/delta/content");
        said.push_str(delta.and_then(Value::as_str).unwrap_or_default());
    }
    let expected: String = (0..canned::TOKENS)
        .map(|token| format!(" token{token}"))
        .collect();
    ensure!(said == expected, "not the model's tokens");
    let pieces = play
        .attempts
        .iter()
        .map(|attempt| attempt.pieces.len())
        .sum::<usize>();
    ensure!(
        pieces == 1 || played.pieces > canned::TOKENS,
        "tokens are held back: {} pieces",
        played.pieces
    );
    upstream(play, played, "/invoke-with-response-stream")
}

/// Checks the list of models.
pub(super) fn models(_: &Play, played: &Played) -> Result<()> {
    ensure!(played.status == "200", "not 200");
    let list: Value = serde_json::from_slice(&played.body)?;
    let count = list
        .pointer("/data")
        .and_then(Value::as_array)
        .map(Vec::len);
    ensure!(
        count == Some(configurations::models(10)),
        "{count:?} models"
    );
    Ok(())
}

/// Checks a request that the filter itself refuses.
pub(super) fn refusal(_: &Play, played: &Played) -> Result<()> {
    ensure!(played.status == "404", "not 404");
    let error: Value = serde_json::from_slice(&played.body)?;
    let code = error.pointer("/error/code").and_then(Value::as_str);
    ensure!(code == Some("model_not_found"), "{code:?}");
    Ok(())
}

/// Checks that every upstream got the client's request, signed.
fn upstream(play: &Play, played: &Played, operation: &str) -> Result<()> {
    ensure!(
        played.calls.len() == play.attempts.len(),
        "{} calls for {} attempts",
        played.calls.len(),
        play.attempts.len()
    );
    for call in &played.calls {
        signed(call, operation)?;
        let (asked, sent) = (last_message(&play.request.body)?, last_message(&call.body)?);
        ensure!(asked == sent, "the upstream got a different message");
    }
    Ok(())
}

fn signed(call: &Call, operation: &str) -> Result<()> {
    let path = call.headers.text(":path").unwrap_or_default();
    ensure!(
        path.starts_with("/model/") && path.ends_with(operation),
        "the upstream's path is {path}"
    );
    let authorization = call.headers.text("authorization").unwrap_or_default();
    ensure!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=")
            || authorization == "Bearer bedrock-api-key-EXAMPLE",
        "the upstream's authorization is {authorization}"
    );
    let length = call.headers.text("content-length").unwrap_or_default();
    ensure!(
        length == call.body.len().to_string(),
        "content-length is {length} for {} bytes",
        call.body.len()
    );
    Ok(())
}

/// The texts and images of the last message, in the format of a client or of Claude.
fn last_message(body: &[u8]) -> Result<Vec<String>> {
    let body: Value = serde_json::from_slice(body)?;
    let messages = body.pointer("/messages").or(body.pointer("/input"));
    let messages = messages.and_then(Value::as_array);
    let last = messages.and_then(|messages| messages.last());
    let content = last.and_then(|last| last.get("content"));
    match content.context("no message")? {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(parts) => parts.iter().map(part).collect(),
        _ => anyhow::bail!("a message that is neither text nor parts"),
    }
}

fn part(part: &Value) -> Result<String> {
    let text = part
        .pointer("/text")
        .or_else(|| part.pointer("/source/data"));
    let url = part.pointer("/image_url/url").and_then(Value::as_str);
    let url = url.and_then(|url| url.split_once("base64,"));
    let text = text.and_then(Value::as_str).or(url.map(|(_, data)| data));
    text.map(str::to_owned)
        .context("a part that is neither text nor image")
}
