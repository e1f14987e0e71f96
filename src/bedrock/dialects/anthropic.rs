//! Anthropic: Claude with the Messages API, and the prompts of Claude 2 and Instant.

pub(in crate::bedrock) mod messages;
pub(in crate::bedrock) mod text;
