//! The filter in the listener: what it runs, and where its configuration comes from.

use bedrock_filter::config::Generation;
use serde_json::{Value, json};

use super::Channels;
use super::document::{find, patch, set, with};
use super::plan::Plan;
use super::source::{Module, Source, Xds};
use super::target::{Sharing, XdsClient};
use crate::export::ExportError;
use crate::fleet::CLUSTERS_HEADER;
use crate::xds::{Resources, stage_name};

/// The type of an extension's own configuration, inside a patch.
const PLUGIN: &str = "/patch/value/typed_config/config";

/// Where a filter's configuration comes from, inside the patch that inserts it.
const DISCOVERY: &str = "/patch/value/config_discovery";

/// How long a shared gateway that starts waits for this service before it serves its other hosts.
const PATIENCE: &str = "15s";

/// Longest plugin configuration that gRPC's own client accepts here, in bytes; its default is 4 MiB.
const MAX_MESSAGE_BYTES: u32 = 256 * 1024 * 1024;

/// Puts in the plugin configuration, or where it comes from.
pub(super) fn fill(
    patches: &mut Vec<Value>,
    channels: &Channels<'_>,
    plan: &Plan,
    resources: &Resources,
) -> Result<(), ExportError> {
    match &plan.source {
        Source::Copy(module) => {
            let plugin = patch(patches, "EXTENSION_CONFIG")?;
            set(plugin, &format!("{PLUGIN}/vm_config/code"), code(module))?;
            if channels.have_pools() {
                for (generation, module) in plan.stages().into_iter().rev() {
                    add_stage(patches, generation, module, resources)?;
                }
            }
            let plugin = patch(patches, "EXTENSION_CONFIG")?;
            let configuration = json!(channels.snapshot.plugin_config);
            set(
                plugin,
                &format!("{PLUGIN}/configuration/value"),
                configuration,
            )
        }
        Source::Live(xds) => {
            let place = find(patches, "EXTENSION_CONFIG")?;
            patches.remove(place);
            let filter = patch(patches, "HTTP_FILTER")?;
            // What this service cannot know otherwise: it does not send these gateways their clusters.
            let lists = channels.short_names().into_iter().zip(1..);
            let lists = lists.map(|(names, number)| {
                let key = match number {
                    1 => CLUSTERS_HEADER.to_owned(),
                    number => format!("{CLUSTERS_HEADER}-{number}"),
                };
                json!({ "key": key, "value": names })
            });
            let source = live_source(xds, plan, &lists.collect::<Vec<_>>());
            set(filter, &format!("{DISCOVERY}/config_source"), source)
        }
    }
}

/// Where a filter on a cluster gets its configuration. The same everywhere, and short: there may be hundreds of pools.
pub(super) fn stage_source(plan: &Plan) -> Value {
    match &plan.source {
        Source::Copy(_) => json!({
            "ads": {},
            "resource_api_version": "V3",
            "initial_fetch_timeout": "0s",
        }),
        Source::Live(xds) => live_source(xds, plan, &[]),
    }
}

/// The filter on pools gets a resource of its own name: of one that listeners and clusters share, a delta client that
/// starts afresh never gets a second copy, so its listener would wait for ever
/// (<https://github.com/envoyproxy/envoy/issues/30379>).
fn add_stage(
    patches: &mut Vec<Value>,
    generation: Generation,
    module: &Module,
    resources: &Resources,
) -> Result<(), ExportError> {
    let place = find(patches, "EXTENSION_CONFIG")?;
    let mut stage = patches.get(place).cloned().unwrap_or_default();
    set(
        &mut stage,
        "/patch/value/name",
        json!(stage_name(generation)),
    )?;
    set(
        &mut stage,
        &format!("{PLUGIN}/vm_config/code"),
        code(module),
    )?;
    let configuration = json!(resources.stage_config());
    set(
        &mut stage,
        &format!("{PLUGIN}/configuration/value"),
        configuration,
    )?;
    patches.insert(place + 1, stage);
    Ok(())
}

fn code(module: &Module) -> Value {
    match module {
        Module::File(path) => json!({ "local": { "filename": path } }),
        Module::Remote { uri, sha256 } => json!({
            "remote": {
                "http_uri": { "uri": uri, "timeout": "30s", "cluster": "_" },
                "sha256": sha256,
            },
        }),
    }
}

fn live_source(xds: &Xds, plan: &Plan, headers: &[Value]) -> Value {
    let (client, options) = match xds.client {
        XdsClient::GoogleGrpc => ("google_grpc", google_grpc(xds)),
        XdsClient::EnvoyGrpc => (
            "envoy_grpc",
            json!({
                "cluster_name": super::bootstrap::CLUSTER,
                "retry_policy": { "retry_back_off": { "base_interval": "0.25s", "max_interval": "5s" } },
            }),
        ),
    };
    let mut service = json!({ client: options });
    if !headers.is_empty() {
        service = with(service, "initial_metadata", json!(headers));
    }
    json!({
        "resource_api_version": "V3",
        "initial_fetch_timeout": match plan.sharing {
            Sharing::Own => "0s",
            Sharing::Shared => PATIENCE,
        },
        "api_config_source": {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": true,
            "grpc_services": [service],
        },
    })
}

/// <https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/grpc_service.proto>
fn google_grpc(xds: &Xds) -> Value {
    let number = |value: u32| json!({ "int_value": value });
    let client = json!({
        "target_uri": format!("{}:{}", xds.host, xds.port),
        "stat_prefix": super::bootstrap::CLUSTER,
        "channel_args": { "args": {
            // Notices a service that vanished without closing the connection, and one that is back.
            "grpc.keepalive_time_ms": number(10_000),
            "grpc.keepalive_timeout_ms": number(20_000),
            "grpc.http2.max_pings_without_data": number(0),
            "grpc.max_reconnect_backoff_ms": number(5_000),
            "grpc.max_receive_message_length": number(MAX_MESSAGE_BYTES),
        } },
    });
    let Some(tls) = &xds.tls else {
        return client;
    };
    let file = |path: &String| json!({ "filename": path });
    let mut credentials = json!({ "root_certs": file(&tls.ca) });
    if let Some((certificate, key)) = &tls.identity {
        credentials = with(credentials, "cert_chain", file(certificate));
        credentials = with(credentials, "private_key", file(key));
    }
    let credentials = json!({ "ssl_credentials": credentials });
    with(client, "channel_credentials", credentials)
}
