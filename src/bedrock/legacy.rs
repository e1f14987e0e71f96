//! Models of Bedrock's first year, which are spoken to with prompts: Anthropic Claude 2 and
//! Instant, Cohere Command, AI21 Jurassic-2.
//!
//! AWS has retired most of them; provisioned and custom ones live on.

mod claude;
mod command;
mod j2;
mod labels;

pub(super) use claude::CLAUDE_TEXT;
pub(super) use command::COHERE_COMMAND;
pub(super) use j2::J2;
