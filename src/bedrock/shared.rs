//! What the dialects of several families need.

pub(super) mod arguments;
pub(super) mod base64;
pub(super) mod bedrock_fields;
pub(super) mod cache_points;
pub(super) mod choice_list;
pub(super) mod conversation;
pub(super) mod document;
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
