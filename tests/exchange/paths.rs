//! Paths at which clients find the endpoints, and pages in browsers that ask there.

use bedrock_filter::call::Headers;
use bedrock_filter::exchange::{Arrival, Exchange, Reply, Step};
use golden_cases::PLUGIN_CONFIG;
use harness::{headers, now, routes};
use serde_json::{Value, json};

use super::{CHAT, exchange, replied, request};

#[test]
fn a_slash_at_the_end_and_a_query_change_nothing() {
    for path in ENDPOINTS {
        for end in ["/", "?x=1", "/?api-version=2024-10-21", "//"] {
            let path = format!("{path}{end}");
            let step = exchange().request_headers(request("POST", &path), Arrival::Partial);
            assert_eq!(step, Step::Wait, "{path}");
        }
    }
    for path in ["/v1/models", "/v1/models/gpt-4o"] {
        for end in ["/", "?x=1", "/?x=1"] {
            let path = format!("{path}{end}");
            let Step::Reply(reply) =
                exchange().request_headers(request("GET", &path), Arrival::Complete)
            else {
                panic!("no reply at {path}");
            };
            assert_eq!(reply.status, 200, "{path}");
        }
    }
}

/// Where a request can be asked.
pub(super) const ENDPOINTS: [&str; 5] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/messages",
    "/v1/messages/count_tokens",
];

/// An exchange with other prefixes of paths.
fn exchange_below(prefixes: &[&str]) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["path_prefixes"] = json!(prefixes);
    Exchange::new(routes(&config.to_string()))
}

#[test]
fn endpoints_are_below_the_prefixes_that_an_operator_names() {
    const PREFIXES: [&str; 3] = ["/", "/openai/v1", "/openai/deployments/{model}"];
    for path in ENDPOINTS {
        let rest = path.strip_prefix("/v1").unwrap();
        for prefix in ["/v1", "", "/openai/v1", "/openai/deployments/gpt-4o"] {
            let path = format!("{prefix}{rest}?api-version=2024-10-21");
            let step =
                exchange_below(&PREFIXES).request_headers(request("POST", &path), Arrival::Partial);
            assert_eq!(step, Step::Wait, "{path}");
            let step =
                exchange_below(&[]).request_headers(request("POST", &path), Arrival::Partial);
            let expected = if prefix == "/v1" {
                Step::Wait
            } else {
                Step::Pass
            };
            assert_eq!(step, expected, "{path}");
        }
    }
    for (path, status) in [
        ("/models", 200),
        ("/openai/v1/models/gpt-4o", 200),
        ("/openai/v1/models/nope", 404),
        ("/openai/v1/responses/resp_1", 404),
        ("/openai/v1/chat/completions", 405),
    ] {
        let step =
            exchange_below(&PREFIXES).request_headers(request("GET", path), Arrival::Complete);
        let Step::Reply(reply) = step else {
            panic!("no reply at {path}");
        };
        assert_eq!(reply.status, status, "{path}");
    }
    // What is not one of the endpoints is somebody else's, whatever is before it.
    for path in [
        "/",
        "/openai",
        "/openai/v1/embeddings",
        "/openai/deployments/gpt-4o/models",
    ] {
        let step =
            exchange_below(&PREFIXES).request_headers(request("GET", path), Arrival::Complete);
        assert_eq!(step, Step::Pass, "{path}");
    }
}

#[test]
fn the_model_in_a_path_counts_more_than_the_bodys() {
    for (path, body) in [
        (
            "chat/completions",
            json!({"messages": [{"role": "user", "content": "Hi"}]}),
        ),
        ("responses", json!({"input": "Hi"})),
        (
            "messages",
            json!({"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}),
        ),
    ] {
        for own in [Value::Null, json!("no-such-model")] {
            for name in ["nova-pro", "amazon.nova-pro-v1%3A0"] {
                let mut exchange = exchange_below(&["/openai/deployments/{model}"]);
                let mut body = body.clone();
                body["model"] = own.clone();
                let body = body.to_string().into_bytes();
                let path = format!("/openai/deployments/{name}/{path}?api-version=2024-10-21");
                let mut head = request("POST", &path);
                head.add("api-key", "a-secret-of-the-client");
                assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
                let mut read = || body.clone();
                let step = exchange.request_body(body.len(), Arrival::Complete, now(), &mut read);
                let Step::Edit(edit) = step else {
                    panic!("{path}: {step:?}");
                };
                let sent = edit.headers.unwrap();
                let called = sent.get_str(":path").unwrap();
                assert!(called.contains("amazon.nova-pro-v1%3A0"), "{called}");
                assert_eq!(sent.get("api-key"), None);
                let outcome = exchange.outcome().unwrap();
                assert_eq!(outcome.model, name.replace("%3A", ":"));
            }
        }
    }
}

/// An exchange whose answers pages of some origins may read.
fn exchange_with_pages(origins: &[&str]) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["cors_origins"] = json!(origins);
    Exchange::new(routes(&config.to_string()))
}

/// A request from a page.
fn page_request(method: &str, path: &str, origin: &str) -> Headers {
    let mut head = request(method, path);
    head.add("origin", origin);
    if method == "OPTIONS" {
        head.add("access-control-request-method", "POST");
        head.add(
            "access-control-request-headers",
            "authorization, content-type, x-stainless-lang",
        );
    }
    head
}

const PAGE: &str = "https://app.example.com";

#[test]
fn preflights_of_allowed_origins_are_answered() {
    let paths = ENDPOINTS
        .into_iter()
        .chain(["/v1/models", "/v1/models/m", "/v1/responses/resp_1"]);
    for path in paths {
        let mut exchange = exchange_with_pages(&["https://*.example.com"]);
        let step = exchange.request_headers(page_request("OPTIONS", path, PAGE), Arrival::Complete);
        let Step::Reply(reply) = step else {
            panic!("{path}: {step:?}");
        };
        assert_eq!(
            (reply.status.as_u16(), &*reply.body),
            (204, &b""[..]),
            "{path}"
        );
        let value = |name: &str| {
            let found = reply.headers.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.to_str().unwrap().to_owned())
        };
        assert_eq!(value("access-control-allow-origin").as_deref(), Some(PAGE));
        let methods = value("access-control-allow-methods").unwrap();
        assert_eq!(methods, "GET, POST, DELETE");
        let headers = value("access-control-allow-headers").unwrap();
        assert_eq!(headers, "authorization, content-type, x-stainless-lang");
        assert_eq!(value("vary").as_deref(), Some("origin"));
        assert!(value("access-control-max-age").is_some());
        assert_eq!(value("access-control-allow-credentials"), None);
        assert!(exchange.is_done());
    }
}

#[test]
fn preflights_of_other_origins_are_refused_with_a_reason() {
    for allowed in [&[][..], &["https://other.example.com"][..]] {
        let mut exchange = exchange_with_pages(allowed);
        let head = page_request("OPTIONS", "/v1/chat/completions", PAGE);
        let step = exchange.request_headers(head, Arrival::Complete);
        let Step::Reply(reply) = &step else {
            panic!("{step:?}");
        };
        let names: Vec<_> = reply
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert!(
            !names.iter().any(|name| name.starts_with("access-control")),
            "{names:?}"
        );
        let body = String::from_utf8_lossy(&reply.body);
        assert!(
            body.contains(PAGE) && body.contains("cors_origins"),
            "{body}"
        );
        assert_eq!(replied(step), (403, "origin_not_allowed".to_owned()));
    }
    // What is not ours, and what is no preflight, is as without any origin.
    let other = page_request("OPTIONS", "/other", PAGE);
    assert_eq!(
        exchange_with_pages(&["*"]).request_headers(other, Arrival::Complete),
        Step::Pass
    );
    let mut options = request("OPTIONS", "/v1/models");
    options.add("origin", PAGE);
    let step = exchange_with_pages(&["*"]).request_headers(options, Arrival::Complete);
    assert_eq!(replied(step), (405, "method_not_allowed".to_owned()));
}

#[test]
fn every_answer_can_be_read_by_pages_that_may_and_by_no_others() {
    let readers = |headers: &Headers| {
        let own = headers.0.iter();
        let own = own.filter(|(name, _)| name == "access-control-allow-origin");
        own.map(|(_, value)| String::from_utf8(value.clone()).unwrap())
            .collect::<Vec<_>>()
    };
    let of_reply = |reply: &Reply| {
        let mut headers = Headers::default();
        headers.extend(&reply.headers);
        headers
    };
    for (origin, expected) in [(PAGE, vec![PAGE]), ("https://evil.example", vec![])] {
        // The filter's own answers.
        for (method, path) in [
            ("GET", "/v1/models"),
            ("GET", "/v1/chat/completions"),
            ("GET", "/v1/responses/r"),
        ] {
            let mut exchange = exchange_with_pages(&[PAGE]);
            let Step::Reply(reply) =
                exchange.request_headers(page_request(method, path, origin), Arrival::Complete)
            else {
                panic!("no reply at {path}");
            };
            assert_eq!(readers(&of_reply(&reply)), expected, "{path}");
        }
        // Bedrock's answers, whole and broken, and Envoy's.
        let whole = br#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
        for (status, body) in [
            ("200", &whole[..]),
            ("200", &b"{}"[..]),
            ("400", &b"{}"[..]),
            ("503", &b""[..]),
        ] {
            let mut exchange = exchange_with_pages(&[PAGE]);
            let head = page_request("POST", "/v1/chat/completions", origin);
            assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
            let step =
                exchange.request_body(CHAT.len(), Arrival::Complete, now(), &mut || CHAT.to_vec());
            let Step::Edit(edit) = step else {
                panic!("{step:?}");
            };
            let sent = edit.headers.unwrap();
            assert_eq!((readers(&sent), sent.get("origin")), (vec![], None));
            let head = headers(&[
                (":status", status),
                ("content-type", "application/json"),
                ("access-control-allow-origin", "*"),
            ]);
            let step = exchange.response_headers(head, Arrival::of(body.is_empty()));
            let step = match step {
                Step::Wait => {
                    exchange.response_body(body.len(), Arrival::Complete, &mut || body.to_vec())
                }
                other => other,
            };
            let told = match step {
                Step::Edit(edit) => edit.headers.unwrap(),
                Step::Reply(reply) => of_reply(&reply),
                other => panic!("{other:?}"),
            };
            assert_eq!(readers(&told), expected, "{status}");
        }
    }
}

#[test]
fn responses_are_not_stored() {
    for (method, path) in [
        ("GET", "/v1/responses/resp_1"),
        ("GET", "/v1/responses/resp_1?include[]=x"),
        ("DELETE", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/responses/resp_1/input_items?limit=5"),
    ] {
        let step = exchange().request_headers(request(method, path), Arrival::Complete);
        let Step::Reply(reply) = &step else {
            panic!("no reply: {step:?}");
        };
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["error"]["type"], "invalid_request_error", "{path}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("Response with id 'resp_1' not found.")
                && message.contains("send the whole conversation in 'input'"),
            "{message}"
        );
        assert_eq!(replied(step), (404, "not_found".to_owned()), "{path}");
    }
    // These are no ids, and only say what there is.
    for path in ["/v1/responses/compact", "/v1/responses/resp_1/other"] {
        let step = exchange().request_headers(request("POST", path), Arrival::Complete);
        let Step::Reply(reply) = &step else {
            panic!("no reply: {step:?}");
        };
        let body = String::from_utf8_lossy(&reply.body);
        assert!(
            body.contains("There is nothing at /v1/responses/"),
            "{body}"
        );
        assert_eq!(replied(step), (404, "not_found".to_owned()), "{path}");
    }
    let step = exchange().request_headers(
        request("GET", "/v1/responses/input_tokens"),
        Arrival::Complete,
    );
    assert_eq!(replied(step), (405, "method_not_allowed".to_owned()));
}
