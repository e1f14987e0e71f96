//! The HTTP side of a cluster: the protocol, and the signature where Envoy adds it.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3::{
    Http1ProtocolOptions, HttpProtocolOptions as CommonHttpOptions,
};
use envoy_types::pb::envoy::extensions::common::aws::v3::{
    AwsCredentialProvider, InlineCredentialProvider,
};
use envoy_types::pb::envoy::extensions::filters::http::aws_request_signing::v3::AwsRequestSigning;
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
use crate::publish::{Cluster, SigningKey};

/// Idle connections are closed before AWS's NAT gateways and load balancers forget them after 350 s
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>).
const IDLE_TIMEOUT_SECS: i64 = 300;

/// Service name in the credential scope; it is not the endpoint's `bedrock-runtime`.
const SERVICE: &str = "bedrock";

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
        http_filters: match &cluster.signing {
            Some(key) => vec![signing_filter(key, &cluster.region), codec_filter()],
            None => Vec::new(),
        },
        ..HttpProtocolOptions::default()
    };
    HashMap::from([(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned(),
        pack_any(options),
    )])
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

/// What has to stand last in every chain of upstream filters.
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
