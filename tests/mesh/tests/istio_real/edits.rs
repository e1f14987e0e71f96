//! What reaches a running gateway: edits, keys that are revoked, and whether chats survive it.

use e2e::{Load, channel_body, eventually, run, simulator};
use mesh::{Bench, Case};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, check_valid};

/// How many clients ask while something changes.
const CLIENTS: usize = 4;

#[test]
#[ignore = "needs a real Istio"]
fn edits_of_live_channels_arrive_and_lose_no_chat() {
    run(async {
        let bench = Bench::start(&[]).await;
        let (a, b) = (simulator().await, simulator().await);
        let channel = channel_body(&a);
        let id = bench.config.create(&channel).await["id"].clone();
        let query = format!("{}&endpoints={},{}", bench.live(), a.url(), b.url());
        let pod = bench.serve(Case::Own, &query).await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        let model = channel["models"][0].as_str().unwrap();
        let load = Load::start_at(&pod.url(), model, CLIENTS);
        load.answered(10).await;
        for endpoint in [b.url(), a.url(), b.url()] {
            let change = json!({"endpoint": endpoint, "credentials": channel["credentials"]});
            let id = id.as_str().unwrap();
            bench.config.patch_and_wait(id, &change).await;
            load.answered(20).await;
        }
        load.stop().await.nothing_is_lost();
        check_valid(&a);
        check_valid(&b);
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn a_copy_that_is_applied_again_loses_no_chat() {
    run(async {
        let bench = Bench::start(&[]).await;
        let (a, b) = (simulator().await, simulator().await);
        let channel = channel_body(&a);
        let id = bench.config.create(&channel).await["id"].clone();
        let pod = bench.serve(Case::Own, "").await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        let model = channel["models"][0].as_str().unwrap();
        let load = Load::start_at(&pod.url(), model, CLIENTS);
        load.answered(10).await;
        for (bedrock, other) in [(&b, &a), (&a, &b)] {
            let change = json!({"endpoint": bedrock.url(), "credentials": channel["credentials"]});
            bench.config.patch(id.as_str().unwrap(), &change).await;
            let before = bedrock.requests().len();
            bench.apply_manifest(Case::Own, "").await;
            eventually("the new endpoint is asked", async || {
                (bedrock.requests().len() > before).then_some(())
            })
            .await;
            load.answered(20).await;
            check_valid(other);
        }
        load.stop().await.nothing_is_lost();
    });
}

/// A caller's key: the path of its resource, and the key itself. From then on clients need one.
async fn key(bench: &Bench) -> (String, String) {
    let edit = async |method, path: &str, body: &Value| {
        let reply = bench.config.call(method, path, body).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
        reply.json()
    };
    let needed = json!({"mode": "required"});
    edit(Method::PATCH, "/api/caller-settings", &needed).await;
    let caller = edit(Method::POST, "/api/callers", &json!({"name": "team-a"})).await;
    let keys = format!("/api/callers/{}/keys", caller["id"].as_str().unwrap());
    let made = edit(Method::POST, &keys, &json!({})).await;
    let path = format!("{keys}/{}", made["id"].as_str().unwrap());
    (path, made["key"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs a real Istio"]
fn a_key_that_is_revoked_opens_a_gateway_no_more() {
    run(async {
        for is_live in [true, false] {
            let bench = Bench::start(&[]).await;
            let bedrock = simulator().await;
            let channel = channel_body(&bedrock);
            bench.config.create(&channel).await;
            let (path, key) = key(&bench).await;
            let query = if is_live { bench.live() } else { String::new() };
            let pod = bench.serve(Case::Own, &query).await;
            let answered = async |expected| {
                eventually("the key is treated so", async || {
                    let call = pod.chat_request(&ask(&channel, "Hi")).bearer_auth(&key);
                    (pod.send(call).await?.status == expected).then_some(())
                })
                .await;
            };
            answered(200).await;
            let revoked = bench.config.call(Method::DELETE, &path, &Value::Null).await;
            assert_eq!(revoked.status, 204, "{revoked:?}");
            if !is_live {
                bench.apply_manifest(Case::Own, &query).await;
            }
            answered(401).await;
            check_valid(&bedrock);
        }
    });
}
