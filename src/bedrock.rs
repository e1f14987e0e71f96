//! The upstream's side: Amazon Bedrock Runtime.
//!
//! [`ModelFamily`] is the registry of families, [`Dialect`] what each of them implements. A new
//! family is one file (or folder), a variant and an arm in `family.rs`, and a golden folder.

mod anthropic;
mod dialect;
mod error;
pub mod event_stream;
mod family;
mod image;
mod invoke;
mod redact;
mod stream;
mod tool_names;

pub use dialect::{DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
pub use error::{UpstreamError, decode_error};
pub use family::ModelFamily;
pub use invoke::{Operation, path};
pub use redact::redact;
pub use stream::{Beginning, ResponseStream, beginning};
pub use tool_names::ToolNames;
