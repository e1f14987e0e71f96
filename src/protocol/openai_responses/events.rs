//! A streamed answer: server-sent events from `response.created` to `response.completed`.
//!
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

mod writer;

use super::answer::{Ending, Shell, ending};
use super::error;
use super::item::{Content, Item, Reasoning, Status};
use crate::chat::{Error, EventWriter, FinishReason, Thought, Usage};
use writer::Writer;

/// Writes the events of one stream.
pub(super) struct EventStream {
    shell: Shell,
    /// Everything that has been said.
    items: Vec<Item>,
    /// How many of them are closed; items close in order.
    closed: usize,
    /// The items of the tool calls, by the calls' indexes.
    calls: Vec<usize>,
    events: Writer,
}

impl EventStream {
    /// A writer for one stream.
    pub(super) fn new(shell: Shell) -> Self {
        Self {
            shell,
            items: Vec::new(),
            closed: 0,
            calls: Vec::new(),
            events: Writer::default(),
        }
    }

    /// An event about the whole response.
    fn response(&mut self, kind: &str, status: Status, ending: Ending<'_>) {
        let (shell, items) = (&self.shell, &self.items);
        self.events
            .response(kind, |out| shell.write(out, status, items, ending));
    }

    /// Opens a new item, after closing all that can be closed.
    fn open(&mut self, content: Content) -> usize {
        self.close_complete();
        let index = self.items.len();
        let item = self.shell.item(content, index);
        self.events.open(&item);
        self.items.push(item);
        index
    }

    /// The open item that text or thoughts continue, if there is one of the kind.
    fn open_item(&self, is_it: fn(&Content) -> bool) -> Option<usize> {
        let index = self.items.len().checked_sub(1)?;
        let last = self.items.get(index)?;
        (index >= self.closed && is_it(&last.content)).then_some(index)
    }

    /// Closes items in their order, up to the first call that is still open.
    fn close_complete(&mut self) {
        while let Some(item) = self.items.get(self.closed) {
            if matches!(&item.content, Content::Call(call) if !call.ended) {
                break;
            }
            self.close(Status::Completed);
        }
    }

    /// Closes the next item.
    fn close(&mut self, status: Status) {
        if let Some(item) = self.items.get(self.closed) {
            self.events.close(item, status);
        }
        self.closed += 1;
    }

    /// Closes all that is open; the last item of an incomplete response is incomplete too.
    fn close_all(&mut self, status: Status) {
        while self.closed < self.items.len() {
            self.close(status.of_item(self.closed, self.items.len()));
        }
    }

    /// The item for a piece of thoughts.
    fn reasoning_item(&mut self) -> usize {
        self.open_item(is_reasoning).unwrap_or_else(|| {
            let own = Reasoning {
                is_summary: self.shell.proves_thoughts,
                ..Reasoning::default()
            };
            self.open(Content::Reasoning(own))
        })
    }
}

/// The item of a tool call, which the call's index leads to.
fn item_of<'i>(items: &'i mut [Item], calls: &[usize], index: u32) -> Option<&'i mut Item> {
    items.get_mut(*calls.get(index as usize)?)
}

fn is_message(content: &Content) -> bool {
    matches!(content, Content::Message(_))
}

fn is_reasoning(content: &Content) -> bool {
    matches!(content, Content::Reasoning(_))
}

impl EventWriter for EventStream {
    fn start(&mut self) {
        let ending = Ending::default();
        self.response("response.created", Status::InProgress, ending);
        self.response("response.in_progress", Status::InProgress, ending);
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let open = self.open_item(is_message);
        let index = open.unwrap_or_else(|| self.open(Content::Message(String::new())));
        if let Some(item) = self.items.get_mut(index)
            && let Content::Message(said) = &mut item.content
        {
            said.push_str(text);
            self.events.text(item, text);
        }
    }

    fn reasoning(&mut self, text: &str) {
        if text.is_empty() || !self.shell.wanted.shows_thoughts {
            return;
        }
        let index = self.reasoning_item();
        if let Some(item) = self.items.get_mut(index) {
            self.events.reasoning(item, text);
            if let Content::Reasoning(own) = &mut item.content {
                own.text.push_str(text);
            }
        }
    }

    fn thought(&mut self, thought: &Thought) {
        let sealed = self.shell.sealed(thought);
        if sealed.is_none() && self.open_item(is_reasoning).is_none() {
            return;
        }
        let index = self.reasoning_item();
        if let Some(item) = self.items.get_mut(index)
            && let Content::Reasoning(own) = &mut item.content
        {
            own.sealed = sealed;
        }
        // The next thought is another item.
        self.close_complete();
    }

    fn tool_call(&mut self, _: u32, id: &str, name: &str) {
        let call = self.shell.call(id, name);
        let index = self.open(Content::Call(call));
        self.calls.push(index);
    }

    fn tool_arguments(&mut self, index: u32, json: &str) {
        if let Some(item) = item_of(&mut self.items, &self.calls, index)
            && let Content::Call(call) = &mut item.content
        {
            call.arguments.push_str(json);
            self.events.arguments(item, json);
        }
    }

    /// Whether it was cut off is known when something follows, or nothing.
    fn tool_call_end(&mut self, index: u32) {
        if let Some(item) = item_of(&mut self.items, &self.calls, index)
            && let Content::Call(call) = &mut item.content
        {
            call.ended = true;
        }
    }

    fn service_tier(&mut self, tier: &str) {
        self.shell.tier.get_or_insert_with(|| tier.to_owned());
    }

    fn finish(&mut self, reason: FinishReason, usage: Usage) {
        let (status, incomplete) = ending(reason);
        self.close_all(status);
        let kind = match status {
            Status::Incomplete => "response.incomplete",
            _ => "response.completed",
        };
        let ending = Ending {
            incomplete,
            usage: Some(usage),
            error: None,
        };
        self.response(kind, status, ending);
    }

    /// The response contains what was said so far; open items are not closed.
    fn error(&mut self, error: &Error) {
        if !self.events.has_begun() {
            self.start();
        }
        let message = error::message(error);
        let ending = Ending {
            error: Some((error::code(error), &message)),
            ..Ending::default()
        };
        self.response("response.failed", Status::Failed, ending);
    }

    fn take(&mut self) -> Vec<u8> {
        self.events.take()
    }
}

#[cfg(test)]
mod tests;
