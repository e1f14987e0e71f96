//! Cohere: Command R's chat body, and the prompt of the first Command.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html>

mod chat;
mod text;

pub(crate) use self::chat::{ADDITIONAL, CommandR};
pub(crate) use self::text::CommandText;
