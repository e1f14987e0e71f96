//! Names that choose a model, from the file of the config-service to Bedrock.

use bedrock_simulator::Fault;
use e2e::{Stack, run};
use serde_json::{Value, json};

use crate::failover;

const CHOICES: &str = r#"{
    "fast": ["nova-lite", "claude-haiku-4-5"],
    "auto": {"rules": [{"when": {"tag": "high"}, "use": "claude-haiku-4-5"}], "else": "fast"}
}"#;

/// A stack with these names and one channel, to a Bedrock.
async fn start(attempts: Option<usize>) -> (Stack, bedrock_simulator::Simulator) {
    let folder = e2e::Scratch::new();
    let file = folder.write("choices.json", CHOICES);
    let mut builder = Stack::builder().argument(format!("--model-choices={}", file.display()));
    if let Some(attempts) = attempts {
        builder = builder.failover(attempts);
    }
    let stack = builder.start().await;
    let bedrock = failover::region("a").await;
    failover::create(&stack, &[failover::channel("a", 0, &bedrock)]).await;
    (stack, bedrock)
}

fn ask(text: &str) -> Value {
    json!({"model": "auto", "messages": [{"role": "user", "content": text}]})
}

#[test]
fn a_word_or_a_header_chooses_and_bedrock_sees_neither() {
    run(async {
        let (stack, bedrock) = start(None).await;
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
            assert_eq!(reply.json()["model"], "auto");
            assert_eq!(reply.header("x-bedrock-model"), model);
            let sent = bedrock.requests().pop().unwrap();
            assert!(sent.was_valid() && sent.path.contains(model), "{sent:?}");
            assert_eq!(sent.header("x-bedrock-tier"), None);
        }
    });
}

#[test]
fn the_next_model_takes_over_from_one_that_is_throttled() {
    run(async {
        let (stack, bedrock) = start(Some(2)).await;
        bedrock.inject(Fault::throttling());
        let reply = stack.envoy.chat(&ask("Hi")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        assert_eq!(reply.header("x-bedrock-model"), "claude-haiku-4-5");
        assert_eq!(reply.header("x-bedrock-attempts"), "2");
        let paths: Vec<_> = bedrock.requests().into_iter().map(|own| own.path).collect();
        assert!(
            paths[0].contains("nova-lite") && paths[1].contains("claude-haiku-4-5"),
            "{paths:?}"
        );
    });
}
