//! Words in brackets at the start of messages, by which clients choose: `[high] Why is the sky blue?`
//!
//! They are found in the body itself, so that they are gone before anything else reads it, whichever protocol it is in.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::routes::Routes;

/// A body without the words.
pub(crate) struct Untagged {
    /// What is left.
    pub(crate) body: Vec<u8>,
    /// The word of the last message that a person wrote.
    pub(crate) tag: Option<String>,
}

/// The members of a request that matter, in any protocol.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    /// Of OpenAI's Responses: a text, or messages among other items.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

/// Takes the words that rules know out of all messages of the person; `None` if there are none, or if the name of the
/// model has no such rules. `model` is the name in the path, if there is one.
pub(crate) fn untag(routes: &Routes, model: Option<&str>, body: &[u8]) -> Option<Untagged> {
    if !routes.has_tags() {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    // What cannot be read is somebody else's to refuse.
    let own: Body<'_> = serde_json::from_str(text).ok()?;
    let known = routes.tags(model.or(own.model.as_deref())?);
    if known.is_empty() {
        return None;
    }
    let said = said(&own);
    let found: Vec<_> = said.iter().map(|literal| word(literal, &known)).collect();
    let tag = found.last().copied().flatten();
    let tag = tag.map(|(word, _)| word.to_owned());
    let ranges = said.iter().zip(found).filter_map(|(literal, found)| {
        let (_, length) = found?;
        let start = offset(text, literal)? + 1;
        Some(start..start + length)
    });
    let ranges: Vec<_> = ranges.collect();
    (!ranges.is_empty()).then(|| Untagged {
        body: without(body, &ranges),
        tag,
    })
}

/// What the person said: for each message with a text, the JSON of the first one.
fn said<'a>(body: &Body<'a>) -> Vec<&'a str> {
    let input = body.input.map(RawValue::get);
    if let Some(text) = input.filter(|json| json.starts_with('"')) {
        return vec![text];
    }
    let items = input.and_then(|json| serde_json::from_str::<Vec<&RawValue>>(json).ok());
    let items = items.iter().flatten().chain(body.messages.iter().flatten());
    let users = items.filter_map(|json| {
        let message: Message<'a> = serde_json::from_str(json.get()).ok()?;
        let is_user = message.role.as_deref() == Some("user");
        message.content.filter(|_| is_user)
    });
    users
        .filter_map(|content| first_text(content.get()))
        .collect()
}

/// The JSON of the first text of a message.
fn first_text(content: &str) -> Option<&str> {
    if content.starts_with('"') {
        return Some(content);
    }
    let blocks: Vec<Block<'_>> = serde_json::from_str(content).ok()?;
    let is_text = |own: &Block<'_>| matches!(own.kind.as_deref(), Some("text" | "input_text"));
    let first = blocks.into_iter().find(is_text)?;
    first.text.map(RawValue::get)
}

/// The known word with which a text in JSON begins, and how many bytes it takes with the white space behind it. A text
/// of nothing else has none: something has to be left.
fn word<'a>(literal: &'a str, known: &[&str]) -> Option<(&'a str, usize)> {
    let inside = literal.strip_prefix("\"[")?;
    let (word, rest) = inside.split_once(']')?;
    if !known.iter().any(|own| own.eq_ignore_ascii_case(word)) {
        return None;
    }
    let mut left = rest;
    while let Some(less) = left.strip_prefix(' ').or_else(|| left.strip_prefix("\\n")) {
        left = less;
    }
    let is_apart = left.len() < rest.len();
    (is_apart && left != "\"").then_some((word, word.len() + 2 + rest.len() - left.len()))
}

/// Where a part of a text begins.
fn offset(text: &str, part: &str) -> Option<usize> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (text.get(start..start + part.len()) == Some(part)).then_some(start)
}

/// A body without these ranges, which are in order.
fn without(body: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut left = Vec::with_capacity(body.len());
    let mut end = 0;
    for range in ranges {
        left.extend_from_slice(body.get(end..range.start).unwrap_or_default());
        end = range.end;
    }
    left.extend_from_slice(body.get(end..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PluginConfig;
    use serde_json::json;

    fn routes() -> Routes {
        let config = json!({"model_choices": {
            "auto": {
                "rules": [
                    {"when": {"tag": "high"}, "use": "a"},
                    {"when": {"tag": "low"}, "use": "b"},
                ],
                "else": "c",
            },
        }});
        let config = PluginConfig::from_json(config.to_string().as_bytes()).unwrap();
        Routes::compile(config).unwrap()
    }

    /// What is left, and the word; the body itself if nothing was taken.
    #[track_caller]
    fn check(body: &str, left: &str, tag: Option<&str>) {
        let untagged = untag(&routes(), None, body.as_bytes());
        let seen = untagged.map_or((body.to_owned(), None), |own| {
            (String::from_utf8(own.body).unwrap(), own.tag)
        });
        assert_eq!(seen, (left.to_owned(), tag.map(str::to_owned)));
    }

    #[test]
    fn a_known_word_is_taken_out_whatever_the_protocol() {
        for (before, after) in [
            (
                r#"{"model":"auto","input":"[high] Hi"}"#,
                r#"{"model":"auto","input":"Hi"}"#,
            ),
            (
                r#"{"model":"auto","messages":[{"role":"user","content":"[HIGH]  Hi"}]}"#,
                r#"{"model":"auto","messages":[{"role":"user","content":"Hi"}]}"#,
            ),
            (
                r#"{"messages":[{"content":[{"type":"image"},{"text":"[high]\nHi","type":"text"}],"role":"user"}],"model":"auto"}"#,
                r#"{"messages":[{"content":[{"type":"image"},{"text":"Hi","type":"text"}],"role":"user"}],"model":"auto"}"#,
            ),
            (
                r#"{"model":"auto","input":[{"role":"user","content":[{"type":"input_text","text":"[high] Hi"}]}]}"#,
                r#"{"model":"auto","input":[{"role":"user","content":[{"type":"input_text","text":"Hi"}]}]}"#,
            ),
        ] {
            let tag = if before.contains("HIGH") {
                "HIGH"
            } else {
                "high"
            };
            check(before, after, Some(tag));
        }
    }

    #[test]
    fn the_last_message_decides_and_all_lose_their_words() {
        let message = |role: &str, text: &str| json!({"role": role, "content": text});
        let body = |texts: [&str; 3]| {
            let result = json!({"role": "user", "content": [{"type": "tool_result"}]});
            let messages = [
                message("user", texts[0]),
                message("assistant", texts[1]),
                message("user", texts[2]),
                result,
            ];
            json!({"model": "auto", "messages": messages}).to_string()
        };
        check(
            &body(["[high] One", "[high] Two", "[low] Three"]),
            &body(["One", "[high] Two", "Three"]),
            Some("low"),
        );
        check(
            &body(["[high] One", "Two", "Three"]),
            &body(["One", "Two", "Three"]),
            None,
        );
    }

    #[test]
    fn anything_else_stays() {
        for text in [
            "[note] Hi",
            "[high]",
            "[high]  ",
            "[high]Hi",
            " [high] Hi",
            "high Hi",
            "[high Hi",
        ] {
            let body = json!({"model": "auto", "messages": [{"role": "user", "content": text}]});
            check(&body.to_string(), &body.to_string(), None);
        }
        for body in [
            r#"{"model":"nova-lite","input":"[high] Hi"}"#,
            r#"{"model":"auto","messages":5}"#,
            r#"{"model":"auto","input":"[high] Hi""#,
        ] {
            check(body, body, None);
        }
    }

    #[test]
    fn a_name_in_the_path_counts_more() {
        let body = br#"{"model":"nova-lite","input":"[high] Hi"}"#;
        let untagged = untag(&routes(), Some("auto"), body).unwrap();
        assert_eq!(untagged.body, br#"{"model":"nova-lite","input":"Hi"}"#);
    }
}
