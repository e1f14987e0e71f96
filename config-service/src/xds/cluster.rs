//! The CDS resource: how Envoy dials one endpoint of Bedrock, or several in turn.

mod http;

use std::collections::HashMap;
use std::net::IpAddr;

use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, CustomClusterType, DiscoveryType, DnsLookupFamily, LbPolicy,
};
use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster as WireCluster, UpstreamConnectionOptions,
};
use envoy_types::pb::envoy::config::core::v3::address::Address as AddressKind;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType;
use envoy_types::pb::envoy::config::core::v3::{
    Address, DataSource, Metadata, SocketAddress, TcpKeepalive, TransportSocket,
};
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints,
};
use envoy_types::pb::envoy::extensions::clusters::aggregate::v3::ClusterConfig as Aggregate;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::subject_alt_name_matcher::SanType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, TlsParameters,
    UpstreamTlsContext,
};
use envoy_types::pb::envoy::r#type::matcher::v3::StringMatcher;
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Duration, Struct, UInt32Value, Value};
use envoy_types::util::pack_any;

use crate::cluster::{Cluster, Host, Transport};

/// Namespace of the endpoint metadata that the filter reads.
const METADATA_NAMESPACE: &str = "bedrock";

/// Circuit breakers that never open before AWS's own quotas apply. The default of three concurrent
/// retries would fail most retries under load.
const MAX_CONCURRENCY: u32 = 100_000;

/// Probes keep a busy but silent connection (a long generation) alive in a NAT gateway's memory.
const KEEPALIVE_SECS: u32 = 60;

/// The Envoy cluster for a pool of several channels: their own clusters, each of which is a priority.
///
/// Envoy takes what concerns a connection from the cluster of the endpoint, and the filters of an attempt from this one.
/// A single cluster with an endpoint for each channel would have to be `STRICT_DNS`, see [`discovery`].
///
/// <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster>
fn aggregate(cluster: &Cluster, clusters: Vec<String>) -> WireCluster {
    let kind = CustomClusterType {
        name: "envoy.clusters.aggregate".to_owned(),
        typed_config: Some(pack_any(Aggregate { clusters })),
    };
    WireCluster {
        name: cluster.name.clone(),
        alt_stat_name: cluster.stat_name(),
        cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(kind)),
        lb_policy: LbPolicy::ClusterProvided.into(),
        connect_timeout: Some(seconds(5)),
        circuit_breakers: Some(circuit_breakers()),
        typed_extension_protocol_options: http::protocol_options(cluster),
        ..WireCluster::default()
    }
}

/// The Envoy cluster for an endpoint; `ca_file` is a path inside Envoy's file system.
pub(super) fn build(cluster: &Cluster, ca_file: &str) -> WireCluster {
    let members = cluster.members();
    if !members.is_empty() {
        return aggregate(cluster, members);
    }
    WireCluster {
        name: cluster.name.clone(),
        alt_stat_name: cluster.stat_name(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(discovery(cluster).into())),
        // Private endpoints resolve to IPv4; an unreachable IPv6 address must not be preferred.
        dns_lookup_family: DnsLookupFamily::V4Preferred.into(),
        connect_timeout: Some(seconds(5)),
        load_assignment: Some(load_assignment(cluster)),
        circuit_breakers: Some(circuit_breakers()),
        transport_socket: transport_socket(cluster, ca_file),
        typed_extension_protocol_options: http::protocol_options(cluster),
        upstream_connection_options: Some(UpstreamConnectionOptions {
            tcp_keepalive: Some(TcpKeepalive {
                keepalive_probes: Some(number(3)),
                keepalive_time: Some(number(KEEPALIVE_SECS)),
                keepalive_interval: Some(number(KEEPALIVE_SECS / 2)),
            }),
            ..UpstreamConnectionOptions::default()
        }),
        ..WireCluster::default()
    }
}

/// How Envoy finds the addresses.
///
/// `LOGICAL_DNS` keeps the last good address while the name has none, where `STRICT_DNS` drops it, and moves no
/// connection to a new one; but it takes one endpoint only.
///
/// <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#logical-dns>
fn discovery(cluster: &Cluster) -> DiscoveryType {
    match cluster.hosts.as_slice() {
        // Without endpoints there is nothing to resolve.
        [] => DiscoveryType::Static,
        [only] if only.host.parse::<IpAddr>().is_err() => DiscoveryType::LogicalDns,
        _ => DiscoveryType::StrictDns,
    }
}

/// The endpoint, if the cluster has one.
fn load_assignment(cluster: &Cluster) -> ClusterLoadAssignment {
    ClusterLoadAssignment {
        cluster_name: cluster.name.clone(),
        endpoints: cluster.hosts.iter().map(locality).collect(),
        ..ClusterLoadAssignment::default()
    }
}

fn locality(host: &Host) -> LocalityLbEndpoints {
    let socket_address = SocketAddress {
        address: host.host.clone(),
        port_specifier: Some(PortSpecifier::PortValue(host.port.into())),
        ..SocketAddress::default()
    };
    let endpoint = Endpoint {
        address: Some(Address {
            address: Some(AddressKind::SocketAddress(socket_address)),
        }),
        hostname: host.host.clone(),
        ..Endpoint::default()
    };
    LocalityLbEndpoints {
        lb_endpoints: vec![LbEndpoint {
            host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
            metadata: Some(metadata(host)),
            ..LbEndpoint::default()
        }],
        ..LocalityLbEndpoints::default()
    }
}

fn metadata(host: &Host) -> Metadata {
    let text = |text: &str| Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    };
    let channel = host.channel.as_deref();
    let own = [("region", host.region.as_str()), ("host", &host.host)];
    let fields = own
        .into_iter()
        .chain(channel.map(|channel| ("channel", channel)))
        .map(|(name, value)| (name.to_owned(), text(value)));
    Metadata {
        filter_metadata: HashMap::from([(
            METADATA_NAMESPACE.to_owned(),
            Struct {
                fields: fields.collect(),
            },
        )]),
        ..Metadata::default()
    }
}

fn circuit_breakers() -> CircuitBreakers {
    let limit = Some(number(MAX_CONCURRENCY));
    CircuitBreakers {
        thresholds: vec![Thresholds {
            max_connections: limit,
            max_pending_requests: limit,
            max_requests: limit,
            max_retries: limit,
            ..Thresholds::default()
        }],
        ..CircuitBreakers::default()
    }
}

fn transport_socket(cluster: &Cluster, ca_file: &str) -> Option<TransportSocket> {
    match cluster.transport {
        Transport::Plain => None,
        Transport::Tls => Some(TransportSocket {
            name: "envoy.transport_sockets.tls".to_owned(),
            config_type: Some(ConfigType::TypedConfig(pack_any(tls_context(
                cluster, ca_file,
            )))),
        }),
    }
}

/// TLS with the certificate verified against the host: by SNI for a name, by address for an address,
/// because an address must not be sent as SNI (RFC 6066, section 3).
fn tls_context(cluster: &Cluster, ca_file: &str) -> UpstreamTlsContext {
    let host = cluster.hosts.first().map_or("", |host| &host.host);
    let address: Option<IpAddr> = host.parse().ok();
    let by_name = address.is_none();
    let validation = CertificateValidationContext {
        trusted_ca: Some(DataSource {
            specifier: Some(Specifier::Filename(ca_file.to_owned())),
            ..DataSource::default()
        }),
        match_typed_subject_alt_names: address.into_iter().map(san_of_address).collect(),
        ..CertificateValidationContext::default()
    };
    UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            // Envoy's own default maximum for clients is TLS 1.2.
            tls_params: Some(TlsParameters {
                tls_minimum_protocol_version: TlsProtocol::TlSv12.into(),
                tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
                ..TlsParameters::default()
            }),
            alpn_protocols: vec!["http/1.1".to_owned()],
            validation_context_type: Some(ValidationContextType::ValidationContext(validation)),
            ..CommonTlsContext::default()
        }),
        sni: if by_name {
            host.to_owned()
        } else {
            String::new()
        },
        auto_host_sni: by_name,
        auto_sni_san_validation: by_name,
        ..UpstreamTlsContext::default()
    }
}

fn san_of_address(address: IpAddr) -> SubjectAltNameMatcher {
    SubjectAltNameMatcher {
        san_type: SanType::IpAddress.into(),
        matcher: Some(StringMatcher {
            match_pattern: Some(MatchPattern::Exact(address.to_string())),
            ..StringMatcher::default()
        }),
        ..SubjectAltNameMatcher::default()
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

fn number(value: u32) -> UInt32Value {
    UInt32Value { value }
}
