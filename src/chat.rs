//! The chat vocabulary: what clients ask and models answer, in terms that belong to neither side's format.
//!
//! Protocols (what clients speak) and dialects (what models speak) know this module and not each other. It
//! knows no format of either.

mod answer;
mod calls;
mod error;
pub mod media;
mod message;
mod param;
mod request;
mod sink;
mod stream;
mod tool;

pub use answer::{AnswerHead, Completion, FinishReason, Thought, ToolCall, Usage};
pub use calls::Arguments;
pub use error::{Error, ErrorKind, Place};
pub use message::{
    At, Block, BlockContent, CacheControl, CacheTtl, Document, Field, Message, Part, Role, Source,
    ToolResult, ToolUse,
};
pub use param::{Asked, Param, Treatment, check};
pub use request::{
    Effort, Guardrail, JsonSchema, OutputFormat, Reasoning, Request, Sampling, Thinking,
    ThinkingMode,
};
pub use sink::{AnswerSink, CallIndex};
pub use stream::{AnswerStream, EventWriter, Guarded};
pub use tool::{Tool, ToolChoice};

#[cfg(test)]
pub(crate) mod testing;
