//! Brings messages into turns.

use super::blocks::blocks;
use super::{Accepts, Block, BlockContent, Conversation, Speaker, SystemText, Turn};
use crate::chat::{self, Error, Message, Param, Request, Role};

/// Brings a request's messages into the shape that models take.
///
/// # Errors
///
/// A 400 that names the message which the model cannot be told.
pub(in crate::bedrock) fn build<'a>(
    request: &'a Request<'_>,
    accepts: Accepts,
) -> Result<Conversation<'a>, Error> {
    let mut conversation = Conversation {
        system: Vec::new(),
        turns: Vec::new(),
    };
    for message in &request.messages {
        conversation.add(message, accepts)?;
    }
    conversation.finish()?;
    Ok(conversation)
}

impl<'a> Conversation<'a> {
    fn add(&mut self, message: &'a Message<'_>, accepts: Accepts) -> Result<(), Error> {
        let speaker = match message.role {
            Role::System => {
                self.add_system(message);
                return Ok(());
            }
            Role::User => Speaker::User,
            Role::Assistant => Speaker::Assistant,
        };
        self.push(speaker, blocks(&message.blocks, accepts)?);
        Ok(())
    }

    fn add_system(&mut self, message: &'a Message<'_>) {
        let texts = message
            .blocks
            .iter()
            .filter_map(|block| match &block.content {
                chat::BlockContent::Text(text) if !text.is_blank() => Some(SystemText {
                    text: text.clone(),
                    cache: block.cache,
                }),
                _ => None,
            });
        self.system.extend(texts);
    }

    /// Adds blocks to the last turn if it is the same speaker's, else as a new turn.
    fn push(&mut self, speaker: Speaker, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.speaker == speaker => turn.blocks.extend(blocks),
            _ => self.turns.push(Turn { speaker, blocks }),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let message = match self.turns.first().map(|turn| turn.speaker) {
            Some(Speaker::User) => {
                self.sort_results();
                self.trim_end();
                return Ok(());
            }
            Some(Speaker::Assistant) => {
                "The first message after the system prompt must be from the user."
            }
            None => "The conversation needs a user message that is not blank.",
        };
        Err(Error::invalid(Param::Messages, message))
    }

    /// Results first, in the order of the calls; everything else behind them as it came.
    fn sort_results(&mut self) {
        let mut calls = Vec::new();
        for turn in &mut self.turns {
            match turn.speaker {
                Speaker::Assistant => calls = call_ids(&turn.blocks),
                Speaker::User => turn.blocks.sort_by_key(|block| match &block.content {
                    BlockContent::ToolResult(result) => calls
                        .iter()
                        .position(|call| *call == result.id)
                        .unwrap_or(calls.len()),
                    _ => calls.len() + 1,
                }),
            }
        }
    }

    /// Models refuse a conversation that ends with white space of the assistant's.
    fn trim_end(&mut self) {
        let last = self
            .turns
            .last_mut()
            .filter(|turn| turn.speaker == Speaker::Assistant)
            .and_then(|turn| turn.blocks.last_mut());
        if let Some(Block {
            content: BlockContent::Text(text),
            ..
        }) = last
        {
            *text = std::mem::take(text).trimmed_end();
        }
    }
}

fn call_ids<'a>(blocks: &[Block<'a>]) -> Vec<&'a str> {
    let ids = blocks.iter().filter_map(|block| match &block.content {
        BlockContent::ToolUse(call) => Some(call.id),
        _ => None,
    });
    ids.collect()
}
