//! What is configured, as documents for Envoys that are not attached to this service.
//!
//! Such a document is a copy: it stays as it is when channels are edited. So it has neither credentials that
//! AWS renews nor any in clear, and no failover, which needs the filter on clusters of this service. The filter signs, because Envoy's own
//! signer takes credentials in clear only.

mod istio;

use bedrock_filter::seal::KEY_VARIABLE;

use crate::edit::EditError;
use crate::fault::Fault;
use crate::publish::Snapshot;
use crate::xds::Resources;

pub use istio::{InvalidTarget, Target};

/// Why there is no such document.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Credentials would be in clear.
    #[error(
        "credentials are not exported in clear: start the config-service and every Envoy with \
         {KEY_VARIABLE}, and they are sealed; `config-service seal generate-key` makes a key"
    )]
    Unsealed,
    /// Credentials would expire.
    #[error(
        "nobody renews the credentials of a copy, and AWS renews those of {}: disable these channels \
         or give them keys, or attach Envoy to the config-service", list(.0)
    )]
    Renewed(Vec<String>),
    /// Kubernetes or Istio would not take it.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// What is stored cannot be read or compiled.
    #[error(transparent)]
    Contents(#[from] EditError),
    /// This program's own template is broken.
    #[error("the template of the document is broken: {0}")]
    Template(String),
}

impl From<Vec<Fault>> for ExportError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Contents(EditError::Invalid(faults))
    }
}

/// The channels in `copy` as an Istio `EnvoyFilter`, in YAML.
///
/// # Errors
///
/// When the target cannot be used.
pub fn istio(
    copy: &Snapshot,
    target: &Target,
    resources: &Resources,
) -> Result<String, ExportError> {
    target.validate()?;
    istio::manifest(copy, target, resources)
}

fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
