//! OpenAI's open models, and all others with bodies like OpenAI's.

pub(in crate::bedrock) mod chat;
