//! A streamed answer: server-sent events from `message_start` to `message_stop`.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Block, Ending, ID_PREFIX, UsageBody, call_id, input};
use super::error;
use crate::chat::{AnswerHead, Error, EventWriter, FinishReason, Thought, Usage};
use crate::wire::sse;

/// Writes the events of one stream.
#[derive(Debug)]
pub(super) struct EventStream {
    id: String,
    model: String,
    /// The block that has not ended.
    open: Open,
    /// What the open tool call is called with.
    input: Input,
    /// Blocks so far; the open one's index is one less.
    blocks: u32,
    /// What waits for the end of the open tool call: blocks do not mix.
    waiting: Vec<Piece>,
    /// The stop text that ended the answer, if one did: the client's only one, until the model says which.
    stop_sequence: Option<String>,
    out: Vec<u8>,
}

/// A block that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    Text,
    Thinking,
    /// The tool call with this index.
    Call(u32),
}

/// The input of a call, as far as it has arrived.
#[derive(Debug)]
enum Input {
    None,
    /// An object, which is passed on as it comes.
    Object,
    /// Something else, which becomes an object once all of it is there.
    Other(String),
}

/// Something that the model says.
#[derive(Debug)]
enum Piece {
    Text(String),
    Reasoning(String),
    Thought(Thought),
    Call(u32, CallPiece),
}

/// A piece of a tool call.
#[derive(Debug)]
enum CallPiece {
    Start { id: String, name: String },
    Arguments(String),
    End,
}

impl EventStream {
    /// A writer for one stream; `only_stop` is the client's stop text, if it has one alone.
    pub(super) fn new(head: &AnswerHead, only_stop: Option<&str>) -> Self {
        Self {
            id: head.id.clone(),
            model: head.model.clone(),
            open: Open::None,
            input: Input::None,
            blocks: 0,
            waiting: Vec::new(),
            stop_sequence: only_stop.map(str::to_owned),
            out: Vec::new(),
        }
    }

    /// Makes sure that a block of this kind is open.
    fn open(&mut self, wanted: Open, start: &Block<'_>) {
        if self.open != wanted {
            self.close();
            self.start_block(start);
            self.open = wanted;
        }
    }

    fn start_block(&mut self, content_block: &Block<'_>) {
        let index = self.blocks;
        self.blocks += 1;
        self.event(&Event::ContentBlockStart {
            index,
            content_block,
        });
    }

    fn delta(&mut self, delta: Delta<'_>) {
        let index = self.blocks.saturating_sub(1);
        self.event(&Event::ContentBlockDelta { index, delta });
    }

    fn close(&mut self) {
        if self.open == Open::None {
            return;
        }
        self.open = Open::None;
        let index = self.blocks.saturating_sub(1);
        self.event(&Event::ContentBlockStop { index });
    }

    fn event(&mut self, event: &Event<'_>) {
        sse::event(&mut self.out, event.name(), event);
    }

    /// Whether something must wait for the end of the open tool call; `index` is the call that it belongs to, if any.
    fn must_wait(&self, index: Option<u32>) -> bool {
        matches!(self.open, Open::Call(open) if Some(open) != index)
    }

    fn write(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.text(&text),
            Piece::Reasoning(text) => self.reasoning(&text),
            Piece::Thought(thought) => self.thought(&thought),
            Piece::Call(index, piece) => self.call(index, piece),
        }
    }

    fn call(&mut self, index: u32, piece: CallPiece) {
        if self.must_wait(Some(index)) {
            self.waiting.push(Piece::Call(index, piece));
            return;
        }
        match piece {
            CallPiece::Start { id, name } => {
                let start = Block::ToolUse {
                    id: call_id(&id, &self.id, self.blocks),
                    name: &name,
                    input: Cow::Borrowed(no_input()),
                };
                self.open(Open::Call(index), &start);
                self.input = Input::None;
            }
            CallPiece::Arguments(json) => self.input(json),
            CallPiece::End => {
                if let Input::Other(text) = std::mem::replace(&mut self.input, Input::None) {
                    let partial_json = input(&text);
                    let partial_json = partial_json.get();
                    self.delta(Delta::InputJson { partial_json });
                }
                self.close();
                for piece in std::mem::take(&mut self.waiting) {
                    self.write(piece);
                }
            }
        }
    }

    /// A piece of the open call's input.
    fn input(&mut self, json: String) {
        match &mut self.input {
            Input::Other(text) => return text.push_str(&json),
            Input::None if !json.starts_with('{') => {
                self.input = Input::Other(json);
                return;
            }
            Input::None => self.input = Input::Object,
            Input::Object => {}
        }
        let partial_json = json.as_str();
        self.delta(Delta::InputJson { partial_json });
    }
}

/// An event, under its own name.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    Ping {},
    ContentBlockStart {
        index: u32,
        content_block: &'a Block<'a>,
    },
    ContentBlockDelta {
        index: u32,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: u32,
    },
    MessageDelta {
        delta: Ending<'a>,
        usage: UsageBody,
    },
    MessageStop {},
}

/// A message without content yet.
#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: [(); 0],
    stop_reason: Option<()>,
    stop_sequence: Option<()>,
    usage: UsageBody,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::Ping {} => "ping",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop {} => "message_stop",
        }
    }
}

/// The input with which a tool call begins: the real one follows in pieces.
fn no_input() -> &'static RawValue {
    serde_json::from_str("{}").unwrap_or(RawValue::NULL)
}

impl EventWriter for EventStream {
    fn start(&mut self) {
        let id = [ID_PREFIX, &self.id].concat();
        let model = std::mem::take(&mut self.model);
        self.event(&Event::MessageStart {
            message: Message {
                id: &id,
                kind: "message",
                role: "assistant",
                model: &model,
                content: [],
                stop_reason: None,
                stop_sequence: None,
                // The counts come with the end; clients take them from there.
                usage: Usage::default().into(),
            },
        });
        self.event(&Event::Ping {});
    }

    fn text(&mut self, text: &str) {
        if self.must_wait(None) {
            self.waiting.push(Piece::Text(text.to_owned()));
            return;
        }
        self.open(Open::Text, &Block::Text { text: "" });
        self.delta(Delta::Text { text });
    }

    fn reasoning(&mut self, thinking: &str) {
        if self.must_wait(None) {
            self.waiting.push(Piece::Reasoning(thinking.to_owned()));
            return;
        }
        self.open(Open::Thinking, &THINKING);
        self.delta(Delta::Thinking { thinking });
    }

    fn thought(&mut self, thought: &Thought) {
        if self.must_wait(None) {
            self.waiting.push(Piece::Thought(thought.clone()));
            return;
        }
        match thought {
            // Its text has been written already, if it has any.
            Thought::Thinking { signature, .. } => {
                self.open(Open::Thinking, &THINKING);
                self.delta(Delta::Signature { signature });
            }
            Thought::RedactedThinking { .. } => {
                self.close();
                self.start_block(&Block::from(thought));
                self.open = Open::Thinking;
            }
        }
        self.close();
    }

    fn tool_call(&mut self, index: u32, id: &str, name: &str) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.call(index, CallPiece::Start { id, name });
    }

    fn tool_arguments(&mut self, index: u32, json: &str) {
        self.call(index, CallPiece::Arguments(json.to_owned()));
    }

    fn tool_call_end(&mut self, index: u32) {
        self.call(index, CallPiece::End);
    }

    fn service_tier(&mut self, _: &str) {}

    fn stop_sequence(&mut self, text: &str) {
        self.stop_sequence = Some(text.to_owned());
    }

    fn finish(&mut self, reason: FinishReason, usage: Usage) {
        self.close();
        let stop_sequence = self.stop_sequence.take();
        self.event(&Event::MessageDelta {
            delta: Ending::of(reason, stop_sequence.as_deref()),
            usage: usage.into(),
        });
        self.event(&Event::MessageStop {});
    }

    fn error(&mut self, error: &Error) {
        sse::raw_event(&mut self.out, "error", &error::body(error, None));
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

/// How a thought begins.
const THINKING: Block<'static> = Block::Thinking {
    thinking: "",
    signature: "",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{AnswerSink, AnswerStream, Guarded};
    use serde_json::Value;

    /// The kinds of the blocks of a stream, with their index and what they say.
    fn blocks(stream: &mut Guarded<EventStream>) -> Vec<String> {
        let text = String::from_utf8(stream.take()).unwrap();
        let mut blocks: Vec<String> = Vec::new();
        let mut open = None;
        for event in text.split_terminator("\n\n") {
            let (name, data) = event.split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap()));
            match data["type"].as_str().unwrap() {
                "content_block_start" => {
                    assert_eq!(
                        (open, data["index"].as_u64()),
                        (None, Some(blocks.len() as u64))
                    );
                    open = data["index"].as_u64();
                    let block = &data["content_block"];
                    let id = block["id"].as_str().unwrap_or_default();
                    blocks.push(format!("{} {id}", block["type"].as_str().unwrap()));
                }
                "content_block_delta" => {
                    assert_eq!(open, data["index"].as_u64());
                    let delta = data["delta"].as_object().unwrap();
                    let said = delta.iter().find(|(key, _)| *key != "type").unwrap().1;
                    blocks.last_mut().unwrap().push_str(said.as_str().unwrap());
                }
                "content_block_stop" => assert_eq!(open.take(), data["index"].as_u64()),
                _ => {}
            }
        }
        assert_eq!(open, None);
        blocks
    }

    #[test]
    fn blocks_follow_each_other_however_calls_arrive() {
        let head = AnswerHead::default();
        let mut stream = Guarded::new(EventStream::new(&head, None));
        stream.reasoning("Hm");
        stream.text("Let ");
        stream.text("me.");
        let first = stream.tool_call("a", "f");
        let second = stream.tool_call("b", "g");
        stream.tool_arguments(second, "{\"y\":");
        stream.tool_arguments(first, "{\"x\":");
        stream.text("Wait.");
        stream.tool_arguments(first, "1}");
        stream.tool_arguments(second, "2}");
        stream.finish(FinishReason::ToolCalls, Usage::default());
        let expected = [
            "thinking Hm",
            "text Let me.",
            "tool_use a{\"x\":1}",
            "tool_use b{\"y\":2}",
            "text Wait.",
        ];
        assert_eq!(blocks(&mut stream), expected);
    }
}
