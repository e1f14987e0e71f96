//! Decodes a streamed answer, event by event.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::blob;
use super::response::{ModelFields, ServiceTier, ToolUse, UsageBody};
use crate::bedrock::shared::answer_tool::AnswerArguments;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::markup::Listener;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder, ToolNames};
use crate::chat::{AnswerSink, CallIndex, Thought, Usage};
use crate::json::Text;

/// State of one streamed answer.
pub(super) struct Decoder {
    names: ToolNames,
    listener: Listener,
    /// Blocks that have not ended, by their index.
    open: BTreeMap<u64, Open>,
    /// Why the answer ended, once it is known.
    end: Option<EndReason>,
    /// Token counts, which arrive last.
    usage: Option<Usage>,
    fields: ModelFields,
    complete: bool,
}

/// A block that has not ended; texts need no end.
enum Open {
    ToolCall(CallIndex),
    /// The tool whose arguments are the answer.
    Answer(AnswerArguments),
    /// A tool of Bedrock's own.
    ServerTool,
    Reasoning {
        text: String,
        signature: String,
        redacted: Vec<u8>,
    },
}

/// The payload of any event, flat; unknown fields, including the padding `p`, are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(default)]
    content_block_index: Option<u64>,
    #[serde(default, borrow)]
    start: Option<Start<'a>>,
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
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
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(default, borrow)]
    tool_use: Option<ToolUse<'a>>,
}

/// Citations, images and results of Bedrock's own tools are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_use: Option<ToolUseDelta<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<ReasoningDelta<'a>>,
}

#[derive(Deserialize)]
struct ToolUseDelta<'a> {
    /// Documented as a string; some models give the object itself.
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningDelta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    signature: Option<Text<'a>>,
    #[serde(default, borrow)]
    redacted_content: Option<Text<'a>>,
}

fn set<'t>(text: &'t Option<Text<'_>>) -> Option<&'t str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn write(text: &str, out: &mut dyn AnswerSink) {
    if !text.is_empty() {
        out.text(text);
    }
}

impl Decoder {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            listener: Listener::new(answer.markup, &answer.names),
            names: answer.names,
            open: BTreeMap::new(),
            end: None,
            usage: None,
            fields: ModelFields::default(),
            complete: false,
        }
    }

    fn block_start(&mut self, at: u64, start: &Start<'_>, out: &mut dyn AnswerSink) {
        let Some(call) = &start.tool_use else {
            return;
        };
        let name = call.name.as_deref().unwrap_or_default();
        let input = call.input.map(arguments).unwrap_or_default();
        self.listener.finish(Called::Tools, &self.names, out);
        let open = if call.is_servers_own() {
            Open::ServerTool
        } else if self.names.is_answer(name) {
            let mut arguments = self.names.answer_arguments();
            arguments.unless_said(&input);
            Open::Answer(arguments)
        } else {
            let id = call.tool_use_id.as_deref().unwrap_or_default();
            let index = out.tool_call(id, self.names.restore(name));
            out.tool_input(index, &input);
            Open::ToolCall(index)
        };
        self.open.insert(at, open);
    }

    fn block_delta(&mut self, at: u64, delta: &Delta<'_>, out: &mut dyn AnswerSink) {
        if let Some(text) = set(&delta.text) {
            self.listener.text(text, &self.names, out);
        }
        if let Some(input) = delta.tool_use.as_ref().and_then(|call| call.input) {
            self.arguments(at, &arguments(input), out);
        }
        if let Some(delta) = &delta.reasoning_content {
            self.reasoning(at, delta, out);
        }
    }

    fn arguments(&mut self, at: u64, json: &str, out: &mut dyn AnswerSink) {
        match self.open.get_mut(&at) {
            Some(Open::ToolCall(call)) => out.tool_arguments(*call, json),
            Some(Open::Answer(arguments)) => write(&arguments.push(json), out),
            _ => {}
        }
    }

    fn reasoning(&mut self, at: u64, delta: &ReasoningDelta<'_>, out: &mut dyn AnswerSink) {
        let open = self.open.entry(at).or_insert_with(|| Open::Reasoning {
            text: String::new(),
            signature: String::new(),
            redacted: Vec::new(),
        });
        let Open::Reasoning {
            text,
            signature,
            redacted,
        } = open
        else {
            return;
        };
        if let Some(thought) = set(&delta.text) {
            text.push_str(thought);
            self.listener.reasoning(thought, &self.names, out);
        }
        signature.push_str(set(&delta.signature).unwrap_or_default());
        if let Some(piece) = set(&delta.redacted_content) {
            redacted.extend(STANDARD.decode(piece).unwrap_or_default());
        }
    }

    fn block_stop(&mut self, at: u64, out: &mut dyn AnswerSink) {
        match self.open.remove(&at) {
            Some(Open::ToolCall(call)) => out.tool_call_end(call),
            Some(Open::Answer(mut arguments)) => write(&arguments.end(), out),
            Some(Open::Reasoning {
                text,
                signature,
                redacted,
            }) => {
                // A thought cannot come back without its proof.
                if !signature.is_empty() {
                    out.thought(&Thought::Thinking {
                        thinking: text,
                        signature,
                    });
                }
                if !redacted.is_empty() {
                    let data = blob::text(&STANDARD.encode(redacted));
                    out.thought(&Thought::RedactedThinking { data });
                }
            }
            _ => {}
        }
    }

    fn message_stop(
        &mut self,
        payload: &Payload<'_>,
        out: &mut dyn AnswerSink,
    ) -> Result<(), DecodeError> {
        while let Some(at) = self.open.keys().next().copied() {
            self.block_stop(at, out);
        }
        self.fields = ModelFields::of(payload.additional_model_response_fields);
        let mut end = EndReason::default();
        end.take(payload.stop_reason.as_deref())?;
        self.end = Some(end);
        Ok(())
    }

    fn metadata(&mut self, payload: &Payload<'_>, out: &mut dyn AnswerSink) {
        self.usage = Some(payload.usage.unwrap_or_default().usage());
        let tier = payload.service_tier.as_ref();
        if let Some(tier) = tier.and_then(|tier| set(&tier.kind)) {
            out.service_tier(tier);
        }
    }

    /// The end is reported once both of its parts are there. Without the second the answer counts as cut off: its
    /// token counts would be wrong.
    fn finish(&mut self, out: &mut dyn AnswerSink) {
        if let (Some(end), Some(usage), false) = (&self.end, self.usage, self.complete) {
            self.complete = true;
            let reasoning = self.fields.thinking_tokens;
            let called = Called::so_far(out);
            self.listener.finish(called, &self.names, out);
            if let Some(text) = &self.fields.stop_sequence {
                out.stop_sequence(text);
            }
            // The texts may have had calls too.
            end.finish(Called::so_far(out), Usage { reasoning, ..usage }, out);
        }
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let known = matches!(
            event.kind,
            "messageStart"
                | "contentBlockStart"
                | "contentBlockDelta"
                | "contentBlockStop"
                | "messageStop"
                | "metadata"
        );
        if !known {
            return Ok(());
        }
        let payload: Payload<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        let at = payload.content_block_index.unwrap_or_default();
        match (event.kind, &payload.start, &payload.delta) {
            ("contentBlockStart", Some(start), _) => self.block_start(at, start, out),
            ("contentBlockDelta", _, Some(delta)) => self.block_delta(at, delta, out),
            ("contentBlockStop", ..) => self.block_stop(at, out),
            ("messageStop", ..) => self.message_stop(&payload, out)?,
            ("metadata", ..) => self.metadata(&payload, out),
            _ => {}
        }
        self.finish(out);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}
