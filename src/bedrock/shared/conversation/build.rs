//! Turns messages into turns.

use super::blocks::blocks;
use super::{Accepts, Block, BlockContent, Conversation, Speaker, SystemText, Turn};
use crate::chat::{self, Error, Message, Param, Request, Role};

/// Comes before the text of an assistant that spoke first: models want the user to begin.
const OPENING: &str = "Begin.";

/// Brings a request's messages into the shape that models take.
///
/// # Errors
///
/// A 400 that names the message that the model cannot be told.
pub(in crate::bedrock) fn build<'a>(
    request: &'a Request<'_>,
    accepts: Accepts,
) -> Result<Conversation<'a>, Error> {
    let mut conversation = Conversation {
        system: Vec::new(),
        turns: Vec::with_capacity(request.messages.len()),
        closing: Vec::new(),
    };
    for message in &request.messages {
        conversation.add(message, accepts)?;
    }
    conversation.finish(accepts)?;
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
        // Among the others, they would leave the assistant the last word, which models then continue.
        if self.ends_with_assistant() || !self.closing.is_empty() {
            self.closing.extend(texts);
        } else {
            self.system.extend(texts);
        }
    }

    /// Adds blocks to the last turn if it is the same speaker's, or else as a new turn.
    fn push(&mut self, speaker: Speaker, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        self.system.append(&mut self.closing);
        match self.turns.last_mut() {
            Some(turn) if turn.speaker == speaker => turn.blocks.extend(blocks),
            _ => self.turns.push(Turn { speaker, blocks }),
        }
    }

    fn finish(&mut self, accepts: Accepts) -> Result<(), Error> {
        let instructions = if self.turns.is_empty() {
            std::mem::take(&mut self.system)
        } else if accepts.closing_system {
            Vec::new()
        } else {
            std::mem::take(&mut self.closing)
        };
        let instructions: Vec<_> = instructions.into_iter().map(Block::from).collect();
        self.push(Speaker::User, instructions);
        match self.turns.first().map(|turn| turn.speaker) {
            None => {
                let message = "The conversation needs a message that is not blank.";
                return Err(Error::invalid(Param::Messages, message));
            }
            Some(Speaker::Assistant) => self.turns.insert(0, opening()),
            Some(Speaker::User) => {}
        }
        self.pair();
        self.trim_end();
        Ok(())
    }

    /// Models refuse a conversation that ends with white space from the assistant.
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

/// The user's text before an assistant that spoke first.
fn opening<'a>() -> Turn<'a> {
    Turn {
        speaker: Speaker::User,
        blocks: vec![BlockContent::Text(OPENING.into()).into()],
    }
}

impl<'a> From<SystemText<'a>> for Block<'a> {
    fn from(system: SystemText<'a>) -> Self {
        Self {
            content: BlockContent::Text(system.text),
            cache: system.cache,
        }
    }
}
