//! The configuration as documents for Envoys that are not connected to this service.
//!
//! Such a document is a snapshot: later edits do not change it. So it contains no credentials that AWS renews and none
//! in clear text. The filter signs, because Envoy's own signer accepts only credentials in clear text. A manifest for
//! gateways that get their channels from here has no credentials, but what these gateways do not get from here.

mod istio;

use bedrock_filter::seal::KEY_VARIABLE;

use crate::edit::EditError;
use crate::fault::Fault;
use crate::xds::Resources;

use istio::MAX_OBJECT_BYTES;
pub use istio::{Channels, InvalidTarget, Plan, Target};

/// Why a document could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Credentials would be in clear text.
    #[error(
        "credentials are not exported in clear text; to have them sealed, start the config-service \
         and every Envoy with {KEY_VARIABLE}; `config-service seal generate-key` prints a key"
    )]
    Unsealed,
    /// Credentials would expire.
    #[error(
        "an export cannot have credentials that AWS renews, because they would expire in the copy; \
         the channels concerned are {}; disable them, give them keys, or connect Envoy to the \
         config-service", list(.0)
    )]
    Renewed(Vec<String>),
    /// Envoy itself would sign, with a key that the manifest would show.
    #[error(
        "the channels {} have `\"signer\": \"envoy\"`, so their keys would be in the manifest in clear text; let the \
         filter sign for them, or use mode=copy", list(.0)
    )]
    SignedByEnvoy(Vec<String>),
    /// Istio cannot route to an address.
    #[error("Istio's routes need names, and {0} is an address; use mode=copy or mode=live")]
    NoName(String),
    /// Istio's routes go by names alone.
    #[error(
        "{0} is an endpoint on two ports, and Istio's routes go by names alone; use mode=copy or mode=live"
    )]
    TwoPorts(String),
    /// The filter would ask for clusters that only a manifest of another mode has.
    #[error(
        "this service runs with --failover, for which live gateways need the clusters of mode=live; leave xds out, or \
         use mode=live"
    )]
    NoPools,
    /// etcd would not accept one of its documents; and what to do.
    #[error(
        "a document of the manifest would have {0} bytes, and Kubernetes stores at most {MAX_OBJECT_BYTES}; {1}"
    )]
    TooLarge(usize, &'static str),
    /// Kubernetes or Istio would not accept it.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// What is stored cannot be read or compiled.
    #[error(transparent)]
    Contents(#[from] EditError),
    /// This program's own template is invalid.
    #[error("the document's template is invalid: {0}; this is a bug")]
    Template(String),
}

impl From<Vec<Fault>> for ExportError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Contents(EditError::Invalid(faults))
    }
}

/// The manifest for Istio, in YAML.
///
/// # Errors
///
/// When an endpoint does not go with the plan, or the manifest would be too large.
pub fn istio(
    channels: &Channels<'_>,
    plan: &Plan,
    resources: &Resources,
) -> Result<String, ExportError> {
    istio::manifest(channels, plan, resources)
}

fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
