//! One module that replaces another: each has pools of its own, so gateways need those of both.

use serde_json::{Value, json};

use super::{check_refused, filter, sealed, values};
use crate::common::{TestService, channel, channel_with};

/// A service with two channels that requests fail over between.
async fn failing_over() -> TestService {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let second = channel_with("two", &json!({ "priority": 1 }));
    service.create(&second).await;
    service
}

/// What a manifest has for each generation: the filter on its pools.
fn stages(manifest: &Value) -> Vec<(String, Value)> {
    let resources = values(manifest, "EXTENSION_CONFIG").into_iter();
    let resources = resources.filter_map(|own| {
        let generation = own["name"].as_str()?.strip_prefix("bedrock-upstream-")?;
        let vm = &own["typed_config"]["config"]["vm_config"];
        Some((
            generation.to_owned(),
            vm["code"]["local"]["filename"].clone(),
        ))
    });
    resources.collect()
}

/// The pools of a generation, and for those of several channels their members.
fn pools(manifest: &Value, generation: &str) -> Vec<(String, Value)> {
    let prefix = format!("bedrock|pool|{generation}|");
    let clusters = values(manifest, "CLUSTER").into_iter();
    let pools = clusters.filter_map(|own| {
        let channels = own["name"].as_str()?.strip_prefix(&prefix)?;
        let members = own["cluster_type"]["typed_config"]["clusters"].to_string();
        let members = members.replace(generation, "its");
        Some((channels.to_owned(), json!(members)))
    });
    pools.collect()
}

#[tokio::test]
async fn a_copy_has_the_pools_and_filters_of_both() {
    let service = failing_over().await;
    let query = "module=/new.wasm&other_module=/old.wasm";
    let manifest = filter(&service, query).await;
    let stages = stages(&manifest);
    let [(new, new_file), (old, old_file)] = &stages[..] else {
        panic!("two generations: {stages:?}");
    };
    assert_eq!([new_file, old_file], ["/new.wasm", "/old.wasm"]);
    let own = pools(&manifest, new);
    assert!(own.len() > 2, "{own:?}");
    assert_eq!(pools(&manifest, old), own);
    let alone = filter(&service, "module=/old.wasm").await;
    assert_eq!(pools(&alone, old), own);
    assert!(pools(&alone, new).is_empty());
}

#[tokio::test]
async fn a_live_gateway_has_the_pools_of_both() {
    let service = failing_over().await;
    let live = "mode=live&xds=config-service:18000";
    let one = values(&filter(&service, live).await, "CLUSTER").len();
    let manifest = filter(&service, &format!("{live}&other_module=/next.wasm")).await;
    let clusters = values(&manifest, "CLUSTER");
    let pools = |own: &&&Value| own["name"].as_str().unwrap().contains("|pool|");
    let pools = clusters.iter().filter(pools).count();
    assert_eq!(clusters.len(), one + pools / 2);
    assert!(values(&manifest, "EXTENSION_CONFIG").is_empty());
    // Live gateways fetch no module.
    for other in [&"0A".repeat(32), "oci://registry/next:1"] {
        let query = format!("{live}&other_module={other}");
        check_refused(&service, &query, &["other_module", "path"]).await;
    }
}

#[tokio::test]
async fn without_failover_another_module_makes_no_difference() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    // Whole manifests differ in their sealed secrets.
    let names = async |query| {
        let manifest = filter(&service, query).await;
        let values = ["EXTENSION_CONFIG", "CLUSTER"].map(|kind| values(&manifest, kind).len());
        assert!(stages(&manifest).is_empty());
        values
    };
    assert_eq!(names("").await, names("other_module=/old.wasm").await);
}
