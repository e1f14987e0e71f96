//! A streamed answer: server-sent events with `chat.completion.chunk` objects.
//!
//! Chunks are written directly as bytes after a head that is the same for the whole stream.

use std::collections::BTreeMap;

use serde::Serialize;

use super::completion::{ID_PREFIX, ThinkingBlock, UsageBody, finish_reason};
use super::{ChatReply, ToolStyle, error};
use crate::chat::{AnswerHead, Error, EventWriter, FinishReason, Thought, Usage};
use crate::json::{self, write_or_null};
use crate::protocol::openai::free_text::free_text;

/// End of the part with which every chunk begins.
const CHOICES: &[u8] = b",\"choices\":[";

/// Whether a stream reports token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamUsage {
    /// A last chunk has them, all others `null`.
    Included,
    /// Chunks do not mention them.
    Omitted,
}

/// Writes the events of one stream.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    prefix: Vec<u8>,
    has_tier: bool,
    suffix: &'static str,
    reply: ChatReply,
    /// Calls that have not ended and whose text only their whole arguments tell, by their indexes.
    held: BTreeMap<u32, String>,
    out: Vec<u8>,
}

impl ChunkWriter {
    /// A writer for one stream.
    pub(super) fn new(head: &AnswerHead, reply: ChatReply) -> Self {
        let mut prefix = b"data: {\"id\":".to_vec();
        write_or_null(&mut prefix, &[ID_PREFIX, &head.id].concat());
        prefix.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        write_or_null(&mut prefix, &head.created);
        prefix.extend_from_slice(b",\"model\":");
        write_or_null(&mut prefix, &head.model);
        if let Some(tier) = &head.service_tier {
            write_tier(&mut prefix, tier);
        }
        prefix.extend_from_slice(CHOICES);
        // On ordinary chunks, OpenAI sends `usage: null` only if usage was asked for.
        let suffix = match reply.usage {
            StreamUsage::Included => "],\"usage\":null}\n\n",
            StreamUsage::Omitted => "]}\n\n",
        };
        Self {
            prefix,
            has_tier: head.service_tier.is_some(),
            suffix,
            reply,
            held: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    fn tool_delta(&mut self, call: &ToolDelta<'_>) {
        #[derive(Serialize)]
        struct Calls<'a> {
            tool_calls: [&'a ToolDelta<'a>; 1],
        }
        #[derive(Serialize)]
        struct Function<'a> {
            function_call: &'a FunctionDelta<'a>,
        }
        match self.reply.tool_style {
            ToolStyle::ToolCalls => self.delta(&Calls { tool_calls: [call] }, None),
            // The old API has only one call; the model was told not to make more.
            ToolStyle::FunctionCall => {
                let function = call.function.as_ref().filter(|_| call.index == 0);
                if let Some(function_call) = function {
                    self.delta(&Function { function_call }, None);
                }
            }
        }
    }

    fn delta(&mut self, delta: &impl Serialize, reason: Option<&str>) {
        self.out.extend_from_slice(&self.prefix);
        self.out.extend_from_slice(b"{\"index\":0,\"delta\":");
        write_or_null(&mut self.out, delta);
        self.end_choice(reason);
    }

    fn raw_delta(&mut self, delta: &str) {
        self.out.extend_from_slice(&self.prefix);
        self.out.extend_from_slice(b"{\"index\":0,\"delta\":");
        self.out.extend_from_slice(delta.as_bytes());
        self.end_choice(None);
    }

    fn end_choice(&mut self, reason: Option<&str>) {
        self.out
            .extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        write_or_null(&mut self.out, &reason);
        self.out.push(b'}');
        self.out.extend_from_slice(self.suffix.as_bytes());
    }
}

impl EventWriter for ChunkWriter {
    fn start(&mut self) {
        self.raw_delta("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
    }

    fn text(&mut self, text: &str) {
        // Most of every stream, so it is written directly.
        self.out.extend_from_slice(&self.prefix);
        self.out
            .extend_from_slice(b"{\"index\":0,\"delta\":{\"content\":");
        json::write_str(&mut self.out, text);
        self.out
            .extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":null}");
        self.out.extend_from_slice(self.suffix.as_bytes());
    }

    fn reasoning(&mut self, text: &str) {
        #[derive(Serialize)]
        struct Delta<'a> {
            reasoning_content: &'a str,
        }
        if !self.reply.reasoning {
            return;
        }
        let delta = Delta {
            reasoning_content: text,
        };
        self.delta(&delta, None);
    }

    fn thought(&mut self, thought: &Thought) {
        #[derive(Serialize)]
        struct Delta<'a> {
            thinking_blocks: [ThinkingBlock<'a>; 1],
        }
        if !self.reply.reasoning {
            return;
        }
        let delta = Delta {
            thinking_blocks: [ThinkingBlock(thought)],
        };
        self.delta(&delta, None);
    }

    fn tool_call(&mut self, index: u32, id: &str, name: &str) {
        let name = Some(name);
        let mut call = ToolDelta {
            id: Some(id),
            kind: Some("function"),
            ..ToolDelta::of(index)
        };
        if name.is_some_and(|name| self.reply.takes_free_text(name)) {
            self.held.insert(index, String::new());
            call.kind = Some("custom");
            call.custom = Some(CustomDelta { name, input: "" });
        } else {
            let arguments = "";
            call.function = Some(FunctionDelta { name, arguments });
        }
        self.tool_delta(&call);
    }

    fn tool_arguments(&mut self, index: u32, json: &str) {
        if let Some(held) = self.held.get_mut(&index) {
            held.push_str(json);
            return;
        }
        let function = FunctionDelta {
            name: None,
            arguments: json,
        };
        self.tool_delta(&ToolDelta {
            function: Some(function),
            ..ToolDelta::of(index)
        });
    }

    fn tool_call_end(&mut self, index: u32) {
        let Some(arguments) = self.held.remove(&index) else {
            return;
        };
        let input = free_text(&arguments);
        if !input.is_empty() {
            let custom = CustomDelta {
                name: None,
                input: &input,
            };
            self.tool_delta(&ToolDelta {
                custom: Some(custom),
                ..ToolDelta::of(index)
            });
        }
    }

    /// Every chunk names the processing class from here on, unless the answer's head did.
    fn service_tier(&mut self, tier: &str) {
        if self.has_tier {
            return;
        }
        self.has_tier = true;
        self.prefix.truncate(self.prefix.len() - CHOICES.len());
        write_tier(&mut self.prefix, tier);
        self.prefix.extend_from_slice(CHOICES);
    }

    /// Why it ended, the token counts if asked for, `[DONE]`.
    fn finish(&mut self, reason: FinishReason, usage: Usage) {
        #[derive(Serialize)]
        struct Delta {}
        let reason = finish_reason(reason, self.reply.tool_style);
        self.delta(&Delta {}, Some(reason));
        if self.reply.usage == StreamUsage::Included {
            self.out.extend_from_slice(&self.prefix);
            self.out.extend_from_slice(b"],\"usage\":");
            write_or_null(&mut self.out, &UsageBody(usage));
            self.out.extend_from_slice(b"}\n\n");
        }
        self.out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// No `[DONE]` follows it.
    fn error(&mut self, error: &Error) {
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(&error::body(error));
        self.out.extend_from_slice(b"\n\n");
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

#[derive(Serialize)]
struct ToolDelta<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<FunctionDelta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<CustomDelta<'a>>,
}

impl ToolDelta<'_> {
    /// One that says nothing yet about a call.
    fn of(index: u32) -> Self {
        Self {
            index,
            id: None,
            kind: None,
            function: None,
            custom: None,
        }
    }
}

#[derive(Serialize)]
struct CustomDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: &'a str,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

fn write_tier(out: &mut Vec<u8>, tier: &str) {
    out.extend_from_slice(b",\"service_tier\":");
    write_or_null(out, &tier);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn writer(usage: StreamUsage) -> ChunkWriter {
        let head = AnswerHead {
            id: "1".to_owned(),
            created: 7,
            model: "m \"x\"".to_owned(),
            ..AnswerHead::default()
        };
        let reply = ChatReply {
            usage,
            tool_style: ToolStyle::ToolCalls,
            reasoning: true,
            free_text: Rc::new([]),
        };
        ChunkWriter::new(&head, reply)
    }

    fn text(writer: &mut ChunkWriter) -> String {
        String::from_utf8(writer.take()).unwrap()
    }

    #[test]
    fn usage_is_null_until_the_end_when_asked_for() {
        let mut out = writer(StreamUsage::Included);
        out.text("a\n");
        assert_eq!(
            text(&mut out),
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":7,\
             \"model\":\"m \\\"x\\\"\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\n\"},\
             \"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
        );
        let usage = Usage {
            input: 2,
            output: 3,
            ..Usage::default()
        };
        out.finish(FinishReason::Length, usage);
        let end = text(&mut out);
        let events: Vec<_> = end.split_terminator("\n\n").collect();
        assert!(events[0].contains("\"finish_reason\":\"length\""));
        assert!(events[1].contains("\"choices\":[],\"usage\":{\"prompt_tokens\":2,"));
        assert_eq!(events[2], "data: [DONE]");
    }

    #[test]
    fn usage_is_absent_when_not_asked_for() {
        let mut out = writer(StreamUsage::Omitted);
        out.start();
        out.finish(FinishReason::Stop, Usage::default());
        assert!(!text(&mut out).contains("usage"));
    }

    #[test]
    fn every_event_is_one_line_of_valid_json() {
        let mut out = writer(StreamUsage::Included);
        out.start();
        out.text("\u{2028}\r\n\"");
        out.tool_call(0, "call_1", "f");
        out.tool_arguments(0, "{\"a\":");
        out.finish(FinishReason::ToolCalls, Usage::default());
        for event in text(&mut out).split_terminator("\n\n") {
            let data = event.strip_prefix("data: ").unwrap();
            assert!(!data.contains('\n'));
            if data != "[DONE]" {
                serde_json::from_str::<serde_json::Value>(data).unwrap();
            }
        }
    }
}
