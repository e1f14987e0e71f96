//! The events that tell what happens to a response and to its items.

use super::super::answer::number;
use super::super::call::Call;
use super::super::item::{Content, Item, Reasoning, Status, member, part, text_part};
use super::super::names::Kind;
use crate::protocol::openai::free_text::free_text;
use crate::wire::sse;

/// Where in an item its only part is.
const CONTENT: &str = ",\"content_index\":0";
const PLACE_OF_TEXT: &str = ",\"content_index\":0,\"logprobs\":[]";

const PART_ADDED: &str = "response.content_part.added";
const PART_DONE: &str = "response.content_part.done";

/// Writes events, and numbers them.
#[derive(Default)]
pub(super) struct Writer {
    /// Number of the next event.
    sequence: u64,
    out: Vec<u8>,
}

impl Writer {
    /// Whether there has been an event.
    pub(super) fn has_begun(&self) -> bool {
        self.sequence > 0
    }

    /// Takes the bytes written since the last call.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Something happens to the response, which `write` writes.
    pub(super) fn response(&mut self, kind: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.begin(kind);
        self.out.extend_from_slice(b",\"response\":");
        write(&mut self.out);
        self.end();
    }

    /// An item begins.
    pub(super) fn open(&mut self, item: &Item) {
        self.item("response.output_item.added", item, Status::InProgress);
        if let Content::Message(_) = item.content {
            self.part(PART_ADDED, item, CONTENT, |out| text_part(out, ""));
        }
    }

    /// A message goes on.
    pub(super) fn text(&mut self, item: &Item, text: &str) {
        let delta = ("delta", text);
        self.say("response.output_text.delta", item, PLACE_OF_TEXT, delta);
    }

    /// A thought goes on; the item does not have the piece yet.
    pub(super) fn reasoning(&mut self, item: &Item, text: &str) {
        let Content::Reasoning(own) = &item.content else {
            return;
        };
        let words = words(own);
        if own.text.is_empty() {
            self.part(words.added, item, words.place, |out| {
                part(out, words.kind, "");
            });
        }
        self.say(words.delta, item, words.place, ("delta", text));
    }

    /// The arguments of a call go on. Those of a custom tool's say nothing until they are whole.
    pub(super) fn arguments(&mut self, item: &Item, json: &str) {
        if let Content::Call(call) = &item.content
            && call.called.kind == Kind::Function
        {
            let kind = "response.function_call_arguments.delta";
            self.say(kind, item, "", ("delta", json));
        }
    }

    /// An item ends.
    pub(super) fn close(&mut self, item: &Item, status: Status) {
        match &item.content {
            Content::Message(text) => {
                let done = ("text", &**text);
                self.say("response.output_text.done", item, PLACE_OF_TEXT, done);
                self.part(PART_DONE, item, CONTENT, |out| text_part(out, text));
            }
            Content::Reasoning(own) if !own.text.is_empty() => {
                let words = words(own);
                self.say(words.done, item, words.place, ("text", &own.text));
                self.part(words.part_done, item, words.place, |out| {
                    part(out, words.kind, &own.text);
                });
            }
            Content::Reasoning(_) => {}
            Content::Call(call) => self.close_call(item, call),
        }
        self.item("response.output_item.done", item, status);
    }

    fn close_call(&mut self, item: &Item, call: &Call) {
        match call.called.kind {
            Kind::Function => {
                self.begin_at("response.function_call_arguments.done", item, "");
                member(&mut self.out, "name", &call.called.name);
                member(&mut self.out, "arguments", &call.arguments);
                self.end();
            }
            // Its text is known when the arguments around it are whole.
            Kind::Custom => {
                let text = free_text(&call.arguments);
                if !text.is_empty() {
                    let delta = "response.custom_tool_call_input.delta";
                    self.say(delta, item, "", ("delta", &text));
                }
                let done = "response.custom_tool_call_input.done";
                self.say(done, item, "", ("input", &text));
            }
            Kind::Search => {}
        }
    }

    /// The beginning or the end of an item.
    fn item(&mut self, kind: &str, item: &Item, status: Status) {
        self.begin(kind);
        self.out.extend_from_slice(b",\"output_index\":");
        number(&mut self.out, item.index as u64);
        self.out.extend_from_slice(b",\"item\":");
        item.write(&mut self.out, status);
        self.end();
    }

    /// A whole event about an item with one text.
    fn say(&mut self, kind: &str, item: &Item, place: &str, (name, text): (&str, &str)) {
        self.begin_at(kind, item, place);
        member(&mut self.out, name, text);
        self.end();
    }

    /// A whole event about a part of an item.
    fn part(&mut self, kind: &str, item: &Item, place: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.begin_at(kind, item, place);
        self.out.extend_from_slice(b",\"part\":");
        write(&mut self.out);
        self.end();
    }

    /// Begins an event about an item, or about its part at a place inside it.
    fn begin_at(&mut self, kind: &str, item: &Item, place: &str) {
        self.begin(kind);
        member(&mut self.out, "item_id", &item.id);
        self.out.extend_from_slice(b",\"output_index\":");
        number(&mut self.out, item.index as u64);
        self.out.extend_from_slice(place.as_bytes());
    }

    fn begin(&mut self, kind: &str) {
        sse::begin(&mut self.out, kind);
        self.out.extend_from_slice(b"{\"type\":\"");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\",\"sequence_number\":");
        number(&mut self.out, self.sequence);
        self.sequence += 1;
    }

    fn end(&mut self) {
        self.out.push(b'}');
        sse::end(&mut self.out);
    }
}

/// What the events of thoughts are called.
struct ThoughtWords {
    added: &'static str,
    delta: &'static str,
    done: &'static str,
    part_done: &'static str,
    /// The type of the part.
    kind: &'static str,
    /// Where it is.
    place: &'static str,
}

const SUMMARY: ThoughtWords = ThoughtWords {
    added: "response.reasoning_summary_part.added",
    delta: "response.reasoning_summary_text.delta",
    done: "response.reasoning_summary_text.done",
    part_done: "response.reasoning_summary_part.done",
    kind: "summary_text",
    place: ",\"summary_index\":0",
};

const THOUGHTS: ThoughtWords = ThoughtWords {
    added: PART_ADDED,
    delta: "response.reasoning_text.delta",
    done: "response.reasoning_text.done",
    part_done: PART_DONE,
    kind: "reasoning_text",
    place: CONTENT,
};

fn words(own: &Reasoning) -> &'static ThoughtWords {
    if own.is_summary { &SUMMARY } else { &THOUGHTS }
}
