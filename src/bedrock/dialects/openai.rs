//! OpenAI's open models, and all others whose bodies are OpenAI's.

pub(in crate::bedrock) mod chat;
