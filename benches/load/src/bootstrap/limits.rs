//! Callers with limits, and how Envoy asks about them: as in `envoy/envoy.yaml`.

use serde_json::{Value, json};

use super::{HTTP_OPTIONS, address};
use crate::variant::Variant;

const RATE_LIMIT: &str = "envoy.filters.http.ratelimit";
const RATE_LIMIT_TYPES: &str = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3";
const EXPRESSION: &str = "envoy.rate_limit_descriptors.expr";
const DESCRIPTOR: &str =
    "type.googleapis.com/envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor";
const SERVICE: &str = "rate-limit";

/// SHA-256 of the key that clients send.
const CLIENT_KEY: &str = "cac41691e78076d24eed51871d163478820bb52aa568b5249438ddd5904b3388";

/// The client as a caller, with all kinds of limits that it never reaches.
pub(super) fn callers(variant: Variant) -> Value {
    json!({
        "mode": "required",
        "limit_mode": variant.limit_mode(),
        "entries": [{
            "id": "0000000000000001",
            "name": "team",
            "keys": [{"sha256": CLIENT_KEY}],
            "limits": {"rpm": 1_000_000_000, "tpm": 1_000_000_000, "concurrent_requests": 1_000},
        }],
    })
}

/// Envoy's filter that asks the service.
pub(super) fn filter() -> Value {
    json!({
        "name": RATE_LIMIT,
        "typed_config": {
            "@type": format!("{RATE_LIMIT_TYPES}.RateLimit"),
            "domain": "bedrock",
            // No request passes unasked, however busy the machine is.
            "timeout": "20s",
            "failure_mode_deny": true,
            "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
            "rate_limit_service": {
                "transport_api_version": "V3",
                "grpc_service": {"envoy_grpc": {"cluster_name": SERVICE}},
            },
        },
    })
}

/// The listener, with what its route asks.
pub(super) fn with_questions(mut listener: Value) -> Value {
    let route = "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0";
    if let Some(route) = listener.pointer_mut(route) {
        let entry = |key: &str, state: &str| {
            let text = format!("filter_state['wasm.{state}']");
            let config = json!({"@type": DESCRIPTOR, "descriptor_key": key, "text": text});
            json!({"extension": {"name": EXPRESSION, "typed_config": config}})
        };
        let caller = entry("caller", "rl.caller");
        let (rpm, tpm) = (entry("rpm", "rl.rpm"), entry("tpm", "rl.tpm"));
        let tokens = |state: &str| json!({"format": format!("%FILTER_STATE(wasm.{state}:PLAIN)%")});
        route["typed_per_filter_config"] = json!({RATE_LIMIT: {
            "@type": format!("{RATE_LIMIT_TYPES}.RateLimitPerRoute"),
            "rate_limits": [
                {"actions": [rpm, caller]},
                {"actions": [tpm, caller], "hits_addend": tokens("rl.reserve")},
                {"actions": [tpm, caller], "hits_addend": tokens("rl.rest"), "apply_on_stream_done": true},
            ],
        }});
    }
    listener
}

/// The cluster of the service.
pub(super) fn service(port: u16) -> Value {
    let options = json!({
        "@type": format!("type.googleapis.com/{HTTP_OPTIONS}"),
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    json!({
        "name": SERVICE,
        "type": "STATIC",
        "typed_extension_protocol_options": {HTTP_OPTIONS: options},
        "load_assignment": {
            "cluster_name": SERVICE,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}
