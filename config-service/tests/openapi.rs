//! The `OpenAPI` document is about this service: every route, every field.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::envoy::{CDS, ECDS, Envoy, Service};
use crate::common::{TestService, channel};
use config_service::edit::FIELDS;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

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
    assert_eq!(fields, FIELDS.iter().copied().collect());
}

/// What of a value a schema does not describe. Of JSON Schema it knows what this document uses; a member that
/// is not described counts as wrong, and so does one that is missing, required or not.
fn differences(value: &Value, schema: &Value, document: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        return differences(value, found.unwrap(), document, at);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = |option: &Value| differences(value, option, document, at).is_empty();
        return match options.iter().filter(|option| fits(option)).count() {
            1 => Vec::new(),
            fitting => vec![format!("{at}: {value} fits {fitting} alternatives")],
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = schema["type"] == kind
        || schema["type"]
            .as_array()
            .is_some_and(|all| all.contains(&json!(kind)));
    if !is_kind {
        return vec![format!("{at}: {kind} is no {}", schema["type"])];
    }
    let mut found = Vec::new();
    if schema["enum"]
        .as_array()
        .is_some_and(|all| !all.contains(value))
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(differences(item, &schema["items"], document, at));
    }
    if let Some(members) = value.as_object() {
        let described = schema["properties"].as_object().unwrap();
        for (name, member) in members {
            let at = format!("{at}/{name}");
            match described.get(name) {
                Some(schema) => found.extend(differences(member, schema, document, &at)),
                None => found.push(format!("{at} is not described")),
            }
        }
        let missing = described.keys().filter(|name| !members.contains_key(*name));
        found.extend(missing.map(|name| format!("{at}/{name} is never there")));
    }
    found
}

#[tokio::test]
async fn it_describes_every_field_of_the_status() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut refusing = Envoy::settled(&service, "refusing").await;
    let mut alone = Envoy::connect(&service, "alone", Service::Extensions).await;
    alone.subscribe(ECDS, "").await;
    let plugin = alone.receive(ECDS).await;
    alone.ack(&plugin).await;
    let mut silent = Envoy::connect(&service, "silent", Service::Aggregated).await;
    silent.subscribe(CDS, "").await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = refusing.receive(CDS).await;
    refusing.nack(&clusters, "no, thanks").await;
    let seen = |status: &Value| {
        let states = status["envoys"].as_array().unwrap().iter();
        let states: BTreeSet<_> = states.filter_map(|envoy| envoy["state"].as_str()).collect();
        states == BTreeSet::from(["pending", "rejected"])
            && status["envoys"][0]["clusters"]["rejected"].is_object()
            && status["envoys"].as_array().unwrap().len() == 3
    };
    let status = service.wait_for("rejected and pending", seen).await;
    let document = document();
    let schema = &document["paths"]["/api/status"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(
        differences(&status, schema, &document, ""),
        [""; 0],
        "{status:#}"
    );
}

/// The words in code in the row of `docs/API.md` that begins with a field.
fn words_of_row(field: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(path).unwrap();
    let start = format!("| `{field}` | ");
    let row = page.lines().find_map(|line| line.strip_prefix(&start));
    let words = row.unwrap().split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

#[tokio::test]
async fn it_has_every_state_of_an_envoy() {
    let service = TestService::start().await;
    let metrics = service.get("/metrics").await.text;
    let counted: BTreeSet<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("config_service_envoys{state=\""))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    let document = document();
    let fields = &document["components"]["schemas"]["Envoy"]["properties"];
    let described = |field: &str| -> BTreeSet<String> {
        let words = fields[field]["enum"].as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap_or("null").to_owned())
            .collect()
    };
    assert_eq!(described("state"), counted);
    assert_eq!(described("state"), words_of_row("envoys[].state"));
    assert_eq!(
        described("waiting_for"),
        words_of_row("envoys[].waiting_for")
    );
}
