//! Who may ask, and for what.

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange};
use golden_cases::PLUGIN_CONFIG;
use harness::{headers, routes, send_as};
use serde_json::{Value, json};

use super::{CHAT, replied, request};

/// The usual configuration with two callers, one of which may use only Nova.
fn exchange(mode: &str) -> Exchange {
    let hash = |key: &str| KeyDigest::of(key.as_bytes()).to_string();
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    // They lead to models of several families.
    config["model_choices"] = json!({});
    config["callers"] = json!({
        "mode": mode,
        "entries": [
            {"name": "team-a", "keys": [
                {"sha256": hash("sk-a")},
                {"sha256": hash("sk-old"), "expires_at": 1_768_480_496},
            ]},
            {"name": "team-b", "keys": [{"sha256": hash("sk-b")}], "models": ["nova-*"]},
        ],
    });
    Exchange::new(routes(&config.to_string()))
}

fn chat(exchange: &mut Exchange, key: (&str, &str)) -> Result<(), (u16, Value)> {
    let sent = send_as(exchange, ("/v1/chat/completions", &[key]), CHAT);
    let refused = |(status, body): (u16, Vec<u8>)| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, body["error"].clone())
    };
    sent.map(|_| ()).map_err(refused)
}

#[test]
fn a_key_lets_a_request_through_and_stays_behind() {
    for key in [
        ("authorization", "Bearer sk-a"),
        ("x-api-key", "sk-a"),
        ("api-key", "sk-a"),
    ] {
        let mut exchange = exchange("required");
        let sent = send_as(&mut exchange, ("/v1/chat/completions", &[key]), CHAT).unwrap();
        let shown = format!("{:?}", sent.headers);
        assert!(!shown.contains("sk-a"), "{shown}");
        assert_eq!(exchange.caller().unwrap().name(), "team-a");
        let outcome = exchange.outcome().unwrap();
        assert_eq!(outcome.caller.as_ref().unwrap().name(), "team-a");
    }
}

#[test]
fn who_has_no_valid_key_is_refused_before_anything_is_read() {
    for (key, code) in [
        (("x", "y"), "invalid_api_key"),
        (("x-api-key", "sk-x"), "invalid_api_key"),
        (("api-key", "sk-old"), "expired_api_key"),
    ] {
        let (status, error) = chat(&mut exchange("required"), key).unwrap_err();
        assert_eq!((status, error["code"].as_str()), (401, Some(code)));
    }
    let mut asked = exchange("required");
    let mut head = request("POST", "/v1/chat/completions?api-key=sk-a&key=sk-a");
    let step = asked.request_headers(head.clone(), Arrival::Partial);
    assert_eq!(replied(step), (401, "missing_api_key".to_owned()));
    head.add("api-key", "sk-a");
    assert!(exchange("off").caller().is_none());
}

#[test]
fn nobody_in_particular_is_served_unless_keys_are_required() {
    for mode in ["off", "optional"] {
        let mut exchange = exchange(mode);
        assert_eq!(chat(&mut exchange, ("x-api-key", "dummy")), Ok(()));
        assert!(exchange.caller().is_none());
    }
}

#[test]
fn a_model_that_a_caller_may_not_use_is_not_there() {
    let (status, error) = chat(&mut exchange("required"), ("api-key", "sk-b")).unwrap_err();
    assert_eq!(
        (status, error["code"].as_str()),
        (404, Some("model_not_found"))
    );
}

#[test]
fn each_protocol_has_its_own_refusal() {
    let reply = |path: &str, more: &[(&str, &str)]| {
        let mut head = request(if path == "/v1/models" { "GET" } else { "POST" }, path);
        head.0.extend(headers(more).0);
        let bedrock_filter::exchange::Step::Reply(reply) =
            exchange("required").request_headers(head, Arrival::Partial)
        else {
            panic!("no reply")
        };
        assert_eq!(reply.status, 401);
        let challenge = reply
            .headers
            .iter()
            .find(|(name, _)| name == "www-authenticate");
        assert_eq!(challenge.unwrap().1, "Bearer");
        serde_json::from_slice::<Value>(&reply.body).unwrap()
    };
    let version = ("anthropic-version", "2023-06-01");
    for body in [reply("/v1/messages", &[]), reply("/v1/models", &[version])] {
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "authentication_error");
    }
    for path in ["/v1/chat/completions", "/v1/responses", "/v1/models"] {
        let error = &reply(path, &[])["error"];
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["code"], "missing_api_key");
    }
}

#[test]
fn the_list_has_what_the_caller_may_use() {
    let list = |path: &str, key: &str| {
        let mut head = request("GET", path);
        head.add("api-key", key);
        let bedrock_filter::exchange::Step::Reply(reply) =
            exchange("required").request_headers(head, Arrival::Complete)
        else {
            panic!("no reply")
        };
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status.as_u16(), body)
    };
    let names = |key| {
        let (status, body) = list("/v1/models", key);
        assert_eq!(status, 200);
        let data = body["data"].as_array().unwrap().clone();
        data.into_iter()
            .map(|own| own["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = names("sk-a");
    assert!(all.iter().any(|name| name.contains("claude")));
    let some = names("sk-b");
    assert!(!some.is_empty() && some.len() < all.len());
    assert!(some.iter().all(|name| name.contains("nova")), "{some:?}");
    assert_eq!(list("/v1/models/claude-sonnet-4-5", "sk-a").0, 200);
    assert_eq!(list("/v1/models/claude-sonnet-4-5", "sk-b").0, 404);
    assert_eq!(list("/v1/models/nova-pro", "sk-b").0, 200);
}

#[test]
fn load_balancers_need_no_key() {
    for (path, expected) in [
        ("/health/liveliness", 200),
        ("/health/readiness", 200),
        ("/health", 401),
    ] {
        let step = exchange("required").request_headers(request("GET", path), Arrival::Complete);
        let bedrock_filter::exchange::Step::Reply(reply) = step else {
            panic!("{path}: {step:?}")
        };
        assert_eq!(reply.status, expected, "{path}");
    }
}
