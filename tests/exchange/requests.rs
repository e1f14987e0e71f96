//! What is answered, passed or refused before anything is sent to Bedrock.

use std::rc::Rc;

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use golden_cases::PLUGIN_CONFIG;
use harness::{headers, now, routes};
use serde_json::{Value, json};

use super::credentials::with_credentials;
use super::paths::ENDPOINTS;
use super::{CHAT, exchange, replied, request};

#[test]
fn other_paths_pass_untouched() {
    for path in ["/", "/v1/embeddings", "/healthz", "/V1/models"] {
        let mut exchange = exchange();
        assert_eq!(
            exchange.request_headers(request("GET", path), Arrival::Complete),
            Step::Pass,
            "{path}"
        );
        assert!(exchange.is_done());
    }
}

#[test]
fn other_paths_pass_without_headers_that_control_our_routes() {
    let mut forged = request("GET", "/other");
    forged.add("x-bedrock-cluster", "bedrock|https|evil|443");
    forged.add("x-mine", b"\xff".to_vec());
    let Step::Edit(edit) = exchange().request_headers(forged, Arrival::Complete) else {
        panic!("the header must go");
    };
    let left = edit.headers.unwrap();
    assert_eq!(left.get("x-bedrock-cluster"), None);
    assert_eq!(left.get("x-mine"), Some(&b"\xff"[..]));
    assert_eq!(edit.body, None);
}

#[test]
fn methods_are_checked() {
    for (method, path) in [
        ("GET", "/v1/chat/completions"),
        ("PUT", "/v1/chat/completions?x=1"),
        ("POST", "/v1/models"),
        ("DELETE", "/v1/models/claude-sonnet-4-5"),
    ] {
        let step = exchange().request_headers(request(method, path), Arrival::Complete);
        let Step::Reply(reply) = &step else {
            panic!("no reply: {step:?}");
        };
        let allowed = if path.contains("chat") { "POST" } else { "GET" };
        let (name, value) = &reply.headers[0];
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("allow", allowed));
        assert_eq!(
            replied(step),
            (405, "method_not_allowed".to_owned()),
            "{method} {path}"
        );
    }
}

#[test]
fn models_are_listed_and_shown() {
    let Step::Reply(list) =
        exchange().request_headers(request("GET", "/v1/models"), Arrival::Complete)
    else {
        panic!("no list");
    };
    let list: Value = serde_json::from_slice(&list.body).unwrap();
    let names: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert!(names.contains(&&Value::from("gpt-4o")));
    assert!(
        names
            .iter()
            .all(|name| !name.as_str().unwrap().starts_with("arn:"))
    );
    let Step::Reply(one) =
        exchange().request_headers(request("GET", "/v1/models/gpt%2D4o"), Arrival::Complete)
    else {
        panic!("no model");
    };
    assert_eq!(one.status, 200);
    let step = exchange().request_headers(request("GET", "/v1/models/nope"), Arrival::Complete);
    assert_eq!(replied(step), (404, "model_not_found".to_owned()));
}

#[test]
fn bodies_over_the_limit_are_refused_by_length_and_while_they_arrive() {
    let config = r#"{"limits":{"max_request_bytes":10}}"#;
    let too_large = (413, "request_too_large".to_owned());
    let mut head = request("POST", "/v1/chat/completions");
    head.add("content-length", "11");
    let step = Exchange::new(routes(config)).request_headers(head, Arrival::Partial);
    assert_eq!(replied(step), too_large);
    let mut exchange = Exchange::new(routes(config));
    let head = request("POST", "/v1/chat/completions");
    assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
    let mut unread = || panic!("must not be read");
    assert_eq!(
        exchange.request_body(10, Arrival::Partial, now(), &mut unread),
        Step::Wait
    );
    assert_eq!(
        replied(exchange.request_body(11, Arrival::Partial, now(), &mut unread)),
        too_large
    );
    // Envoy shows the filter its own reply.
    assert_eq!(
        exchange.response_headers(headers(&[(":status", "413")]), Arrival::Partial),
        Step::Pass
    );
}

#[test]
fn requests_without_a_readable_body_are_refused() {
    for path in ENDPOINTS {
        let asked = if path.contains("responses") {
            "'input'"
        } else {
            "'messages'"
        };
        let Step::Reply(reply) =
            exchange().request_headers(request("POST", path), Arrival::Complete)
        else {
            panic!("no reply at {path}");
        };
        let body = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, 400, "{path}");
        assert!(
            body.contains("no body") && body.contains(asked),
            "{path}: {body}"
        );
    }
    let mut head = request("POST", "/v1/chat/completions");
    head.add("content-encoding", "gzip");
    let step = exchange().request_headers(head, Arrival::Partial);
    assert_eq!(
        replied(step),
        (415, "unsupported_content_encoding".to_owned())
    );
}

#[test]
fn unknown_parameters_are_left_out_or_refused_as_the_channel_says() {
    let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
    chat["tempreature"] = json!(0.5);
    let key = json!({"type": "bedrock_api_key", "api_key": "k"});
    for (service, channel, is_refused) in [
        (json!(null), json!(null), false),
        (json!("refuse"), json!(null), true),
        (json!("refuse"), json!("leave_out"), false),
        (json!("leave_out"), json!("refuse"), true),
    ] {
        for failover in [false, true] {
            let mut config: Value = serde_json::from_str(&with_credentials(&key)).unwrap();
            if !service.is_null() {
                config["unknown_parameters"] = service.clone();
            }
            config["channels"][0]["unknown_parameters"] = channel.clone();
            if failover {
                config["failover"] = json!({});
            }
            let routes = routes(&config.to_string());
            let mut exchange = Exchange::on_listener(routes, &Rc::default());
            exchange.request_headers(request("POST", "/v1/chat/completions"), Arrival::Partial);
            let body = chat.to_string();
            let step = exchange.request_body(body.len(), Arrival::Complete, now(), &mut || {
                body.clone().into_bytes()
            });
            if is_refused {
                assert_eq!(replied(step), (400, "unknown_parameter".to_owned()));
            } else {
                assert!(matches!(step, Step::Edit(_)), "{step:?}");
            }
        }
    }
}

#[test]
fn paths_under_ours_get_our_own_404() {
    for path in [
        "/v1/chat/completions/chatcmpl-1",
        "/v1/chat/completions/chatcmpl-1/?x=1",
        "/v1/messages/batches",
    ] {
        for method in ["GET", "POST"] {
            let step = exchange().request_headers(request(method, path), Arrival::Complete);
            let Step::Reply(reply) = &step else {
                panic!("no reply: {step:?}");
            };
            let body = String::from_utf8_lossy(&reply.body);
            assert!(
                body.contains("POST /v1/chat/completions, ") && body.contains("GET /v1/models and"),
                "{body}"
            );
            assert_eq!(reply.status, 404, "{path}");
        }
    }
}

#[test]
fn a_protocol_is_somebody_elses_where_it_is_switched_off() {
    let step = |path: &str, fields: &Value| {
        let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
        let object = config.as_object_mut().unwrap();
        object.remove("anthropic_messages");
        object.extend(fields.as_object().unwrap().clone());
        let mut exchange = Exchange::new(routes(&config.to_string()));
        exchange.request_headers(request("POST", path), Arrival::Partial)
    };
    let (chat, messages) = ("/v1/chat/completions", "/v1/messages");
    let count = "/v1/messages/count_tokens?beta=true";
    for path in [chat, messages, count] {
        assert_eq!(step(path, &json!({})), Step::Wait, "{path}");
    }
    for off in [
        json!({"protocols": ["openai_chat"]}),
        json!({"anthropic_messages": false}),
    ] {
        assert_eq!(step(chat, &off), Step::Wait);
        assert_eq!(step(messages, &off), Step::Pass);
        assert_eq!(step(count, &off), Step::Pass);
    }
    let only = json!({"protocols": ["anthropic_messages"]});
    assert_eq!(step(chat, &only), Step::Pass);
    assert_eq!(step(messages, &only), Step::Wait);
}
