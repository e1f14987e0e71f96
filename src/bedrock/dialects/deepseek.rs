//! `DeepSeek`: R1 with prompts. The newer models have OpenAI's bodies.

pub(in crate::bedrock) mod r1;
