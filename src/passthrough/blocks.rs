//! The conversation: which of its blocks are passed on, and how.

use super::facts::Facts;
use super::known::{is_known_object, known, write_source, write_value};
use super::list::List;
use super::marks::{Mark, Marks, write_mark};
use super::rules::Rules;
use crate::chat::{At, Error, Part};
use crate::config::Rule;
use crate::json::PieceWriter;
use crate::protocol::anthropic_messages::{
    Asked, Content, Member, Message, Object, Role, Value, no_such_block, not_fetched,
};

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is passed on unchanged.
    Same,
    /// It is passed on with changes.
    Changed,
    /// It is left out.
    Dropped,
}

/// Writes a conversation by the rules.
pub(super) struct Editor<'r> {
    rules: Rules<'r>,
    facts: Facts,
    pub(super) marks: Marks,
    /// Betas that the blocks need that are passed on.
    pub(super) betas: Vec<&'static str>,
}

impl<'r> Editor<'r> {
    /// For a request.
    pub(super) fn new(rules: Rules<'r>, facts: Facts, asked: &Asked<'_>) -> Self {
        Self {
            rules,
            facts,
            marks: Marks::of(asked, facts),
            betas: Vec::new(),
        }
    }

    /// The system prompt: its own texts, then those of the messages before the conversation begins.
    ///
    /// # Errors
    ///
    /// Never for what was read as a system prompt.
    pub(super) fn system(
        &mut self,
        asked: &Asked<'_>,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        let leading = leading(asked);
        if leading.is_empty() && asked.system.is_none() {
            return Ok(());
        }
        let own = asked.system.as_ref();
        let skips = !self.rules.keeps_attribution() && own.is_some_and(Content::is_attributed);
        if let (true, Some(Content::Text(text))) = (leading.is_empty(), own) {
            if !text.is_blank() && !skips {
                out.raw(",\"system\":");
                out.text(text);
            }
            return Ok(());
        }
        let mut list = List::new(",\"system\":[");
        let at = At {
            message: 0,
            part: Part::Whole,
        };
        let all = own.into_iter().map(|own| (own, skips));
        let more = leading.iter().map(|message| (&message.content, false));
        for (content, skips) in all.chain(more) {
            match content {
                Content::Text(text) if text.is_blank() || skips => {}
                Content::Text(text) => {
                    list.next(out);
                    out.raw("{\"type\":\"text\",\"text\":");
                    out.text(text);
                    out.raw("}");
                }
                Content::Blocks(_, blocks) => {
                    let skipped = usize::from(skips);
                    for block in blocks.iter().take(skipped) {
                        self.marks.next(block);
                    }
                    let rest = blocks.get(skipped..).unwrap_or_default();
                    self.blocks(rest, at, &mut list, out)?;
                }
            }
        }
        list.end(out);
        Ok(())
    }

    /// The messages, from the first that is not a system message.
    ///
    /// # Errors
    ///
    /// A 400 for a block that Bedrock does not support.
    pub(super) fn messages(
        &mut self,
        asked: &Asked<'_>,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        let start = leading(asked).len();
        let mut list = List::new(",\"messages\":[");
        // A note between a call and its result is moved behind the result.
        let mut held: Vec<&Message<'_>> = Vec::new();
        let mut has_open_calls = false;
        for (index, message) in asked.messages.1.iter().enumerate().skip(start) {
            if message.role == Role::System && has_open_calls {
                held.push(message);
                continue;
            }
            self.message(message, index, &mut list, out)?;
            if message.role == Role::User {
                for note in held.drain(..) {
                    self.message(note, index, &mut list, out)?;
                }
            }
            if message.role != Role::System {
                let mut blocks = message.content.blocks().iter();
                has_open_calls =
                    message.role == Role::Assistant && blocks.any(|own| own.kind() == "tool_use");
            }
        }
        for note in held {
            self.message(note, asked.messages.1.len(), &mut list, out)?;
        }
        list.end(out);
        Ok(())
    }

    fn message(
        &mut self,
        message: &Message<'_>,
        index: usize,
        list: &mut List,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        let at = At {
            message: index,
            part: Part::Whole,
        };
        let is_note = message.role == Role::System && !self.facts.takes_system_role();
        let blocks = message.content.blocks();
        let before = self.marks.passed();
        let fate = self.fate_of_all(blocks, at)?;
        let is_blank_note = message.role == Role::System && message.content.is_blank();
        if fate == Fate::Same && !is_note && !is_blank_note && !message.has_more {
            list.next(out);
            out.raw(message.json);
            return Ok(());
        }
        if fate == Fate::Dropped || is_blank_note {
            return Ok(());
        }
        self.marks.pass_again(before);
        list.next(out);
        out.raw(match message.role {
            Role::Assistant => "{\"role\":\"assistant\",\"content\":",
            Role::System if !is_note => "{\"role\":\"system\",\"content\":",
            Role::User | Role::System => "{\"role\":\"user\",\"content\":",
        });
        match &message.content {
            Content::Text(text) => out.text(text),
            Content::Blocks(..) => {
                let mut inner = List::new("[");
                self.blocks(blocks, at, &mut inner, out)?;
                inner.end(out);
            }
        }
        out.raw("}");
        Ok(())
    }

    /// What becomes of a list of blocks as a whole: an empty one stays as it is.
    fn fate_of_all(&mut self, blocks: &[Object<'_>], at: At) -> Result<Fate, Error> {
        let mut all = None;
        for (index, block) in blocks.iter().enumerate() {
            let fate = self.fate(block, below(at, index))?;
            all = match all {
                None => Some(fate),
                Some(before) if before == fate => all,
                Some(_) => Some(Fate::Changed),
            };
        }
        Ok(all.unwrap_or(Fate::Same))
    }

    /// What becomes of a block; passes its marks.
    fn fate(&mut self, block: &Object<'_>, at: At) -> Result<Fate, Error> {
        let is_whole = self.fate_of_all(block.inside(), at)? == Fate::Same;
        let mark = self.marks.next(block);
        if !self.goes_on(block, at)? {
            return Ok(Fate::Dropped);
        }
        let known = known(block.kind());
        let is_known = |own: &Member<'_>| {
            known.is_none_or(|known| own.name == "type" || known.contains(&&*own.name))
                && !own.value.is_null()
                && match &own.value {
                    Value::Object(own) if block.kind() != "search_result" => is_known_object(own),
                    _ => true,
                }
        };
        let is_same = is_whole && mark == Mark::Same && block.members.iter().all(is_known);
        Ok(if is_same { Fate::Same } else { Fate::Changed })
    }

    /// Whether a block is passed on at all.
    fn goes_on(&mut self, block: &Object<'_>, at: At) -> Result<bool, Error> {
        let kind = block.kind();
        let text = |name| block.text(name).map_or("", |text| &**text);
        match kind {
            "text" => return Ok(block.text("text").is_some_and(|text| !text.is_blank())),
            // Without its proof a thought is refused, whoever thought it.
            "thinking" => return Ok(!text("signature").is_empty()),
            "redacted_thinking" => return Ok(!text("data").is_empty()),
            // Bedrock runs none of the tools of Anthropic's servers except the search for tools.
            "server_tool_use" => return Ok(text("name").starts_with("tool_search_tool")),
            "image" | "document" => {
                let source = block.object("source").map_or("", Object::kind);
                if !matches!(source, "base64" | "text" | "content") {
                    return Err(not_fetched(source, at));
                }
            }
            "compaction" => self.betas.push("compact-2026-09-04"),
            "tool_addition" | "tool_removal" => {
                self.betas.push("mid-conversation-tool-changes-2026-07-01");
            }
            _ => {}
        }
        match self.rules.content(kind) {
            Rule::Pass => Ok(true),
            Rule::Drop => Ok(false),
            Rule::Refuse => Err(no_such_block(kind, at)),
        }
    }

    fn blocks(
        &mut self,
        blocks: &[Object<'_>],
        at: At,
        list: &mut List,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        for (index, block) in blocks.iter().enumerate() {
            let at = below(at, index);
            let before = self.marks.passed();
            let fate = self.fate(block, at)?;
            match fate {
                Fate::Same => {
                    list.next(out);
                    out.raw(block.json);
                }
                Fate::Dropped => {}
                Fate::Changed => {
                    self.marks.pass_again(before);
                    list.next(out);
                    self.block(block, at, out)?;
                }
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        block: &Object<'_>,
        at: At,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        let known = known(block.kind());
        let mut list = List::new("{");
        let mut own_mark = None;
        for member in &block.members {
            let name = &*member.name;
            let is_known = known.is_none_or(|known| name == "type" || known.contains(&name));
            if member.value.is_null() || !is_known {
                continue;
            }
            match &member.value {
                Value::Object(own) if name == "cache_control" => own_mark = Some(own),
                Value::Blocks(_, inside) => {
                    list.member(name, out);
                    let mut inner = List::new("[");
                    self.blocks(inside, at, &mut inner, out)?;
                    inner.end(out);
                }
                Value::Object(own) if name == "source" => {
                    list.member(name, out);
                    write_source(own, out);
                }
                value => {
                    list.member(name, out);
                    write_value(value, out);
                }
            }
        }
        // Marks inside come before the block's own, wherever the client wrote it.
        if let Some(own) = own_mark {
            match self.marks.next(block) {
                Mark::Same => {
                    list.member("cache_control", out);
                    out.raw(own.json);
                }
                Mark::Set(set) => write_mark(set, &mut list, out),
            }
        }
        list.end_with("}", "{}", out);
        Ok(())
    }
}

/// The system messages before the conversation: no model accepts them there.
fn leading<'m, 'a>(asked: &'m Asked<'a>) -> &'m [Message<'a>] {
    let all = &asked.messages.1;
    let length = all
        .iter()
        .take_while(|message| message.role == Role::System)
        .count();
    all.get(..length).unwrap_or_default()
}

fn below(at: At, index: usize) -> At {
    let part = match at.part {
        Part::Whole => Part::Content(index),
        Part::Content(outer) | Part::Nested(outer, _) | Part::Call(outer) => {
            Part::Nested(outer, index)
        }
    };
    At { part, ..at }
}
