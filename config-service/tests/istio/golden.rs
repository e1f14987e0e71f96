//! Every mode's manifest as a whole. `UPDATE_GOLDEN=1` writes what the service makes now: read the diff.

use std::path::{Path, PathBuf};

use crate::common::{TestService, channel, channel_with};
use serde_json::{Value, json};

use super::{documents, sealed};

/// Name, and parameters.
const CASES: &[(&str, &str)] = &[
    ("copy", "module=/etc/bedrock/bedrock_filter-1.wasm"),
    (
        "live",
        "mode=live&xds=config-service.bedrock:18000&xds_ca=/etc/bedrock/xds/ca.crt&endpoints=eu-west-1",
    ),
    (
        "live-envoy-grpc",
        "mode=live&xds=config-service.bedrock:18000&xds_client=envoy_grpc&sharing=shared&gateway=llm&limits=shared",
    ),
    (
        "live-sidecar",
        "mode=live&xds=config-service.bedrock:18000&context=sidecar&namespace=shop&selector=app=web",
    ),
    (
        "routes",
        "mode=routes&gateways=llm&module=/etc/bedrock/bedrock_filter-1.wasm",
    ),
    (
        "routes-gateway-api",
        "mode=routes&gateway=llm&module=/etc/bedrock/bedrock_filter-1.wasm",
    ),
];

#[tokio::test]
async fn manifests_are_as_they_were() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let second = json!({"region": "us-west-2", "priority": 1});
    service.create(&channel_with("two", &second)).await;
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (name, query) in CASES {
        let made = made(&service, query).await;
        let file = folder().join(format!("{name}.yaml"));
        if update {
            std::fs::write(&file, made).unwrap();
            continue;
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            made == kept,
            "{} is out of date; run UPDATE_GOLDEN=1 cargo xtask test istio::golden",
            file.display()
        );
    }
}

/// The documents without what is random, and without the replies, which `envoy/istio.yaml` has.
async fn made(service: &TestService, query: &str) -> String {
    let mut text = String::new();
    for mut document in documents(service, query).await {
        strip(&mut document);
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&document).unwrap());
    }
    text
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(replies) = members.get_mut("local_reply_config") {
                *replies = json!("as in envoy/istio.yaml");
            }
            if let Some(Value::String(text)) = members.get_mut("value")
                && let Ok(config) = serde_json::from_str::<Value>(text)
                && config.is_object()
            {
                members.insert("value".to_owned(), config);
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.starts_with("sealed:") => *text = "sealed:…".to_owned(),
        _ => {}
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/istio/golden")
}
