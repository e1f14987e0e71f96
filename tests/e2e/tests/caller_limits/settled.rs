//! Tokens are taken as they were used.

use bedrock_simulator::Fault;
use e2e::{eventually, run};
use reqwest::Method;
use serde_json::json;

use super::{CHAT, Gateway, Setup, chat, key, start, within_a_minute};

/// A caller with a limit that nothing exhausts.
async fn gateway(mode: &'static str) -> Gateway {
    let setup = Setup {
        mode,
        ..Setup::default()
    };
    start(setup, &[("a", json!({"tpm": 4_000_000_000_u32}))]).await
}

/// What a chat used, and what was left of the limit when it had begun.
async fn chat_with_rest(gateway: &Gateway) -> (u64, u64) {
    let reply = gateway.chat("a").await;
    let used = reply.json()["usage"]["total_tokens"].as_u64().unwrap();
    let left = reply.header("x-ratelimit-remaining-tokens").parse();
    (used, left.unwrap())
}

/// Waits until what so many requests asked has been answered: twice each.
async fn settled(gateway: &Gateway, requests: u64) {
    eventually("everything is settled", async || {
        let answered = gateway
            .stat("cluster.rate-limit.upstream_rq_completed")
            .await;
        (answered == 2 * requests).then_some(())
    })
    .await;
}

/// Tokens that are taken for what happens between two chats.
async fn taken(gateway: &Gateway, what: impl AsyncFn(&Gateway)) -> u64 {
    let mut requests = 0;
    let taken = within_a_minute(async |_| {
        let (used, before) = chat_with_rest(gateway).await;
        what(gateway).await;
        requests += 2;
        settled(gateway, requests).await;
        let (_, after) = chat_with_rest(gateway).await;
        requests += 1;
        settled(gateway, requests).await;
        // Both chats have taken the same at their start.
        (before - after).checked_sub(used)
    });
    taken.await.expect("at least what was used")
}

#[test]
fn a_stream_takes_what_it_says() {
    run(async {
        let gateway = gateway("").await;
        let mut body = chat();
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let taken = taken(&gateway, async |gateway| {
            let reply = gateway.ask("a", CHAT, &body).await;
            assert!(reply.is_done(), "{reply:?}");
        });
        let taken = taken.await;
        let reply = gateway.ask("a", CHAT, &body).await;
        let events = reply.events();
        let used = events.last().unwrap()["usage"]["total_tokens"].as_u64();
        assert_eq!(Some(taken), used);
    });
}

#[test]
fn a_client_that_hangs_up_pays_for_what_it_got() {
    run(async {
        let gateway = gateway("").await;
        let mut body = chat();
        body["stream"] = json!(true);
        let long = "word ".repeat(400);
        body["messages"] = json!([{"role": "user", "content": long}]);
        let taken = taken(&gateway, async |gateway| {
            gateway.bedrock.replace_faults([Fault::held(12)]);
            let request = gateway.envoy.request(Method::POST, CHAT).json(&body);
            let mut response = request.bearer_auth(key("a")).send().await.unwrap();
            let mut text = Vec::new();
            while text.windows(6).filter(|own| own == b"data: ").count() < 10 {
                text.extend(response.chunk().await.unwrap().expect("a piece"));
            }
        });
        // A quarter of the prompt's bytes, and a token for each of a few events; it would have been a thousand.
        let taken = taken.await;
        assert!((505..600).contains(&taken), "{taken}");
    });
}

#[test]
fn an_error_takes_no_more_than_its_start() {
    run(async {
        let gateway = gateway("").await;
        let taken = taken(&gateway, async |gateway| {
            let fault = Fault::error(400, "ValidationException", "no");
            gateway.bedrock.replace_faults([fault]);
            let reply = gateway.chat("a").await;
            assert_eq!(reply.status, 400, "{reply:?}");
        });
        assert_eq!(taken.await, 0);
    });
}

#[test]
fn one_envoy_takes_what_was_used_by_itself() {
    run(async {
        let gateway = gateway("local").await;
        let (used, before) = chat_with_rest(&gateway).await;
        let answer = gateway.chat("a").await.json();
        let more = answer["usage"]["total_tokens"].as_u64().unwrap();
        let (_, after) = chat_with_rest(&gateway).await;
        // Time gives some back, but never more than was taken.
        assert!(before - after <= used + more, "{before} {after}");
    });
}
