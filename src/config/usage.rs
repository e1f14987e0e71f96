//! Reports of what was used.

use serde::{Deserialize, Serialize};

use super::Fault;

/// Longest name of a cluster, in bytes.
const MAX_CLUSTER: usize = 100;

/// Where the filter reports what requests used; without it nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageReports {
    /// Name of the Envoy cluster that reaches the config-service's gRPC port.
    pub cluster: String,
}

/// A text that cannot be the name of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of an Envoy cluster: 1 to {MAX_CLUSTER} visible ASCII characters")]
pub struct InvalidUsageCluster;

impl UsageReports {
    /// Reports over the cluster of this name.
    ///
    /// # Errors
    ///
    /// When it cannot be one.
    pub fn over(cluster: &str) -> Result<Self, InvalidUsageCluster> {
        let is_name = (1..=MAX_CLUSTER).contains(&cluster.len())
            && cluster.bytes().all(|byte| byte.is_ascii_graphic());
        let cluster = cluster.to_owned();
        is_name
            .then_some(Self { cluster })
            .ok_or(InvalidUsageCluster)
    }

    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let error = Self::over(&self.cluster).err()?;
        Some(Fault::new(
            "/usage/cluster",
            "invalid_cluster",
            error.to_string(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters_are_short_and_visible() {
        let reports = UsageReports::over("config-service-xds").unwrap();
        assert_eq!(reports.fault(), None);
        for wrong in ["", "a b", "größe", &"x".repeat(101)] {
            assert_eq!(
                UsageReports::over(wrong),
                Err(InvalidUsageCluster),
                "{wrong}"
            );
        }
        let cluster = String::new();
        let fault = UsageReports { cluster }.fault().unwrap();
        assert_eq!(fault.pointer, "/usage/cluster");
    }
}
