//! The ECDS resources: the Wasm filter with its module and its configuration, for listeners and for pools.

use bedrock_filter::config::Generation;
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

use super::session::{Filter, Place, WithoutModule};
use super::{EXTENSION_NAME, Resources};
use crate::filter_code::{FilterCode, ServedModule, VM_ID};

/// Prefix of the names of the pools' filters; their generation follows.
const STAGE_PREFIX: &str = "bedrock-upstream-";

/// Name of the filter on a generation's pools.
pub(crate) fn stage_name(generation: Generation) -> String {
    format!("{STAGE_PREFIX}{generation}")
}

/// The generation of the pools' filter with this name.
pub(super) fn generation(name: &str) -> Option<Generation> {
    name.strip_prefix(STAGE_PREFIX)?.parse().ok()
}

/// The extension configuration of a filter.
pub(super) fn build(filter: &Filter, resources: &Resources) -> TypedExtensionConfig {
    let (name, configuration) = match &filter.place {
        Place::Listener(snapshot) => (EXTENSION_NAME.to_owned(), snapshot.plugin_config.as_str()),
        Place::Alone(snapshot) => (EXTENSION_NAME.to_owned(), snapshot.without_failover()),
        Place::Pools(generation) => (stage_name(*generation), resources.stage_config.as_str()),
        Place::Earlier(generation) => return refusable(stage_name(*generation)),
    };
    let configuration = varied(configuration, filter.variant);
    let vm = vm_config(filter.without_module, &resources.code);
    let wasm = Wasm {
        config: Some(plugin_config(configuration, vm)),
    };
    TypedExtensionConfig {
        name,
        typed_config: Some(pack_any(wasm)),
    }
}

/// A resource that Envoy refuses before it touches anything, because clusters do not accept a filter of this
/// type. The refusal counts as an answer, so clusters without a filter stop waiting for one.
///
/// `FilterConfigSubscription::onConfigUpdate` in
/// <https://github.com/envoyproxy/envoy/blob/main/source/common/filter/config_discovery_impl.cc>
fn refusable(name: String) -> TypedExtensionConfig {
    TypedExtensionConfig {
        name,
        typed_config: Some(pack_any(StringValue::default())),
    }
}

/// The configuration followed by white space that is different for every number.
fn varied(configuration: &str, variant: u32) -> String {
    let digits = (0..u32::BITS - variant.leading_zeros()).map(|bit| variant >> bit & 1);
    let space = digits.map(|digit| if digit == 1 { '\n' } else { ' ' });
    configuration.chars().chain(space).collect()
}

fn plugin_config(configuration: String, vm: VmConfig) -> PluginConfig {
    PluginConfig {
        name: EXTENSION_NAME.to_owned(),
        root_id: EXTENSION_NAME.to_owned(),
        vm: Some(Vm::VmConfig(vm)),
        configuration: Some(pack_any(StringValue {
            value: configuration,
        })),
        // Replaces a VM that trapped; by default Envoy would answer 503 for ever.
        failure_policy: FailurePolicy::FailReload.into(),
        reload_config: Some(ReloadConfig {
            backoff: Some(backoff(100, None)),
        }),
        // Without it, a filter that waits for the body hangs:
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
        vm_id: VM_ID.to_owned(),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource {
            specifier: Some(specifier),
        }),
        // A reference, so that no dump or message contains the key itself.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_variant_is_a_different_text_but_the_same_document() {
        let texts: BTreeSet<_> = (0..1000).map(|variant| varied("{}", variant)).collect();
        assert_eq!(texts.len(), 1000);
        assert!(texts.iter().all(|text| text.trim() == "{}"));
        assert_eq!(varied("{}", 0), "{}");
    }

    #[test]
    fn the_name_of_a_pools_filter_contains_its_generation() {
        let one = Generation::new(1);
        assert_eq!(generation(&stage_name(one)), Some(one));
        assert_eq!(generation(EXTENSION_NAME), None);
    }
}
