//! Signs of life for clients of models that think for long.
//!
//! The upstream stays silent until a test lets it go on, so that nothing here depends on how long anything takes.

use e2e::{RawUpstream, Reply, SharedStack, Stack, run, simulator};
use reqwest::Response;
use serde_json::{Value, json};

/// Envoys that give a sign every second.
static PLAIN: SharedStack =
    SharedStack::new(|| Stack::builder().argument("--stream-keep-alive-seconds=1"));

/// The same with the filter on clusters.
static FAILOVER: SharedStack = SharedStack::new(|| {
    let builder = Stack::builder().failover(3);
    builder.argument("--stream-keep-alive-seconds=1")
});

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

const COMMENT: &str = ": keep-alive\n\n";
const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// A request for a thought and an answer.
fn ask(path: &str, model: &str) -> Value {
    let mut body = json!({"model": model, "stream": true});
    let asked = json!([{"role": "user", "content": "Hi"}]);
    if path == RESPONSES {
        body["input"] = asked;
        body["reasoning"] = json!({"effort": "low"});
    } else {
        body["messages"] = asked;
        body["max_tokens"] = json!(4096);
        body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    }
    body
}

/// How long the head of an answer is, and the head with the first event.
fn ends(bytes: &[u8]) -> (usize, usize) {
    let find = |needle: &[u8], from: usize| {
        let mut windows = bytes[from..].windows(needle.len());
        from + windows.position(|own| own == needle).expect("it is there") + needle.len()
    };
    let head = find(b"\r\n\r\n", 0);
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    assert!(text.contains("transfer-encoding: chunked"), "{text}");
    let size = find(b"\r\n", head);
    let digits = std::str::from_utf8(&bytes[head..size - 2]).expect("a size");
    let length = usize::from_str_radix(digits, 16).expect("a size");
    (head, size + length + 2)
}

/// Reads on until something is there; what was read.
async fn read_until(response: &mut Response, sign: &str) -> String {
    let mut text = String::new();
    while !text.contains(sign) {
        let piece = response.chunk().await.expect("no break");
        let piece = piece.unwrap_or_else(|| panic!("the end, without {sign:?}: {text}"));
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    text
}

/// What differs between two answers of one model, taken out.
fn without_signs(text: &str) -> String {
    text.replace(COMMENT, "").replace(PING, "")
}

/// Texts of an answer, in their order.
fn said(path: &str, text: &str) -> String {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let place = match path {
        CHAT => "/choices/0/delta/content",
        RESPONSES => "/delta",
        _ => "/delta/text",
    };
    let texts = events.filter_map(|event| Some(event.pointer(place)?.as_str()?.to_owned()));
    texts.collect()
}

async fn check(stack: &Stack, path: &str) {
    let bedrock = simulator().await;
    let upstream = RawUpstream::before(bedrock.addr()).await;
    let endpoint = json!({"endpoint": upstream.url()});
    let channel = stack.channel_with(&bedrock, &endpoint).await;
    let body = ask(path, &channel.model);
    let url = format!("{}{path}", stack.envoy.url());
    let client = reqwest::Client::new();
    let send = async || {
        client
            .post(&url)
            .json(&body)
            .send()
            .await
            .expect("an answer")
    };
    upstream.heard();
    let whole = Reply::read(send().await).await;
    assert_eq!(whole.status, 200, "{whole:?}");
    let honest = upstream.heard();
    let (head, first) = ends(&honest);
    let expected = said(path, &without_signs(&whole.text));
    assert!(!expected.is_empty(), "{whole:?}");

    // Before the first event only the head can go out.
    let rest = upstream.say_in_halves(&honest[..head], &honest[head..]);
    let response = send().await;
    assert_eq!(response.status(), 200, "{path}");
    rest.follow();
    let reply = Reply::read(response).await;
    assert_eq!(said(path, &without_signs(&reply.text)), expected, "{path}");

    // Half an event is held, and does not get lost.
    let half = head + (first - head) / 2;
    let rest = upstream.say_in_halves(&honest[..half], &honest[half..]);
    let mut response = send().await;
    let begun = read_until(&mut response, COMMENT).await;
    assert_eq!(begun.replace(COMMENT, ""), "", "{path}");
    rest.follow();
    let reply = Reply::read(response).await;
    assert_eq!(said(path, &without_signs(&reply.text)), expected, "{path}");

    // After it there are signs, again and again.
    let sign = if path == MESSAGES { PING } else { COMMENT };
    let rest = upstream.say_in_halves(&honest[..first], &honest[first..]);
    let mut response = send().await;
    let mut begun = read_until(&mut response, "data: ").await;
    for _ in 0..2 {
        begun += &read_until(&mut response, sign).await;
    }
    rest.follow();
    let reply = Reply::read(response).await;
    assert!(!reply.is_cut, "{reply:?}");
    let all = without_signs(&(begun + &reply.text));
    assert_eq!(said(path, &all), expected, "{path}");
    let end = match path {
        CHAT => "data: [DONE]\n\n",
        RESPONSES => "event: response.completed\n",
        _ => "event: message_stop\n",
    };
    assert!(all.contains(end), "{path}: {all}");

    // An answer that ends in the middle of its silence.
    let rest = upstream.say_in_halves(&honest[..first], b"0\r\n\r\n");
    let mut response = send().await;
    read_until(&mut response, "data: ").await;
    read_until(&mut response, sign).await;
    rest.follow();
    let reply = Reply::read(response).await;
    assert!(!reply.is_cut, "{reply:?}");
    assert!(reply.text.contains("before its end"), "{path}: {reply:?}");
}

#[test]
fn a_client_of_a_silent_model_gets_signs_of_life() {
    run(async {
        let stack = PLAIN.get().await;
        for path in [CHAT, RESPONSES, MESSAGES] {
            check(&stack, path).await;
        }
    });
}

#[test]
fn so_it_does_with_failover() {
    run(async {
        let stack = FAILOVER.get().await;
        for path in [CHAT, RESPONSES, MESSAGES] {
            check(&stack, path).await;
        }
    });
}

#[test]
fn an_exception_after_a_sign_of_life_is_an_error_event() {
    run(async {
        for stack in [PLAIN.get().await, FAILOVER.get().await] {
            let bedrock = simulator().await;
            let upstream = RawUpstream::before(bedrock.addr()).await;
            let endpoint = json!({"endpoint": upstream.url()});
            let channel = stack.channel_with(&bedrock, &endpoint).await;
            let body = ask(CHAT, &channel.model);
            upstream.heard();
            bedrock.inject(bedrock_simulator::Fault::exception(
                1,
                "throttlingException",
                "Slow down.",
            ));
            stack.envoy.chat(&body).await;
            let broken = upstream.heard();
            let (_, first) = ends(&broken);
            let rest = upstream.say_in_halves(&broken[..first], &broken[first..]);
            let mut response = stack
                .envoy
                .chat_request(&body)
                .send()
                .await
                .expect("a head");
            read_until(&mut response, COMMENT).await;
            rest.follow();
            let reply = Reply::read(response).await;
            assert!(reply.text.contains("rate_limit_exceeded"), "{reply:?}");
            assert!(!reply.text.contains("[DONE]"), "{reply:?}");
        }
    });
}
