//! The client's side: OpenAI's Chat Completions API.
//!
//! Own types for what we read and write, <https://platform.openai.com/docs/api-reference/chat>.
//! Strings are borrowed from the request body wherever JSON allows it.

mod chunk;
mod completion;
mod content;
mod error;
mod message;
mod models;
mod params;
mod request;
mod text;
mod tool;

pub use chunk::{ChunkWriter, StreamHead};
pub use completion::{Completion, FinishReason, ToolCallOut, Usage};
pub use content::{Content, ImageUrl, Part};
pub use error::{Error, ErrorKind};
pub use message::{FunctionCall, Message, Role, ToolCall};
pub use models::{model, model_list};
pub use request::{ChatRequest, StreamOptions};
pub use text::Text;
pub use tool::{Function, Tool, ToolChoice, ToolChoiceMode};
