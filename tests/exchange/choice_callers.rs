//! Names that choose a model, for callers that may not use every model: what is listed can be asked for, and what can be
//! asked for is listed.

use std::rc::Rc;
use std::sync::Arc;

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::failover::ChannelPicker;
use bedrock_filter::routes::Routes;
use harness::{now, routes};
use serde_json::{Value, json};

use super::request;

const HEALTH: &str = "/health?model=";

/// Two accounts, names that choose, and a caller that may use these models on these channels.
fn compiled(models: &[&str], channels: &[&str], failover: bool) -> Arc<Routes> {
    let channel = |name: &str, models: &[&str]| {
        json!({
            "name": name,
            "region": "us-east-1",
            "credentials": {"type": "bedrock_api_key", "api_key": "k"},
            "models": models,
        })
    };
    let hash = KeyDigest::of(b"sk-a").to_string();
    let caller = json!({
        "name": "team-a",
        "keys": [{"sha256": hash}],
        "models": models,
        "channels": channels,
    });
    let mut config = json!({
        "channels": [
            channel("amazon", &["nova-lite", "nova-pro"]),
            channel("anthropic", &["claude-haiku-4-5", "claude-sonnet-4-5"]),
        ],
        "callers": {"mode": "required", "entries": [caller]},
        "model_choices": {
            "cheap": ["nova-lite", "claude-haiku-4-5"],
            "smart": ["claude-sonnet-4-5"],
            "auto": {
                "rules": [{"when": {"tag": "high"}, "use": "claude-sonnet-4-5"}],
                "else": "nova-lite",
            },
            // The name of a model, which leads to another one.
            "nova-pro": ["claude-haiku-4-5"],
        },
    });
    if failover {
        config["failover"] = json!({});
    }
    routes(&config.to_string())
}

fn get(routes: &Arc<Routes>, path: &str) -> (u16, Value) {
    let mut exchange = Exchange::new(Arc::clone(routes));
    let mut head = request("GET", path);
    head.add("x-api-key", "sk-a");
    let mut step = exchange.request_headers(head, Arrival::Complete);
    if exchange.asks_health() {
        step = exchange.health(now(), &mut |_| Default::default());
    }
    let Step::Reply(reply) = step else {
        panic!("no reply");
    };
    let body = serde_json::from_slice(&reply.body).unwrap();
    (reply.status.as_u16(), body)
}

/// The model that answers a chat, or the error.
fn ask(routes: &Arc<Routes>, name: &str, text: &str) -> Result<String, Value> {
    let mut exchange = Exchange::new(Arc::clone(routes));
    let picker = Rc::new(ChannelPicker::default());
    if routes.failover().is_some() {
        exchange = Exchange::on_listener(Arc::clone(routes), &picker);
    }
    let mut head = request("POST", "/v1/chat/completions");
    head.add("x-api-key", "sk-a");
    exchange.request_headers(head, Arrival::Partial);
    let body = json!({"model": name, "messages": [{"role": "user", "content": text}]});
    let body = body.to_string().into_bytes();
    let step = exchange.request_body(body.len(), Arrival::Complete, now(), &mut || body.clone());
    match step {
        Step::Edit(edit) if routes.failover().is_none() => {
            let path = edit.headers.unwrap();
            let path = path.get_str(":path").unwrap().to_owned();
            let id = path.split('/').nth(2).unwrap();
            Ok(id.to_owned())
        }
        // The channel is as good: each has one family.
        Step::Edit(edit) => {
            let head = edit.headers.unwrap();
            Ok(head.get_str("x-bedrock-cluster").unwrap().to_owned())
        }
        Step::Reply(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(reply.status.as_u16(), 404, "{body}");
            Err(body["error"].clone())
        }
        step => panic!("{step:?}"),
    }
}

/// Checks what a caller is shown, and that it is what it can use.
#[track_caller]
fn check(models: &[&str], channels: &[&str], expected: &[&str]) {
    for failover in [false, true] {
        let routes = compiled(models, channels, failover);
        let (_, list) = get(&routes, "/v1/models");
        let ids = list["data"].as_array().unwrap().iter();
        let ids: Vec<_> = ids.map(|own| own["id"].as_str().unwrap()).collect();
        for name in ["cheap", "smart", "auto", "nova-pro"] {
            let is_expected = expected.contains(&name);
            assert_eq!(ids.contains(&name), is_expected, "{name} in {ids:?}");
            let status = if is_expected { 200 } else { 404 };
            assert_eq!(
                get(&routes, &format!("/v1/models/{name}")).0,
                status,
                "{name}"
            );
            assert_eq!(get(&routes, &format!("{HEALTH}{name}")).0, status, "{name}");
            let asked = ["Hi", "[high] Hi"].map(|text| ask(&routes, name, text));
            let is_served = asked.iter().any(Result::is_ok);
            assert_eq!(is_served, is_expected, "{name}: {asked:?}");
        }
    }
}

#[test]
fn a_name_that_leads_to_a_model_of_the_caller_can_be_used_though_nobody_allowed_the_name() {
    check(&["nova-*"], &[], &["cheap", "auto", "nova-pro"]);
    check(&["nova-lite"], &[], &["cheap", "auto"]);
    check(&["claude-sonnet-4-5"], &[], &["smart", "auto"]);
    check(&[], &["amazon"], &["cheap", "auto"]);
    check(&["titan-*"], &[], &[]);
}

#[test]
fn a_name_that_the_caller_was_allowed_can_be_used_though_nobody_allowed_its_models() {
    check(&["auto"], &[], &["auto"]);
    check(&["cheap", "smart"], &[], &["cheap", "smart"]);
    check(&["smart"], &["amazon"], &[]);
    check(&["auto"], &["anthropic"], &["auto"]);
    check(&["*"], &[], &["cheap", "smart", "auto", "nova-pro"]);
}

#[test]
fn a_name_that_was_allowed_gives_no_other_name_of_its_models() {
    let routes = compiled(&["auto"], &[], false);
    for (text, model) in [("Hi", "nova-lite"), ("[high] Hi", "sonnet")] {
        let id = ask(&routes, "auto", text).unwrap();
        assert!(id.contains(model), "{id}");
    }
    for name in ["nova-lite", "claude-sonnet-4-5", "cheap"] {
        let error = ask(&routes, name, "Hi").unwrap_err();
        assert_eq!(error["code"], "model_not_found");
    }
}

#[test]
fn what_a_rule_leads_to_is_only_for_whom_it_is_allowed() {
    for failover in [false, true] {
        let routes = compiled(&["nova-lite"], &[], failover);
        assert!(ask(&routes, "auto", "Hi").is_ok());
        let refused = ask(&routes, "auto", "[high] Hi").unwrap_err();
        // As if it did not exist, and without the name of the model.
        let absent = ask(&routes, "gpt-9", "Hi").unwrap_err();
        let told = absent["message"].as_str().unwrap().replace("gpt-9", "auto");
        assert_eq!(refused["message"], told);
    }
}

#[test]
fn a_list_serves_with_the_models_that_the_caller_may_use() {
    let id = ask(&compiled(&["claude-*"], &[], false), "cheap", "Hi").unwrap();
    assert!(id.contains("claude-haiku-4-5"), "{id}");
    let pool = ask(&compiled(&["cheap"], &[], true), "cheap", "Hi").unwrap();
    assert_eq!(pool, "bedrock|pool|amazon|anthropic");
}
