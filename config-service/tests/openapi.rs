//! The `OpenAPI` document describes this service: every route, every field.

mod promises;
mod shape;

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::envoy::{CDS, ECDS, Envoy, Service};
use crate::common::{TestService, channel, receive};
use config_service::edit::FIELDS;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use shape::Shape;

/// The document that a service serves.
async fn document() -> Value {
    let service = TestService::start().await;
    service.get("/api/openapi.json").await.json()
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
    for operation in operations(&served) {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", &id).replace("{name}", "one");
        let method: Method = method.parse().unwrap();
        let reply = service.send(method, &path, "not json").await;
        assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{operation}");
        // Only services with a module serve one.
        let is_there = !reply.text.contains("there is nothing at");
        assert!(
            is_there || path.starts_with("/filter/"),
            "{operation}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn it_has_the_routes_that_are_documented() {
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
    assert_eq!(documented, operations(&document().await));
}

#[tokio::test]
async fn it_has_the_fields_of_a_channel() {
    let document = document().await;
    let fields = document["components"]["schemas"]["ChannelEdit"]["properties"].as_object();
    let fields: BTreeSet<_> = fields.unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, FIELDS.iter().copied().collect());
}

#[tokio::test]
async fn every_operation_has_a_unique_name_and_a_tag() {
    let document = document().await;
    let tags = document["tags"].as_array().unwrap().iter();
    let tags: Vec<_> = tags.map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut names = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{method} {path}: {name}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            let own = operation["tags"].as_array().unwrap();
            let is_known = |tag: &Value| tags.contains(&tag.as_str().unwrap());
            assert!(
                own.len() == 1 && own.iter().all(is_known),
                "{method} {path}"
            );
        }
    }
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/");
}

#[tokio::test]
async fn every_reference_can_be_resolved() {
    let document = document().await;
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(part) = open.pop() {
        if let Some(reference) = part["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            references += 1;
        }
        open.extend(part.as_object().into_iter().flat_map(Map::values));
        open.extend(part.as_array().into_iter().flatten());
    }
    assert!(references > 0);
}

/// Examples of refusals are what the service answers, and examples of bodies are accepted.
#[tokio::test]
async fn examples_are_true() {
    let service = TestService::start().await;
    let document = service.get("/api/openapi.json").await.json();
    let responses = &document["components"]["responses"];
    let example = |name: &str| &responses[name]["content"]["application/problem+json"]["example"];
    let limited = service.get("/api/channels?limit=0").await;
    assert_eq!(&limited.json(), example("BadRequest"));
    let stranger = receive(reqwest::Client::new().get(service.url("/api/status"))).await;
    assert_eq!(&stranger.json(), example("Unauthorized"));
    let missing = service.get("/api/channels/0123").await;
    assert_eq!(&missing.json(), example("NotFound"));
    let operation = &document["paths"]["/api/channels"]["post"];
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    service.create(body).await;
    assert_eq!(&service.post(body).await.json(), example("Conflict"));
}

/// Where a value differs from its schema. Supports the parts of JSON Schema that this document uses; a member
/// that is not described counts as a difference, and so does a missing one, required or not.
fn differences(value: &Value, schema: &Value, document: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        return differences(value, found.unwrap(), document, at);
    }
    if schema["allOf"].is_array() {
        let members = Shape::of(schema, document).members;
        let properties = members
            .into_iter()
            .map(|(name, mut all)| (name, all.remove(0)));
        let properties: Map<_, _> = properties.collect();
        let merged = json!({"type": "object", "properties": properties});
        return differences(value, &merged, document, at);
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
        return vec![format!("{at}: {kind} is not {}", schema["type"])];
    }
    let mut found = Vec::new();
    if schema["enum"]
        .as_array()
        .is_some_and(|all| !all.contains(value))
    {
        found.push(format!("{at}: {value} is not one of {}", schema["enum"]));
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
    let document = service.get("/api/openapi.json").await.json();
    let schema = &document["paths"]["/api/status"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(
        differences(&status, schema, &document, ""),
        [""; 0],
        "{status:#}"
    );
}

/// The code spans in the row of `docs/API.md` for a field.
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
    let document = service.get("/api/openapi.json").await.json();
    let fields = &document["components"]["schemas"]["Envoy"]["properties"];
    let described = |field: &str| -> BTreeSet<String> {
        let shape = Shape::of(&fields[field], &document);
        let words = shape.words.iter().map(|word| word.as_str().unwrap());
        let null = shape.kinds.iter().filter(|kind| *kind == "null");
        words.map(str::to_owned).chain(null.cloned()).collect()
    };
    assert_eq!(described("state"), counted);
    assert_eq!(described("state"), words_of_row("envoys[].state"));
    assert_eq!(
        described("waiting_for"),
        words_of_row("envoys[].waiting_for")
    );
}
