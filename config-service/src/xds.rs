//! The xDS server, which gives every Envoy the clusters and the plugin configuration of the current
//! revision. The only place that names `envoy_types`.
//!
//! It serves the aggregated stream (ADS) with CDS and ECDS, and either of them alone for meshes with
//! their own control plane; all in the state-of-the-world variant of
//! <https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol>. [`session`] decides what to send
//! and does no IO; `server` moves messages between it and the wire. On the same port, `rate_limits` answers what Envoys'
//! rate limit filters ask, from [`crate::rate_limits`], and `limit_rules` gives a fleet's own rate limit service its rules.

mod cluster;
mod incoming;
mod limit_rules;
mod plugin;
mod rate_limits;
mod server;
pub mod session;
mod stopping;
mod wire;

use std::time::Duration;

use bedrock_filter::config::{KEY_CHECK, PluginConfig, Stage};
use bedrock_filter::secret::Secret;

use crate::filter_code::FilterCode;
use crate::publish;
use crate::seal::{SealError, Sealer};
use session::Terms;

pub(crate) use plugin::stage_name;
pub use server::{ENVOY_TIMEOUT, ServeError, XdsServer};

/// Name of the extension configuration that listeners subscribe to; also the plugin's root id.
pub const EXTENSION_NAME: &str = "bedrock";

/// How long to keep clusters that no plugin configuration names any more, by default: every attempt of a
/// request may take as long as `envoy/envoy.yaml` allows.
pub const DRAIN_TIME: Duration = Duration::from_secs(900);

/// What turns a snapshot into resources, apart from the snapshot itself.
#[derive(Clone, Debug)]
pub struct Resources {
    code: FilterCode,
    upstream_ca_file: String,
    /// Plugin configuration of the filter on pools.
    stage_config: String,
    terms: Terms,
}

/// What Envoys get besides channels.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where they get the filter's module.
    pub code: FilterCode,
    /// CA certificates that they trust, as a path inside Envoy's file system.
    pub upstream_ca_file: String,
    /// How long to keep clusters that no plugin configuration names any more.
    pub drain_time: Duration,
}

impl Resources {
    /// Creates the parts that are the same for every snapshot.
    ///
    /// # Errors
    ///
    /// When the system provides no random bytes.
    pub fn new(setup: Setup, sealer: &Sealer) -> Result<Self, SealError> {
        let key = sealer.key_id().unwrap_or_default().to_owned();
        let terms = Terms {
            generation: setup.code.generation(),
            delivery: setup.code.delivery(),
            stage_digest: publish::digest(&(setup.code.location(), key)),
            drain_time: setup.drain_time,
        };
        Ok(Self {
            stage_config: stage_config(sealer)?,
            code: setup.code,
            upstream_ca_file: setup.upstream_ca_file,
            terms,
        })
    }

    /// Where Envoys get the filter's module.
    #[must_use]
    pub fn code(&self) -> &FilterCode {
        &self.code
    }

    /// What is the same for every session.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The plugin configuration of the filter on pools.
    #[must_use]
    pub(crate) fn stage_config(&self) -> &str {
        &self.stage_config
    }

    /// CA certificates that Envoys trust, as a path inside Envoy's file system.
    #[must_use]
    pub fn upstream_ca_file(&self) -> &str {
        &self.upstream_ca_file
    }
}

/// The plugin configuration of the filter on pools: no channels, but something to test the keys with.
fn stage_config(sealer: &Sealer) -> Result<String, SealError> {
    let mut check = Secret::new("key check");
    sealer.seal(KEY_CHECK.channel, [(KEY_CHECK.field, &mut check)])?;
    let config = PluginConfig {
        stage: Stage::Upstream,
        key_check: sealer.is_active().then_some(check),
        ..PluginConfig::default()
    };
    Ok(serde_json::to_string(&config).unwrap_or_default())
}
