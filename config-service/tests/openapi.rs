//! The `OpenAPI` document is about this service: every route, every field.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{TestService, channel};
use config_service::edit::FIELDS;
use reqwest::{Method, StatusCode};
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

/// `METHOD path` of every operation.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

#[tokio::test]
async fn every_operation_is_there() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let served = service.get("/api/openapi.json").await.json();
    assert_eq!(served, document());
    for operation in operations(&served) {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", &id).replace("{name}", "one");
        let method: Method = method.parse().unwrap();
        let reply = service.send(method, &path, "not json").await;
        assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{operation}");
        // A module is served by services that have one.
        let is_there = !reply.text.contains("there is nothing at");
        assert!(
            is_there || path.starts_with("/filter/"),
            "{operation}: {reply:?}"
        );
    }
}

#[test]
fn it_has_the_routes_that_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(path).unwrap();
    let routes = page.split("## Routes\n").nth(1).unwrap();
    let routes = routes
        .split("\n## ")
        .next()
        .unwrap()
        .split("\n### ")
        .next()
        .unwrap();
    let documented: BTreeSet<_> = routes
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| line.split(" | ").next().unwrap().split("`, `"))
        .map(|route| {
            route
                .trim_end_matches('`')
                .replace("{sha256}.wasm", "{file}")
        })
        .collect();
    assert_eq!(documented, operations(&document()));
}

#[test]
fn it_has_the_fields_of_a_channel() {
    let document = document();
    let fields = document["components"]["schemas"]["ChannelEdit"]["properties"].as_object();
    let fields: BTreeSet<_> = fields.unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(FIELDS));
}
