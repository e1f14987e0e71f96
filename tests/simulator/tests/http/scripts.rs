//! Answers by script, whatever the family, whole and streamed.

use bedrock_simulator::{Script, Simulator};
use serde_json::{Value, json};

use crate::client::{Call, events, http, start};

const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const COMMAND_R: &str = "cohere.command-r-v1:0";
const GPT: &str = "openai.gpt-oss-20b-1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const NOVA: &str = "amazon.nova-pro-v1:0";

fn input() -> Value {
    json!({"path": "a/b.txt", "lines": [1, 2], "text": "say \"hi\"\n"})
}

/// A call, and words at the end.
fn script() -> Script {
    let script = Script::new("marmalade").call("read_file", input());
    script.say("It says hi.")
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"path": {"type": "string"}}})
}

fn openai(messages: Value) -> Value {
    let function = json!({"name": "read_file", "description": "d", "parameters": schema()});
    json!({"messages": messages, "tools": [{"type": "function", "function": function}]})
}

fn blocks(messages: Value) -> Value {
    let spec = json!({"name": "read_file", "description": "d", "inputSchema": {"json": schema()}});
    json!({"messages": messages, "toolConfig": {"tools": [{"toolSpec": spec}]}})
}

fn claude(messages: Value) -> Value {
    let tool = json!({"name": "read_file", "input_schema": schema()});
    json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": messages, "tools": [tool]})
}

/// Model, operation without its streaming, a first request, and one with the call's result.
fn conversations() -> Vec<(&'static str, &'static str, Value, Value)> {
    let ask = "Please marmalade.";
    let function = json!({"name": "read_file", "arguments": "{}"});
    let asked = json!({"role": "user", "content": ask});
    let openai_loop = |id: &str| {
        openai(json!([
            asked,
            {"role": "assistant", "content": "", "tool_calls": [{"id": id, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": id, "content": "hi"},
        ]))
    };
    let said = json!({"role": "user", "content": [{"text": ask}]});
    let block_loop = blocks(json!([
        said,
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "read_file", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "hi"}]}}]},
    ]));
    let claude_loop = claude(json!([
        asked,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "read_file", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "hi"}]},
    ]));
    let definitions = json!({"path": {"type": "str", "required": true}});
    let tool =
        json!({"name": "read_file", "description": "d", "parameter_definitions": definitions});
    let command = json!({"message": ask, "tools": [tool]});
    let mut command_loop = command.clone();
    command_loop["tool_results"] =
        json!([{"call": {"name": "read_file", "parameters": {}}, "outputs": [{"text": "hi"}]}]);
    vec![
        (CLAUDE, "invoke", claude(json!([asked])), claude_loop),
        (NOVA, "invoke", blocks(json!([said])), block_loop.clone()),
        (GPT, "invoke", openai(json!([asked])), openai_loop("call_1")),
        (
            MISTRAL,
            "invoke",
            openai(json!([asked])),
            openai_loop("c00000001"),
        ),
        (COMMAND_R, "invoke", command, command_loop),
        (NOVA, "converse", blocks(json!([said])), block_loop),
    ]
}

/// Whether a value has another in it, as it is or as the text of it.
fn has(whole: &Value, part: &Value) -> bool {
    let same_text = |text: &str| {
        // Some models write what they think before it.
        let text = text.rsplit("</reasoning>").next().unwrap_or(text);
        text == part || serde_json::from_str::<Value>(text).is_ok_and(|read| read == *part)
    };
    whole == part
        || match whole {
            Value::String(text) => same_text(text),
            Value::Array(items) => items.iter().any(|item| has(item, part)),
            Value::Object(members) => members.values().any(|member| has(member, part)),
            _ => false,
        }
}

/// The pieces of a stream's input, or of its text, put together.
fn joined(events: &[Value]) -> Value {
    let places = [
        "/delta/partial_json",
        "/delta/text",
        "/contentBlockDelta/delta/toolUse/input",
        "/contentBlockDelta/delta/text",
        "/choices/0/delta/tool_calls/0/function/arguments",
        "/choices/0/delta/content",
        "/text",
    ];
    let texts = events.iter().flat_map(|event| {
        places
            .iter()
            .filter_map(|place| event.pointer(place)?.as_str())
    });
    // Command R does not cut its calls.
    let calls = events.iter().filter_map(|event| event.get("tool_calls"));
    json!([texts.collect::<String>(), calls.collect::<Vec<_>>()])
}

async fn check(
    simulator: &Simulator,
    (model, operation): (&str, &str),
    body: &Value,
    said: &Value,
) {
    let model = model.replace(':', "%3A");
    let (status, answer) = Call::new(&model, operation, body).json(simulator).await;
    assert_eq!(status, 200, "{model}: {answer}");
    let found = match operation {
        "invoke" => has(&answer, said),
        _ => has(&answer["output"], said),
    };
    assert!(found, "{model}: {answer}");
    let streaming = match operation {
        "invoke" => "invoke-with-response-stream",
        _ => "converse-stream",
    };
    let streamed = Call::new(&model, streaming, body).send(simulator).await;
    let joined = joined(&events(&streamed.bytes().await.unwrap()));
    assert!(has(&joined, said), "{model}: {joined}");
}

#[tokio::test]
async fn a_script_calls_what_the_client_offers_and_ends_with_words() {
    let simulator = start().await;
    simulator.play(script());
    for (model, operation, first, second) in conversations() {
        check(&simulator, (model, operation), &first, &input()).await;
        check(
            &simulator,
            (model, operation),
            &second,
            &json!("It says hi."),
        )
        .await;
    }
}

#[tokio::test]
async fn what_no_script_is_for_gets_the_ordinary_answer() {
    let simulator = start().await;
    simulator.play(script());
    let other = json!([{"role": "user", "content": "Hi"}]);
    let said = json!("You said: Hi");
    check(&simulator, (CLAUDE, "invoke"), &claude(other), &said).await;
    // A title, say, is asked for without the tools.
    let mut untooled = claude(json!([{"role": "user", "content": "marmalade"}]));
    untooled.as_object_mut().unwrap().remove("tools");
    let said = json!("You said: marmalade");
    check(&simulator, (CLAUDE, "invoke"), &untooled, &said).await;
    simulator.clear();
    let (_, _, first, _) = conversations().remove(0);
    let said = json!("You said: Please marmalade.");
    check(&simulator, (CLAUDE, "invoke"), &first, &said).await;
}

#[tokio::test]
async fn scripts_are_set_and_dropped_over_http() {
    let simulator = start().await;
    let url = format!("{}/_simulator/scripts", simulator.url());
    let client = http().build().unwrap();
    let post = |scripts: Value| client.post(&url).json(&scripts).send();
    let script = json!({"when": "marmalade", "turns": [
        {"calls": [{"name": "read_file", "input": input()}]}, {"text": "It says hi."}]});
    assert_eq!(post(json!([script])).await.unwrap().status(), 204);
    let set: Vec<Script> = client.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(set, [super::scripts::script()]);
    for bad in [
        json!({}),
        json!([{"when": "x"}]),
        json!([{"when": "x", "turns": [{"say": 1}]}]),
    ] {
        assert_eq!(post(bad.clone()).await.unwrap().status(), 400, "{bad}");
    }
    let (model, operation, first, _) = conversations().remove(0);
    check(&simulator, (model, operation), &first, &input()).await;
    assert_eq!(client.delete(&url).send().await.unwrap().status(), 204);
    check(
        &simulator,
        (model, operation),
        &first,
        &json!("You said: Please marmalade."),
    )
    .await;
}
