//! The response object: what an answer that is not streamed is, and what the first and the last events of a stream
//! have.

use std::rc::Rc;
use std::time::UNIX_EPOCH;

use super::call::Call;
use super::item::{Content, Item, Reasoning, Status, member};
use super::wanted::Wanted;
use crate::chat::{AnswerHead, Clock, Completion, FinishReason, Sealer, Thought, Usage};
use crate::json;

/// How many bytes an answer usually has besides its text and what it repeats, at most.
const ROOM: usize = 1024;

/// What every response object of one answer has, and how its items are made.
pub(super) struct Shell {
    /// The id without a prefix.
    id: String,
    created: u64,
    clock: Option<Clock>,
    model: String,
    pub(super) tier: Option<String>,
    pub(super) wanted: Rc<Wanted>,
    pub(super) proves_thoughts: bool,
    sealer: Option<Rc<dyn Sealer>>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ending<'a> {
    /// Why it is not complete.
    pub(super) incomplete: Option<&'static str>,
    /// Code and message of what went wrong.
    pub(super) error: Option<(&'static str, &'a str)>,
    pub(super) usage: Option<Usage>,
}

impl Shell {
    pub(super) fn new(head: &AnswerHead, wanted: &Rc<Wanted>) -> Self {
        let mut id = head.id.clone();
        id.retain(|c| c.is_ascii_alphanumeric() || c == '_');
        Self {
            id,
            created: head.created,
            clock: head.clock,
            model: head.model.clone(),
            tier: head.service_tier.clone(),
            wanted: Rc::clone(wanted),
            proves_thoughts: head.proves_thoughts,
            sealer: head.sealer.clone(),
        }
    }

    /// When the response was completed, in seconds since the epoch; only then does it say so:
    /// <https://platform.openai.com/docs/api-reference/responses/object#responses/object-completed_at>.
    fn completed(&self, status: Status) -> Option<u64> {
        let clock = self.clock.filter(|_| status == Status::Completed)?;
        let since = clock().duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    }

    /// An item that is the `index`th of the output.
    pub(super) fn item(&self, content: Content, index: usize) -> Item {
        let place = index.to_string();
        let id = [content.prefix(), &self.id, "_", &place].concat();
        Item { id, index, content }
    }

    /// A call of the model's.
    pub(super) fn call(&self, id: &str, name: &str) -> Call {
        Call {
            call_id: id.into(),
            called: self.wanted.names.called(name),
            arguments: String::new(),
            ended: false,
        }
    }

    /// What the client is to send back of a thought.
    pub(super) fn sealed(&self, thought: &Thought) -> Option<String> {
        let sealer = self.sealer.as_ref().filter(|_| self.wanted.seals_thoughts);
        sealer.and_then(|sealer| sealer.seal(thought))
    }

    /// Writes the response object; all items but the last are complete.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        status: Status,
        items: &[Item],
        ending: Ending<'_>,
    ) {
        out.extend_from_slice(b"{\"id\":\"resp_");
        // Nothing in it has to be escaped.
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(b"\",\"object\":\"response\",\"created_at\":");
        number(out, self.created);
        member(out, "status", status.word());
        member(out, "model", &self.model);
        out.extend_from_slice(b",\"background\":false,\"completed_at\":");
        json::write_or_null(out, &self.completed(status));
        out.extend_from_slice(b",\"error\":");
        match ending.error {
            Some((code, message)) => {
                out.extend_from_slice(b"{\"code\":");
                json::write_str(out, code);
                member(out, "message", message);
                out.push(b'}');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"incomplete_details\":");
        match ending.incomplete {
            Some(reason) => {
                out.extend_from_slice(b"{\"reason\":");
                json::write_str(out, reason);
                out.push(b'}');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(
            b",\"previous_response_id\":null,\"store\":false,\"truncation\":\"disabled\"",
        );
        member(
            out,
            "service_tier",
            self.tier.as_deref().unwrap_or("default"),
        );
        out.extend_from_slice(self.wanted.echo.members());
        out.extend_from_slice(b",\"output\":[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            item.write(out, status.of_item(index, items.len()));
        }
        out.extend_from_slice(b"],\"usage\":");
        match ending.usage {
            Some(usage) => write_usage(out, usage),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
    }
}

/// The JSON body of a whole answer.
pub(super) fn body(answer: &Completion, shell: &Shell) -> Vec<u8> {
    let mut items = Vec::new();
    let mut add = |content| {
        let item = shell.item(content, items.len());
        items.push(item);
    };
    let shows = shell.wanted.shows_thoughts;
    if let Some(text) = answer.reasoning.as_ref().filter(|_| shows) {
        add(Content::Reasoning(Reasoning {
            text: text.clone(),
            ..Reasoning::default()
        }));
    }
    for thought in &answer.thoughts {
        let own = reasoning(thought, shell);
        if !own.text.is_empty() || own.sealed.is_some() {
            add(Content::Reasoning(own));
        }
    }
    if let Some(text) = answer.content.as_ref().filter(|text| !text.is_empty()) {
        add(Content::Message(text.clone()));
    }
    for own in &answer.tool_calls {
        add(Content::Call(Call {
            arguments: own.arguments.clone(),
            ..shell.call(&own.id, &own.name)
        }));
    }
    let (status, incomplete) = ending(answer.finish_reason);
    let ending = Ending {
        incomplete,
        usage: Some(answer.usage),
        error: None,
    };
    let text = answer.content.as_deref().map_or(0, str::len);
    let echo = shell.wanted.echo.members().len();
    let mut out = Vec::with_capacity(text + echo + ROOM);
    shell.write(&mut out, status, &items, ending);
    out
}

fn reasoning(thought: &Thought, shell: &Shell) -> Reasoning {
    let text = match thought {
        Thought::Thinking { thinking, .. } if shell.wanted.shows_thoughts => thinking.clone(),
        _ => String::new(),
    };
    Reasoning {
        text,
        is_summary: true,
        sealed: shell.sealed(thought),
    }
}

/// What the reason for which an answer ended means for the response:
/// <https://platform.openai.com/docs/api-reference/responses/object#responses/object-incomplete_details>.
pub(super) fn ending(reason: FinishReason) -> (Status, Option<&'static str>) {
    match reason {
        FinishReason::Stop | FinishReason::StopText | FinishReason::ToolCalls => {
            (Status::Completed, None)
        }
        FinishReason::Length => (Status::Incomplete, Some("max_output_tokens")),
        FinishReason::ContentFilter => (Status::Incomplete, Some("content_filter")),
    }
}

/// Token counts; OpenAI counts cached ones among the input's.
fn write_usage(out: &mut Vec<u8>, usage: Usage) {
    for (name, count) in [
        ("{\"input_tokens\":", usage.prompt()),
        (
            ",\"input_tokens_details\":{\"cached_tokens\":",
            usage.cache_read,
        ),
        (",\"cache_write_tokens\":", usage.cache_write),
        ("},\"output_tokens\":", usage.output),
        (
            ",\"output_tokens_details\":{\"reasoning_tokens\":",
            usage.reasoning,
        ),
        ("},\"total_tokens\":", usage.prompt() + usage.output),
    ] {
        out.extend_from_slice(name.as_bytes());
        number(out, count);
    }
    out.push(b'}');
}

/// Writes a number.
pub(super) fn number(out: &mut Vec<u8>, number: u64) {
    json::write_or_null(out, &number);
}
