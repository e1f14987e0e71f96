//! The client's side: OpenAI's Chat Completions API.
//!
//! Own types for what we read and write, <https://platform.openai.com/docs/api-reference/chat>.
//! Strings are borrowed from the request body wherever JSON allows it.

mod chunk;
mod completion;
mod content;
mod error;
mod fault;
mod format;
mod message;
mod models;
mod param;
mod request;
mod tool;

pub use chunk::{ChunkWriter, StreamUsage, ToolStyle};
pub use completion::completion_body;
pub use content::{CacheControl, CacheTtl, Content, File, ImageUrl, Part};
pub use error::error_body;
pub use format::{JsonSchema, ResponseFormat};
pub use message::{FunctionCall, Message, Role, ThinkingBlock, ToolCall};
pub use models::{model, model_list};
pub use param::{Param, Treatment, check};
pub use request::{
    ChatRequest, GuardrailConfig, PerformanceConfig, ReasoningEffort, StreamOptions,
};
pub use tool::{Function, LegacyChoice, Tool, ToolChoice, ToolChoiceMode};
