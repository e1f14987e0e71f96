//! What OpenAI's two chat APIs have in common: parts of messages, parameters, values, faults and the
//! shape of errors.

pub(in crate::protocol) mod arguments;
pub(in crate::protocol) mod blocks;
pub(in crate::protocol) mod body;
pub(in crate::protocol) mod content;
pub(in crate::protocol) mod error;
pub(in crate::protocol) mod fault;
pub(in crate::protocol) mod free_text;
pub(in crate::protocol) mod limits;
pub(in crate::protocol) mod options;
pub(in crate::protocol) mod params;
pub(in crate::protocol) mod part;
pub(in crate::protocol) mod tool;
pub(in crate::protocol) mod value;
