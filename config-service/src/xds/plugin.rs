//! The ECDS resource: the Wasm filter with its module and its configuration.

use bedrock_filter::seal::KEY_VARIABLE;
use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier as CodeSpecifier;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as FileSpecifier;
use envoy_types::pb::envoy::config::core::v3::http_uri::HttpUpstreamType;
use envoy_types::pb::envoy::config::core::v3::{
    AsyncDataSource, BackoffStrategy, DataSource, HttpUri, RemoteDataSource, RetryPolicy,
    TypedExtensionConfig,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{
    EnvironmentVariables, FailurePolicy, PluginConfig, ReloadConfig, VmConfig,
};
use envoy_types::pb::google::protobuf::{BoolValue, Duration, StringValue, UInt32Value};
use envoy_types::util::pack_any;

use super::EXTENSION_NAME;
use super::session::{Offered, WithoutModule};
use crate::filter_code::{FilterCode, ServedModule};

/// The extension configuration of a snapshot.
pub(super) fn build(offered: &Offered, code: &FilterCode) -> TypedExtensionConfig {
    let wasm = Wasm {
        config: Some(plugin_config(offered, code)),
    };
    TypedExtensionConfig {
        name: EXTENSION_NAME.to_owned(),
        typed_config: Some(pack_any(wasm)),
    }
}

fn plugin_config(offered: &Offered, code: &FilterCode) -> PluginConfig {
    let mut configuration = offered.snapshot.plugin_config.clone();
    if offered.refusals % 2 == 1 {
        // Envoy takes the very bytes that it refused last for known, and does nothing.
        configuration.push('\n');
    }
    PluginConfig {
        name: EXTENSION_NAME.to_owned(),
        root_id: EXTENSION_NAME.to_owned(),
        vm: Some(Vm::VmConfig(vm_config(offered.without_module, code))),
        configuration: Some(pack_any(StringValue {
            value: configuration,
        })),
        // A trapped VM is replaced; the default would answer 503 for ever.
        failure_policy: FailurePolicy::FailReload.into(),
        reload_config: Some(ReloadConfig {
            backoff: Some(backoff(100, None)),
        }),
        // Without it a filter that waits for the body hangs:
        // https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/wasm/v3/wasm.proto
        allow_on_headers_stop_iteration: Some(BoolValue { value: true }),
        ..PluginConfig::default()
    }
}

fn vm_config(without_module: WithoutModule, code: &FilterCode) -> VmConfig {
    let specifier = match code {
        FilterCode::Served(module) => CodeSpecifier::Remote(remote(module)),
        FilterCode::InEnvoy { path } => CodeSpecifier::Local(DataSource {
            specifier: Some(FileSpecifier::Filename(path.clone())),
            ..DataSource::default()
        }),
    };
    VmConfig {
        vm_id: EXTENSION_NAME.to_owned(),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource {
            specifier: Some(specifier),
        }),
        // A reference: the key itself is in no dump and in no message.
        environment_variables: Some(EnvironmentVariables {
            host_env_keys: vec![KEY_VARIABLE.to_owned()],
            ..EnvironmentVariables::default()
        }),
        nack_on_code_cache_miss: without_module == WithoutModule::Refuse,
        ..VmConfig::default()
    }
}

fn remote(module: &ServedModule) -> RemoteDataSource {
    RemoteDataSource {
        http_uri: Some(HttpUri {
            uri: module.uri.clone(),
            timeout: Some(Duration {
                seconds: 10,
                nanos: 0,
            }),
            http_upstream_type: Some(HttpUpstreamType::Cluster(module.cluster.clone())),
        }),
        sha256: module.sha256.clone(),
        retry_policy: Some(RetryPolicy {
            retry_back_off: Some(backoff(200, Some(2000))),
            num_retries: Some(UInt32Value { value: 10 }),
            ..RetryPolicy::default()
        }),
    }
}

fn backoff(base_ms: u16, max_ms: Option<u16>) -> BackoffStrategy {
    BackoffStrategy {
        base_interval: Some(milliseconds(base_ms)),
        max_interval: max_ms.map(milliseconds),
    }
}

fn milliseconds(ms: u16) -> Duration {
    Duration {
        seconds: i64::from(ms / 1000),
        nanos: i32::from(ms % 1000) * 1_000_000,
    }
}
