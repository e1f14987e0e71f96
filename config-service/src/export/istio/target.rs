//! What a manifest is to be: the parameters of the export.

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a gateway gets its channels, and who makes the way to Bedrock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The channels stand in the manifest; an edit needs a new one.
    #[default]
    Copy,
    /// The gateway gets them from this service, and every edit at once.
    Live,
    /// The manifest has the filter alone; `ServiceEntry`, `DestinationRule` and `VirtualService` or `HTTPRoute` lead
    /// to Bedrock.
    Routes,
}

/// Which Envoys a manifest is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// A gateway.
    #[default]
    Gateway,
    /// Sidecars, for what their applications send.
    Sidecar,
}

/// Whether an Envoy has other work too.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// It is there for the filter alone: it keeps its port closed until it has channels, and limits what clients may
    /// hold.
    #[default]
    Own,
    /// It serves other hosts as well, which must not notice the filter.
    Shared,
}

/// Which client of Envoy's calls this service.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum XdsClient {
    /// gRPC's own, which needs no cluster.
    #[default]
    #[value(name = "google_grpc")]
    GoogleGrpc,
    /// Envoy's own, with a cluster in the bootstrap: the manifest has a `ConfigMap` for it.
    #[value(name = "envoy_grpc")]
    EnvoyGrpc,
}

/// Who counts what callers use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Limits {
    /// Each gateway by itself, with the limit mode `local`.
    #[default]
    Local,
    /// This service, which all gateways ask, with the limit mode `shared`.
    Shared,
}

/// The Envoys that a manifest is for, and how it is to be made. What is left out or empty has its default.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Target {
    /// How the gateway gets its channels, and who makes the way to Bedrock
    #[arg(long, value_enum, default_value_t)]
    #[param(inline)]
    pub mode: Mode,
    /// Which Envoys it is for
    #[arg(long, value_enum, default_value_t)]
    #[param(inline)]
    pub context: Context,
    /// Whether they have other work too; sidecars always have
    #[arg(long, value_enum, default_value_t)]
    #[param(inline)]
    pub sharing: Sharing,
    /// Name of the `EnvoyFilter` [default: bedrock]
    #[arg(long)]
    #[param(default = "bedrock")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub name: Option<String>,
    /// Namespace of the workload [default: istio-system]
    #[arg(long)]
    #[param(default = "istio-system")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub namespace: Option<String>,
    /// Labels of the workload, `key=value`, comma-separated [default: istio=ingressgateway]
    #[arg(long, conflicts_with = "gateway")]
    #[param(default = "istio=ingressgateway")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub selector: Option<String>,
    /// Name of a `Gateway` of the Kubernetes Gateway API, instead of labels
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub gateway: Option<String>,
    /// Names of Istio's `Gateway`s, comma-separated, to which the `VirtualService`s of `routes` are bound
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub gateways: Option<String>,
    /// The filter's module: a path in the gateway's file system, an `http://`, `https://` or `oci://` URL, or `served`
    /// for this service's own [default: the file that this service makes all Envoys read, or
    /// `/etc/bedrock/bedrock_filter-VERSION.wasm`]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub module: Option<String>,
    /// A module that gateways run until they have this manifest, or will run later, as a path, or in a copy as a URL: for
    /// requests that fail over, it needs pools too
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub other_module: Option<String>,
    /// Name of the `Secret` with the seal key, under `BEDROCK_SEAL_KEY` [default: bedrock-seal-key]
    #[arg(long)]
    #[param(default = "bedrock-seal-key")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub seal_secret: Option<String>,
    /// Regions and endpoints, comma-separated, that channels may use later without a new manifest
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub endpoints: Option<String>,
    /// Where gateways reach this service's xDS port, `host:port`; for `live`, and for `routes` with live channels
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub xds: Option<String>,
    /// Which client of Envoy's calls it
    #[arg(long, value_enum, default_value_t)]
    #[param(inline)]
    pub xds_client: XdsClient,
    /// Who counts what callers use
    #[arg(long, value_enum, default_value_t)]
    #[param(inline)]
    pub limits: Limits,
    /// Certificate authorities for the xDS port, as a path in the gateway's file system; turns TLS on
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub xds_ca: Option<String>,
    /// The gateway's own certificate for the xDS port, likewise
    #[arg(long, requires = "xds_ca", requires = "xds_key")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub xds_certificate: Option<String>,
    /// Private key of that certificate, likewise
    #[arg(long, requires = "xds_certificate")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "filled")]
    pub xds_key: Option<String>,
}

impl Target {
    /// Refuses what would not stay on one line: some parameters stand in the comment above the manifest, and what follows a
    /// line break would be a document of its own.
    pub(super) fn check_lines(&self) -> Result<(), InvalidTarget> {
        let texts = self.texts().into_iter();
        let mut texts = texts.filter_map(|(parameter, text)| Some((parameter, text.as_deref()?)));
        texts.try_for_each(|(parameter, text)| match text.contains(breaks_line) {
            false => Ok(()),
            true => {
                let shown = text.escape_debug().to_string();
                let expected = "one line without control characters";
                Err(InvalidTarget::value(parameter, &shown, expected))
            }
        })
    }

    fn texts(&self) -> [(&'static str, &Option<String>); 13] {
        // So that none is forgotten.
        let Self {
            mode: _,
            context: _,
            sharing: _,
            xds_client: _,
            limits: _,
            name,
            namespace,
            selector,
            gateway,
            gateways,
            module,
            other_module,
            seal_secret,
            endpoints,
            xds,
            xds_ca,
            xds_certificate,
            xds_key,
        } = self;
        [
            ("name", name),
            ("namespace", namespace),
            ("selector", selector),
            ("gateway", gateway),
            ("gateways", gateways),
            ("module", module),
            ("other_module", other_module),
            ("seal_secret", seal_secret),
            ("endpoints", endpoints),
            ("xds", xds),
            ("xds_ca", xds_ca),
            ("xds_certificate", xds_certificate),
            ("xds_key", xds_key),
        ]
    }
}

/// Whether a character ends a line in any version of YAML (<https://yaml.org/spec/1.1/#id871136>), or controls anything.
pub(super) fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A field of a form that was left empty counts as left out.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// A target that Kubernetes or Istio would not accept, or that would not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// A parameter cannot have this value.
    #[error("the parameter {parameter} is `{value}`; it must be {expected}")]
    Value {
        /// The parameter.
        parameter: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Parameters do not go together.
    #[error("{0}")]
    Combination(&'static str),
}

impl InvalidTarget {
    pub(super) fn value(parameter: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Value {
            parameter,
            value: value.to_owned(),
            expected,
        }
    }
}
