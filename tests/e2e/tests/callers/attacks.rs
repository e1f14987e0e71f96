//! What somebody without a key, or with an old one, may try. `docs/SECURITY_MODEL.md` has the list.

use bedrock_simulator::Fault;
use bytes::Bytes;
use e2e::{
    Builder, Channel, Load, Module, Reply, Stack, eventually, h1_exchange, h2_post_with_trailers,
    run, simulator,
};
use http::{HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{ask, caller, closed, edit, expect, key};

/// How many wrong keys are tried.
const GUESSES: usize = 10_000;

/// Most memory that all of them together may take, in bytes. Envoy's allocator keeps some of what a burst needs.
const MOST_GROWTH: u64 = 64 * 1024 * 1024;

/// Sends a request head by bytes, with a chat as its body.
async fn raw(stack: &Stack, channel: &Channel, lines: &str) -> String {
    let body = channel.ask("Hi").to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-length: {}\r\n{lines}\r\n",
        body.len()
    );
    h1_exchange(stack.envoy.port(), (head + &body).as_bytes()).await
}

/// The status of an answer.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn a_key_counts_only_where_it_belongs() {
    run(async {
        let (stack, bedrock, channel) = closed(|own| own).await;
        let path = caller(&stack, &json!({"name": "a"})).await;
        let (_, good) = key(&stack, &path, &json!({})).await;
        let other = caller(&stack, &json!({"name": "b", "models": ["none"]})).await;
        let (_, weak) = key(&stack, &other, &json!({})).await;
        expect(&stack, &channel, &[("x-api-key", &good)], 200).await;
        let sent = bedrock.requests().len();

        // Smuggled into something that is not its header: by names and lines that some servers take for it, in a
        // second request inside the body, in a list, beside another scheme.
        for lines in [
            format!("x_api_key: {good}\r\n"),
            format!("x-api-key : {good}\r\n"),
            format!("x-other: a\r\n x-api-key: {good}\r\n"),
            format!("x-other: a\nx-api-key: b,{good}\r\n"),
            format!("x-api-key: b, {good}\r\n"),
            format!("authorization: Bearer b, Bearer {good}\r\n"),
            format!("authorization: {good}\r\n"),
            format!("authorization: Basic {good}\r\n"),
            format!("cookie: x-api-key={good}\r\n"),
            format!("x-api-key: \"{good}\"\r\n"),
            format!("transfer-encoding: chunked\r\nx-forwarded-authorization: Bearer {good}\r\n"),
        ] {
            let answer = raw(&stack, &channel, &lines).await;
            assert!(
                matches!(status(&answer), "400" | "401"),
                "{lines:?} {answer}"
            );
            assert!(!answer.contains(&good), "{answer}");
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-api-key", HeaderValue::try_from(&good).unwrap());
        let pieces = vec![Bytes::from(channel.ask("Hi").to_string())];
        let path = "/v1/chat/completions";
        let (refused, _) = h2_post_with_trailers(stack.envoy.port(), path, pieces, trailers).await;
        assert_eq!(refused, 401);
        assert_eq!(bedrock.requests().len(), sent, "nothing was sent");

        // Two headers, and one header twice: the first known key counts, and the rights are those of its caller.
        for (headers, expected) in [
            ([("x-api-key", "sk-bf-guess"), ("api-key", &*good)], 200),
            ([("x-api-key", &*good), ("x-api-key", &*weak)], 200),
            ([("x-api-key", &*weak), ("x-api-key", &*good)], 404),
            ([("api-key", &*good), ("x-api-key", &*weak)], 404),
            (
                [("x-api-key", "sk-bf-guess"), ("x-api-key", "sk-bf-other")],
                401,
            ),
        ] {
            let reply = ask(&stack, &channel, &headers).await;
            assert_eq!(reply.status, expected, "{reply:?}");
        }
        for log in [stack.envoy.log(), stack.config.log()] {
            assert!(!log.contains(&good) && !log.contains(&weak));
        }
    });
}

#[test]
fn a_stream_ends_well_although_its_key_is_revoked() {
    run(async {
        let (stack, bedrock, channel) = closed(|own| own).await;
        let path = caller(&stack, &json!({"name": "a"})).await;
        let (key_path, key) = key(&stack, &path, &json!({})).await;
        expect(&stack, &channel, &[("x-api-key", &key)], 200).await;
        bedrock.inject(Fault::held(3));
        let request = stack
            .envoy
            .chat_request(&channel.ask_stream("one two three"));
        let mut response = request.header("x-api-key", &key).send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(b"data: {"), "{first:?}");
        edit(&stack, Method::DELETE, &key_path, &Value::Null).await;
        expect(&stack, &channel, &[("x-api-key", &key)], 401).await;
        bedrock.release();
        let reply = Reply::read(response).await;
        assert!(reply.is_done() && !reply.is_cut, "{reply:?}");
    });
}

#[test]
fn wrong_keys_leave_nothing_behind() {
    run(async {
        let (stack, bedrock, channel) = closed(|own| own).await;
        let sent = bedrock.requests().len();
        let url = format!("{}/v1/models", stack.envoy.url());
        let guess = async |from: usize, count: usize| {
            let clients = (0..8).map(|client| {
                let url = url.clone();
                tokio::spawn(async move {
                    let http = Client::new();
                    for number in (from..from + count).filter(|own| own % 8 == client) {
                        let request = http
                            .get(&url)
                            .header("x-api-key", format!("sk-bf-guess-{number}"));
                        let status = request.send().await.unwrap().status();
                        assert_eq!(status, 401);
                    }
                })
            });
            for client in clients.collect::<Vec<_>>() {
                client.await.unwrap();
            }
        };
        // Buffers and allocators have what they need after a few.
        guess(0, 1_000).await;
        let statistics = async || {
            stack
                .envoy
                .admin_page("/stats?format=prometheus")
                .await
                .lines()
                .count()
        };
        let before = statistics().await;
        let memory = stack.envoy.memory("VmRSS");
        guess(1_000, GUESSES).await;
        let growth = stack.envoy.memory("VmRSS").saturating_sub(memory);
        assert!(growth < MOST_GROWTH, "{growth} bytes more");
        let more = statistics().await.saturating_sub(before);
        assert!(more < 100, "{more} lines of metrics more");
        let (envoy, service) = (stack.envoy.log(), stack.config.log());
        assert!(!envoy.contains("sk-bf-guess") && !service.contains("sk-bf-guess"));
        // One line each in the access log, and nothing else.
        let others = envoy.lines().filter(|line| !line.starts_with('{'));
        assert!(others.count() < 100, "{envoy}");
        assert_eq!(bedrock.requests().len(), sent);
        ask(&stack, &channel, &[])
            .await
            .error(401, "invalid_request_error", "missing_api_key");
    });
}

/// Upgrades the module and rolls back while clients with a key send requests, and others try to get in without.
async fn upgrade(builder: Builder) {
    let mut stack = builder.module(Module::ServedCopy).start().await;
    let bedrock = simulator().await;
    let channel = stack.channel(&bedrock).await;
    let settings = json!({"mode": "required"});
    edit(&stack, Method::PATCH, "/api/caller-settings", &settings).await;
    expect(&stack, &channel, &[], 401).await;
    let path = caller(&stack, &json!({"name": "a"})).await;
    let (_, good) = key(&stack, &path, &json!({})).await;
    expect(&stack, &channel, &[("x-api-key", &good)], 200).await;
    let load = Load::start_as(&stack, &channel.model, (12, Some(good.as_str())));
    let intruder = Load::start_as(&stack, &channel.model, (2, Some("sk-bf-guess")));
    load.answered(100).await;
    stack.serve_edition(1).await;
    load.answered(100).await;
    stack.serve_edition(0).await;
    load.answered(100).await;
    let refused = intruder.stop().await;
    assert_eq!(refused.answered, 0, "somebody got in");
    assert!(refused.failed.len() > 10, "{refused:?}");
    for fault in &refused.failed {
        assert!(fault.contains("status: 401"), "{fault}");
    }
    load.stop().await.nothing_is_lost();
    eventually("Envoy has the last configuration", async || {
        let reply = ask(&stack, &channel, &[("x-api-key", &good)]).await;
        (reply.status == 200).then_some(())
    })
    .await;
}

#[test]
fn keys_survive_an_upgrade_of_the_module_under_load() {
    run(upgrade(Stack::builder()));
}

#[test]
fn keys_survive_an_upgrade_with_failover_under_load() {
    run(upgrade(Stack::builder().failover(2)));
}
