//! What callers learn of their own usage, at the gateway.

use e2e::{Reply, Stack, eventually, run, simulator};
use reqwest::Method;
use serde_json::json;

/// A caller with a key; returns the key.
async fn caller(stack: &Stack, name: &str) -> String {
    let body = json!({"name": name, "monthly_tokens": 1_000_000});
    let created = stack.config.call(Method::POST, "/api/callers", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let path = format!(
        "/api/callers/{}/keys",
        created.json()["id"].as_str().unwrap()
    );
    let key = stack
        .config
        .call(Method::POST, &path, &json!({}))
        .await
        .json();
    key["key"].as_str().unwrap().to_owned()
}

async fn figures(stack: &Stack, key: &str) -> Reply {
    let request = stack.envoy.request(Method::GET, "/v1/usage?caller=bob");
    stack.envoy.send(request.header("x-api-key", key)).await
}

#[test]
fn a_caller_asks_the_gateway_what_it_has_used() {
    run(async {
        let mut stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let nobody = stack.envoy.get("/v1/usage").await;
        nobody.error(404, "invalid_request_error", "callers_off");
        let (ann, bob) = (caller(&stack, "ann").await, caller(&stack, "bob").await);
        let required = json!({"mode": "required"});
        let settings = "/api/caller-settings";
        let reply = stack.config.call(Method::PATCH, settings, &required).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        stack
            .wait_for_workers("/v1/usage", |answer| answer.status == 401)
            .await;
        for key in [&ann, &ann, &bob] {
            let request = stack.envoy.chat_request(&channel.ask("Hi"));
            let answer = stack.envoy.send(request.header("x-api-key", key)).await;
            answer.text_of_answer();
        }
        let own = eventually("both requests are in the figures", async || {
            let reply = figures(&stack, &ann).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let own = reply.json();
            // The caller's own budget counts from a moment after it was given.
            let is_whole = own["requests"] == 2 && !own["budget"].is_null();
            is_whole.then_some(own)
        })
        .await;
        assert_eq!(own["caller"], "ann");
        assert_eq!(own["by_model"][0]["model"], channel.model);
        let used = own["input_tokens"].as_u64().unwrap() + own["output_tokens"].as_u64().unwrap();
        assert!(used > 0, "{own}");
        assert_eq!(own["budget"]["tokens"]["used"], used);
        assert_eq!(own["budget"]["tokens"]["remaining"], 1_000_000 - used);
        assert!(!own.to_string().contains("bob"), "{own}");
        // Without the config-service there are no figures, but answers to everything else.
        stack.config.stop();
        let away = eventually("the outage is noticed", async || {
            let reply = figures(&stack, &ann).await;
            (reply.status == 503).then_some(reply)
        })
        .await;
        away.error(503, "server_error", "service_unavailable");
        assert_eq!(away.header("retry-after"), "5");
        let request = stack.envoy.chat_request(&channel.ask("Hi"));
        let answer = stack.envoy.send(request.header("x-api-key", &ann)).await;
        answer.text_of_answer();
        stack.config.resume().await;
        eventually("what was used meanwhile is in the figures", async || {
            let reply = figures(&stack, &ann).await;
            (reply.status == 200 && reply.json()["requests"] == 3).then_some(())
        })
        .await;
        assert!(!stack.envoy.log().contains(&ann));
    });
}
