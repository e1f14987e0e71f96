//! What is set for callers' requests, and what they may not use.

use e2e::{Stack, run};
use reqwest::Method;
use serde_json::{Value, json};

use super::{caller, closed, edit, expect, key};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// A request with this model and these further members.
fn body(path: &str, model: &str, more: &Value) -> Value {
    let mut body = if path == RESPONSES {
        json!({"model": model, "input": "Hi"})
    } else {
        json!({"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2000})
    };
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn ask(stack: &Stack, path: &str, key: &str, body: &Value) -> e2e::Reply {
    let request = stack.envoy.request(Method::POST, path).json(body);
    stack.envoy.send(request.header("x-api-key", key)).await
}

#[test]
fn what_is_set_for_a_caller_reaches_bedrock_and_what_is_refused_does_not() {
    run(async {
        for failover in [false, true] {
            let build = |own: e2e::Builder| if failover { own.failover(2) } else { own };
            let (stack, bedrock, channel) = closed(build).await;
            let settings = json!({"default_service_tier": "flex", "default_tools": "refused"});
            edit(&stack, Method::PATCH, "/api/caller-settings", &settings).await;
            let own = json!({
                "name": "team-a",
                "guardrail": {"identifier": "gr1", "version": "2"},
                "request_metadata": {"team": "a"},
                "thinking": "refused",
            });
            let path = caller(&stack, &own).await;
            let (_, key) = key(&stack, &path, &json!({})).await;
            expect(&stack, &channel, &[("x-api-key", &key)], 200).await;
            for path in [CHAT, MESSAGES, RESPONSES] {
                let more = json!({"metadata": if path == MESSAGES { json!({}) } else { json!({"team": "b"}) }});
                let reply = ask(&stack, path, &key, &body(path, &channel.model, &more)).await;
                assert_eq!(reply.status, 200, "{path} {reply:?}");
                let sent = bedrock.requests().pop().unwrap();
                assert!(sent.was_valid(), "{sent:?}");
                let seen = [
                    "x-amzn-bedrock-guardrailidentifier",
                    "x-amzn-bedrock-guardrailversion",
                    "x-amzn-bedrock-service-tier",
                    "x-amzn-bedrock-request-metadata",
                ]
                .map(|name| sent.header(name).unwrap_or_default().to_owned());
                assert_eq!(seen, ["gr1", "2", "flex", r#"{"team":"a"}"#], "{path}");
            }
            let sent = bedrock.requests().len();
            let schema = json!({"type": "object", "properties": {}});
            let cases = [
                (
                    CHAT,
                    json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}),
                    "tools",
                ),
                (
                    MESSAGES,
                    json!({"tools": [{"name": "f", "input_schema": schema}]}),
                    "tools",
                ),
                (
                    RESPONSES,
                    json!({"tools": [{"type": "function", "name": "f", "parameters": schema}]}),
                    "tools",
                ),
                (CHAT, json!({"reasoning_effort": "low"}), "reasoning_effort"),
                (
                    MESSAGES,
                    json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
                    "thinking",
                ),
                (
                    CHAT,
                    json!({"guardrailConfig": {"guardrailIdentifier": "gr2", "guardrailVersion": "1"}}),
                    "guardrailConfig",
                ),
            ];
            for (path, more, place) in cases {
                let reply = ask(&stack, path, &key, &body(path, &channel.model, &more)).await;
                assert_eq!(reply.status, 403, "{path} {more} {reply:?}");
                let error = reply.json()["error"].clone();
                assert_eq!(error["type"], "permission_error");
                let message = error["message"].as_str().unwrap();
                assert!(
                    message.contains(place) || error["param"] == place,
                    "{error}"
                );
                assert!(message.contains("remove"), "{error}");
            }
            assert_eq!(bedrock.requests().len(), sent, "nothing was sent");
            let allowed = json!({"tools": "allowed"});
            edit(&stack, Method::PATCH, &path, &allowed).await;
            let tools = json!({"tools": [{"name": "f", "input_schema": schema}]});
            let tools = body(MESSAGES, &channel.model, &tools);
            e2e::eventually("the caller may use tools", async || {
                let reply = ask(&stack, MESSAGES, &key, &tools).await;
                (reply.status == 200).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn rules_for_all_go_for_who_has_no_key() {
    run(async {
        let (stack, bedrock, channel) = closed(|own| own).await;
        for mode in ["optional", "off"] {
            let settings = json!({
                "mode": mode,
                "default_guardrail": {"identifier": mode, "version": "DRAFT"},
                "default_prompt_caching": "refused",
            });
            edit(&stack, Method::PATCH, "/api/caller-settings", &settings).await;
            let mut in_a_row = 0;
            e2e::eventually("every worker sets the guardrail", async || {
                let reply = super::ask(&stack, &channel, &[]).await;
                let sent = bedrock.requests().pop();
                let guardrail = sent
                    .as_ref()
                    .and_then(|own| own.header("x-amzn-bedrock-guardrailidentifier"));
                let is_set = reply.status == 200 && guardrail == Some(mode);
                in_a_row = if is_set { in_a_row + 1 } else { 0 };
                (in_a_row == 6).then_some(())
            })
            .await;
            let mark = json!({"type": "ephemeral"});
            let marked = json!([{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": mark}]}]);
            let body = body(MESSAGES, &channel.model, &json!({"messages": marked}));
            let reply = ask(&stack, MESSAGES, "sk-none", &body).await;
            assert_eq!(reply.status, 403, "{mode} {reply:?}");
            let message = reply.json()["error"]["message"].to_string();
            assert!(message.contains("messages.0.content.0"), "{message}");
        }
    });
}
