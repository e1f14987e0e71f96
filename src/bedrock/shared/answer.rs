//! The part of a request that is needed to read its answer.

use super::answer_text::TextRules;
use super::markup::Rules;
use super::tool_names::ToolNames;
use crate::chat::Usage;

/// The part of a request that is needed to read its answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The client's names of the tools.
    pub names: ToolNames,
    /// Token counts from the answer's headers, for families whose bodies have none.
    pub header_usage: Option<Usage>,
    /// Tool calls of earlier turns, so that ids made up here are unique in the conversation.
    pub earlier_calls: u32,
    /// Texts that end the answer and that were kept from the model, see [`crate::bedrock::decode`].
    pub stops: Vec<String>,
    /// Texts that end the answer and that the model was told, for families that say which was reached.
    pub told_stops: Vec<String>,
    /// What the model writes into its texts besides the answer.
    pub(in crate::bedrock) markup: Option<Rules>,
    /// How the text behind a prompt is read.
    pub(in crate::bedrock) text: TextRules,
}
