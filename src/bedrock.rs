//! The upstream's side: Amazon Bedrock Runtime.
//!
//! [`ModelFamily`] is the registry of families, [`Dialect`] what each of them implements: a file or folder
//! below `dialects/`, in the folder of the model's vendor. What several of them need is in `shared/`.

mod choose;
mod converse;
mod dialect;
mod dialects;
mod error;
mod family;
mod invoke;
mod options;
mod redact;
mod shared;
mod stream;

pub use choose::choose;
pub use dialect::{Answer, DecodeError, Dialect, EncodedRequest, Event, StreamDecoder, Target};
pub use error::{UpstreamError, decode_error};
pub use family::ModelFamily;
pub use invoke::{Operation, path};
pub use options::Options;
pub use redact::redact;
pub use shared::tool_names::ToolNames;
pub use stream::{Beginning, ResponseStream, beginning};
