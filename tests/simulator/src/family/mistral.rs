//! Mistral: the instruct prompt, and the chat body of its middle generation.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral.html>

mod chat;
mod prompt;

pub(crate) use self::chat::MistralChat;
pub(crate) use self::prompt::{ADDITIONAL, MistralPrompt};
