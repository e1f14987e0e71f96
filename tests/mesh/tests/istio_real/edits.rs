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
        // Without its old endpoint, a manifest takes the cluster away before the configuration that names it.
        let query = format!("endpoints={},{}", a.url(), b.url());
        let pod = bench.serve(Case::Own, &query).await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        let model = channel["models"][0].as_str().unwrap();
        let load = Load::start_at(&pod.url(), model, CLIENTS);
        load.answered(10).await;
        for (bedrock, other) in [(&b, &a), (&a, &b)] {
            let change = json!({"endpoint": bedrock.url(), "credentials": channel["credentials"]});
            bench.config.patch(id.as_str().unwrap(), &change).await;
            let before = bedrock.requests().len();
            bench.apply_manifest(Case::Own, &query).await;
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

#[test]
#[ignore = "needs a real Istio"]
fn a_key_that_is_revoked_opens_a_live_gateway_no_more() {
    run(async {
        let bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let channel = channel_body(&bedrock);
        bench.config.create(&channel).await;
        let edit = async |method, path: &str, body: &Value| {
            let reply = bench.config.call(method, path, body).await;
            assert!((200..300).contains(&reply.status), "{reply:?}");
            reply
        };
        let needed = json!({"mode": "required"});
        edit(Method::PATCH, "/api/caller-settings", &needed).await;
        let caller = edit(Method::POST, "/api/callers", &json!({"name": "team-a"})).await;
        let caller = format!("/api/callers/{}", caller.json()["id"].as_str().unwrap());
        let made = edit(Method::POST, &format!("{caller}/keys"), &json!({})).await;
        let made = made.json();
        let pod = bench.serve(Case::Own, &bench.live()).await;
        let status = async || {
            let call = pod.chat_request(&ask(&channel, "Hi"));
            let call = call.bearer_auth(made["key"].as_str().unwrap());
            Some(pod.send(call).await?.status)
        };
        eventually("the key opens the gateway", async || {
            (status().await? == 200).then_some(())
        })
        .await;
        let key = format!("{caller}/keys/{}", made["id"].as_str().unwrap());
        edit(Method::DELETE, &key, &Value::Null).await;
        eventually("the key is refused", async || {
            (status().await? == 401).then_some(())
        })
        .await;
        check_valid(&bedrock);
    });
}
