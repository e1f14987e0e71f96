//! Lengths of requests, and the ways in which a body can end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use e2e::{Channel, Reply, SharedStack, Stack, h2_post_with_trailers, run, simulator};
use futures::stream;
use http::HeaderMap;
use reqwest::{Body, Client};
use serde_json::json;

use crate::wire::last;

const LIMIT: usize = 64 * 1024;
/// Length of a long request.
const LONG: usize = 4 * 1024 * 1024;
const CHAT: &str = "/v1/chat/completions";

/// Accepts bodies up to [`LIMIT`].
static SMALL: SharedStack = SharedStack::new(|| Stack::builder().max_request_bytes(LIMIT));

/// A chat request of exactly this many bytes.
pub(crate) fn body_of(channel: &Channel, bytes: usize) -> Vec<u8> {
    let empty = channel.ask("").to_string().len();
    channel
        .ask(&"x".repeat(bytes - empty))
        .to_string()
        .into_bytes()
}

/// The body without a length, in pieces.
fn chunked(body: &[u8]) -> Body {
    let pieces: Vec<_> = body.chunks(10_000).map(Bytes::copy_from_slice).collect();
    Body::wrap_stream(stream::iter(
        pieces.into_iter().map(Ok::<_, std::io::Error>),
    ))
}

/// Linear memory of the filter's VMs, in bytes.
pub(crate) async fn memory(stack: &Stack) -> u64 {
    let name = "wasmcustom.bedrock_memory_bytes";
    let stats = stack
        .envoy
        // Envoy 1.36 counts per cluster, for the one on which it first created the VM.
        .admin_page(&format!("/stats?filter=^(cluster\\.[^.]*\\.)?{name}$"))
        .await;
    let value = stats
        .lines()
        .find_map(|line| line.split_once(": "))
        .map(|(_, value)| value);
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

#[test]
fn memory_taken_by_a_long_request_is_reused_by_later_ones() {
    run(async {
        let stack = Stack::builder().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let long = body_of(&channel, LONG);
        let send = async |body: &[u8]| {
            // Either worker may get it; both get their share.
            for _ in 0..4 {
                let reply = stack.envoy.chat_bytes(body.to_vec()).await;
                assert_eq!(reply.status, 200, "{reply:?}");
            }
            memory(&stack).await
        };
        let before = send(&body_of(&channel, 1024)).await;
        let grown = send(&long).await;
        // As received and as sent, and then the answer, which repeats it; in two workers.
        let share = 2 * 4 * LONG as u64;
        assert!(grown > before + 2 * LONG as u64, "{before}, {grown}");
        assert!(grown < before + share, "{before}, {grown}");
        for eighths in [5, 8, 2, 6, 8, 1, 3] {
            send(&body_of(&channel, LONG / 8 * eighths)).await;
        }
        let after = memory(&stack).await;
        assert!(after < before + share, "{before}, {grown}, {after}");
    });
}

#[test]
fn long_texts_and_images_arrive_unchanged() {
    run(async {
        let stack = Stack::builder().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let image =
            |byte: u8| STANDARD.encode([&b"\x89PNG\r\n\x1a\n"[..], &[byte; 600_000]].concat());
        let (first, second, text) = (image(1), image(2), "\\ long\n".repeat(40_000));
        let part = |data: &str| {
            let url = format!("data:image/png;base64,{data}");
            json!({"type": "image_url", "image_url": {"url": url}})
        };
        let mut body = channel.ask("");
        body["messages"][0]["content"] = json!([
            part(&first),
            {"type": "text", "text": text},
            {"type": "text", "text": "and"},
            part(&second),
        ]);
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 200, "{}", reply.status);
        let request = last(&bedrock);
        assert!(request.was_valid(), "{:?}", request.verdict);
        let length = request.header("content-length").unwrap();
        assert_eq!(length, request.body_bytes.to_string());
        let sent = &request.body.unwrap()["messages"][0]["content"];
        assert!(
            sent[0]["source"]["data"] == first,
            "the first image differs"
        );
        assert!(sent[1]["text"] == text, "the text differs");
        assert_eq!(sent[2]["text"], "and");
        assert!(
            sent[3]["source"]["data"] == second,
            "the second image differs"
        );
    });
}

/// Sends the body in all four ways: with and without a length, over HTTP/1.1 and HTTP/2.
async fn send_all_ways(stack: &Stack, body: &[u8]) -> Vec<Reply> {
    let url = format!("{}{CHAT}", stack.envoy.url());
    let mut replies = Vec::new();
    for client in [Client::builder(), Client::builder().http2_prior_knowledge()] {
        let client = client.build().unwrap();
        for body in [Body::from(body.to_vec()), chunked(body)] {
            replies.push(stack.envoy.send(client.post(&url).body(body)).await);
        }
    }
    replies
}

#[test]
fn a_body_of_exactly_the_limit_is_served() {
    run(async {
        let (stack, bedrock) = (SMALL.get().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for reply in send_all_ways(&stack, &body_of(&channel, LIMIT)).await {
            assert!(reply.text_of_answer().ends_with("xxx"));
        }
        assert_eq!(bedrock.requests().len(), 4);
    });
}

#[test]
fn a_body_over_the_limit_is_a_json_413() {
    run(async {
        let (stack, bedrock) = (SMALL.get().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for bytes in [LIMIT + 1, 4 * LIMIT] {
            for reply in send_all_ways(&stack, &body_of(&channel, bytes)).await {
                let message = reply.error(413, "invalid_request_error", "request_too_large");
                assert!(message.contains("65536"), "{message}");
            }
        }
        assert_eq!(bedrock.requests(), []);
    });
}

#[test]
fn trailers_end_a_body() {
    run(async {
        let (stack, bedrock) = (SMALL.get().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", "1".parse().unwrap());
        trailers.insert(
            "x-bytes",
            http::HeaderValue::from_bytes(b"\xff\xfe").unwrap(),
        );
        let send = async |body: &[u8]| {
            let pieces = body.chunks(10_000).map(Bytes::copy_from_slice).collect();
            h2_post_with_trailers(stack.envoy.port(), CHAT, pieces, trailers.clone()).await
        };
        let (status, text) = send(&body_of(&channel, 30_000)).await;
        assert_eq!(status, 200, "{text}");
        let request = last(&bedrock);
        assert!(request.was_valid(), "{request:?}");
        assert!(request.header("x-checksum").is_none());
        let (status, text) = send(&body_of(&channel, LIMIT + 1)).await;
        assert_eq!(status, 413, "{text}");
        let (status, text) = send(b"").await;
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("invalid_request_error"), "{text}");
    });
}

#[test]
fn twenty_megabytes_fit_into_the_default_limit() {
    run(async {
        // Not the shared stack: the translation keeps a worker busy.
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let mut body = channel.ask(&"x".repeat(20_000_000));
        // The simulator would send it all back.
        body["max_tokens"] = 2.into();
        let body = body.to_string();
        let url = format!("{}{CHAT}", stack.envoy.url());
        let h2 = Client::builder().http2_prior_knowledge().build().unwrap();
        for request in [
            Client::new().post(&url).body(body.clone()),
            h2.post(&url).body(chunked(body.as_bytes())),
        ] {
            let reply = stack.envoy.send(request).await;
            assert_eq!(reply.text_of_answer(), "You said:");
            assert!(last(&bedrock).body_bytes > 20_000_000);
        }
        let reply = stack.envoy.chat_bytes(vec![b'x'; 33 * 1024 * 1024]).await;
        reply.error(413, "invalid_request_error", "request_too_large");
    });
}

#[test]
fn a_client_that_stops_sending_holds_its_memory_for_a_while_only() {
    run(async {
        let stack = Stack::builder().stall_seconds(2).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n\
                    content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        let answer = e2e::h1_exchange(stack.envoy.port(), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("request_timeout"), "{answer}");
        assert_eq!(bedrock.requests(), []);
        // A model that is silent for longer is waited for.
        let pace = bedrock_simulator::Pace {
            before_headers_ms: 5000,
            ..bedrock_simulator::Pace::default()
        };
        bedrock.inject(bedrock_simulator::Fault::paced(pace));
        assert_eq!(stack.envoy.chat(&channel.ask("Hi")).await.status, 200);
    });
}
