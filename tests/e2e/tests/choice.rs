//! Names that choose a model, from an edit or the config-service's file to Bedrock.

use bedrock_simulator::{Fault, Simulator};
use e2e::{Reply, Stack, run};
use reqwest::Method;
use serde_json::{Value, json};

use crate::failover;

const CHOICES: &str = r#"{
    "fast": ["nova-lite", "claude-haiku-4-5"],
    "auto": {"rules": [{"when": {"tag": "high"}, "use": "claude-haiku-4-5"}], "else": "fast"}
}"#;

/// A stack with these names in a file and one channel, to a Bedrock.
async fn with_file() -> (Stack, Simulator) {
    let folder = e2e::Scratch::new();
    let file = folder.write("choices.json", CHOICES);
    let builder = Stack::builder().argument(format!("--model-choices={}", file.display()));
    serving(builder.start().await).await
}

/// A stack with one channel, to a Bedrock.
async fn start(attempts: Option<usize>) -> (Stack, Simulator) {
    let stack = Stack::builder().attempts(attempts).start().await;
    serving(stack).await
}

async fn serving(stack: Stack) -> (Stack, Simulator) {
    let bedrock = failover::region("a").await;
    failover::create(&stack, &[failover::channel("a", 0, &bedrock)]).await;
    (stack, bedrock)
}

/// Makes a name choose, and waits until every worker knows.
async fn choose(stack: &Stack, name: &str, choice: Value) {
    let own = stack.config.choose(name, &choice).await;
    let revision = own["revision"].as_u64().expect("a revision");
    stack.config.wait_active(revision).await;
    stack.wait_served(name).await;
}

/// Edits that make every form of choice.
async fn choose_all(stack: &Stack) {
    let list = json!(["titan-text-express", "nova-lite", "claude-haiku-4-5"]);
    choose(stack, "fast", list).await;
    let rules = json!({
        "rules": [
            {"when": {"tag": "high"}, "use": "claude-sonnet-4-5"},
            {"when": {"images": true}, "use": "nova-pro"},
            {"when": {"prompt_tokens_over": 500}, "use": "nova-premier"},
            {"when": {"tools": true}, "use": "fast"},
            {"when": {"reasoning": true}, "use": "claude-opus-4-5"},
        ],
        "else": "claude-haiku-4-5",
    });
    choose(stack, "auto", rules).await;
}

fn ask(text: &str) -> Value {
    json!({"model": "auto", "messages": [{"role": "user", "content": text}]})
}

fn with(mut body: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

/// Checks that a model was asked, and that the client was told so under the name that it uses.
#[track_caller]
fn served_by(model: &str, name: &str, reply: &Reply, bedrock: &Simulator) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("x-bedrock-model"), model, "{reply:?}");
    let sent = bedrock.requests().pop().expect("a request");
    assert!(sent.was_valid() && sent.path.contains(model), "{sent:?}");
    assert_eq!(sent.header("x-bedrock-tier"), None);
    assert!(!sent.body.expect("a body").to_string().contains("[high]"));
    let own = format!("\"model\":\"{name}\"");
    assert!(reply.text.contains(&own), "{reply:?}");
}

#[test]
fn a_word_or_a_header_chooses_and_bedrock_sees_neither() {
    run(async {
        let (stack, bedrock) = with_file().await;
        for (text, tier, model) in [
            ("Hi", None, "nova-lite"),
            ("[high] Hi", None, "claude-haiku-4-5"),
            ("Hi", Some("high"), "claude-haiku-4-5"),
        ] {
            let mut request = stack.envoy.chat_request(&ask(text));
            if let Some(tier) = tier {
                request = request.header("x-bedrock-tier", tier);
            }
            let reply = stack.envoy.send(request).await;
            assert_eq!(reply.text_of_answer(), "You said: Hi");
            served_by(model, "auto", &reply, &bedrock);
        }
    });
}

#[test]
fn edited_rules_choose_for_every_protocol_whole_and_streamed() {
    const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    run(async {
        let (stack, bedrock) = start(None).await;
        choose_all(&stack).await;
        let long = "word ".repeat(1000);
        let url = format!("data:image/png;base64,{PIXEL}");
        let schema = json!({"type": "object", "properties": {}});
        let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
        let chat = |fields: Value| ("/v1/chat/completions", with(ask("Hi"), fields));
        let messages = |fields: Value| {
            let body = with(ask("Hi"), json!({"max_tokens": 2000}));
            ("/v1/messages", with(body, fields))
        };
        let responses = |fields: Value| {
            let body = json!({"model": "auto", "input": "Hi"});
            ("/v1/responses", with(body, fields))
        };
        let image = json!({"type": "image_url", "image_url": {"url": url}});
        let source = json!({"type": "base64", "media_type": "image/png", "data": PIXEL});
        let shown =
            json!([{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]);
        let cases = [
            (chat(json!({})), "claude-haiku-4-5"),
            (chat(user(json!("[high] Hi"))), "claude-sonnet-4-5"),
            (chat(user(json!([image]))), "nova-pro"),
            (chat(user(json!(long))), "nova-premier"),
            (
                chat(
                    json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}),
                ),
                "nova-lite",
            ),
            (chat(json!({"reasoning_effort": "low"})), "claude-opus-4-5"),
            (messages(json!({})), "claude-haiku-4-5"),
            (messages(user(json!("[high] Hi"))), "claude-sonnet-4-5"),
            (
                messages(user(json!([{"type": "image", "source": source}]))),
                "nova-pro",
            ),
            (messages(user(json!(long))), "nova-premier"),
            (
                messages(json!({"tools": [{"name": "f", "input_schema": schema}]})),
                "nova-lite",
            ),
            (
                messages(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})),
                "claude-opus-4-5",
            ),
            (responses(json!({})), "claude-haiku-4-5"),
            (
                responses(json!({"input": "[high] Hi"})),
                "claude-sonnet-4-5",
            ),
            (responses(json!({"input": shown})), "nova-pro"),
            (responses(json!({"input": long})), "nova-premier"),
            (
                responses(
                    json!({"tools": [{"type": "function", "name": "f", "parameters": schema}]}),
                ),
                "nova-lite",
            ),
            (
                responses(json!({"reasoning": {"effort": "low"}})),
                "claude-opus-4-5",
            ),
        ];
        for ((path, body), model) in cases {
            for stream in [false, true] {
                let body = with(body.clone(), json!({ "stream": stream }));
                let reply = stack.envoy.post_bytes(path, body.to_string()).await;
                served_by(model, "auto", &reply, &bedrock);
            }
        }
    });
}

#[test]
fn weights_share_requests_and_an_edit_changes_them_while_others_run() {
    run(async {
        let (stack, bedrock) = start(None).await;
        let count = async |name: &str| {
            bedrock.clear();
            for _ in 0..40 {
                let body = with(ask("Hi"), json!({ "model": name }));
                assert_eq!(stack.envoy.chat(&body).await.status, 200);
            }
            let all = bedrock.requests();
            let lite = all.iter().filter(|own| own.path.contains("nova-lite"));
            (lite.count(), all.len())
        };
        // Each worker takes turns of its own.
        choose(
            &stack,
            "mixed",
            json!({"weighted": {"nova-lite": 3, "nova-pro": 1}}),
        )
        .await;
        let (lite, all) = count("mixed").await;
        assert!(all == 40 && (27..=33).contains(&lite), "{lite} of {all}");
        let weights = json!({"weighted": {"nova-lite": 1, "nova-pro": 4}});
        let own = stack.config.choose("mixed", &weights).await;
        let revision = own["revision"].as_u64().expect("a revision");
        e2e::eventually("the new weights are used", async || {
            let (lite, _) = count("mixed").await;
            (5..=11).contains(&lite).then_some(())
        })
        .await;
        // A rollback is an edit like any other.
        let path = "/api/model-choices/mixed/rollback";
        let first = json!({"revision": revision - 1});
        let reply = stack.config.call(Method::POST, path, &first).await;
        assert_eq!(
            reply.json()["choice"]["weighted"]["nova-lite"],
            3,
            "{reply:?}"
        );
        e2e::eventually("the old weights are used", async || {
            let (lite, _) = count("mixed").await;
            (27..=33).contains(&lite).then_some(())
        })
        .await;
    });
}

#[test]
fn the_next_model_takes_over_from_one_that_is_throttled_has_ended_or_refuses_the_request() {
    run(async {
        let (stack, bedrock) = start(Some(3)).await;
        choose_all(&stack).await;
        choose(&stack, "old", json!(["nova-premier", "nova-micro"])).await;
        let tools = json!([{"type": "function", "function": {"name": "f"}}]);
        let ended = "This model version has reached the end of its life. Please refer to the AWS documentation.";
        let ended = || Fault::error(404, "ResourceNotFoundException", ended);
        let plain = json!({"model": "old"});
        let able = json!({"model": "fast", "tools": tools});
        // Each model fails once: one that did is not tried first again for a while.
        for (fields, fault, tried) in [
            (&able, None, &["nova-lite"][..]),
            (
                &able,
                Some(Fault::throttling()),
                &["nova-lite", "claude-haiku-4-5"],
            ),
            (&plain, Some(ended()), &["nova-premier", "nova-micro"]),
        ] {
            bedrock.clear();
            if let Some(fault) = fault {
                bedrock.inject(fault);
            }
            let body = with(ask("Hi"), fields.clone());
            let reply = stack.envoy.chat(&body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let model = tried.last().expect("a model");
            assert_eq!(reply.header("x-bedrock-model"), *model, "{reply:?}");
            assert_eq!(reply.header("x-bedrock-attempts"), tried.len().to_string());
            assert_eq!(reply.json()["model"], fields["model"]);
            let paths: Vec<_> = bedrock.requests().into_iter().map(|own| own.path).collect();
            let is_tried = |(path, model): (&String, &&str)| path.contains(*model);
            assert!(
                paths.len() == tried.len() && paths.iter().zip(tried).all(is_tried),
                "{paths:?}"
            );
        }
    });
}
