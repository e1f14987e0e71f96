//! Meta: Llama 2 to 4, with prompts.

pub(in crate::bedrock) mod llama;
