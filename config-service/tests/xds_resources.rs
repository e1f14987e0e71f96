//! The resources themselves, field by field.

mod plugin;

use std::sync::Arc;

use crate::common::envoy::{CDS, Envoy, Service, clusters, pool_channels};
use crate::common::{self, TestService};
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, DnsLookupFamily, LbPolicy,
};
use envoy_types::pb::envoy::config::core::v3::address::Address;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as File;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType;
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::extensions::clusters::aggregate::v3::ClusterConfig as Aggregate;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::subject_alt_name_matcher::SanType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, UpstreamTlsContext,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::UpstreamProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::google::protobuf::value::Kind;
use prost::Message as _;
use serde_json::json;
use tempfile::TempDir;

/// The only cluster of a service with one channel.
async fn only_cluster(fields: serde_json::Value, extra: &[&str]) -> Cluster {
    let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), extra).await;
    service.create(&common::channel_with("one", &fields)).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Clusters).await;
    envoy.subscribe(CDS, "").await;
    let mut found = clusters(&envoy.receive(CDS).await);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Host, port and `bedrock` metadata of a cluster's only endpoint.
fn endpoint(cluster: &Cluster) -> (String, u32, String, String, String) {
    let assignment = cluster.load_assignment.as_ref().unwrap();
    assert_eq!(assignment.cluster_name, cluster.name);
    let [locality] = assignment.endpoints.as_slice() else {
        panic!("{assignment:?}");
    };
    let [lb_endpoint] = locality.lb_endpoints.as_slice() else {
        panic!("{assignment:?}");
    };
    let Some(HostIdentifier::Endpoint(endpoint)) = &lb_endpoint.host_identifier else {
        panic!("{assignment:?}");
    };
    let address = endpoint.address.as_ref().unwrap().address.as_ref().unwrap();
    let Address::SocketAddress(socket) = address else {
        panic!("{assignment:?}");
    };
    let Some(PortSpecifier::PortValue(port)) = socket.port_specifier else {
        panic!("{assignment:?}");
    };
    let metadata = &lb_endpoint.metadata.as_ref().unwrap().filter_metadata["bedrock"];
    let text = |key: &str| match &metadata.fields[key].kind {
        Some(Kind::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(metadata.fields.len(), 2);
    (
        socket.address.clone(),
        port,
        endpoint.hostname.clone(),
        text("region"),
        text("host"),
    )
}

fn tls(cluster: &Cluster) -> (UpstreamTlsContext, CertificateValidationContext) {
    let socket = cluster.transport_socket.as_ref().unwrap();
    assert_eq!(socket.name, "envoy.transport_sockets.tls");
    let Some(ConfigType::TypedConfig(any)) = &socket.config_type else {
        panic!("{socket:?}");
    };
    let context = UpstreamTlsContext::decode(any.value.as_slice()).unwrap();
    let common = context.common_tls_context.clone().unwrap();
    let params = common.tls_params.unwrap();
    assert_eq!(
        params.tls_minimum_protocol_version,
        i32::from(TlsProtocol::TlSv12)
    );
    assert_eq!(
        params.tls_maximum_protocol_version,
        i32::from(TlsProtocol::TlSv13)
    );
    assert_eq!(common.alpn_protocols, ["http/1.1"]);
    let Some(ValidationContextType::ValidationContext(validation)) = common.validation_context_type
    else {
        panic!("{context:?}");
    };
    (context, validation)
}

#[tokio::test]
async fn a_public_endpoint_is_dialled_by_name_over_verified_tls() {
    let cluster = only_cluster(json!({}), &[]).await;
    let host = "bedrock-runtime.us-east-1.amazonaws.com";
    assert_eq!(cluster.name, format!("bedrock|https|{host}|443"));
    let discovery = ClusterDiscoveryType::Type(DiscoveryType::LogicalDns.into());
    assert_eq!(cluster.cluster_discovery_type, Some(discovery));
    assert_eq!(
        cluster.dns_lookup_family,
        i32::from(DnsLookupFamily::V4Preferred)
    );
    let us = "us-east-1".to_owned();
    assert_eq!(
        endpoint(&cluster),
        (host.to_owned(), 443, host.to_owned(), us, host.to_owned())
    );
    let (context, validation) = tls(&cluster);
    assert_eq!(context.sni, host);
    assert!(context.auto_host_sni && context.auto_sni_san_validation);
    assert_eq!(validation.match_typed_subject_alt_names, []);
    let ca = File::Filename("/etc/ssl/certs/ca-certificates.crt".to_owned());
    assert_eq!(validation.trusted_ca.unwrap().specifier, Some(ca));
}

#[tokio::test]
async fn connections_are_http1_kept_alive_and_hardly_limited() {
    let cluster = only_cluster(json!({}), &[]).await;
    let key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let any = &cluster.typed_extension_protocol_options[key];
    assert_eq!(any.type_url, format!("type.googleapis.com/{key}"));
    let options = HttpProtocolOptions::decode(any.value.as_slice()).unwrap();
    let Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)) =
        options.upstream_protocol_options
    else {
        panic!("{options:?}");
    };
    assert!(matches!(
        explicit.protocol_config,
        Some(ProtocolConfig::HttpProtocolOptions(_))
    ));
    let idle = options
        .common_http_protocol_options
        .unwrap()
        .idle_timeout
        .unwrap();
    assert!(idle.seconds > 0 && idle.seconds < 350);
    let keepalive = cluster
        .upstream_connection_options
        .unwrap()
        .tcp_keepalive
        .unwrap();
    assert!(keepalive.keepalive_time.unwrap().value < 350);
    let [breakers] = cluster
        .circuit_breakers
        .as_ref()
        .unwrap()
        .thresholds
        .as_slice()
    else {
        panic!("{cluster:?}");
    };
    for limit in [
        breakers.max_connections,
        breakers.max_pending_requests,
        breakers.max_requests,
        breakers.max_retries,
    ] {
        assert!(limit.unwrap().value >= 10_000);
    }
    assert!(cluster.connect_timeout.unwrap().seconds > 0);
}

#[tokio::test]
async fn a_private_endpoint_keeps_its_port_and_the_trusted_ca_can_be_chosen() {
    let fields = json!({"endpoint": "https://bedrock.corp.internal:8443", "region": "eu-west-1"});
    let cluster = only_cluster(fields, &["--upstream-ca-file", "/ca.pem"]).await;
    let host = "bedrock.corp.internal".to_owned();
    assert_eq!(cluster.name, "bedrock|https|bedrock.corp.internal|8443");
    assert_eq!(
        cluster.alt_stat_name,
        "bedrock|https|bedrock_corp_internal|8443"
    );
    let eu = "eu-west-1".to_owned();
    assert_eq!(
        endpoint(&cluster),
        (host.clone(), 8443, host.clone(), eu, host.clone())
    );
    let (context, validation) = tls(&cluster);
    assert_eq!(context.sni, host);
    let ca = File::Filename("/ca.pem".to_owned());
    assert_eq!(validation.trusted_ca.unwrap().specifier, Some(ca));
}

#[tokio::test]
async fn an_ip_address_is_verified_as_one_and_never_sent_as_sni() {
    for (text, address) in [("10.0.0.7", "10.0.0.7"), ("[fd00::7]", "fd00::7")] {
        let fields = json!({"endpoint": format!("https://{text}")});
        let cluster = only_cluster(fields, &[]).await;
        assert_eq!(cluster.name, format!("bedrock|https|{text}|443"));
        assert_eq!(endpoint(&cluster).0, address);
        let (context, validation) = tls(&cluster);
        assert_eq!(context.sni, "");
        assert!(!context.auto_host_sni && !context.auto_sni_san_validation);
        let [san] = validation.match_typed_subject_alt_names.as_slice() else {
            panic!("{validation:?}");
        };
        assert_eq!(san.san_type, i32::from(SanType::IpAddress));
        let exact = MatchPattern::Exact(address.to_owned());
        assert_eq!(san.matcher.as_ref().unwrap().match_pattern, Some(exact));
    }
}

#[tokio::test]
async fn an_http_endpoint_is_dialled_in_plain_text() {
    let cluster = only_cluster(json!({"endpoint": "http://127.0.0.1:9000"}), &[]).await;
    assert_eq!(cluster.name, "bedrock|http|127.0.0.1|9000");
    assert_eq!(cluster.transport_socket, None);
    let (address, port, ..) = endpoint(&cluster);
    assert_eq!((address.as_str(), port), ("127.0.0.1", 9000));
}

#[tokio::test]
async fn a_pool_of_several_consists_of_the_channels_own() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--failover"]).await;
    for name in ["a", "b"] {
        service
            .create(&common::channel_with(name, &json!({})))
            .await;
    }
    let mut envoy = Envoy::connect(&service, "e", Service::Clusters).await;
    envoy.subscribe(CDS, "").await;
    let all = clusters(&envoy.receive(CDS).await);
    let named = |end: &str| {
        let mut own = all
            .iter()
            .filter(|own| pool_channels(&own.name) == Some(end));
        own.next().unwrap_or_else(|| panic!("no pool {end}"))
    };
    let pool = named("b|a");
    let Some(ClusterDiscoveryType::ClusterType(kind)) = &pool.cluster_discovery_type else {
        panic!("{pool:?}");
    };
    assert_eq!(kind.name, "envoy.clusters.aggregate");
    let members = kind.typed_config.as_ref().unwrap().value.as_slice();
    let members = Aggregate::decode(members).unwrap().clusters;
    assert_eq!(members, [named("b").name.clone(), named("a").name.clone()]);
    assert_eq!(pool.lb_policy, i32::from(LbPolicy::ClusterProvided));
    assert!(pool.load_assignment.is_none());
    let own = ClusterDiscoveryType::Type(DiscoveryType::LogicalDns.into());
    for channel in [named("a"), named("b")] {
        assert_eq!(channel.cluster_discovery_type, Some(own.clone()));
        // A request of the pool of one, and one that comes from a pool of several, get the same filter.
        let options = &channel.typed_extension_protocol_options;
        assert_eq!(options, &pool.typed_extension_protocol_options);
    }
}
