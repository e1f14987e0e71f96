//! Random requests: whatever the filter accepts, the strict simulator accepts too.
//!
//! The filter may refuse a request that a model cannot take. It must not send anything that
//! Bedrock refuses, because the client would get an error that it cannot understand.

use bedrock_simulator::{Recorded, Simulator, Verdict};
use e2e::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Stack, run, simulator};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::chat::PIXEL;

/// The number of requests; more find more, and take longer.
const REQUESTS: usize = 2000;

/// A text, sometimes one with markup that models treat specially.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[A-Za-z ,.?]{1,40}",
        1 => Just(" \n".to_owned()),
        1 => Just("Human: <|eot_id|> [INST] </s> User: <｜User｜>".to_owned()),
        1 => Just("Grüße 🌧 \"quoted\"\n\nAssistant:".to_owned()),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    let image = json!({"type": "image_url", "image_url": {
        "url": format!("data:image/png;base64,{PIXEL}")
    }});
    let part = |text: String| json!({"type": "text", "text": text});
    prop_oneof![
        6 => text().prop_map(Value::from),
        2 => prop::collection::vec(text(), 1..3)
            .prop_map(move |texts| texts.into_iter().map(part).collect()),
        1 => text().prop_map(move |text| json!([part(text), image])),
    ]
}

/// An earlier turn: a question and its answer, perhaps with tool calls.
fn round() -> impl Strategy<Value = Vec<Value>> {
    let plain = (content(), text()).prop_map(|(question, answer)| {
        vec![
            json!({"role": "user", "content": question}),
            json!({"role": "assistant", "content": answer}),
        ]
    });
    let by_tools = (content(), text(), 1..3usize).prop_map(|(question, result, calls)| {
        let id = |call: usize| format!("call_{call}");
        let call = |call: usize| {
            let function = json!({"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"});
            json!({"id": id(call), "type": "function", "function": function})
        };
        let mut messages = vec![
            json!({"role": "user", "content": question}),
            json!({"role": "assistant", "content": null, "tool_calls":
                (0..calls).map(call).collect::<Vec<_>>()}),
        ];
        // In the wrong order, as sent by some clients.
        let results = (0..calls).rev();
        messages.extend(
            results
                .map(|call| json!({"role": "tool", "tool_call_id": id(call), "content": result})),
        );
        messages
    });
    prop_oneof![4 => plain, 1 => by_tools]
}

fn tools() -> Value {
    json!([
        {"type": "function", "function": {
            "name": "get_weather",
            "description": "Current weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }},
        {"type": "function", "function": {"name": "now"}},
    ])
}

/// Parameters, each present sometimes.
fn parameters() -> impl Strategy<Value = Map<String, Value>> {
    fn maybe<T: Into<Value> + Clone + std::fmt::Debug + 'static>(
        name: &'static str,
        values: Vec<T>,
    ) -> impl Strategy<Value = Option<(String, Value)>> {
        prop::option::weighted(0.25, select(values))
            .prop_map(move |value| value.map(|value| (name.to_owned(), value.into())))
    }
    let schema = json!({"type": "json_schema", "json_schema": {"name": "place", "strict": true,
        "schema": {"type": "object", "properties": {"city": {"type": "string"}},
            "required": ["city"], "additionalProperties": false}}});
    let choices = vec![
        json!("auto"),
        json!("none"),
        json!("required"),
        json!({"type": "function", "function": {"name": "now"}}),
    ];
    let efforts = vec!["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let first = (
        maybe("temperature", vec![0.0, 0.3, 1.0, 1.7]),
        maybe("top_p", vec![0.1, 0.9, 1.0]),
        maybe("max_tokens", vec![1, 100, 3000, 1_000_000]),
        maybe(
            "stop",
            vec![json!("END"), json!(["a", " "]), json!("User:")],
        ),
        maybe("reasoning_effort", efforts),
        maybe("stream", vec![true, false]),
    );
    let second = (
        maybe("tools", vec![tools()]),
        maybe("tool_choice", choices),
        maybe("parallel_tool_calls", vec![true, false]),
        maybe(
            "response_format",
            vec![schema, json!({"type": "json_object"})],
        ),
        maybe("user", vec!["u-1", "someone@example.com"]),
        maybe("top_k", vec![1, 50, 1000]),
    );
    (first, second).prop_map(|((a, b, c, d, e, f), (g, h, i, j, k, l))| {
        let all = [a, b, c, d, e, f, g, h, i, j, k, l];
        all.into_iter().flatten().collect()
    })
}

fn request(models: Vec<String>) -> impl Strategy<Value = Value> {
    let system = prop::option::of(text());
    let rounds = prop::collection::vec(round(), 0..3);
    (select(models), system, rounds, content(), parameters()).prop_map(
        |(model, system, rounds, question, parameters)| {
            let mut messages = Vec::new();
            messages.extend(system.map(|text| json!({"role": "system", "content": text})));
            messages.extend(rounds.into_iter().flatten());
            messages.push(json!({"role": "user", "content": question}));
            let mut body = json!({"model": model, "messages": messages});
            body.as_object_mut().unwrap().extend(parameters);
            body
        },
    )
}

/// Every name in the catalogue.
async fn models(stack: &Stack, bedrock: &Simulator) -> Vec<String> {
    let channel = json!({
        "name": "everything",
        "region": REGION,
        "endpoint": bedrock.url(),
        "credentials": {
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        },
    });
    let revision = stack.config.create(&channel).await["revision"].as_u64();
    stack.config.wait_active(revision.unwrap()).await;
    stack.wait_served("claude-sonnet-4-5").await;
    let list = stack.envoy.get("/v1/models").await.json();
    let names = list["data"].as_array().unwrap().iter();
    // For questions about videos, which the Chat Completions API cannot carry.
    let names = names.filter(|model| !model["id"].as_str().unwrap().contains("pegasus"));
    names
        .map(|model| model["id"].as_str().unwrap().to_owned())
        .collect()
}

fn refusal(calls: &[Recorded]) -> Option<String> {
    calls.iter().find_map(|call| match &call.verdict {
        Verdict::Accepted => None,
        verdict => Some(format!("{} {verdict:?}\n  sent {:?}", call.path, call.body)),
    })
}

#[test]
fn what_the_filter_accepts_bedrock_accepts() {
    run(async {
        let bedrock = simulator().await;
        let stack = Stack::start().await;
        let strategy = request(models(&stack, &bedrock).await);
        let mut runner = TestRunner::deterministic();
        let (mut answered, mut refused, mut faults) = (0, 0, Vec::new());
        for _ in 0..REQUESTS {
            let body = strategy.new_tree(&mut runner).unwrap().current();
            bedrock.clear();
            let reply = stack.envoy.chat(&body).await;
            match reply.status {
                200 => answered += 1,
                _ => refused += 1,
            }
            if let Some(refusal) = refusal(&bedrock.requests()) {
                faults.push(format!("{body}\n  {refusal}"));
            } else if reply.status >= 500 || reply.text.contains("\"error\"") && reply.status == 200
            {
                faults.push(format!("{body}\n  {} {}", reply.status, reply.text));
            }
        }
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
        println!("{answered} answered, {refused} refused by the filter");
        assert!(
            answered > REQUESTS / 4,
            "only {answered} answered; the generated requests are too unusual"
        );
    });
}
