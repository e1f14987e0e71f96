//! Decodes a whole answer.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::blob;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::markup::Whole;
use crate::bedrock::{self, DecodeError, ToolNames};
use crate::chat::{Completion, Thought, ToolCall, Usage};
use crate::json::Text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    output: Output<'a>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
    #[serde(default)]
    usage: Option<UsageBody>,
    #[serde(default, borrow)]
    service_tier: Option<ServiceTier<'a>>,
    #[serde(default, borrow)]
    additional_model_response_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    content: Vec<Content<'a>>,
}

/// A content block, flat over all kinds; unknown kinds are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_use: Option<ToolUse<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<ReasoningContent<'a>>,
    #[serde(default, borrow)]
    citations_content: Option<CitationsContent<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse<'a> {
    #[serde(default, borrow)]
    pub(super) tool_use_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) input: Option<&'a RawValue>,
    /// `server_tool_use` for Bedrock's own tools, whose results nobody waits for.
    #[serde(default, rename = "type", borrow)]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningContent<'a> {
    #[serde(default, borrow)]
    reasoning_text: Option<ReasoningText<'a>>,
    #[serde(default, borrow)]
    redacted_content: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ReasoningText<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    signature: Option<Text<'a>>,
}

/// Text with its sources; only the text has a place in the client's answer.
#[derive(Deserialize)]
struct CitationsContent<'a> {
    #[serde(default, borrow)]
    content: Vec<Cited<'a>>,
}

#[derive(Deserialize)]
struct Cited<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
}

/// Token counts. The input does not include tokens read from a cache or written to it.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>; older
/// answers spell the cache's counts with `Count`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UsageBody {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_write_input_token_count: Option<u64>,
    cache_details: Option<WrittenForAnHour>,
}

/// How many tokens were written to a cache for an hour.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(from = "Vec<CacheDetail>")]
struct WrittenForAnHour(u64);

/// Tokens that were written to a cache.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    #[serde(default)]
    ttl: String,
    #[serde(default)]
    input_tokens: u64,
}

impl From<Vec<CacheDetail>> for WrittenForAnHour {
    fn from(details: Vec<CacheDetail>) -> Self {
        let long = details.iter().filter(|own| own.ttl == "1h");
        Self(long.map(|own| own.input_tokens).sum())
    }
}

/// Processing class that was used.
#[derive(Deserialize)]
pub(super) struct ServiceTier<'a> {
    #[serde(default, rename = "type", borrow)]
    pub(super) kind: Option<Text<'a>>,
}

impl UsageBody {
    pub(super) fn usage(self) -> Usage {
        let first = |a: Option<u64>, b: Option<u64>| a.or(b).unwrap_or(0);
        Usage {
            input: first(self.input_tokens, None),
            output: first(self.output_tokens, None),
            cache_read: first(
                self.cache_read_input_tokens,
                self.cache_read_input_token_count,
            ),
            cache_write: first(
                self.cache_write_input_tokens,
                self.cache_write_input_token_count,
            ),
            cache_write_1h: self.cache_details.unwrap_or_default().0,
            reasoning: 0,
        }
    }
}

impl ToolUse<'_> {
    pub(super) fn is_servers_own(&self) -> bool {
        self.kind.as_deref() == Some("server_tool_use")
    }
}

pub(super) fn decode(body: &[u8], how: &bedrock::Answer) -> Result<Completion, DecodeError> {
    let answer: Answer<'_> = serde_json::from_slice(body)?;
    let names = &how.names;
    let mut completion = Completion::default();
    let mut answered = false;
    for block in &answer.output.message.content {
        match &block.tool_use {
            Some(call) if call.is_servers_own() => {}
            Some(call) if names.is_answer(call.name.as_deref().unwrap_or_default()) => {
                completion.content = Some(names.answer(&input(call)).into_owned());
                answered = true;
            }
            Some(call) => completion.tool_calls.push(tool_call(call, names)),
            // Text that the model writes around an answer in JSON is not JSON.
            None if answered => {}
            None => read_text(block, &mut completion),
        }
    }
    if !answered {
        read_markup(&mut completion, how);
    }
    completion.usage = answer.usage.unwrap_or_default().usage();
    let fields = ModelFields::of(answer.additional_model_response_fields);
    completion.usage.reasoning = fields.thinking_tokens;
    completion.stop_sequence = fields.stop_sequence;
    completion.service_tier = answer
        .service_tier
        .and_then(|tier| tier.kind)
        .map(|kind| kind.to_string());
    let mut end = EndReason::default();
    end.take(answer.stop_reason.as_deref())?;
    end.end(Called::of(&completion), &mut completion);
    Ok(completion)
}

/// Removes from the texts what the model wrote besides the answer.
fn read_markup(completion: &mut Completion, how: &bedrock::Answer) {
    let Some(rules) = &how.markup else {
        return;
    };
    let reasoning = completion.reasoning.take().unwrap_or_default();
    let text = completion.content.take().unwrap_or_default();
    let called = Called::of(completion);
    let parts = Whole::read(Some(rules), &how.names, (&reasoning, &text), called);
    completion.reasoning = Some(parts.reasoning).filter(|text| !text.is_empty());
    completion.content = Some(parts.content).filter(|text| !text.is_empty());
    completion.tool_calls.splice(..0, parts.calls);
}

fn read_text(block: &Content<'_>, completion: &mut Completion) {
    let cited = block.citations_content.iter().flat_map(|c| &c.content);
    let cited = cited.filter_map(|cited| cited.text.as_deref());
    for text in block.text.as_deref().into_iter().chain(cited) {
        completion.content.get_or_insert_default().push_str(text);
    }
    let Some(reasoning) = &block.reasoning_content else {
        return;
    };
    if let Some(redacted) = &reasoning.redacted_content {
        let data = blob::text(redacted);
        completion.thoughts.push(Thought::RedactedThinking { data });
    }
    if let Some(thought) = &reasoning.reasoning_text {
        let text = thought.text.as_deref().unwrap_or_default();
        match thought.signature.as_deref() {
            Some(signature) if !signature.is_empty() => {
                completion.thoughts.push(Thought::Thinking {
                    thinking: text.to_owned(),
                    signature: signature.to_owned(),
                });
            }
            _ => completion.reasoning.get_or_insert_default().push_str(text),
        }
    }
}

fn tool_call(call: &ToolUse<'_>, names: &ToolNames) -> ToolCall {
    let name = call.name.as_deref().unwrap_or_default();
    ToolCall {
        id: call.tool_use_id.as_deref().unwrap_or_default().to_owned(),
        name: names.restore(name).to_owned(),
        arguments: input(call).into_owned(),
    }
}

/// Arguments must be an object, even if the model gave none.
fn input<'a>(call: &ToolUse<'a>) -> Cow<'a, str> {
    let input = call.input.map(arguments);
    input
        .filter(|input| !input.is_empty())
        .unwrap_or("{}".into())
}

/// What [`super::request`] asked of the model beside Converse's own fields.
#[derive(Debug, Default)]
pub(super) struct ModelFields {
    pub(super) thinking_tokens: u64,
    /// The stop text that ended the answer.
    pub(super) stop_sequence: Option<String>,
}

impl ModelFields {
    /// Reads them; the first part of the pointer to the tokens is optional.
    pub(super) fn of(fields: Option<&RawValue>) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Fields {
            stop_sequence: Option<String>,
            usage: Option<Details>,
            #[serde(flatten)]
            bare: Details,
        }

        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Details {
            output_tokens_details: Option<Tokens>,
        }

        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Tokens {
            thinking_tokens: Option<u64>,
        }

        let fields: Fields = fields
            .and_then(|fields| serde_json::from_str(fields.get()).ok())
            .unwrap_or_default();
        let details = fields.usage.unwrap_or(fields.bare).output_tokens_details;
        Self {
            thinking_tokens: details.and_then(|own| own.thinking_tokens).unwrap_or(0),
            stop_sequence: fields.stop_sequence,
        }
    }
}
