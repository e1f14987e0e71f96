//! `--check`: one plain and one streaming chat through Envoy, and a refusal.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Site, caller};
use crate::{console, http};

pub(super) fn run(site: &Site<'_>, key: &str) -> Result<()> {
    let plain = plain(site, key).context("the plain chat failed")?;
    console::print(&format!("plain answer: {plain}"));
    let streamed = streamed(site, key).context("the streaming chat failed")?;
    console::print(&format!("streaming answer: {streamed}"));
    caller::check_refusal(site).context("a client without a key was not refused")?;
    console::step("the check passed");
    Ok(())
}

fn plain(site: &Site<'_>, key: &str) -> Result<String> {
    let answer = http::post(&url(site), key, &request(site.model, false))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    let json = answer.json()?;
    let text = json
        .pointer("/choices/0/message/content")
        .and_then(Value::as_str)
        .with_context(|| format!("no text in {json}"))?;
    ensure!(!text.is_empty(), "the answer is empty: {json}");
    Ok(text.to_owned())
}

fn streamed(site: &Site<'_>, key: &str) -> Result<String> {
    let mut stream = Stream::default();
    let status = http::post_lines(&url(site), key, &request(site.model, true), |line| {
        stream.read(line)
    })?;
    ensure!(status == 200, "{status} {}", stream.other);
    ensure!(stream.done, "the stream ended without [DONE]");
    ensure!(!stream.text.is_empty(), "the stream contains no text");
    Ok(stream.text)
}

fn url(site: &Site<'_>) -> String {
    format!("{}/v1/chat/completions", site.gateway())
}

fn request(model: &str, stream: bool) -> Value {
    json!({
        "model": model,
        "stream": stream,
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": "Say hello in one short sentence." }],
    })
}

/// What has been read so far from a stream of server-sent events.
#[derive(Default)]
struct Stream {
    text: String,
    done: bool,
    /// Lines that are not events: the body of an error.
    other: String,
}

impl Stream {
    fn read(&mut self, line: &str) -> Result<()> {
        let Some(data) = line.strip_prefix("data: ") else {
            self.other.push_str(line);
            return Ok(());
        };
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let chunk: Value = serde_json::from_str(data).with_context(|| data.to_owned())?;
        if let Some(error) = chunk.get("error") {
            bail!("the stream contains an error: {error}");
        }
        let delta = chunk.pointer("/choices/0/delta/content");
        self.text
            .push_str(delta.and_then(Value::as_str).unwrap_or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_stream_is_joined() {
        let mut stream = Stream::default();
        let lines = [
            r#"data: {"choices":[{"delta":{"role":"assistant"}}]}"#,
            "",
            r#"data: {"choices":[{"delta":{"content":"Hel"}}]}"#,
            r#"data: {"choices":[{"delta":{"content":"lo"}}]}"#,
            r#"data: {"choices":[],"usage":{}}"#,
            "data: [DONE]",
        ];
        for line in lines {
            stream.read(line).unwrap();
        }
        assert_eq!(stream.text, "Hello");
        assert!(stream.done);
    }

    #[test]
    fn an_error_event_fails_the_check() {
        let line = r#"data: {"error":{"message":"throttled"}}"#;
        let error = Stream::default().read(line).unwrap_err();
        assert!(error.to_string().contains("throttled"));
    }
}
