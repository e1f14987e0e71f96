//! Upstreams that answer with anything: no answer makes the client hang, leaks, or passes for a complete one.

use bedrock_simulator::Simulator;
use e2e::{
    Channel, RawUpstream, Reply, SharedStack, Stack, UpstreamEnd, eventually, run, simulator,
};
use serde_json::{Value, json};

const TEXT: &str = "A few words";

/// An Envoy for these tests only, because what they do to it must not affect others.
static ALONE: SharedStack = SharedStack::new(Stack::builder);

/// A plain answer in Claude's format.
fn answer() -> String {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    })
    .to_string()
}

/// The status line and headers of an answer, with the blank line.
fn head(status: &str, lines: &[&str]) -> Vec<u8> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{lines}\r\n").into_bytes()
}

/// A complete answer with a length.
fn whole(status: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("content-length: {}", body.len());
    let lines: Vec<_> = lines.iter().copied().chain([length.as_str()]).collect();
    [head(status, &lines), body.to_vec()].concat()
}

const JSON: &str = "content-type: application/json";
const EVENTS: &str = "content-type: application/vnd.amazon.eventstream";

/// An upstream with a channel, and the simulator behind it.
async fn upstream(stack: &Stack) -> (RawUpstream, Channel, Simulator) {
    let bedrock = simulator().await;
    let upstream = RawUpstream::before(bedrock.addr()).await;
    let endpoint = json!({"endpoint": upstream.url()});
    let channel = stack.channel_with(&bedrock, &endpoint).await;
    (upstream, channel, bedrock)
}

/// What the client gets; `None` if its connection ends before an answer starts.
async fn ask(stack: &Stack, body: &Value) -> Option<Reply> {
    let sent = stack.envoy.chat_request(body).send().await;
    match sent {
        Ok(response) => Some(Reply::read(response).await),
        Err(error) if error.is_timeout() => panic!("it hangs: {error:?}"),
        Err(_) => None,
    }
}

/// Checks for an error in OpenAI's format whose message reveals nothing from the upstream.
#[track_caller]
fn check_error(reply: &Reply, what: &str) {
    assert!([502, 503].contains(&reply.status), "{what}: {reply:?}");
    assert_eq!(
        reply.header("content-type"),
        "application/json",
        "{what}: {reply:?}"
    );
    let error = &reply.json()["error"];
    assert!(
        error["message"].is_string() && error["code"].is_string(),
        "{what}: {reply:?}"
    );
    assert!(!reply.text.contains("hush"), "{what}: {reply:?}");
}

/// No call to the upstream is left open, and none crashed a VM.
async fn check_calm(stack: &Stack, upstream: &RawUpstream) {
    let cluster = format!("cluster.bedrock|http|127_0_0_1|{}.", upstream.port());
    eventually("no call is open", async || {
        let stats = stack.envoy.admin_page("/stats?filter=rq_active$").await;
        let mut own = stats.lines().filter(|line| line.starts_with(&cluster));
        let (first, rest) = (own.next()?, own);
        let is_over = |line: &str| line.ends_with(": 0");
        (is_over(first) && rest.into_iter().all(is_over)).then_some(())
    })
    .await;
    let reloads = stack.envoy.admin_page("/stats?filter=vm_reload").await;
    assert!(
        reloads.lines().all(|line| line.ends_with(": 0")),
        "{reloads}"
    );
}

/// What an honest upstream sends, as bytes.
async fn honest(stack: &Stack, upstream: &RawUpstream, body: &Value) -> Vec<u8> {
    upstream.heard();
    let reply = stack.envoy.chat(body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    upstream.heard()
}

#[test]
fn an_answer_that_is_cut_anywhere_is_never_complete() {
    run(async {
        let stack = ALONE.get().await;
        let (upstream, channel, _bedrock) = upstream(&stack).await;
        let plain = channel.ask(TEXT);
        let stream = channel.ask_stream(TEXT);
        let answers = [
            honest(&stack, &upstream, &plain).await,
            honest(&stack, &upstream, &stream).await,
        ];
        for (body, answer) in [&plain, &stream].into_iter().zip(answers) {
            for end in [UpstreamEnd::Closed, UpstreamEnd::Reset] {
                // The last bytes one by one, because a careless reader might do without them. Fewer for
                // streams, because Envoy keeps a connection that it cuts open for another second.
                let step = if body == &plain { 13 } else { 199 };
                let cuts = (0..answer.len()).step_by(step);
                for cut in cuts.chain(answer.len().saturating_sub(8)..answer.len()) {
                    let what = format!("{cut} of {} bytes, {end:?}", answer.len());
                    upstream.say(&answer[..cut], end);
                    let Some(reply) = ask(&stack, body).await else {
                        continue;
                    };
                    if reply.status != 200 {
                        check_error(&reply, &what);
                        continue;
                    }
                    let is_told = reply.is_cut || reply.text.contains("\"error\"");
                    assert_eq!(body, &stream, "{what}: {reply:?}");
                    // An answer with all its words may lack only its end.
                    let is_complete = reply.is_done() && cut + 8 >= answer.len();
                    assert!(is_told || is_complete, "{what}: {reply:?}");
                }
            }
        }
        check_calm(&stack, &upstream).await;
    });
}

#[test]
fn informational_answers_precede_the_answer_and_are_ignored() {
    run(async {
        let stack = ALONE.get().await;
        let (upstream, channel, _bedrock) = upstream(&stack).await;
        for before in [
            head("100 Continue", &[]),
            head("102 Processing", &[]),
            head(
                "103 Early Hints",
                &["link: </hush>; rel=preload", "set-cookie: hush"],
            ),
            head("103 Early Hints", &[]).repeat(50),
        ] {
            let answer = whole("200 OK", &[JSON], answer().as_bytes());
            upstream.say([before.clone(), answer].concat(), UpstreamEnd::Closed);
            let what = String::from_utf8_lossy(&before).into_owned();
            let reply = ask(&stack, &channel.ask(TEXT)).await.expect("an answer");
            assert_eq!(reply.text_of_answer(), "Hello", "{what}: {reply:?}");
            assert!(!format!("{reply:?}").contains("hush"), "{what}: {reply:?}");
        }
        check_calm(&stack, &upstream).await;
    });
}

/// Answers that violate HTTP, or that do not come from Bedrock.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let good = answer();
    let good = good.as_bytes();
    let (long, many) = (
        format!("x-hush: {}", "h".repeat(200_000)),
        "x-hush: 1\r\n".repeat(2000),
    );
    let chunk = |size: &str, rest: &str| {
        let head = head("200 OK", &[JSON, "transfer-encoding: chunked"]);
        [head, format!("{size}\r\n{rest}").into_bytes()].concat()
    };
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03hush-hush-hush\0\0";
    vec![
        ("nothing", Vec::new()),
        ("no HTTP", b"hush hush hush\r\n\r\n".to_vec()),
        ("TLS", b"\x15\x03\x03\0\x02\x02\x28".to_vec()),
        ("HTTP/2", b"\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("no status", b"HTTP/1.1 hush\r\n\r\n".to_vec()),
        ("status 1000", whole("1000 Hush", &[JSON], good)),
        (
            "another protocol",
            head(
                "101 Switching Protocols",
                &["upgrade: hush", "connection: upgrade"],
            ),
        ),
        ("only hints", head("103 Early Hints", &["link: hush"])),
        (
            "headers that are too long",
            whole("200 OK", &[JSON, &long], good),
        ),
        (
            "too many headers",
            [
                b"HTTP/1.1 200 OK\r\n".to_vec(),
                many.into_bytes(),
                b"\r\n".to_vec(),
            ]
            .concat(),
        ),
        (
            "a header without a name",
            whole("200 OK", &[": hush"], good),
        ),
        (
            "a header with a zero byte",
            whole("200 OK", &["x-hush: a\0b"], good),
        ),
        (
            "two lengths",
            whole("200 OK", &[JSON, "content-length: 3"], good),
        ),
        (
            "a negative length",
            [head("200 OK", &[JSON, "content-length: -1"]), good.to_vec()].concat(),
        ),
        (
            "chunks and a length",
            whole("200 OK", &[JSON, "transfer-encoding: chunked"], good),
        ),
        (
            "an unknown transfer encoding",
            whole("200 OK", &[JSON, "transfer-encoding: hush"], good),
        ),
        ("a chunk size that is not a number", chunk("hush", "")),
        (
            "a chunk without an end",
            chunk("ffffffffffffffff", "{\"hush\":1}"),
        ),
        (
            "a size that overflows",
            chunk("10000000000000000", "{\"hush\":1}"),
        ),
        (
            "a chunk that is longer than it says",
            chunk("2", "{\"hush\":1}\r\n0\r\n\r\n"),
        ),
        ("chunks without the last", chunk("2", "{}\r\n")),
        ("no content", head("204 No Content", &[])),
        ("not modified", head("304 Not Modified", &[])),
        ("an empty answer", whole("200 OK", &[JSON], b"")),
        (
            "compressed",
            whole("200 OK", &[JSON, "content-encoding: gzip"], gzip),
        ),
        (
            "half of the JSON",
            whole("200 OK", &[JSON], &good[..good.len() / 2]),
        ),
        (
            "no JSON until the end",
            [
                head("200 OK", &[JSON, "connection: close"]),
                good[..20].to_vec(),
            ]
            .concat(),
        ),
        (
            "a page",
            whole("200 OK", &["content-type: text/html"], b"<html>hush</html>"),
        ),
        ("an empty frame", whole("200 OK", &[EVENTS], &[0; 16])),
        ("a frame of 4 GiB", whole("200 OK", &[EVENTS], &[0xff; 64])),
        (
            "half a frame header",
            whole("200 OK", &[EVENTS], &[0, 0, 0, 99, 0, 0]),
        ),
        (
            "compressed events",
            whole("200 OK", &[EVENTS, "content-encoding: gzip"], gzip),
        ),
    ]
}

#[test]
fn nonsensical_answers_become_errors_in_openais_format() {
    run(async {
        let stack = ALONE.get().await;
        let (upstream, channel, _bedrock) = upstream(&stack).await;
        for (what, answer) in nonsense() {
            for end in [UpstreamEnd::Closed, UpstreamEnd::Reset] {
                upstream.say(answer.clone(), end);
                for body in [channel.ask(TEXT), channel.ask_stream(TEXT)] {
                    let reply = ask(&stack, &body).await.expect(what);
                    check_error(&reply, what);
                }
            }
        }
        check_calm(&stack, &upstream).await;
    });
}

#[test]
fn what_follows_an_answer_does_not_reach_the_client() {
    run(async {
        let stack = ALONE.get().await;
        let (upstream, channel, _bedrock) = upstream(&stack).await;
        let good = whole("200 OK", &[JSON], answer().as_bytes());
        let chunked = {
            let head = head("200 OK", &[JSON, "transfer-encoding: chunked"]);
            let body = answer();
            let chunks = format!(
                "{:x}\r\n{body}\r\n0\r\nx-hush: trailer\r\nset-cookie: hush\r\n\r\n",
                body.len()
            );
            [head, chunks.into_bytes()].concat()
        };
        let second = whole(
            "200 OK",
            &[JSON],
            answer().replace("Hello", "hush").as_bytes(),
        );
        for (what, answer) in [
            ("another answer", [good.clone(), second.clone()].concat()),
            ("rubbish", [good.clone(), b"hush".to_vec()].concat()),
            ("trailers", chunked.clone()),
            ("an answer after trailers", [chunked, second].concat()),
        ] {
            // The next request may use the same connection.
            upstream.say(answer, UpstreamEnd::Stays);
            for _ in 0..8 {
                let reply = ask(&stack, &channel.ask(TEXT)).await.expect("an answer");
                assert_eq!(reply.text_of_answer(), "Hello", "{what}: {reply:?}");
                assert!(!format!("{reply:?}").contains("hush"), "{what}: {reply:?}");
            }
        }
        check_calm(&stack, &upstream).await;
    });
}

#[test]
fn a_client_that_disconnects_at_any_time_leaves_nothing_behind() {
    run(async {
        let stack = ALONE.get().await;
        let (upstream, channel, _bedrock) = upstream(&stack).await;
        let stream = channel.ask_stream(TEXT);
        let answer = honest(&stack, &upstream, &stream).await;
        for cut in (0..answer.len()).step_by(41) {
            // There the upstream goes silent, and the client gives up.
            upstream.say(&answer[..cut], UpstreamEnd::Stays);
            let request = stack.envoy.chat_request(&stream).send();
            let patience = std::time::Duration::from_millis(20);
            let _ = tokio::time::timeout(patience, request).await;
        }
        check_calm(&stack, &upstream).await;
    });
}
