//! What a manifest does to a whole listener, and so to every host that it serves.

use crate::common::{TestService, channel};
use serde_json::Value;

use super::{filter, sealed, values};

/// The settings of the manager of connections.
async fn manager(service: &TestService, query: &str) -> Value {
    let manifest = filter(service, query).await;
    values(&manifest, "NETWORK_FILTER")[0]["typed_config"].clone()
}

#[tokio::test]
async fn other_hosts_of_a_shared_gateway_keep_their_limits_and_ids() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    let own = manager(&service, "").await;
    let shared = manager(&service, "sharing=shared").await;
    for setting in [
        "/stream_idle_timeout",
        "/preserve_external_request_id",
        "/always_set_request_id_in_response",
        "/request_id_extension",
        "/http2_protocol_options/max_concurrent_streams",
    ] {
        assert!(own.pointer(setting).is_some(), "{setting}");
        assert_eq!(shared.pointer(setting), None);
    }
    // Whoever adds a setting has to say what it does to other hosts.
    let left: Vec<_> = shared.as_object().unwrap().keys().collect();
    let expected = [
        "@type",
        "early_header_mutation_extensions",
        "http2_protocol_options",
        "local_reply_config",
        "stream_error_on_invalid_http_message",
    ];
    assert_eq!(left, expected);
}

#[tokio::test]
async fn other_hosts_of_a_shared_gateway_keep_their_replies() {
    let service = sealed(&["--path-prefixes=/v1,/openai/deployments/{model}"]).await;
    service.create(&channel("one")).await;
    for query in ["sharing=shared", "context=sidecar&selector=app=web"] {
        let manager = manager(&service, query).await;
        let mappers = &manager["local_reply_config"]["mappers"];
        for mapper in mappers.as_array().unwrap() {
            let filters = mapper["filter"]["and_filter"]["filters"].as_array();
            let place = "/extension_filter/typed_config/expression";
            let conditions = filters.into_iter().flatten();
            let mut conditions = conditions.filter_map(|own| own.pointer(place)?.as_str());
            let is_on_path = |own: &str| own.starts_with("request.url_path.startsWith(\"/");
            assert!(conditions.any(is_on_path), "{mapper}");
        }
        let last = mappers.as_array().unwrap().last().unwrap().to_string();
        for path in [
            "/v1/messages",
            "/v1/chat/completions",
            "/openai/deployments/",
            "/model/",
        ] {
            assert!(last.contains(path), "{path}: {last}");
        }
    }
}

/// The numbers of a setting, wherever it is.
fn numbers(value: &Value, setting: &str) -> Vec<u64> {
    match value {
        Value::Object(members) => {
            let own = members.get(setting).and_then(Value::as_u64);
            let others = members.values().flat_map(|own| numbers(own, setting));
            own.into_iter().chain(others).collect()
        }
        Value::Array(items) => items.iter().flat_map(|own| numbers(own, setting)).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn gateways_hold_as_much_as_a_request_may_have() {
    for (longest, buffer, window) in [
        ("1000", 67_108_864, 134_217_728),
        ("100000000", 200_000_000, 400_000_000),
        ("4000000000", 2_147_483_647, 2_147_483_647),
    ] {
        let longest = format!("--max-request-bytes={longest}");
        let service = sealed(&[&longest]).await;
        service.create(&channel("one")).await;
        for query in ["", "mode=live&xds=config-service.bedrock:18000"] {
            let manifest = filter(&service, query).await;
            for (setting, places, bytes) in [
                ("per_connection_buffer_limit_bytes", 1, buffer),
                ("request_body_buffer_limit", 2, buffer),
                ("initial_stream_window_size", 1, buffer),
                ("initial_connection_window_size", 1, window),
            ] {
                assert_eq!(
                    numbers(&manifest, setting),
                    vec![bytes; places],
                    "{setting}"
                );
            }
        }
    }
}

#[tokio::test]
async fn pools_hold_as_much() {
    let service = sealed(&["--failover", "--max-request-bytes=100000000"]).await;
    service.create(&channel("one")).await;
    let manifest = filter(&service, "").await;
    let buffers = numbers(&manifest, "request_body_buffer_limit");
    assert_eq!(buffers, [200_000_000; 4]);
}
