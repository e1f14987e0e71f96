//! A running service, for commands that call its API.

use std::path::PathBuf;

use clap::Args;

use super::secret::TokenSource;

/// A running service.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// Origin of its admin API
    #[arg(long, env = "BEDROCK_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// Certificate authorities, in PEM, to trust besides the system's, for an `https://`
    /// origin
    #[arg(long, env = "BEDROCK_SERVER_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) token: TokenSource,
}
