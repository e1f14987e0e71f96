//! Calls and their results: each call has one result in the very next turn, and there are no other results.
//!
//! Clients lose results when a user interrupts a tool, and calls when they shorten a long conversation. Models refuse
//! what remains, again in every later turn.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Block, BlockContent, Conversation, Speaker, ToolResult, Turn};
use crate::chat::CacheControl;

/// The result of a call that has none in the conversation.
const NO_RESULT: &str = "(no result)";

/// Comes before a result that belongs to no call.
const RESULT: &str = "Result of a tool call: ";
const FAILURE: &str = "Error of a tool call: ";

/// A call that awaits its result.
struct Call<'a> {
    /// The client's id.
    id: Cow<'a, str>,
    /// An id that no other call of the conversation has.
    own: Cow<'a, str>,
    result: Option<Block<'a>>,
}

impl Conversation<'_> {
    /// Puts results first, in the order of their calls and with unique ids; adds missing ones, and turns those
    /// without a call into text.
    pub(super) fn pair(&mut self) {
        let turns = std::mem::take(&mut self.turns);
        self.turns.reserve(turns.len());
        let mut ids = Ids::default();
        let mut calls = Vec::new();
        for mut turn in turns {
            match turn.speaker {
                Speaker::Assistant => calls = ids.take_calls(&mut turn.blocks),
                Speaker::User => answer(&mut turn.blocks, std::mem::take(&mut calls)),
            }
            self.turns.push(turn);
        }
        if !calls.is_empty() {
            let mut blocks = Vec::new();
            answer(&mut blocks, calls);
            self.turns.push(Turn {
                speaker: Speaker::User,
                blocks,
            });
        }
    }
}

/// Ids of calls: clients use the same for several.
#[derive(Default)]
struct Ids<'a> {
    /// How often each one was used.
    used: BTreeMap<Cow<'a, str>, u32>,
}

impl<'a> Ids<'a> {
    fn take_calls(&mut self, blocks: &mut [Block<'a>]) -> Vec<Call<'a>> {
        let mut calls = Vec::new();
        for block in blocks {
            if let BlockContent::ToolUse(call) = &mut block.content {
                let id = std::mem::take(&mut call.id);
                let own = self.unused(&id);
                call.id = own.clone();
                calls.push(Call {
                    id,
                    own,
                    result: None,
                });
            }
        }
        calls
    }

    /// The id itself, or one like it if an earlier call has it.
    fn unused(&mut self, id: &Cow<'a, str>) -> Cow<'a, str> {
        let Some(count) = self.used.get(id) else {
            self.used.insert(id.clone(), 1);
            return id.clone();
        };
        let numbers = count + 1..;
        let mut numbered = numbers.map(|number| (number, Cow::Owned(format!("{id}-{number}"))));
        let free = numbered.find(|(_, own)| !self.used.contains_key(own));
        let (number, own) = free.unwrap_or_default();
        self.used.insert(id.clone(), number);
        self.used.insert(own.clone(), 1);
        own
    }
}

/// Brings the results in a user's turn into the order of the calls before it.
fn answer<'a>(blocks: &mut Vec<Block<'a>>, mut calls: Vec<Call<'a>>) {
    let is_result = |block: &Block<'_>| matches!(block.content, BlockContent::ToolResult(_));
    if calls.is_empty() && !blocks.iter().any(is_result) {
        return;
    }
    let mut others = Vec::with_capacity(blocks.len());
    for Block { content, cache } in blocks.drain(..) {
        let BlockContent::ToolResult(result) = content else {
            others.push(Block { content, cache });
            continue;
        };
        let mut open = calls.iter_mut().filter(|call| call.result.is_none());
        match open.find(|call| call.id == result.id) {
            Some(call) => {
                let content = BlockContent::ToolResult(ToolResult {
                    id: call.own.clone(),
                    ..result
                });
                call.result = Some(Block { content, cache });
            }
            None => others.extend(told(result, cache)),
        }
    }
    blocks.extend(calls.into_iter().map(Call::answered));
    blocks.append(&mut others);
}

impl<'a> Call<'a> {
    /// Its result, or a note that there is none.
    fn answered(self) -> Block<'a> {
        self.result.unwrap_or_else(|| {
            let result = ToolResult {
                id: self.own,
                content: vec![BlockContent::Text(NO_RESULT.into()).into()],
                is_error: false,
            };
            BlockContent::ToolResult(result).into()
        })
    }
}

/// A result without a call, as a text of the user.
fn told(result: ToolResult<'_>, cache: Option<CacheControl>) -> Vec<Block<'_>> {
    let start = if result.is_error { FAILURE } else { RESULT };
    let mut blocks = result.content;
    match blocks.first_mut().map(|block| &mut block.content) {
        Some(BlockContent::Text(text)) => *text = format!("{start}{}", &**text).into(),
        Some(_) => blocks.insert(0, BlockContent::Text(start.trim_end().into()).into()),
        None => blocks.push(BlockContent::Text(format!("{start}{NO_RESULT}").into()).into()),
    }
    if let Some(last) = blocks.last_mut() {
        last.cache = last.cache.or(cache);
    }
    blocks
}
