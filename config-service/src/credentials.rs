//! Gets keys from the sources of channels' credentials.
//!
//! The filter knows only two types of credentials, an access key and a Bedrock API key. Every other
//! type is a source from which [`keeper`] gets one of those two, and renews it before it expires.

mod aws;
mod check;
mod error;
pub mod keeper;
mod key_document;
pub(crate) mod ledger;
mod parameter;
mod short_term;
mod stored_key;
mod token_file;

pub use aws::{Aws, Endpoints};
pub use check::FilePlaces;
pub(crate) use check::{check, check_channel};
pub use ledger::IssuedCredentials;
pub use token_file::{Folder, Folders, InvalidFolder, USUAL_FOLDERS, USUAL_KEY_FOLDERS};

/// The role session name by default.
pub const DEFAULT_SESSION_NAME: &str = "bedrock-filter";
