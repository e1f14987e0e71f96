//! Mistral AI's models of 2024: prompts for the first of them, chat bodies for Mistral Large 2407
//! and Pixtral. The newer ones have OpenAI's bodies.

mod chat;
mod instruct;
mod messages;

pub(in crate::bedrock) use chat::Chat;
pub(in crate::bedrock) use instruct::{Instruct, MAX_TOP_K};
