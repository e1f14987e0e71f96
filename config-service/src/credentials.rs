//! Gets keys from where channels' credentials come from.
//!
//! The filter knows two kinds only, an access key and a Bedrock API key. Every other kind is a source
//! from which [`keeper`] gets one of those two, again and again, before it expires.

mod aws;
mod check;
mod error;
pub mod keeper;
pub(crate) mod ledger;
mod short_term;
mod token_file;

pub use aws::Aws;
pub(crate) use check::check_channel;
pub use ledger::IssuedCredentials;
pub use token_file::{InvalidFolder, TokenFolder, TokenFolders, USUAL_FOLDERS};

/// Role session name where none is configured.
pub const DEFAULT_SESSION_NAME: &str = "bedrock-filter";
