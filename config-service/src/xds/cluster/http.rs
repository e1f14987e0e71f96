//! The HTTP side of a cluster: the protocol, and signing where Envoy does it.

use std::collections::HashMap;

use bedrock_filter::config::Generation;
use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation as Mutation;
use envoy_types::pb::envoy::config::common::mutation_rules::v3::header_mutation::Action;
use envoy_types::pb::envoy::config::core::v3::config_source::ConfigSourceSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, ConfigSource, ExtensionConfigSource, Http1ProtocolOptions,
    HttpProtocolOptions as CommonHttpOptions,
};
use envoy_types::pb::envoy::extensions::common::aws::v3::{
    AwsCredentialProvider, InlineCredentialProvider,
};
use envoy_types::pb::envoy::extensions::filters::http::aws_request_signing::v3::AwsRequestSigning;
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::{
    ExplicitHttpConfig, UpstreamProtocolOptions,
};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;

use super::seconds;
use crate::cluster::{Cluster, SigningKey};
use crate::xds::plugin;

/// Idle connections are closed before AWS's NAT gateways and load balancers forget them after 350 s
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>).
const IDLE_TIMEOUT_SECS: i64 = 300;

/// Service name in the credential scope; it is not the endpoint's `bedrock-runtime`.
const SERVICE: &str = "bedrock";

/// Headers that Envoy's router adds to a call that is signed already, if requests are traced. Those of the tracers that
/// Envoy has.
const TRACE_HEADERS: [&str; 11] = [
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "sw8",
];

/// Type of the filter's configuration.
const WASM_TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// The cluster's extension options.
pub(super) fn protocol_options(cluster: &Cluster) -> HashMap<String, Any> {
    let options = HttpProtocolOptions {
        common_http_protocol_options: Some(CommonHttpOptions {
            idle_timeout: Some(seconds(IDLE_TIMEOUT_SECS)),
            ..CommonHttpOptions::default()
        }),
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(
            ExplicitHttpConfig {
                protocol_config: Some(ProtocolConfig::HttpProtocolOptions(
                    Http1ProtocolOptions::default(),
                )),
            },
        )),
        http_filters: filters(cluster),
        ..HttpProtocolOptions::default()
    };
    HashMap::from([(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned(),
        pack_any(options),
    )])
}

/// The filters before the codec: ours first, so that what is signed is what is sent. It leaves nothing of a trace.
fn filters(cluster: &Cluster) -> Vec<HttpFilter> {
    let region = cluster.hosts.first().map_or("", |host| &host.region);
    let first = cluster.stage.map_or_else(untraced_filter, own_filter);
    let signing = cluster
        .signing
        .as_ref()
        .map(|key| signing_filter(key, region));
    let filters = std::iter::once(first).chain(signing);
    filters.chain([codec_filter()]).collect()
}

/// Takes out what a trace would tell AWS. Envoy's own `no_context_propagation` does that from 1.38 on.
fn untraced_filter() -> HttpFilter {
    let mutations = TRACE_HEADERS.map(|name| Mutation {
        action: Some(Action::Remove(name.to_owned())),
    });
    let mutations = Mutations {
        request_mutations: mutations.to_vec(),
        ..Mutations::default()
    };
    let config = HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    };
    filter("envoy.filters.http.header_mutation", pack_any(config))
}

/// A generation's filter: as long as the cluster exists, it runs in one VM, that of the listeners that name
/// the cluster.
fn own_filter(generation: Generation) -> HttpFilter {
    let source = ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        // The cluster waits for the filter; without it, it would send placeholders.
        initial_fetch_timeout: Some(seconds(0)),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    };
    HttpFilter {
        name: plugin::stage_name(generation),
        config_type: Some(ConfigType::ConfigDiscovery(ExtensionConfigSource {
            config_source: Some(source),
            type_urls: vec![WASM_TYPE.to_owned()],
            ..ExtensionConfigSource::default()
        })),
        ..HttpFilter::default()
    }
}

/// Signs each attempt with the channel's key, which Envoy redacts where it shows its configuration.
///
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/aws_request_signing_filter>
fn signing_filter(key: &SigningKey, region: &str) -> HttpFilter {
    let credential = InlineCredentialProvider {
        access_key_id: key.access_key_id.clone(),
        secret_access_key: key.secret_access_key.expose().to_owned(),
        session_token: key
            .session_token
            .as_ref()
            .map(|token| token.expose().to_owned())
            .unwrap_or_default(),
    };
    let signing = AwsRequestSigning {
        service_name: SERVICE.to_owned(),
        region: region.to_owned(),
        credential_provider: Some(AwsCredentialProvider {
            inline_credential: Some(credential),
            ..AwsCredentialProvider::default()
        }),
        ..AwsRequestSigning::default()
    };
    filter("envoy.filters.http.aws_request_signing", pack_any(signing))
}

/// The filter that must come last in every upstream filter chain.
fn codec_filter() -> HttpFilter {
    filter(
        "envoy.filters.http.upstream_codec",
        pack_any(UpstreamCodec {}),
    )
}

fn filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
