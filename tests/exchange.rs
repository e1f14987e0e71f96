//! What an exchange does with everything that is not a well-behaved chat.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bedrock_filter::call::Headers;
use bedrock_filter::chat::{FinishReason, Usage};
use bedrock_filter::exchange::{End, Exchange, Step};
use bedrock_filter::routes::Routes;
use golden_cases::{PLUGIN_CONFIG, frames};
use harness::{answer, headers, now, routes, send};
use proptest::prelude::*;
use serde_json::{Value, json};

const CHAT: &[u8] = br#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#;

const CHAT_STREAM: &str =
    r#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

fn exchange() -> Exchange {
    Exchange::new(routes(PLUGIN_CONFIG))
}

fn request(method: &str, path: &str) -> Headers {
    headers(&[
        (":method", method),
        (":path", path),
        (":authority", "gateway.example"),
        (":scheme", "http"),
        ("x-forwarded-proto", "http"),
    ])
}

/// Status and error code of a reply.
#[track_caller]
fn replied(step: Step) -> (u16, String) {
    let Step::Reply(reply) = step else {
        panic!("no reply: {step:?}");
    };
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    (reply.status.as_u16(), code.to_owned())
}

#[test]
fn other_paths_pass_untouched() {
    for path in ["/", "/v1/embeddings", "/healthz", "/V1/models"] {
        let mut exchange = exchange();
        assert_eq!(
            exchange.request_headers(request("GET", path), true),
            Step::Pass,
            "{path}"
        );
        assert!(exchange.is_done());
    }
}

#[test]
fn other_paths_pass_without_headers_that_steer_our_routes() {
    let mut forged = request("GET", "/other");
    forged.add("x-bedrock-cluster", "bedrock|https|evil|443");
    forged.add("x-mine", b"\xff".to_vec());
    let Step::Edit(edit) = exchange().request_headers(forged, true) else {
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
        let step = exchange().request_headers(request(method, path), true);
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
    let Step::Reply(list) = exchange().request_headers(request("GET", "/v1/models"), true) else {
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
    let Step::Reply(one) = exchange().request_headers(request("GET", "/v1/models/gpt%2D4o"), true)
    else {
        panic!("no model");
    };
    assert_eq!(one.status, 200);
    let step = exchange().request_headers(request("GET", "/v1/models/nope"), true);
    assert_eq!(replied(step), (404, "model_not_found".to_owned()));
}

#[test]
fn nothing_of_the_clients_headers_goes_upstream() {
    let mut exchange = exchange();
    let mut head = request("POST", "/v1/chat/completions");
    for name in [
        "authorization",
        "x-api-key",
        "cookie",
        "x-amz-date",
        "x-amz-security-token",
        "x-amzn-bedrock-trace",
        "x-bedrock-cluster",
        "user-agent",
        "x-forwarded-for",
        "openai-organization",
        "transfer-encoding",
        "expect",
    ] {
        head.add(name, "secret-of-the-client");
    }
    head.add("x-request-id", "r-1");
    assert_eq!(exchange.request_headers(head, false), Step::Wait);
    let step = exchange.request_body(CHAT.len(), true, now(), &mut || CHAT.to_vec());
    let Step::Edit(edit) = step else {
        panic!("no call: {step:?}");
    };
    let sent = edit.headers.unwrap();
    let leaked = sent
        .0
        .iter()
        .filter(|(_, value)| value == b"secret-of-the-client");
    assert_eq!(leaked.count(), 0);
    let mut names: Vec<_> = sent.0.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ":authority",
            ":method",
            ":path",
            ":scheme",
            "authorization",
            "content-length",
            "content-type",
            "x-amz-date",
            "x-bedrock-cluster",
            // For Envoy, which takes it off.
            "x-envoy-upstream-rq-per-try-timeout-ms",
            "x-forwarded-proto",
            "x-request-id",
        ]
    );
    assert_eq!(
        sent.get_str("x-bedrock-cluster"),
        Some("bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443")
    );
}

#[test]
fn bodies_over_the_limit_are_refused_by_length_and_while_they_arrive() {
    let config = r#"{"limits":{"max_request_bytes":10}}"#;
    let too_large = (413, "request_too_large".to_owned());
    let mut head = request("POST", "/v1/chat/completions");
    head.add("content-length", "11");
    let step = Exchange::new(routes(config)).request_headers(head, false);
    assert_eq!(replied(step), too_large);
    let mut exchange = Exchange::new(routes(config));
    let head = request("POST", "/v1/chat/completions");
    assert_eq!(exchange.request_headers(head, false), Step::Wait);
    let mut unread = || panic!("must not be read");
    assert_eq!(
        exchange.request_body(10, false, now(), &mut unread),
        Step::Wait
    );
    assert_eq!(
        replied(exchange.request_body(11, false, now(), &mut unread)),
        too_large
    );
    // Envoy shows the filter its own reply.
    assert_eq!(
        exchange.response_headers(headers(&[(":status", "413")]), false),
        Step::Pass
    );
}

#[test]
fn requests_without_a_readable_body_are_refused() {
    let mut exchange_ = exchange();
    let step = exchange_.request_headers(request("POST", "/v1/chat/completions"), true);
    assert_eq!(replied(step).0, 400);
    let mut head = request("POST", "/v1/chat/completions");
    head.add("content-encoding", "gzip");
    let step = exchange().request_headers(head, false);
    assert_eq!(
        replied(step),
        (415, "unsupported_content_encoding".to_owned())
    );
}

#[test]
fn envoys_own_answers_become_errors_of_ours() {
    for (status, body, expected, code) in [
        (
            "503",
            "upstream connect error, reset reason: 10.1.2.3",
            "503",
            "service_unavailable",
        ),
        ("504", "upstream request timeout", "504", "timeout"),
        ("404", "", "503", "no_route"),
    ] {
        let mut exchange = exchange();
        send(&mut exchange, CHAT).unwrap();
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, body.as_bytes(), &[]);
        assert_eq!(seen.headers.get_str(":status"), Some(expected));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], code);
        assert!(!body.to_string().contains("10.1.2.3"));
    }
}

/// A configuration whose only channel has these credentials.
fn with_credentials(credentials: &Value) -> String {
    json!({"channels": [{"name": "a", "region": "us-east-1", "credentials": credentials}]})
        .to_string()
}

/// What the filter does with a chat in place of sending it.
fn chat(exchange: &mut Exchange) -> Step {
    exchange.request_headers(request("POST", "/v1/chat/completions"), false);
    exchange.request_body(CHAT.len(), true, now(), &mut || CHAT.to_vec())
}

#[test]
fn without_valid_credentials_a_client_is_told_to_come_back() {
    let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for credentials in [
        json!({"type": "unavailable"}),
        json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds}),
    ] {
        let routes = routes(&with_credentials(&credentials));
        for mut exchange in [
            Exchange::new(Arc::clone(&routes)),
            // A listener with clusters that the filter stands on too.
            Exchange::on_listener(failing_over(&credentials), &Rc::default()),
        ] {
            let step = chat(&mut exchange);
            let Step::Reply(reply) = &step else {
                panic!("no reply: {step:?}");
            };
            let (name, value) = &reply.headers[0];
            assert_eq!(
                (name.as_str(), value.as_bytes()),
                ("retry-after", &b"10"[..])
            );
            assert_eq!(replied(step), (503, "credentials_unavailable".to_owned()));
        }
        let mut exchange = Exchange::new(routes);
        let path = "/v1/models/claude-sonnet-4-5";
        let Step::Reply(model) = exchange.request_headers(request("GET", path), true) else {
            panic!("no model");
        };
        assert_eq!(model.status, 200, "it is there all the same");
    }
    let valid = json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds + 1});
    let mut exchange = Exchange::new(routes(&with_credentials(&valid)));
    assert!(matches!(chat(&mut exchange), Step::Edit(_)));
}

#[test]
fn an_expired_channel_that_a_pool_comes_to_is_a_503_too() {
    let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds + 1});
    let dispatcher = Rc::default();
    let mut listener = Exchange::on_listener(failing_over(&key), &dispatcher);
    assert!(matches!(chat(&mut listener), Step::Edit(_)));
    let relay = Rc::clone(listener.relay().unwrap());
    // It ran out on the way.
    let later = now() + Duration::from_secs(2);
    let (mut attempt, step) = Exchange::attempt(relay, "a", later);
    assert!(matches!(step, Step::Edit(_)), "{step:?}");
    let refusal = headers(&[
        (":status", "403"),
        ("x-amzn-errortype", "ExpiredTokenException"),
    ]);
    let Step::Edit(edit) = attempt.response_headers(refusal, true) else {
        panic!("nothing that Envoy tries again after");
    };
    let retried = edit.headers.unwrap();
    assert_eq!(retried.get_str(":status"), Some("503"));
    let step = listener.response_headers(retried, true);
    let Step::Reply(reply) = &step else {
        panic!("no reply: {step:?}");
    };
    let names = reply.headers.iter().map(|(name, _)| name.as_str());
    assert_eq!(names.filter(|name| *name == "retry-after").count(), 1);
    assert_eq!(replied(step), (503, "credentials_unavailable".to_owned()));
}

/// The same on clusters that the filter stands on too.
fn failing_over(credentials: &Value) -> Arc<Routes> {
    let mut config: Value = serde_json::from_str(&with_credentials(credentials)).unwrap();
    config["failover"] = json!({});
    routes(&config.to_string())
}

#[test]
fn parameters_that_nobody_knows_are_left_out_or_refused_as_the_channel_says() {
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
            exchange.request_headers(request("POST", "/v1/chat/completions"), false);
            let body = chat.to_string();
            let step =
                exchange.request_body(body.len(), true, now(), &mut || body.clone().into_bytes());
            if is_refused {
                assert_eq!(replied(step), (400, "unknown_parameter".to_owned()));
            } else {
                assert!(matches!(step, Step::Edit(_)), "{step:?}");
            }
        }
    }
}

#[test]
fn an_answer_before_the_body_is_complete_is_an_error_too() {
    let mut exchange = exchange();
    let head = request("POST", "/v1/chat/completions");
    assert_eq!(exchange.request_headers(head, false), Step::Wait);
    let head = headers(&[(":status", "413"), ("content-type", "text/plain")]);
    let seen = answer(&mut exchange, head, b"Payload Too Large", &[]);
    assert_eq!(seen.headers.get_str(":status"), Some("413"));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["error"]["code"], "request_too_large");
}

/// Envoy's own answers to a client's request that breaks off are not Bedrock's.
#[test]
fn a_request_that_cannot_be_read_is_not_blamed_on_bedrock() {
    for (status, expected, code) in [
        ("400", "400", "invalid_request"),
        ("408", "408", "request_timeout"),
        ("413", "413", "request_too_large"),
        ("503", "503", "overloaded"),
    ] {
        let mut exchange = exchange();
        let head = request("POST", "/v1/chat/completions");
        assert_eq!(exchange.request_headers(head, false), Step::Wait);
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, b"codec error", &[]);
        assert_eq!(seen.headers.get_str(":status"), Some(expected));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], code, "{body}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(!message.contains("Bedrock refused"), "{message}");
    }
}

#[test]
fn what_is_below_our_paths_is_a_404_of_ours() {
    for path in [
        "/v1/chat/completions/",
        "/v1/chat/completions/?x=1",
        "/v1/chat/completions/chatcmpl-1",
        "/v1/models/",
    ] {
        for method in ["GET", "POST"] {
            let step = exchange().request_headers(request(method, path), true);
            let Step::Reply(reply) = &step else {
                panic!("no reply: {step:?}");
            };
            let body = String::from_utf8_lossy(&reply.body);
            assert!(
                body.contains("POST /v1/chat/completions, ") && body.contains("GET /v1/models and"),
                "{body}"
            );
            assert_eq!(replied(step), (404, "not_found".to_owned()), "{path}");
        }
    }
}

/// Whatever the upstream, or a proxy before it, puts on its answers.
#[test]
fn what_an_upstream_says_about_itself_stays_there() {
    let said = [
        "access-control-allow-origin",
        "alt-svc",
        "clear-site-data",
        "location",
        "refresh",
        "server",
        "set-cookie",
        "strict-transport-security",
        "via",
        "x-amzn-requestid",
        "x-backend-host",
        "x-bedrock-attempts",
        "x-bedrock-channel",
    ];
    let stream = CHAT_STREAM.as_bytes();
    for (status, kind, chat) in [
        ("200", "application/json", CHAT),
        ("200", "application/vnd.amazon.eventstream", stream),
        ("429", "application/json", CHAT),
    ] {
        let mut exchange = exchange();
        send(&mut exchange, chat).unwrap();
        let mut head = headers(&[(":status", status), ("content-type", kind)]);
        for name in said {
            head.add(name, "of-the-upstream");
        }
        head.add("date", "today");
        head.add("retry-after", "3");
        let body = if chat == stream {
            frames("{\"type\":\"message_start\",\"message\":{}}")
        } else {
            b"{}".to_vec()
        };
        let seen = answer(&mut exchange, head, &body, &[]);
        let known = [
            ":status",
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "retry-after",
            // The id that AWS gave the request.
            "x-request-id",
        ];
        let names = seen.headers.0.iter().map(|(name, _)| name.as_str());
        let others: Vec<_> = names.filter(|name| !known.contains(name)).collect();
        assert!(others.is_empty(), "{status} {kind}: {others:?}");
        assert_eq!(seen.headers.get_str("retry-after"), Some("3"));
        assert_eq!(
            seen.headers.get_str("x-request-id"),
            Some("of-the-upstream")
        );
    }
}

#[test]
fn an_error_without_a_body_says_when_to_retry_too() {
    let mut exchange = exchange();
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[
        (":status", "429"),
        ("x-amzn-requestid", "of-aws"),
        ("retry-after", "3"),
    ]);
    let Step::Reply(reply) = exchange.response_headers(head, true) else {
        panic!("no reply");
    };
    for (name, value) in [("retry-after", "3"), ("x-request-id", "of-aws")] {
        let mut own = reply.headers.iter().filter(|(own, _)| own == name);
        assert_eq!(own.next().unwrap().1, value);
        assert_eq!(own.next(), None);
    }
}

#[test]
fn a_request_that_envoy_has_no_memory_for_is_to_be_sent_again() {
    for status in ["500", "503"] {
        let mut exchange = exchange();
        let head = request("POST", "/v1/chat/completions");
        assert_eq!(exchange.request_headers(head, false), Step::Wait);
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, b"Internal Server Error", &[]);
        assert_eq!(seen.headers.get_str(":status"), Some("503"));
        assert_eq!(seen.headers.get_str("retry-after"), Some("2"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], "overloaded");
    }
}

#[test]
fn a_stream_has_no_limit() {
    let config = PLUGIN_CONFIG.replacen(
        "\"schema\"",
        "\"limits\":{\"max_response_bytes\":64},\"schema\"",
        1,
    );
    let mut exchange = Exchange::new(routes(&config));
    send(&mut exchange, CHAT_STREAM.as_bytes()).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    let word =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}"#;
    let start =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let words = format!("{word}\n").repeat(100);
    let events = format!(
        "{{\"type\":\"message_start\",\"message\":{{}}}}\n{start}\n{words}{end}\n{{\"type\":\"message_stop\"}}\n"
    );
    let seen = answer(&mut exchange, head, &frames(&events), &[10, 1000]);
    let text = String::from_utf8(seen.body).unwrap();
    assert_eq!(text.matches("word ").count(), 100, "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

/// Only with failover is there another attempt.
#[test]
fn a_profile_is_tried_with_failover_alone() {
    let config = json!({"channels": [{"name": "a", "region": "us-east-1", "cross_region": "off",
        "retry_with_inference_profile": true,
        "credentials": {"type": "bedrock_api_key", "api_key": "k"}}]});
    let mut exchange = Exchange::new(routes(&config.to_string()));
    let sent = send(&mut exchange, CHAT).unwrap();
    let path = sent.headers.get_str(":path").unwrap();
    assert!(path.starts_with("/model/anthropic."), "{path}");
    let head = headers(&[
        (":status", "400"),
        ("x-amzn-errortype", "ValidationException"),
    ]);
    let refusal = br#"{"message":"Invocation of model ID anthropic.claude-sonnet-4-5 with on-demand throughput isn't supported."}"#;
    let seen = answer(&mut exchange, head, refusal, &[]);
    assert_eq!(seen.headers.get_str(":status"), Some("502"));
    let text = String::from_utf8(seen.body).unwrap();
    assert!(text.contains("inference_profile_arn_map"), "{text}");
}

#[test]
fn an_answer_over_the_limit_becomes_an_error_at_once() {
    let config = PLUGIN_CONFIG.replacen(
        "\"schema\"",
        "\"limits\":{\"max_response_bytes\":64},\"schema\"",
        1,
    );
    let mut exchange = Exchange::new(routes(&config));
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(exchange.response_headers(head, false), Step::Wait);
    let mut unread = || panic!("must not be read");
    assert_eq!(exchange.response_body(64, false, &mut unread), Step::Wait);
    let step = exchange.response_body(65, false, &mut unread);
    assert_eq!(replied(step), (502, "response_too_large".to_owned()));
    assert!(exchange.is_done());
}

#[test]
fn an_error_before_the_upstream_ends_keeps_what_clients_need() {
    let mut exchange = exchange();
    let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    send(&mut exchange, body).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
        ("x-amzn-requestid", "r-1"),
        ("retry-after", "3"),
    ]);
    assert_eq!(exchange.response_headers(head, false), Step::Wait);
    let frame = frames("!throttlingException {\"message\":\"slow down\"}");
    let step = exchange.response_body(frame.len(), false, &mut || frame.clone());
    let Step::Reply(reply) = &step else {
        panic!("no reply: {step:?}");
    };
    let header = |name: &str| reply.headers.iter().find(|(own, _)| own == name);
    assert_eq!(header("retry-after").unwrap().1, "3");
    assert_eq!(header("x-request-id").unwrap().1, "r-1");
    assert_eq!(replied(step), (429, "rate_limit_exceeded".to_owned()));
}

#[test]
fn trailers_end_a_held_answer() {
    let mut exchange = exchange();
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(exchange.response_headers(head, false), Step::Wait);
    let body = br#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}"#;
    let step = exchange.response_trailers(body.len(), &mut || body.to_vec());
    assert!(matches!(step, Step::Edit(_)), "{step:?}");
}

#[test]
fn trailers_without_a_body_are_answered_for() {
    for kind in ["application/json", "application/vnd.amazon.eventstream"] {
        let mut exchange = exchange();
        let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        send(&mut exchange, body).unwrap();
        let head = headers(&[(":status", "200"), ("content-type", kind)]);
        assert_eq!(exchange.response_headers(head, false), Step::Wait);
        let step = exchange.response_trailers(0, &mut Vec::new);
        assert_eq!(replied(step), (502, "bad_gateway".to_owned()));
    }
}

#[test]
fn a_damaged_stream_ends_with_an_error_and_no_done() {
    let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    let events = "{\"type\":\"message_start\",\"message\":{}}\n{\"type\":\"message_stop\"}\n";
    let mut bytes = frames(events);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut exchange = exchange();
    send(&mut exchange, body).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    let seen = answer(&mut exchange, head, &bytes, &[]);
    let text = String::from_utf8(seen.body).unwrap();
    assert!(text.contains("\"code\":\"stream_error\""), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
}

proptest! {
    #[test]
    fn arbitrary_request_heads_never_panic(
        pairs in prop::collection::vec((":?[a-z-]{0,12}", prop::collection::vec(any::<u8>(), 0..20)), 0..12),
        end in any::<bool>(),
    ) {
        let mut exchange = exchange();
        exchange.request_headers(Headers(pairs), end);
    }

    #[test]
    fn arbitrary_bodies_and_answers_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        answer_body in prop::collection::vec(any::<u8>(), 1..200),
        status in "[0-9]{0,4}",
        stream in any::<bool>(),
    ) {
        let mut exchange_ = exchange();
        let _ = send(&mut exchange_, &body);
        let mut exchange_ = exchange();
        send(&mut exchange_, CHAT).unwrap();
        let kind = if stream { "application/vnd.amazon.eventstream" } else { "application/json" };
        let head = headers(&[(":status", &status), ("content-type", kind)]);
        answer(&mut exchange_, head, &answer_body, &[]);
    }
}

#[test]
fn messages_are_somebody_elses_unless_they_are_switched_on() {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    let step = |config: &Value| {
        let mut exchange = Exchange::new(routes(&config.to_string()));
        exchange.request_headers(request("POST", "/v1/messages"), false)
    };
    assert_eq!(step(&config), Step::Wait);
    config["anthropic_messages"] = json!(false);
    assert_eq!(step(&config), Step::Pass);
}

/// What became of a call that was answered with this.
fn end(status: &str, content_type: &str, body: &[u8]) -> Option<End> {
    let mut exchange = exchange();
    assert_eq!(exchange.outcome(), None);
    send(&mut exchange, CHAT).unwrap();
    let sent = exchange.outcome().unwrap();
    assert_eq!(
        (&*sent.channel, &*sent.model),
        ("golden", "claude-sonnet-4-5")
    );
    assert_eq!((sent.attempt, sent.started, &sent.end), (1, now(), &None));
    let head = headers(&[(":status", status), ("content-type", content_type)]);
    answer(&mut exchange, head, body, &[]);
    exchange.outcome().unwrap().end.clone()
}

#[test]
fn an_exchange_tells_what_became_of_its_call() {
    let whole = json!({
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 7},
    });
    let usage = Usage {
        input: 3,
        output: 5,
        cache_read: 7,
        ..Usage::default()
    };
    let reason = FinishReason::Length;
    assert_eq!(
        end("200", "application/json", whole.to_string().as_bytes()),
        Some(End::Answered {
            reason,
            usage,
            unknown_reason: None
        })
    );
    let code = |end: Option<End>| match end {
        Some(End::Failed(error)) => error.code,
        other => panic!("{other:?}"),
    };
    let refused = end("429", "application/json", b"{}");
    assert_eq!(code(refused), Some("rate_limit_exceeded"));
    let broken = end("200", "application/json", b"{}");
    assert_eq!(code(broken), Some("invalid_upstream_response"));
}

#[test]
fn an_exchange_tells_how_its_stream_ended() {
    const EVENTS: [&str; 3] = [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":12,"output_tokens":1}}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let run = |events: &[&str]| {
        let mut exchange = exchange();
        let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
        chat["stream"] = json!(true);
        send(&mut exchange, chat.to_string().as_bytes()).unwrap();
        let head = headers(&[
            (":status", "200"),
            ("content-type", "application/vnd.amazon.eventstream"),
        ]);
        answer(&mut exchange, head, &frames(&events.join("\n")), &[]);
        exchange.outcome().unwrap().end.clone().unwrap()
    };
    let usage = Usage {
        input: 12,
        output: 5,
        ..Usage::default()
    };
    let reason = FinishReason::Stop;
    let unknown_reason = None;
    assert_eq!(
        run(&EVENTS),
        End::Answered {
            reason,
            usage,
            unknown_reason
        }
    );
    assert!(matches!(run(&EVENTS[..2]), End::Failed(_)));
}

#[test]
fn a_reason_that_nobody_knows_is_told_once() {
    let told = |stop_reason: &str, stream: bool| {
        let mut exchange = exchange();
        let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
        chat["stream"] = json!(stream);
        send(&mut exchange, chat.to_string().as_bytes()).unwrap();
        let (content_type, body) = if stream {
            let delta = json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}});
            let events = format!("{delta}\n{}", json!({"type": "message_stop"}));
            ("application/vnd.amazon.eventstream", frames(&events))
        } else {
            let body = json!({"content": [], "stop_reason": stop_reason});
            ("application/json", body.to_string().into_bytes())
        };
        let head = headers(&[(":status", "200"), ("content-type", content_type)]);
        answer(&mut exchange, head, &body, &[]);
        let told = exchange.take_unknown_reason();
        let told = told.map(|(channel, reason)| format!("{channel} {reason}"));
        assert_eq!(exchange.take_unknown_reason(), None);
        told
    };
    for stream in [false, true] {
        assert_eq!(told("Bored", stream).as_deref(), Some("golden bored"));
        assert_eq!(told("no word.", stream).as_deref(), Some("golden other"));
        assert_eq!(told("end_turn", stream), None);
    }
}
