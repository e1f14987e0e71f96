//! The chat vocabulary: what clients ask and models answer, in terms of neither side's format.
//!
//! Protocols (what clients speak) and dialects (what models speak) know this module, but not each other. It knows
//! none of their formats.

mod answer;
mod calls;
mod check;
mod error;
pub mod media;
mod message;
mod object;
mod param;
mod request;
mod sink;
mod standing;
mod stream;
mod tool;

pub use answer::{AnswerHead, Clock, Completion, FinishReason, Sealer, Thought, ToolCall, Usage};
pub use calls::Arguments;
pub use check::check;
pub use error::{Error, ErrorKind, Place, Terms};
pub use message::{
    At, Block, BlockContent, CacheControl, CacheTtl, Document, Field, Message, Part, Role, Source,
    ToolResult, ToolUse,
};
pub use object::{object_of, object_of_json};
pub use param::{Asked, Param, Treatment};
pub use request::{
    Effort, EffortScope, EndUser, Guardrail, JsonSchema, OutputFormat, Reasoning, Request,
    Sampling, Thinking, ThinkingMode, Thoughts,
};
pub use sink::{AnswerSink, CallIndex, report};
pub use standing::{LimitKind, Standing};
pub use stream::{AnswerStream, EventWriter, Guarded};
pub use tool::{Definition, Tool, ToolChoice};

#[cfg(test)]
pub(crate) mod testing;
