//! Requests that are malformed, odd or meant to harm: each gets an answer, and the next one too.

use e2e::{Channel, Stack, h1_exchange, run, shared, simulator};
use reqwest::Method;
use serde_json::json;

use crate::wire::last;

const CHAT: &str = "/v1/chat/completions";

/// Sends a chat over a raw connection, with additional header lines.
async fn raw_chat(stack: &Stack, channel: &Channel, lines: &[&[u8]]) -> String {
    let body = channel.ask("Hi").to_string();
    let mut request = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    )
    .into_bytes();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body.as_bytes());
    h1_exchange(stack.envoy.port(), &request).await
}

/// Checks that the filter still serves on every worker, and that none of its VMs had to be
/// replaced.
async fn check_alive(stack: &Stack, channel: &Channel) {
    stack.wait_served(&channel.model).await;
    stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
    let log = stack.envoy.log();
    for sign in ["panicked", "proxy_on_", "wasm_fail_stream"] {
        assert!(!log.contains(sign), "Envoy's log contains {sign}");
    }
}

#[test]
fn bodies_that_are_not_chat_requests_are_400() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let message = json!([{"role": "user", "content": "a"}]);
        for (body, code) in [
            (b"{".to_vec(), json!("invalid_json")),
            (b"[]".to_vec(), json!("invalid_json")),
            (b"\"text\"".to_vec(), json!("invalid_json")),
            (b"{\"model\": \"m\xff\"}".to_vec(), json!("invalid_json")),
            (vec![b'['; 100_000], json!("invalid_json")),
            (b"\0\0\0\0".to_vec(), json!("invalid_json")),
            (b"{}".to_vec(), json!("missing_required_parameter")),
            (
                json!({"model": channel.model}).to_string().into(),
                json!("missing_required_parameter"),
            ),
            (
                json!({"model": 5, "messages": message}).to_string().into(),
                json!("invalid_value"),
            ),
            (
                json!({"model": channel.model, "messages": []})
                    .to_string()
                    .into(),
                json!("invalid_value"),
            ),
        ] {
            let case = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let reply = stack.envoy.chat_bytes(body).await;
            assert_eq!(reply.status, 400, "{case}: {reply:?}");
            let error = reply.json()["error"].clone();
            assert_eq!(error["type"], "invalid_request_error", "{case}: {error}");
            assert_eq!(error["code"], code, "{case}: {error}");
        }
        assert_eq!(bedrock.requests(), []);
        check_alive(&stack, &channel).await;
    });
}

/// Clients keep connections, and one that closes may take the next request with it.
#[test]
fn a_connection_outlives_a_400_about_a_body() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let post = |body: &str, lines: &str| {
            let length = body.len();
            format!(
                "POST {CHAT} HTTP/1.1\r\nhost: gateway\r\n{lines}content-length: {length}\r\n\r\n{body}"
            )
        };
        let good = post(&channel.ask("Hi").to_string(), "connection: close\r\n");
        for bad in [
            "{".to_owned(),
            format!("{{\"model\": \"{}", "m".repeat(100_000)),
        ] {
            let both = post(&bad, "") + &good;
            let answers = h1_exchange(stack.envoy.port(), both.as_bytes()).await;
            assert!(answers.starts_with("HTTP/1.1 400"), "{answers}");
            assert!(answers.contains("}HTTP/1.1 200"), "{answers}");
        }
        check_alive(&stack, &channel).await;
    });
}

#[test]
fn an_empty_body_is_400_and_other_methods_are_405() {
    run(async {
        let stack = shared().await;
        let empty = stack.envoy.request(Method::POST, CHAT);
        let reply = stack.envoy.send(empty).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        for method in [
            Method::GET,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
        ] {
            let request = stack.envoy.request(method, CHAT).body("{}");
            let reply = stack.envoy.send(request).await;
            reply.error(405, "invalid_request_error", "method_not_allowed");
            assert_eq!(reply.header("allow"), "POST", "{reply:?}");
        }
        let head = stack
            .envoy
            .send(stack.envoy.request(Method::HEAD, CHAT))
            .await;
        assert_eq!((head.status, head.text.as_str()), (405, ""));
        let post = stack.envoy.request(Method::POST, "/v1/models").body("{}");
        let reply = stack.envoy.send(post).await;
        reply.error(405, "invalid_request_error", "method_not_allowed");
        assert_eq!(reply.header("allow"), "GET", "{reply:?}");
    });
}

#[test]
fn header_values_that_are_not_utf8_do_no_harm() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for line in [
            b"expect: \xff".as_slice(),
            b"authorization: Bearer \xff\xfe",
            b"x-custom: \xc3\x28",
            b"cookie: \xff=\xff",
            b"content-type: \xff",
            b"accept: \xff",
            b"x-request-id: \xff",
            b"user-agent: \xff",
        ] {
            let answer = raw_chat(&stack, &channel, &[line]).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{line:?}: {answer}");
        }
        let answer = raw_chat(&stack, &channel, &[b"content-encoding: \xff"]).await;
        assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
        check_alive(&stack, &channel).await;
    });
}

#[test]
fn a_path_that_is_not_utf8_is_refused() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for path in [
            b"/v1/chat/completions\xff".as_slice(),
            b"/\xff",
            b"/v1/models/\xff",
            b"/v1/models/%ff",
        ] {
            let mut request = b"GET ".to_vec();
            request.extend_from_slice(path);
            request.extend_from_slice(b" HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
            let answer = h1_exchange(stack.envoy.port(), &request).await;
            assert!(answer.starts_with("HTTP/1.1 40"), "{path:?}: {answer}");
            assert!(answer.contains("\"error\""), "{path:?}: {answer}");
        }
        check_alive(&stack, &channel).await;
    });
}

#[test]
fn many_headers_are_fine_and_too_many_are_refused() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for (count, status) in [(80, 200), (500, 431)] {
            let mut request = stack.envoy.chat_request(&channel.ask("Hi"));
            for number in 0..count {
                request = request.header(format!("x-many-{number}"), "value");
            }
            let reply = stack.envoy.send(request).await;
            assert_eq!(reply.status, status, "{reply:?}");
            assert!(reply.json().is_object());
        }
        let request = stack.envoy.chat_request(&channel.ask("Hi"));
        let reply = stack
            .envoy
            .send(request.header("x-long", "v".repeat(50_000)))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(bedrock.requests().len(), 2);
        check_alive(&stack, &channel).await;
    });
}

#[test]
fn a_chunked_request_without_a_length_is_served() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let body = channel.ask("Hi").to_string();
        let mut request = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        for byte in body.chars() {
            request.push_str(&format!("1\r\n{byte}\r\n"));
        }
        request.push_str("0\r\n\r\n");
        let answer = h1_exchange(stack.envoy.port(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let request = last(&bedrock);
        assert_eq!(request.header("transfer-encoding"), None);
        assert_eq!(
            request.header("content-length"),
            Some(request.body_bytes.to_string().as_str())
        );
    });
}

#[test]
fn a_broken_chunk_and_a_wrong_path_are_reported_as_the_clients_fault() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let request = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{{\"mod\r\nno length\r\n"
        );
        let answer = h1_exchange(stack.envoy.port(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("\"invalid_request\""), "{answer}");
        assert!(!answer.contains("Bedrock"), "{answer}");
        for path in [&format!("{CHAT}/chatcmpl-1"), "/v1/model"] {
            for method in [Method::GET, Method::POST] {
                let request = stack.envoy.request(method, path).body("{}");
                let reply = stack.envoy.send(request).await;
                reply.error(404, "invalid_request_error", "not_found");
            }
        }
        assert_eq!(bedrock.requests(), []);
        check_alive(&stack, &channel).await;
    });
}

#[test]
fn a_client_that_waits_for_100_continue_is_served() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let answer = raw_chat(&stack, &channel, &[b"expect: 100-continue"]).await;
        assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
        assert!(answer.contains("HTTP/1.1 200"), "{answer}");
        assert_eq!(last(&bedrock).header("expect"), None);
    });
}

#[test]
fn a_compressed_body_is_415() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let request = stack.envoy.chat_request(&channel.ask("Hi"));
        let reply = stack
            .envoy
            .send(request.header("content-encoding", "gzip"))
            .await;
        reply.error(415, "invalid_request_error", "unsupported_content_encoding");
        assert_eq!(bedrock.requests(), []);
    });
}

#[test]
fn a_translation_of_any_length_is_exactly_one_request() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        // One connection for all of them, on which surplus bytes of one would be the start of
        // the next.
        let client = reqwest::Client::new();
        let url = format!("{}{CHAT}", stack.envoy.url());
        // Shorter and longer than the client's body.
        for (count, text) in ["", "\"", "\n\n\n\n", "\u{1}\u{1}", "GET / HTTP/1.1\r\n\r\n"]
            .iter()
            .cycle()
            .take(30)
            .enumerate()
        {
            let text = format!("{}{text}", "y".repeat(count * 37));
            let spaces = " ".repeat(count * 53);
            let body = format!("{spaces}{}{spaces}", channel.ask(&format!("a{text}")));
            let reply = stack.envoy.send(client.post(&url).body(body)).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        let requests = bedrock.requests();
        assert_eq!(requests.len(), 30);
        assert!(requests.iter().all(was_valid), "{requests:?}");
    });
}

fn was_valid(request: &bedrock_simulator::Recorded) -> bool {
    request.was_valid()
}

#[test]
fn old_http_and_upgrades_get_an_error_in_openais_format() {
    run(async {
        let stack = shared().await;
        let websocket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for (request, status, code) in [
            (
                format!("POST {CHAT} HTTP/1.0\r\nhost: gateway\r\ncontent-length: 2\r\n\r\n{{}}"),
                426,
                "http_version_not_supported",
            ),
            (
                format!("GET {CHAT} HTTP/1.1\r\nhost: gateway\r\n{websocket}\r\n"),
                400,
                "upgrade_not_supported",
            ),
            (
                format!("GET /v1/realtime HTTP/1.1\r\nhost: gateway\r\n{websocket}\r\n"),
                400,
                "upgrade_not_supported",
            ),
        ] {
            let answer = h1_exchange(stack.envoy.port(), request.as_bytes()).await;
            let (head, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(head.contains("content-type: application/json"), "{answer}");
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            let error = &body["error"];
            assert_eq!(error["type"], "invalid_request_error", "{answer}");
            assert_eq!(error["code"], code, "{answer}");
            assert!(error["message"].is_string(), "{answer}");
            assert!(error.get("param").is_some(), "{answer}");
        }
    });
}

#[test]
fn what_envoy_refuses_before_the_filter_has_anthropics_shape_on_its_paths() {
    run(async {
        let stack = shared().await;
        for path in [
            "/v1/messages?beta=true",
            "/v1/messages/count_tokens",
            // Below prefixes, of which Envoy knows nothing.
            "/anthropic/v1/messages",
            "/messages/",
        ] {
            let request = format!("POST {path} HTTP/1.1\r\ncontent-length: 2\r\n\r\n{{}}");
            let answer = h1_exchange(stack.envoy.port(), request.as_bytes()).await;
            let (head, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
            assert!(head.starts_with("HTTP/1.1 400 "), "{answer}");
            assert!(head.contains("content-type: application/json"), "{answer}");
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(body["type"], "error", "{answer}");
            assert_eq!(body["error"]["type"], "invalid_request_error", "{answer}");
            assert!(body["error"]["message"].is_string(), "{answer}");
        }
    });
}
