//! Converts between discovery messages and the session's own types.

use envoy_types::pb::envoy::config::core::v3::Node as WireNode;
use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::util::pack_any;

use super::session::{Body, Kind, Request, Response, Wanted};
use super::{EXTENSION_NAME, Resources, cluster, plugin};
use crate::fleet::Node;

const CLUSTER_TYPE: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const EXTENSION_TYPE: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

/// How much of each part of a node's self-description is kept, in characters.
const MAX_NODE_LEN: usize = 256;

/// Reads a request; `only` is the stream's type of resource, if it is for a single one. `None` for
/// types that are not served here.
pub(super) fn request(wire: &DiscoveryRequest, only: Option<Kind>) -> Option<Request> {
    let kind = match wire.type_url.as_str() {
        CLUSTER_TYPE => Kind::Clusters,
        EXTENSION_TYPE => Kind::Filters,
        // Streams for a single type may leave it out.
        "" => only?,
        _ => return None,
    };
    if only.is_some_and(|only| only != kind) {
        return None;
    }
    let names = &wire.resource_names;
    let asks_for = |name: &str| names.iter().any(|asked| asked == name);
    let stages = names.iter().filter_map(|name| plugin::generation(name));
    Some(Request {
        version: wire.version_info.clone(),
        nonce: wire.response_nonce.clone(),
        wanted: match kind {
            Kind::Clusters => Wanted::Clusters,
            Kind::Filters => Wanted::Filters {
                plugin: names.is_empty() || asks_for("*") || asks_for(EXTENSION_NAME),
                stages: stages.collect(),
            },
        },
        error: wire
            .error_detail
            .as_ref()
            .map(|status| status.message.clone()),
    })
}

/// Encodes a response.
pub(super) fn response(response: Response, resources: &Resources) -> DiscoveryResponse {
    let (type_url, resources) = match &response.body {
        Body::Clusters(clusters) => {
            let ca_file = &resources.upstream_ca_file;
            let packed = clusters
                .iter()
                .map(|it| pack_any(cluster::build(it, ca_file)));
            (CLUSTER_TYPE, packed.collect())
        }
        Body::Filter(filter) => {
            let extension = plugin::build(filter, resources);
            (EXTENSION_TYPE, vec![pack_any(extension)])
        }
    };
    DiscoveryResponse {
        version_info: response.version,
        resources,
        type_url: type_url.to_owned(),
        nonce: response.nonce,
        ..DiscoveryResponse::default()
    }
}

/// How the Envoy identifies itself.
pub(super) fn node(wire: &WireNode) -> Node {
    Node {
        id: shown(&wire.id),
        cluster: shown(&wire.cluster),
        version: match &wire.user_agent_version_type {
            Some(UserAgentVersionType::UserAgentVersion(version)) => shown(version),
            Some(UserAgentVersionType::UserAgentBuildVersion(build)) => build
                .version
                .as_ref()
                .map(|it| format!("{}.{}.{}", it.major_number, it.minor_number, it.patch))
                .unwrap_or_default(),
            None => String::new(),
        },
        clusters: None,
    }
}

fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_NODE_LEN)
        .collect()
}
