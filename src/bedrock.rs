//! The upstream's side: Amazon Bedrock Runtime.
//!
//! [`Dialect`] is what each model family implements: a file or folder below `dialects/`, in the folder of the
//! model's vendor; [`dialect()`] is the registry. What several of them need is in `shared/`.

mod converse;
mod cut;
mod dialect;
mod dialects;
mod error;
mod family;
mod invoke;
mod options;
mod redact;
mod serving;
mod shared;
mod stream;

pub use cut::{decode, decoder};
pub use dialect::{Answer, DecodeError, Dialect, EncodedRequest, Event, StreamDecoder, Target};
pub use error::{ChannelFault, UpstreamError, decode_error};
pub use family::dialect;
pub use invoke::{Operation, path};
pub use options::Options;
pub use redact::redact;
pub use serving::{Serving, dialect_for};
pub use shared::tool_names::ToolNames;
pub use stream::{Beginning, ResponseStream, beginning};
