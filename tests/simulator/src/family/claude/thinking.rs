//! Thinking: when it happens, how it is shown, and its signatures.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::generation::Generation;
use super::node::{Check, Node};
use crate::error::AwsError;
use crate::family::{field, list};

/// Any key will do: what it signs never leaves a test.
const KEY: &[u8] = b"bedrock-simulator";

/// What the client sees of the thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    Summarized,
    /// An empty text with a signature.
    Omitted,
}

/// How thinking is shown in the answer to a body; none without thinking.
pub(super) fn display(body: &Value, generation: Generation<'_>) -> Option<Display> {
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    match (field(thinking, "type"), field(thinking, "display")) {
        (Some("disabled"), _) => None,
        (None, _) if !generation.thinks_by_default() => None,
        (_, Some("omitted")) => Some(Display::Omitted),
        (_, None) if generation.omits_thinking() => Some(Display::Omitted),
        _ => Some(Display::Summarized),
    }
}

/// The block of an answer.
pub(super) fn block(thought: &str, display: Display) -> Value {
    let shown = match display {
        _ if thought.to_lowercase().contains("redact") => {
            return json!({"type": "redacted_thinking", "data": redacted(thought)});
        }
        Display::Summarized => thought,
        Display::Omitted => "",
    };
    json!({"type": "thinking", "thinking": shown, "signature": signature(thought, shown)})
}

/// The `signature` of a thought, of which the client sees only `shown`.
pub(crate) fn signature(thought: &str, shown: &str) -> String {
    seal(thought, &["thinking", shown])
}

/// The `data` of a redacted thought.
pub(crate) fn redacted(thought: &str) -> String {
    seal(thought, &["redacted", ""])
}

/// A `thinking` block in the history: its signature is one of ours, and the
/// text is the one that was signed.
pub(super) fn check_signed(block: &Node<'_>) -> Check {
    let shown = block.require("thinking")?.text()?;
    let signature = block.require("signature")?.text()?;
    match is_sealed(signature, &["thinking", shown]) {
        true => Ok(()),
        false => Err(block.refuse("Invalid `signature` in `thinking` block")),
    }
}

/// A `redacted_thinking` block in the history.
pub(super) fn check_redacted(block: &Node<'_>) -> Check {
    match is_sealed(block.require("data")?.text()?, &["redacted", ""]) {
        true => Ok(()),
        false => Err(block.refuse("Invalid `data` in `redacted_thinking` block")),
    }
}

/// With a thinking budget, the calls that are being answered must come with
/// the thought that led to them.
pub(super) fn check_history(body: &Node<'_>) -> Check {
    if body.value.pointer("/thinking/type") != Some(&json!("enabled")) {
        return Ok(());
    }
    let mut messages = list(body.value, "messages").iter().enumerate();
    let Some((at, last)) = messages.rfind(|(_, m)| field(m, "role") == Some("assistant")) else {
        return Ok(());
    };
    let kinds: Vec<&str> = list(last, "content")
        .iter()
        .filter_map(|block| field(block, "type"))
        .collect();
    match kinds.first() {
        Some(first) if kinds.contains(&"tool_use") && !first.ends_with("thinking") => {
            Err(AwsError::validation(format!(
                "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block."
            )))
        }
        _ => Ok(()),
    }
}

/// A digest of the thought, and a code over it and the parts.
fn seal(thought: &str, parts: &[&str]) -> String {
    let digest = code(&[b"thought", thought.as_bytes()]);
    let mac = mac(&digest, parts);
    STANDARD.encode([digest, mac].concat())
}

fn is_sealed(text: &str, parts: &[&str]) -> bool {
    let Ok(bytes) = STANDARD.decode(text) else {
        return false;
    };
    match bytes.split_at_checked(32) {
        Some((digest, code)) => mac(digest, parts) == code,
        None => false,
    }
}

fn mac(digest: &[u8], parts: &[&str]) -> Vec<u8> {
    let texts = parts.iter().map(|part| part.as_bytes());
    code(&std::iter::once(digest).chain(texts).collect::<Vec<_>>())
}

fn code(parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length; without one there is no code.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
        mac.update(&[0]);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &Value) -> Option<String> {
        let node = Node::root(block);
        let checked = match block.get("data") {
            Some(_) => check_redacted(&node),
            None => check_signed(&node),
        };
        checked.err().map(|error| error.message)
    }

    #[test]
    fn only_unchanged_thoughts_of_ours_come_back() {
        for display in [Display::Summarized, Display::Omitted] {
            let mut own = block("The user said: hi", display);
            assert_eq!(check(&own), None);
            own["thinking"] = json!("The user said: ho");
            assert_eq!(
                check(&own).as_deref(),
                Some("Invalid `signature` in `thinking` block")
            );
        }
        let mut hidden = block("please redact", Display::Summarized);
        assert_eq!(check(&hidden), None);
        hidden["data"] = json!("AAAA");
        assert!(check(&hidden).is_some());
        let swapped = json!({"thinking": "", "signature": redacted("a")});
        assert!(check(&swapped).is_some());
    }
}
