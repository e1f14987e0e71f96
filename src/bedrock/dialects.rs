//! The dialects of model families, by vendor: one file or folder for each family. [`prompted`] has what those share whose
//! models continue a prompt.

pub(super) mod ai21;
pub(super) mod amazon;
pub(super) mod anthropic;
pub(super) mod cohere;
pub(super) mod deepseek;
pub(super) mod meta;
pub(super) mod mistral;
pub(super) mod openai;
mod prompted;
