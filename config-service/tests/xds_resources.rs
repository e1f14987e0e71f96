//! The resources themselves, field by field.

use std::sync::Arc;

use crate::common::envoy::{CDS, ECDS, Envoy, Service, clusters, plugin, plugin_json};
use crate::common::{self, TestService};
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, DnsLookupFamily,
};
use envoy_types::pb::envoy::config::core::v3::address::Address;
use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier as Code;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as File;
use envoy_types::pb::envoy::config::core::v3::http_uri::HttpUpstreamType;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType;
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::subject_alt_name_matcher::SanType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, UpstreamTlsContext,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::UpstreamProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, VmConfig};
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::google::protobuf::value::Kind;
use prost::Message as _;
use serde_json::{Value, json};
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

async fn only_plugin(dir: Arc<TempDir>, extra: &[&str]) -> PluginConfig {
    let service = TestService::start_in(dir, extra).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    plugin(&envoy.receive(ECDS).await)
}

fn vm(plugin: PluginConfig) -> VmConfig {
    let Some(Vm::VmConfig(vm)) = plugin.vm else {
        panic!("no VM in {plugin:?}");
    };
    vm
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
    let discovery = ClusterDiscoveryType::Type(DiscoveryType::StrictDns.into());
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
async fn an_address_is_verified_as_an_address_and_never_sent_as_sni() {
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
async fn the_plugin_reloads_after_a_trap_and_may_hold_headers() {
    let plugin = only_plugin(Arc::new(TempDir::new().unwrap()), &[]).await;
    assert_eq!(
        (plugin.name.as_str(), plugin.root_id.as_str()),
        ("bedrock", "bedrock")
    );
    assert_eq!(plugin.failure_policy, i32::from(FailurePolicy::FailReload));
    let reload = plugin.reload_config.as_ref().unwrap();
    let base = reload.backoff.as_ref().unwrap().base_interval.unwrap();
    assert_eq!((base.seconds, base.nanos), (0, 100_000_000));
    assert!(plugin.allow_on_headers_stop_iteration.unwrap().value);
    let vm = vm(plugin);
    assert_eq!(vm.vm_id, "bedrock");
    assert_eq!(vm.runtime, "envoy.wasm.runtime.v8");
    assert!(!vm.nack_on_code_cache_miss);
    let Some(Code::Local(file)) = vm.code.unwrap().specifier else {
        panic!("not a local file");
    };
    let path = File::Filename("/etc/envoy/bedrock_filter.wasm".to_owned());
    assert_eq!(file.specifier, Some(path));
}

#[tokio::test]
async fn a_served_module_is_fetched_by_hash() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("filter.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let extra = [
        "--wasm",
        file.to_str().unwrap(),
        "--wasm-cluster",
        "control-plane",
        "--wasm-url-base",
        "http://config.internal:8080/",
    ];
    let Some(Code::Remote(remote)) = vm(only_plugin(dir, &extra).await).code.unwrap().specifier
    else {
        panic!("not remote");
    };
    let sha256 = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    assert_eq!(remote.sha256, sha256);
    let uri = remote.http_uri.unwrap();
    assert_eq!(
        uri.uri,
        format!("http://config.internal:8080/filter/{sha256}.wasm")
    );
    let cluster = HttpUpstreamType::Cluster("control-plane".to_owned());
    assert_eq!(uri.http_upstream_type, Some(cluster));
    assert!(remote.retry_policy.unwrap().num_retries.unwrap().value > 0);
}

#[tokio::test]
async fn a_running_envoy_gets_what_it_refused_again_until_it_has_the_module() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("filter.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let service = TestService::start_in(dir, &["--wasm", file.to_str().unwrap()]).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    // The version of an earlier stream: it runs something else already.
    envoy.subscribe(ECDS, "0").await;
    let mut last = envoy.receive(ECDS).await;
    for _ in 0..4 {
        assert!(vm(plugin(&last)).nack_on_code_cache_miss);
        envoy.nack(&last, "Unable to create Wasm plugin").await;
        let again = envoy.receive(ECDS).await;
        assert_eq!(again.version_info, last.version_info);
        // Envoy ignores the very bytes that it refused.
        assert_ne!(again.resources, last.resources);
        assert_eq!(plugin_json(&again), plugin_json(&last));
        last = again;
    }
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    service.wait_for("shown as rejected", rejected).await;
    envoy.ack(&last).await;
    let active = |status: &serde_json::Value| status["envoys"][0]["state"] == "active";
    service.wait_for("active", active).await;
}

#[tokio::test]
async fn an_envoy_that_starts_waits_for_the_module() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("filter.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let service = TestService::start_in(dir, &["--wasm", file.to_str().unwrap()]).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let first = envoy.receive(ECDS).await;
    assert!(!vm(plugin(&first)).nack_on_code_cache_miss);
    envoy.ack(&first).await;
    // Taken before the module was there: what counts is whether it is taken with it.
    let second = envoy.receive(ECDS).await;
    assert!(vm(plugin(&second)).nack_on_code_cache_miss);
}

#[tokio::test]
async fn the_plugin_configuration_is_what_the_filter_compiles() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--max-request-bytes", "1000"]).await;
    let fields = json!({"inference_profile_arn_map": {"claude-3-haiku": common::ARN}});
    service.create(&common::channel_with("one", &fields)).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let config = plugin_json(&envoy.receive(ECDS).await);
    assert_eq!(config["revision"], 1);
    assert_eq!(config["limits"]["max_request_bytes"], 1000);
    assert_eq!(
        config["channels"][0]["credentials"]["secret_access_key"],
        common::SECRET
    );
    let parsed = bedrock_filter::config::PluginConfig::from_json(config.to_string().as_bytes());
    bedrock_filter::routes::Routes::compile(parsed.unwrap()).unwrap();
}

#[tokio::test]
async fn anthropics_api_is_served_where_a_flag_says_so() {
    for (flags, said) in [
        (&[][..], Value::Null),
        (&["--anthropic-messages"], json!(true)),
    ] {
        let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), flags).await;
        service.create(&common::channel("one")).await;
        let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
        envoy.subscribe(ECDS, "").await;
        let config = plugin_json(&envoy.receive(ECDS).await);
        assert_eq!(config["anthropic_messages"], said, "{flags:?}");
        let parsed = bedrock_filter::config::PluginConfig::from_json(config.to_string().as_bytes());
        let routes = bedrock_filter::routes::Routes::compile(parsed.unwrap()).unwrap();
        assert_eq!(routes.serves_anthropic_messages(), said == true);
    }
}
