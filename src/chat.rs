//! The chat vocabulary: what clients ask and models answer, in terms that belong to neither side's format.
//!
//! Protocols (what clients speak) and dialects (what models speak) know this module and not each other. It
//! knows no format of either.

mod answer;
mod error;
mod sink;
mod stream;

pub use answer::{AnswerHead, Completion, FinishReason, Thought, ToolCall, Usage};
pub use error::{Error, ErrorKind, Place};
pub use sink::{AnswerSink, CallIndex};
pub use stream::{AnswerStream, EventWriter, Guarded};

#[cfg(test)]
pub(crate) use sink::testing;
