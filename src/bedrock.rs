//! The upstream's side: Amazon Bedrock Runtime.
//!
//! [`ModelFamily`] is the registry of families, [`Dialect`] what each of them implements. A new
//! family is one file (or folder), a variant and an arm in `family.rs`, and a golden folder.

mod additions;
mod anthropic;
mod base64;
mod choices;
mod choose;
mod cohere;
mod conversation;
mod converse;
mod deepseek_r1;
mod dialect;
mod document;
mod error;
pub mod event_stream;
mod family;
mod image;
mod inline_reasoning;
mod invoke;
mod jamba;
mod legacy;
mod llama;
mod marks;
mod metrics;
mod mistral;
mod nova;
mod openai_chat;
mod options;
mod prompt;
mod redact;
mod schema;
mod stream;
mod structured;
mod titan;
mod tool_names;
mod tools;

pub use choose::choose;
pub use dialect::{Answer, DecodeError, Dialect, EncodedRequest, Event, StreamDecoder, Target};
pub use error::{UpstreamError, decode_error};
pub use family::ModelFamily;
pub use invoke::{Operation, path};
pub use options::Options;
pub use redact::redact;
pub use stream::{Beginning, ResponseStream, beginning};
pub use tool_names::ToolNames;
