//! Shared by the dialects of several families.

pub(super) mod answer;
pub(super) mod answer_text;
pub(super) mod answer_tool;
pub(super) mod arguments;
pub(super) mod base64;
pub(super) mod bedrock_fields;
pub(super) mod beta_name;
pub(super) mod cache_points;
pub(super) mod choice_list;
pub(super) mod context_edits;
pub(super) mod conversation;
pub(super) mod converse_blocks;
pub(super) mod document;
pub(super) mod encoded;
pub(super) mod end_reason;
pub(super) mod image;
pub(super) mod invocation_metrics;
pub(super) mod markup;
pub(super) mod prompt;
pub(super) mod prompt_labels;
pub(super) mod schema;
pub(super) mod structured;
pub(super) mod tool_names;
pub(super) mod tools;
