//! The CDS resource: how Envoy dials one endpoint of Bedrock.

mod http;

use std::collections::HashMap;
use std::net::IpAddr;

use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, DnsLookupFamily,
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

/// Circuit breakers that never open before AWS's own quotas do. The default of three concurrent
/// retries would fail most retries under load.
const MAX_CONCURRENCY: u32 = 100_000;

/// A busy but silent connection (a long generation) is kept in the NAT's memory by probes.
const KEEPALIVE_SECS: u32 = 60;

/// The Envoy cluster for an endpoint; `ca_file` is a path inside Envoy's file system.
pub(super) fn build(cluster: &Cluster, ca_file: &str) -> WireCluster {
    WireCluster {
        name: cluster.name.clone(),
        alt_stat_name: stat_name(cluster),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(discovery(cluster).into())),
        // Private endpoints resolve to IPv4; an IPv6 address that cannot be reached must not win.
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

/// Statistics of a pool go on when its generation changes.
fn stat_name(cluster: &Cluster) -> String {
    let generation = cluster.stage.map(|generation| format!("|{generation}"));
    generation.map_or_else(String::new, |part| cluster.name.replacen(&part, "", 1))
}

/// A cluster without endpoints has nothing to look up.
fn discovery(cluster: &Cluster) -> DiscoveryType {
    if cluster.hosts.is_empty() {
        DiscoveryType::Static
    } else {
        DiscoveryType::StrictDns
    }
}

/// An endpoint for each host, each of a priority of its own: a retry goes to the next one.
fn load_assignment(cluster: &Cluster) -> ClusterLoadAssignment {
    let localities = cluster.hosts.iter().zip(0..).map(locality);
    ClusterLoadAssignment {
        cluster_name: cluster.name.clone(),
        endpoints: localities.collect(),
        ..ClusterLoadAssignment::default()
    }
}

fn locality((host, priority): (&Host, u32)) -> LocalityLbEndpoints {
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
        priority,
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
    // A pool of several has names alone.
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
