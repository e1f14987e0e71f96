//! Clients that applications use, as they come from their registries: each plays its loops with tools, its
//! structured answers and its streams, on models that are given each of these by other means.

mod agents;
mod page;

use bedrock_simulator::{Simulator, Verdict};
use e2e::{ClientScript, run, shared, simulator};
use serde_json::{Map, Value, json};

/// A model that keeps to schemas by itself, and one that can only be instructed.
const FEW: [&str; 2] = ["claude-opus-4-8", "llama3-3-70b-instruct"];

/// A Claude of each generation, and other vendors' models on either API.
const ALL: [&str; 21] = [
    "claude-3-haiku",
    "claude-3-5-sonnet",
    "claude-3-7-sonnet",
    "claude-sonnet-4",
    "claude-opus-4-1",
    "claude-sonnet-4-5",
    "claude-opus-4-5",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-fable-5",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "nova-pro",
    "nova-2-lite",
    "llama3-3-70b-instruct",
    "mistral-large-2402",
    "mistral-large-2407",
    "mistral-large-3-675b-instruct",
];

/// What the model says when it has the results of the tools.
const ANSWERED: &str = "The tools answered: get_weather of city; get_time of city.";
const GREETED: &str = "You said: Hi there";

/// What a loop of this name ends with, whatever the client.
fn expected(name: &str) -> Value {
    let trip = json!({"city": "city", "days": 1, "tags": ["tags"]});
    match name {
        "stream" => json!(GREETED),
        "asked_again" => json!({"asked": 2, "city": "city", "days": 1, "tags": ["tags"]}),
        _ if name.starts_with("tools") => json!(ANSWERED),
        _ if name.starts_with("helper") => json!([ANSWERED, GREETED]),
        _ if name.starts_with("structured") => trip,
        _ => panic!("no such loop: {name}"),
    }
}

/// Names of the loops that did not end as they should, with what they ended with.
fn faults(found: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (model, loops) in found.as_object().unwrap() {
        let loops = loops.as_object().unwrap();
        assert!(loops.len() >= 4, "{model} has played {loops:?} alone");
        for (name, answer) in loops {
            if *answer != expected(name) {
                faults.push(format!("{name} with {model}: {answer}"));
            }
        }
    }
    faults
}

/// Every model where all are to be played with, otherwise these few.
fn all_or(few: &'static [&'static str]) -> &'static [&'static str] {
    match std::env::var_os(xtask::clients::MATRIX) {
        Some(_) => &ALL,
        None => few,
    }
}

/// Paths that Bedrock refused, with its reasons.
fn refusals(bedrock: &Simulator) -> Vec<(String, Verdict)> {
    let requests = bedrock.requests().into_iter();
    let refused = requests.filter(|request| !matches!(request.verdict, Verdict::Accepted));
    refused
        .map(|request| (request.path, request.verdict))
        .collect()
}

fn play(client: &str, script: ClientScript) {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let models = all_or(&FEW);
        let mapping: Map<_, _> = models
            .iter()
            .map(|model| (format!("{client}-{model}"), json!(model)))
            .collect();
        let names: Vec<_> = mapping.keys().collect();
        let channel = json!({"models": names, "model_mapping": mapping});
        stack.channel_with(&bedrock, &channel).await;
        let base_url = format!("{}/v1", stack.envoy.url());
        let input = json!({"base_url": base_url, "models": names});
        let Some(found) = script.run(&input).await else {
            return;
        };
        assert_eq!(found.as_object().unwrap().len(), models.len());
        let faults = faults(&found);
        let refused = refusals(&bedrock);
        assert!(
            faults.is_empty() && refused.is_empty(),
            "{}\nBedrock refused: {refused:#?}",
            faults.join("\n")
        );
    });
}

#[test]
fn langchain_for_python_plays_its_loops() {
    play(
        "langchain-python",
        ClientScript::python("chat_langchain.py", "AGENTS_PYTHON"),
    );
}

#[test]
fn pydantic_ai_plays_its_loops() {
    play(
        "pydantic-ai",
        ClientScript::python("chat_pydantic_ai.py", "AGENTS_PYTHON"),
    );
}

#[test]
fn openai_agents_plays_its_loops() {
    play(
        "openai-agents",
        ClientScript::python("chat_openai_agents.py", "AGENTS_PYTHON"),
    );
}

#[test]
fn instructor_plays_its_loops() {
    play(
        "instructor",
        ClientScript::python("chat_instructor.py", "INSTRUCTOR_PYTHON"),
    );
}

#[test]
fn openai_for_node_plays_its_loops() {
    play("openai-node", ClientScript::node("chat-openai.mjs"));
}

#[test]
fn langchain_for_node_plays_its_loops() {
    play("langchain-node", ClientScript::node("chat-langchain.mjs"));
}

#[test]
fn the_ai_sdk_plays_its_loops() {
    play("ai-sdk", ClientScript::node("chat-ai-sdk.mjs"));
}

#[test]
fn langchain_for_python_plays_its_loops_over_responses() {
    let script = ClientScript::python("responses_langchain.py", "AGENTS_PYTHON");
    play("langchain-responses", script);
}

#[test]
fn pydantic_ai_plays_its_loops_over_responses() {
    let script = ClientScript::python("responses_pydantic_ai.py", "AGENTS_PYTHON");
    play("pydantic-ai-responses", script);
}

#[test]
fn the_ai_sdk_plays_its_loops_over_responses() {
    let script = ClientScript::node("responses-ai-sdk.mjs");
    play("ai-sdk-responses", script);
}

#[test]
fn langchain_for_python_plays_its_loops_over_messages() {
    let script = ClientScript::python("messages_langchain.py", "AGENTS_PYTHON");
    play("langchain-messages", script);
}

#[test]
fn pydantic_ai_plays_its_loops_over_messages() {
    let script = ClientScript::python("messages_pydantic_ai.py", "AGENTS_PYTHON");
    play("pydantic-ai-messages", script);
}

#[test]
fn the_ai_sdk_plays_its_loops_over_messages() {
    let script = ClientScript::node("messages-ai-sdk.mjs");
    play("ai-sdk-messages", script);
}
