//! Pages of other origins in a real browser.

use std::net::SocketAddr;

use browser::LAPTOP;
use e2e::{Stack, run, simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A site with one empty page at every path, for as long as the test runs.
async fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 22\r\nconnection: close\r\n\r\n\
                      <!doctype html><p>Page";
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{address}")
}

/// Calls the gateway like a page's own code, and reads the answer piece by piece.
const CALL: &str = r#"
    const [url, method, body, done] = arguments;
    const headers = { authorization: "Bearer sk-page", "x-stainless-lang": "js" };
    if (body) headers["content-type"] = "application/json";
    (async () => {
        const answer = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : undefined });
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            text += value;
        }
        return { status: answer.status, id: answer.headers.get("x-request-id"), text };
    })().then(done, (error) => done({ error: String(error) }));
"#;

/// What a page of an origin gets from each of these calls.
async fn calls(page: &str, calls: &[(String, &str, Value)]) -> Vec<Value> {
    let mut found = Vec::new();
    let found_here = &mut found;
    browser::open(LAPTOP, async |client| {
        client.goto(page).await.unwrap();
        for (url, method, body) in calls {
            let arguments = vec![json!(url), json!(method), body.clone()];
            found_here.push(client.execute_async(CALL, arguments).await.unwrap());
        }
    })
    .await;
    found
}

#[test]
fn a_page_of_an_allowed_origin_chats_and_one_of_another_origin_does_not() {
    run(async {
        let (friend, stranger) = (site().await, site().await);
        for attempts in [None, Some(2)] {
            let builder = Stack::builder().argument(format!("--cors-origins={friend}"));
            let builder = builder.attempts(attempts);
            let (stack, bedrock) = (builder.start().await, simulator().await);
            let channel = stack.channel(&bedrock).await;
            let url = |path: &str| format!("{}{path}", stack.envoy.url());
            let chat = url("/v1/chat/completions");
            let wanted = [
                (chat.clone(), "POST", channel.ask("Hi there")),
                (chat.clone(), "POST", channel.ask_stream("Hi there")),
                (
                    chat.clone(),
                    "POST",
                    channel.ask_with("Hi", &json!({"model": "no-such-model"})),
                ),
                (url("/v1/models"), "GET", Value::Null),
                (url("/v1/responses/resp_1"), "DELETE", Value::Null),
            ];
            let found = calls(&friend, &wanted).await;
            let statuses: Vec<_> = found.iter().map(|own| own["status"].clone()).collect();
            assert_eq!(
                json!(statuses),
                json!([200, 200, 404, 200, 404]),
                "{found:?}"
            );
            let text = |index: usize| found[index]["text"].as_str().unwrap();
            assert!(text(0).contains("You said: Hi there"), "{found:?}");
            assert!(text(1).ends_with("data: [DONE]\n\n"), "{found:?}");
            assert!(text(1).matches("data: ").count() > 3, "{found:?}");
            assert!(text(2).contains("model_not_found"), "{found:?}");
            assert!(found[0]["id"].is_string(), "{found:?}");
            let served = bedrock.requests().len();
            assert_eq!(served, 2);
            let found = calls(&stranger, &wanted).await;
            for (own, (url, ..)) in found.iter().zip(&wanted) {
                let error = own["error"].as_str().unwrap_or_default();
                assert!(error.contains("TypeError"), "{url}: {own}");
            }
            // Nothing of it was even asked.
            assert_eq!(bedrock.requests().len(), served);
        }
    });
}
