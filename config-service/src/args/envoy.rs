//! An Envoy that this process starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::SealKeySource;
use super::secret::InvalidSecret;
use crate::envoy::Launch;

/// An Envoy that this process starts, for everything in one container.
#[derive(Clone, Debug, Args)]
pub struct WithEnvoy {
    /// Start this Envoy, restart it when it crashes, and stop when it does not stay up.
    ///
    /// It gets envoy/envoy.yaml, which is part of this program, and the seal keys. SIGTERM and SIGINT let its
    /// requests in progress finish; a second one does not.
    #[arg(long, env = "BEDROCK_WITH_ENVOY", value_name = "PROGRAM")]
    #[arg(conflicts_with = "xds_tls_certificate")]
    with_envoy: Option<PathBuf>,

    /// Bootstrap for that Envoy instead of envoy/envoy.yaml; the addresses of this process are put into it.
    #[arg(long, env = "BEDROCK_ENVOY_CONFIG", value_name = "FILE")]
    envoy_config: Option<PathBuf>,

    /// Address at which that Envoy listens for clients [default: the bootstrap's].
    #[arg(long, env = "BEDROCK_ENVOY_LISTEN", value_name = "ADDRESS")]
    envoy_listen: Option<SocketAddr>,

    /// Address of that Envoy's admin interface [default: the bootstrap's].
    #[arg(long, env = "BEDROCK_ENVOY_ADMIN", value_name = "ADDRESS")]
    envoy_admin: Option<SocketAddr>,

    /// More arguments for that Envoy, separated by spaces, such as `--concurrency 2 --log-level warning`.
    #[arg(
        long,
        env = "BEDROCK_ENVOY_ARGUMENTS",
        value_name = "ARGUMENTS",
        allow_hyphen_values = true
    )]
    envoy_arguments: Option<String>,

    /// Seconds that its requests in progress have to finish after SIGTERM or SIGINT.
    ///
    /// Docker kills a container after 10 seconds unless `--stop-timeout` says otherwise.
    #[arg(
        long,
        env = "BEDROCK_ENVOY_STOP_SECONDS",
        value_name = "SECONDS",
        default_value_t = 8
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(..=3600))]
    envoy_stop_seconds: u64,
}

impl WithEnvoy {
    /// Whether there is one.
    pub(super) fn is_wanted(&self) -> bool {
        self.program().is_some()
    }

    /// How to start it, if there is one.
    ///
    /// # Errors
    ///
    /// When the seal keys cannot be read.
    pub(super) fn launch(&self, seal_key: &SealKeySource) -> Result<Option<Launch>, InvalidSecret> {
        let Some(program) = self.program() else {
            return Ok(None);
        };
        let arguments = self.envoy_arguments.as_deref().unwrap_or_default();
        let arguments = arguments.split_whitespace();
        Ok(Some(Launch {
            program: program.clone(),
            template: self.envoy_config.clone(),
            clients: self.envoy_listen,
            admin: self.envoy_admin,
            arguments: arguments.map(str::to_owned).collect(),
            seal_key: seal_key.text()?,
            patience: Duration::from_secs(self.envoy_stop_seconds),
        }))
    }

    /// An empty variable counts as not set.
    fn program(&self) -> Option<&PathBuf> {
        let program = self.with_envoy.as_ref();
        program.filter(|program| !program.as_os_str().is_empty())
    }
}
