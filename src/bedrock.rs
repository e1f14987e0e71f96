//! The upstream's side: Amazon Bedrock Runtime.
//!
//! [`Dialect`] is what each model family implements: a file or folder below `dialects/`, in the folder of the model's
//! vendor; [`dialect()`] is the registry. Code that several of them need is in `shared/`.

mod converse;
mod cut;
mod decoding;
mod dialect;
mod dialects;
mod error;
mod family;
mod invoke;
mod left_out;
mod options;
mod redact;
mod serving;
mod shared;
mod stream;
mod target;

pub use cut::{decode, decoder};
pub use decoding::{DecodeError, Event, StreamDecoder};
pub use dialect::Dialect;
pub use error::{ChannelFault, UpstreamError, decode_error};
pub use family::dialect;
pub use invoke::{Operation, path};
pub use left_out::left_out;
pub use options::Options;
pub use redact::redact;
pub use serving::{Serving, dialect_for, lost_in_results};
pub use shared::answer::Answer;
pub use shared::beta_name::beta_name;
pub use shared::cache_points::CachePoints;
pub use shared::context_edits::ContextEdits;
pub use shared::document::Documents;
pub use shared::encoded::EncodedRequest;
pub use shared::invocation_metrics::InvocationMetrics;
pub use shared::tool_names::ToolNames;
pub use stream::{Beginning, Events, ResponseStream, beginning};
pub use target::Target;
