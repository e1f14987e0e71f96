//! An Istio `EnvoyFilter` for a gateway: `envoy/istio.yaml` with the channels in it.
//!
//! Not a `WasmPlugin`, because Istio sets no `allow_on_headers_stop_iteration` from that
//! (<https://github.com/istio/istio/blob/master/pilot/pkg/model/extensions.go>), and without it Envoy
//! never hands over the body of a request that is held back.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::ExportError;
use crate::cluster::{Cluster, Host, Transport};
use crate::filter_code::FilterCode;
use crate::publish::Snapshot;
use crate::xds::Resources;

const TEMPLATE: &str = include_str!("../../../envoy/istio.yaml");

/// The type with an extension's own configuration, below a patch.
const PLUGIN: &str = "/patch/value/typed_config/config";

/// Longest name of a Kubernetes object that is a DNS label
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
const MAX_LABEL_LEN: usize = 63;

/// The gateway for which a manifest is made.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Target {
    /// Name of the `EnvoyFilter`.
    #[param(default = "bedrock")]
    pub name: String,
    /// Namespace of the gateway's workload.
    #[param(default = "istio-system")]
    pub namespace: String,
    /// Labels of the gateway's workload: `key=value`, with commas between several.
    #[param(default = "istio=ingressgateway")]
    pub selector: String,
    /// Address of the filter's module for the gateway: `http://`, `https://` or `oci://`. Without it this
    /// service's own, or the file that it tells all Envoys to read.
    pub module: Option<String>,
}

/// A target that Kubernetes or Istio would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter {parameter} is `{value}`; it must be {expected}")]
pub struct InvalidTarget {
    parameter: &'static str,
    value: String,
    expected: &'static str,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            name: "bedrock".to_owned(),
            namespace: "istio-system".to_owned(),
            selector: "istio=ingressgateway".to_owned(),
            module: None,
        }
    }
}

impl Target {
    /// Checks every part.
    ///
    /// # Errors
    ///
    /// At the first part that cannot be used.
    pub(super) fn validate(&self) -> Result<(), InvalidTarget> {
        let invalid = |parameter, value: &str, expected| InvalidTarget {
            parameter,
            value: value.to_owned(),
            expected,
        };
        for (parameter, value) in [("name", &self.name), ("namespace", &self.namespace)] {
            if !is_label(value) {
                let expected = "lower-case letters, digits and hyphens";
                return Err(invalid(parameter, value, expected));
            }
        }
        if self.labels().is_none() {
            let expected = "key=value, with commas between several";
            return Err(invalid("selector", &self.selector, expected));
        }
        let schemes = ["http://", "https://", "oci://"];
        match &self.module {
            Some(uri) if !schemes.iter().any(|scheme| uri.starts_with(scheme)) => {
                let expected = "an address that begins with http://, https:// or oci://";
                Err(invalid("module", uri, expected))
            }
            _ => Ok(()),
        }
    }

    fn labels(&self) -> Option<Value> {
        let pairs = self.selector.split(',').map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let is_whole = !key.trim().is_empty() && !value.trim().is_empty();
            is_whole.then(|| (key.trim().to_owned(), json!(value.trim())))
        });
        pairs.collect::<Option<_>>().map(Value::Object)
    }
}

/// The manifest in YAML.
///
/// # Errors
///
/// When the template lacks a part.
pub(super) fn manifest(
    snapshot: &Snapshot,
    target: &Target,
    resources: &Resources,
) -> Result<String, ExportError> {
    let mut document: Value = serde_saphyr::from_str(TEMPLATE)
        .map_err(|error| ExportError::Template(error.to_string()))?;
    set(&mut document, "/metadata/name", json!(target.name))?;
    set(
        &mut document,
        "/metadata/namespace",
        json!(target.namespace),
    )?;
    let labels = target.labels().unwrap_or_default();
    set(&mut document, "/spec/workloadSelector/labels", labels)?;
    let patches = document.pointer_mut("/spec/configPatches");
    let patches = patches
        .and_then(Value::as_array_mut)
        .ok_or_else(|| missing("/spec/configPatches"))?;
    let plugin = find(patches, "EXTENSION_CONFIG")?;
    let plugin = patches.get_mut(plugin).ok_or_else(|| missing(PLUGIN))?;
    fill_plugin(plugin, snapshot, target, resources.code())?;
    let cluster = patches.remove(find(patches, "CLUSTER")?);
    for own in &snapshot.clusters {
        patches.push(fill_cluster(
            cluster.clone(),
            own,
            resources.upstream_ca_file(),
        )?);
    }
    // The plugin configuration stays on one line, in which every space counts.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let yaml = serde_saphyr::to_string_with_options(&document, options)
        .map_err(|error| ExportError::Template(error.to_string()))?;
    let revision = snapshot.revision;
    Ok(format!(
        "# The channels of revision {revision} for an Istio gateway. A copy: export again after an edit.\n\
         # The gateway's environment needs BEDROCK_SEAL_KEY.\n{yaml}"
    ))
}

fn fill_plugin(
    patch: &mut Value,
    snapshot: &Snapshot,
    target: &Target,
    code: &FilterCode,
) -> Result<(), ExportError> {
    let at = |field: &str| format!("{PLUGIN}/{field}");
    let configuration = json!(snapshot.plugin_config);
    set(patch, &at("configuration/value"), configuration)?;
    let remote = at("vm_config/code/remote");
    match (&target.module, code) {
        (Some(uri), _) => {
            set(patch, &format!("{remote}/http_uri/uri"), json!(uri))?;
            // With it the agent would refuse an image, whose hash is another than the module's.
            set(patch, &format!("{remote}/sha256"), json!(""))
        }
        (None, FilterCode::Served(module)) => {
            set(patch, &format!("{remote}/http_uri/uri"), json!(module.uri))?;
            set(patch, &format!("{remote}/sha256"), json!(module.sha256))
        }
        (None, FilterCode::InEnvoy { path }) => set(
            patch,
            &at("vm_config/code"),
            json!({ "local": { "filename": path } }),
        ),
    }
}

fn fill_cluster(mut patch: Value, cluster: &Cluster, ca_file: &str) -> Result<Value, ExportError> {
    let at = |field: &str| format!("/patch/value/{field}");
    let host = cluster.hosts.first().ok_or_else(|| missing("a host"))?;
    set(&mut patch, &at("name"), json!(cluster.name))?;
    let assignment = at("load_assignment");
    let name = format!("{assignment}/cluster_name");
    set(&mut patch, &name, json!(cluster.name))?;
    let endpoint = format!("{assignment}/endpoints/0/lb_endpoints/0/endpoint");
    set(&mut patch, &endpoint, endpoint_of(host))?;
    match cluster.transport {
        Transport::Plain => remove(&mut patch, "/patch/value", "transport_socket")?,
        Transport::Tls => fill_tls(&mut patch, &host.host, ca_file)?,
    }
    Ok(patch)
}

fn endpoint_of(host: &Host) -> Value {
    json!({
        "hostname": host.host,
        "address": { "socket_address": { "address": host.host, "port_value": host.port } },
    })
}

/// The certificate is that of the host: by its name, or by its address, which is never sent as SNI.
fn fill_tls(patch: &mut Value, host: &str, ca_file: &str) -> Result<(), ExportError> {
    let context = "/patch/value/transport_socket/typed_config";
    let validation = format!("{context}/common_tls_context/validation_context");
    let authorities = json!({ "filename": ca_file });
    let rules = if host.parse::<IpAddr>().is_ok() {
        remove(patch, context, "auto_host_sni")?;
        remove(patch, context, "auto_sni_san_validation")?;
        let address = json!({ "san_type": "IP_ADDRESS", "matcher": { "exact": host } });
        json!({ "trusted_ca": authorities, "match_typed_subject_alt_names": [address] })
    } else {
        json!({ "trusted_ca": authorities })
    };
    set(patch, &validation, rules)
}

/// Index of the first patch of a kind.
fn find(patches: &[Value], kind: &str) -> Result<usize, ExportError> {
    let place = patches.iter().position(|patch| patch["applyTo"] == kind);
    place.ok_or_else(|| missing(kind))
}

/// Replaces a value that is there.
fn set(document: &mut Value, pointer: &str, value: Value) -> Result<(), ExportError> {
    *document
        .pointer_mut(pointer)
        .ok_or_else(|| missing(pointer))? = value;
    Ok(())
}

fn remove(document: &mut Value, pointer: &str, member: &str) -> Result<(), ExportError> {
    let owner = document.pointer_mut(pointer).and_then(Value::as_object_mut);
    let removed = owner.and_then(|owner| owner.remove(member));
    removed.map(drop).ok_or_else(|| missing(member))
}

fn missing(what: &str) -> ExportError {
    ExportError::Template(format!("{what} is not there"))
}

fn is_label(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=MAX_LABEL_LEN).contains(&text.len())
        && text.chars().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_refused_with_the_parameter_that_is_wrong() {
        assert_eq!(Target::default().validate(), Ok(()));
        let cases = [
            (
                "name",
                Target {
                    name: "Bedrock".to_owned(),
                    ..Target::default()
                },
            ),
            (
                "namespace",
                Target {
                    namespace: String::new(),
                    ..Target::default()
                },
            ),
            (
                "selector",
                Target {
                    selector: "istio".to_owned(),
                    ..Target::default()
                },
            ),
            (
                "selector",
                Target {
                    selector: "a=b,=c".to_owned(),
                    ..Target::default()
                },
            ),
            (
                "module",
                Target {
                    module: Some("module.wasm".to_owned()),
                    ..Target::default()
                },
            ),
        ];
        for (parameter, target) in cases {
            assert_eq!(target.validate().unwrap_err().parameter, parameter);
        }
    }

    #[test]
    fn several_labels_select() {
        let selector = "app=gateway, tier=edge".to_owned();
        let target = Target {
            selector,
            ..Target::default()
        };
        assert_eq!(
            target.labels(),
            Some(json!({"app": "gateway", "tier": "edge"}))
        );
    }
}
