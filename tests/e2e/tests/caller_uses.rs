//! What a need for keys would change, and which keys are used, from the client's headers to the admin API.

use e2e::{Stack, eventually, run, simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::callers::{ask, caller, edit, expect, key};

async fn read(stack: &Stack, path: &str) -> Value {
    edit(stack, Method::GET, path, &Value::Null).await
}

#[test]
fn what_a_need_for_keys_would_refuse_is_known_while_everybody_is_served() {
    run(async {
        let stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let path = caller(&stack, &json!({"name": "team-a", "models": ["none"]})).await;
        let (_, narrow) = key(&stack, &path, &json!({})).await;
        let wide = caller(&stack, &json!({"name": "team-b"})).await;
        let (_, wide) = key(&stack, &wide, &json!({})).await;
        let forecast = eventually("all four kinds of clients are seen", async || {
            // Nobody is held to anything.
            for key in ["dummy", &narrow, &wide] {
                ask(&stack, &channel, &[("api-key", key)])
                    .await
                    .text_of_answer();
            }
            ask(&stack, &channel, &[]).await.text_of_answer();
            let forecast = read(&stack, "/api/caller-settings/forecast").await;
            let has = |name: &str| forecast["reasons"][name].as_u64() > Some(0);
            let refused = forecast["refused"].as_u64()? + forecast["unknown"].as_u64()?;
            let is_served = forecast["requests"].as_u64()? > refused;
            let reasons = ["missing_api_key", "invalid_api_key", "model_not_found"];
            let all = reasons.into_iter().all(has) && is_served;
            all.then_some(forecast)
        })
        .await;
        assert_eq!(forecast["mode"], "off");
        let unused = read(&stack, &path).await;
        assert!(unused.get("last_used_at").is_none(), "{unused}");
        for request in bedrock.requests() {
            let request = format!("{request:?}");
            assert!(
                !request.contains(&narrow) && !request.contains(&wide),
                "{request}"
            );
        }
    });
}

#[test]
fn the_key_of_a_request_is_known_by_its_hash_and_when_it_was_used() {
    run(async {
        let stack = Stack::builder().usage().failover(2).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let path = caller(&stack, &json!({"name": "team-a"})).await;
        let (_, used) = key(&stack, &path, &json!({})).await;
        key(&stack, &path, &json!({})).await;
        let required = json!({"mode": "required"});
        edit(&stack, Method::PATCH, "/api/caller-settings", &required).await;
        expect(&stack, &channel, &[], 401).await;
        expect(&stack, &channel, &[("x-api-key", &*used)], 200).await;
        let view = eventually("the use is reported", async || {
            let view = read(&stack, &path).await;
            view["last_used_at"].is_string().then_some(view)
        })
        .await;
        assert!(view["keys"][0]["last_used_at"].is_string(), "{view}");
        assert!(view["keys"][1].get("last_used_at").is_none(), "{view}");
        let mark = &view["keys"][0]["fingerprint"];
        let lines = read(&stack, "/api/usage?by=caller,key&caller=team-a").await;
        assert_eq!(lines["lines"][0]["key"], *mark);
        assert_eq!(lines["lines"].as_array().unwrap().len(), 1, "{lines}");
    });
}
