//! What callers learn of their own usage.

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange, Reply, Step};
use bedrock_filter::usage::Figures;
use golden_cases::PLUGIN_CONFIG;
use harness::{headers, now, routes};
use serde_json::{Value, json};

use super::{replied, request};

/// An exchange whose usage is recorded, with a caller whose key is `sk-a`.
fn recorded(mode: &str) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["usage"] = json!({"cluster": "config-service-xds"});
    let hash = KeyDigest::of(b"sk-a").to_string();
    let entries = json!([{"name": "team-a", "keys": [{"sha256": hash}]}]);
    config["callers"] = json!({"mode": mode, "entries": entries});
    Exchange::new(routes(&config.to_string()))
}

/// What an exchange does with a request for figures.
fn ask(exchange: &mut Exchange, path: &str, more: &[(&str, &str)]) -> Step {
    let mut head = request("GET", path);
    head.0.extend(headers(more).0);
    exchange.set_now(now());
    exchange.request_headers(head, Arrival::Complete)
}

fn reply(step: Step) -> Reply {
    match step {
        Step::Reply(reply) => reply,
        other => panic!("no reply: {other:?}"),
    }
}

#[test]
fn a_caller_gets_what_the_config_service_says_of_it() {
    let mut exchange = recorded("required");
    let path = "/v1/usage?caller=team-b";
    let forged = ("x-caller", "team-b");
    let step = ask(&mut exchange, path, &[("api-key", "sk-a"), forged]);
    assert_eq!(step, Step::Wait);
    let (reports, caller) = exchange.asks_figures().unwrap();
    assert_eq!(
        (&*reports.cluster, caller),
        ("config-service-xds", "team-a")
    );
    assert_eq!(Figures::of(caller), b"\x0a\x06team-a");
    // A body, which nobody needs, does not send the request on.
    let step = exchange.request_body(2, Arrival::Complete, now(), &mut || b"{}".to_vec());
    assert_eq!(step, Step::Wait);
    let reply = reply(exchange.figures(Some(b"\x0a\x0e{\"requests\":3}")));
    assert_eq!(
        (reply.status.as_u16(), &*reply.body),
        (200, &br#"{"requests":3}"#[..])
    );
    assert!(exchange.is_done() && exchange.asks_figures().is_none());
    assert_eq!(exchange.figures(None), Step::Pass);
}

#[test]
fn without_an_answer_the_client_is_told_to_ask_again() {
    for message in [None, Some(&b""[..]), Some(&b"\x0a\xff"[..])] {
        let mut exchange = recorded("optional");
        ask(&mut exchange, "/v1/usage/", &[("x-api-key", "sk-a")]);
        let reply = reply(exchange.figures(message));
        assert_eq!(reply.status, 503);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["error"]["code"], "service_unavailable");
        let mut all = reply.headers.iter();
        assert!(all.any(|(name, value)| name == "retry-after" && value == "5"));
    }
}

#[test]
fn who_is_not_known_learns_nothing_but_what_to_do() {
    let step = ask(&mut recorded("off"), "/v1/usage", &[]);
    assert_eq!(replied(step), (404, "callers_off".to_owned()));
    for (mode, key, code) in [
        ("optional", "", "missing_api_key"),
        ("optional", "sk-x", "missing_api_key"),
        ("required", "", "missing_api_key"),
        ("required", "sk-x", "invalid_api_key"),
    ] {
        let step = ask(&mut recorded(mode), "/v1/usage", &[("api-key", key)]);
        assert_eq!(replied(step), (401, code.to_owned()), "{mode} {key}");
    }
    // Clients of Anthropic's API in its shape.
    let version = ("anthropic-version", "2023-06-01");
    let reply = reply(ask(&mut recorded("off"), "/v1/usage", &[version]));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "not_found_error");
}

#[test]
fn the_path_is_the_gateways_only_where_usage_is_recorded() {
    let mut other = Exchange::new(routes(PLUGIN_CONFIG));
    assert_eq!(ask(&mut other, "/v1/usage", &[]), Step::Pass);
    let step =
        recorded("required").request_headers(request("POST", "/v1/usage"), Arrival::Complete);
    assert_eq!(replied(step), (405, "method_not_allowed".to_owned()));
    let path = "/v1/chat/completions/x";
    let reply = reply(recorded("off").request_headers(request("GET", path), Arrival::Complete));
    let body = String::from_utf8(reply.body).unwrap();
    assert!(body.contains("{model} and GET /v1/usage"), "{body}");
}
