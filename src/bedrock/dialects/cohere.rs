//! Cohere: Command with prompts, and Command R.

pub(in crate::bedrock) mod command;
pub(in crate::bedrock) mod command_r;
