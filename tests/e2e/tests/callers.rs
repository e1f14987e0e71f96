//! Callers and their keys, from the admin API to what a request may do.

mod attacks;
mod identities;
mod rules;

use bedrock_simulator::Simulator;
use e2e::{Channel, Reply, Stack, run, simulator};
use reqwest::Method;
use serde_json::{Value, json};

const MASTER_KEY: &str = "e2e-master-key-0123456789";

/// A stack with a channel, where clients need a key.
async fn closed(build: impl FnOnce(e2e::Builder) -> e2e::Builder) -> (Stack, Simulator, Channel) {
    let stack = build(Stack::builder()).start().await;
    let bedrock = simulator().await;
    let channel = stack.channel(&bedrock).await;
    edit(
        &stack,
        Method::PATCH,
        "/api/caller-settings",
        &json!({"mode": "required"}),
    )
    .await;
    expect(&stack, &channel, &[], 401).await;
    (stack, bedrock, channel)
}

/// Calls the admin API.
pub async fn edit(stack: &Stack, method: Method, path: &str, body: &Value) -> Value {
    let reply = stack.config.call(method, path, body).await;
    assert!((200..300).contains(&reply.status), "{reply:?}");
    if reply.status == 204 {
        return Value::Null;
    }
    reply.json()
}

/// Creates a caller; returns the path of its resource.
pub async fn caller(stack: &Stack, body: &Value) -> String {
    let view = edit(stack, Method::POST, "/api/callers", body).await;
    format!("/api/callers/{}", view["id"].as_str().unwrap())
}

/// Makes a key for a caller; returns the path of its resource, and the key.
pub async fn key(stack: &Stack, caller: &str, body: &Value) -> (String, String) {
    let created = edit(stack, Method::POST, &format!("{caller}/keys"), body).await;
    let id = created["id"].as_str().unwrap();
    let key = created["key"].as_str().unwrap_or_default().to_owned();
    (format!("{caller}/keys/{id}"), key)
}

pub async fn ask(stack: &Stack, channel: &Channel, headers: &[(&str, &str)]) -> Reply {
    let mut request = stack.envoy.chat_request(&channel.ask("Hi"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    stack.envoy.send(request).await
}

/// Waits until every worker answers a request with these headers so.
pub async fn expect(stack: &Stack, channel: &Channel, headers: &[(&str, &str)], status: u16) {
    let mut in_a_row = 0;
    e2e::eventually("every worker answers as expected", async || {
        let reply = ask(stack, channel, headers).await;
        in_a_row = if reply.status == status {
            in_a_row + 1
        } else {
            0
        };
        (in_a_row == 6).then_some(())
    })
    .await;
}

#[test]
fn a_key_opens_the_gateway_in_each_header_and_never_reaches_bedrock() {
    run(async {
        for failover in [false, true] {
            let build = |own: e2e::Builder| if failover { own.failover(2) } else { own };
            let (stack, bedrock, channel) = closed(build).await;
            let path = caller(&stack, &json!({"name": "team-a"})).await;
            let (key_path, key) = key(&stack, &path, &json!({})).await;
            let bearer = format!("Bearer {key}");
            expect(&stack, &channel, &[("authorization", &bearer)], 200).await;
            for header in [("x-api-key", key.as_str()), ("api-key", key.as_str())] {
                ask(&stack, &channel, &[header]).await.text_of_answer();
            }
            let refused = ask(&stack, &channel, &[("x-api-key", "sk-bf-guess")]).await;
            let message = refused.error(401, "invalid_request_error", "invalid_api_key");
            assert!(!message.contains("guess"), "{message}");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
            let in_query = format!("/v1/chat/completions?key={key}&api-key={key}");
            let request = stack.envoy.request(Method::POST, &in_query);
            let request = request.json(&channel.ask("Hi"));
            assert_eq!(stack.envoy.send(request).await.status, 401);
            for request in bedrock.requests() {
                assert!(!format!("{request:?}").contains(&key), "{request:?}");
            }
            for log in [stack.envoy.log(), stack.config.log()] {
                assert!(!log.contains(&key) && !log.contains("sk-bf-guess"));
            }
            edit(&stack, Method::DELETE, &key_path, &Value::Null).await;
            expect(&stack, &channel, &[("authorization", &bearer)], 401).await;
        }
    });
}

#[test]
fn a_caller_uses_what_it_may_and_sees_nothing_else() {
    run(async {
        let (stack, bedrock, channel) = closed(|own| own).await;
        let other = {
            edit(
                &stack,
                Method::PATCH,
                "/api/caller-settings",
                &json!({"mode": "off"}),
            )
            .await;
            expect(&stack, &channel, &[], 200).await;
            let other = stack.channel(&bedrock).await;
            edit(
                &stack,
                Method::PATCH,
                "/api/caller-settings",
                &json!({"mode": "required"}),
            )
            .await;
            expect(&stack, &channel, &[], 401).await;
            other
        };
        let path = caller(
            &stack,
            &json!({"name": "team-b", "models": [channel.model]}),
        )
        .await;
        let (_, key) = key(&stack, &path, &json!({})).await;
        let own = [("api-key", key.as_str())];
        expect(&stack, &channel, &own, 200).await;
        let refused = ask(&stack, &other, &own).await;
        refused.error(404, "invalid_request_error", "model_not_found");
        let models = stack.envoy.request(Method::GET, "/v1/models");
        let models = stack
            .envoy
            .send(models.header("api-key", &key))
            .await
            .json();
        let names = models["data"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|own| own["id"].clone()).collect();
        assert_eq!(names, [json!(channel.model)]);
        edit(&stack, Method::PATCH, &path, &json!({"enabled": false})).await;
        expect(&stack, &channel, &own, 403).await;
        let expired = json!({"enabled": true, "expires_at": "2020-01-01"});
        edit(&stack, Method::PATCH, &path, &expired).await;
        e2e::eventually("the expiry counts", async || {
            let body = ask(&stack, &channel, &own).await.json();
            (body["error"]["code"] == "caller_expired").then_some(())
        })
        .await;
    });
}

#[test]
fn keys_of_other_gateways_and_the_master_key_keep_working() {
    run(async {
        let build = |own: e2e::Builder| own.config_variable("BEDROCK_MASTER_KEY", MASTER_KEY);
        let (stack, bedrock, channel) = closed(build).await;
        ask(&stack, &channel, &[("x-api-key", MASTER_KEY)])
            .await
            .text_of_answer();
        let path = caller(&stack, &json!({"name": "old"})).await;
        // printf key | sha256sum
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        key(&stack, &path, &json!({"key_hash": hash})).await;
        expect(&stack, &channel, &[("x-api-key", "key")], 200).await;
        let log = stack.config.log();
        assert!(!log.contains(MASTER_KEY), "{log}");
        for request in bedrock.requests() {
            assert!(!format!("{request:?}").contains(MASTER_KEY));
        }
    });
}
