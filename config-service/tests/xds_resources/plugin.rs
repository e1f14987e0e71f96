//! The filter and its configuration.

use bedrock_filter::config::ProtocolName;
use std::sync::Arc;

use crate::common::envoy::{ECDS, Envoy, Service, plugin, plugin_json};
use crate::common::{self, TestService};
use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier as Code;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as File;
use envoy_types::pb::envoy::config::core::v3::http_uri::HttpUpstreamType;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, VmConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

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
async fn a_running_envoy_is_sent_what_it_refused_until_it_has_the_module() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("filter.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let service = TestService::start_in(dir, &["--wasm", file.to_str().unwrap()]).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    // The version from an earlier stream: it already runs something else.
    envoy.subscribe(ECDS, "0").await;
    let mut last = envoy.receive(ECDS).await;
    for _ in 0..4 {
        assert!(vm(plugin(&last)).nack_on_code_cache_miss);
        envoy.nack(&last, "Unable to create Wasm plugin").await;
        let again = envoy.receive(ECDS).await;
        assert_eq!(again.version_info, last.version_info);
        // Envoy ignores exactly the bytes that it refused.
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
    // Accepted before the module was there; what counts is whether it is accepted with
    // it.
    let second = envoy.receive(ECDS).await;
    assert!(vm(plugin(&second)).nack_on_code_cache_miss);
}

#[tokio::test]
async fn the_filter_compiles_the_plugin_configuration() {
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
async fn paths_and_origins_are_said_only_where_there_are_any() {
    for (flags, field, said) in [
        (&[][..], "path_prefixes", Value::Null),
        (&[], "cors_origins", Value::Null),
        (&[], "health_endpoints", Value::Null),
        (&["--no-health-endpoints"], "health_endpoints", json!(false)),
        (
            &["--path-prefixes", "/,/openai/deployments/{model}"],
            "path_prefixes",
            json!(["/", "/openai/deployments/{model}"]),
        ),
        (
            &["--cors-origins", "https://a.example,https://*.b.example"],
            "cors_origins",
            json!(["https://a.example", "https://*.b.example"]),
        ),
    ] {
        let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), flags).await;
        service.create(&common::channel("one")).await;
        let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
        envoy.subscribe(ECDS, "").await;
        let config = plugin_json(&envoy.receive(ECDS).await);
        assert_eq!(config[field], said, "{flags:?}");
    }
}

#[tokio::test]
async fn apis_are_named_only_where_a_flag_takes_one_away() {
    let some = json!(["openai_chat"]);
    for (flags, said, protocols) in [
        (&[][..], Value::Null, Value::Null),
        (&["--anthropic-messages"], json!(true), Value::Null),
        (&["--protocols", "openai_chat"], Value::Null, some),
    ] {
        let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), flags).await;
        service.create(&common::channel("one")).await;
        let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
        envoy.subscribe(ECDS, "").await;
        let config = plugin_json(&envoy.receive(ECDS).await);
        assert_eq!(config["anthropic_messages"], said, "{flags:?}");
        assert_eq!(config["protocols"], protocols, "{flags:?}");
        let parsed = bedrock_filter::config::PluginConfig::from_json(config.to_string().as_bytes());
        let routes = bedrock_filter::routes::Routes::compile(parsed.unwrap()).unwrap();
        let is_served = routes.protocols().has(ProtocolName::AnthropicMessages);
        assert_eq!(is_served, protocols.is_null(), "{flags:?}");
    }
}
