//! Families with their own chat bodies: Mistral, Cohere Command R, Jamba.

use serde_json::{Value, json};

use super::{PNG, both, check, texts, with};

const LARGE: &str = "mistral.mistral-large-2407-v1:0";
const PIXTRAL: &str = "us.mistral.pixtral-large-2502-v1:0";
const COMMAND_R: &str = "cohere.command-r-v1:0";
const JAMBA: &str = "ai21.jamba-1-5-mini-v1:0";

fn good() -> Value {
    json!({"messages": [{"role": "user", "content": "Hi"}]})
}

#[tokio::test]
async fn mistral_chat() {
    let tools = json!([{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]);
    let image = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}]}]});
    check(
        "invoke",
        &good(),
        vec![
            (
                LARGE,
                json!({"max_tokens": 9, "temperature": 1, "top_p": 1}),
                "",
            ),
            (
                LARGE,
                json!({"temperature": 1.5}),
                "1.5 is not less or equal to 1",
            ),
            (LARGE, json!({"stop": ["a"]}), "extraneous key [stop]"),
            (
                LARGE,
                json!({"response_format": {"type": "json_object"}}),
                "extraneous key [response_format]",
            ),
            (LARGE, json!({"tools": tools, "tool_choice": "any"}), ""),
            (
                LARGE,
                json!({"tools": tools, "tool_choice": "required"}),
                "required is not a valid enum value",
            ),
            (
                LARGE,
                image.clone(),
                "does not support content of type 'image_url'",
            ),
            (PIXTRAL, image, ""),
        ],
    )
    .await;
    let request = with(&good(), &json!({"tools": tools, "tool_choice": "any"}));
    for (model, name) in [(LARGE, "delta"), (PIXTRAL, "message")] {
        let called = both(model, &request).await;
        let call = &called.plain["choices"][0]["message"]["tool_calls"][0];
        assert_eq!(call["id"].as_str().unwrap().len(), 9);
        assert_eq!(called.plain["choices"][0]["stop_reason"], "tool_calls");
        let said = both(model, &good()).await;
        assert_eq!(
            said.plain["choices"][0]["message"]["content"],
            "You said: Hi"
        );
        assert_eq!(
            texts(&said.events, &format!("/choices/0/{name}/content")),
            "You said: Hi"
        );
        assert_eq!(texts(&said.events, "/choices/0/stop_reason"), "stop");
        let arguments = format!("/choices/0/{name}/tool_calls/0/function/arguments");
        assert_eq!(texts(&called.events, &arguments), "{}");
    }
}

#[tokio::test]
async fn what_command_r_refuses() {
    let tool = json!({"name": "get_weather", "description": "d", "parameter_definitions": {"city": {"type": "str", "required": true}}});
    let result =
        json!({"call": {"name": "get_weather", "parameters": {}}, "outputs": [{"text": "4 C"}]});
    check("invoke", &json!({"message": "Hi"}), vec![
        (COMMAND_R, json!({"preamble": "Be brief.", "max_tokens": 9, "temperature": 0.3, "p": 0.9, "k": 0, "seed": 1, "stop_sequences": ["X"]}), ""),
        (COMMAND_R, json!({"message": ""}), "message must be at least 1 token long"),
        (COMMAND_R, json!({"message": null}), "required key [message] not found"),
        (COMMAND_R, json!({"messages": []}), "extraneous key [messages]"),
        (COMMAND_R, json!({"tool_choice": "auto"}), "extraneous key [tool_choice]"),
        (COMMAND_R, json!({"stream": true}), "extraneous key [stream]"),
        (COMMAND_R, json!({"p": 1}), "#/p: 1 is not less or equal to 0.99"),
        (COMMAND_R, json!({"max_tokens": 4097}), "exceeds the limit"),
        (COMMAND_R, json!({"chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}]}), ""),
        (COMMAND_R, json!({"chat_history": [{"role": "user", "message": "a"}]}), "user is not a valid enum value"),
        (COMMAND_R, json!({"chat_history": [{"role": "USER", "message": ""}]}), "must have a message"),
        (COMMAND_R, json!({"tools": [tool], "message": "", "tool_results": [result]}), ""),
        (COMMAND_R, json!({"tool_results": [result]}), "tool_results can only be specified with tools"),
        (COMMAND_R, json!({"tools": [{"name": "a", "description": "d", "parameter_definitions": {"b": {"type": "string"}}}]}), "string is not a valid enum value"),
        (COMMAND_R, json!({"tools": [{"name": "a"}]}), "required key [description] not found"),
    ]).await;
}

#[tokio::test]
async fn command_r_repeats_the_answer_at_the_end_of_its_stream() {
    let said = both(COMMAND_R, &json!({"message": "Hi"})).await;
    assert_eq!(said.plain["text"], "You said: Hi");
    assert_eq!(said.plain["finish_reason"], "COMPLETE");
    assert!(said.plain.get("usage").is_none());
    let (end, pieces) = said.events.split_last().unwrap();
    assert_eq!(texts(pieces, "/text"), "You said: Hi");
    assert_eq!(end["event_type"], "stream-end");
    assert_eq!(end["is_finished"], true);
    assert_eq!(end["response"], said.plain);
    let tool = json!({"name": "get_weather", "description": "d", "parameter_definitions": {"days": {"type": "int"}}});
    let called = both(
        COMMAND_R,
        &json!({"message": "call get_weather", "tools": [tool]}),
    )
    .await;
    assert_eq!(
        called.plain["tool_calls"],
        json!([{"name": "get_weather", "parameters": {"days": 1}}])
    );
    assert_eq!(called.plain["finish_reason"], "COMPLETE");
    let calls = called
        .events
        .iter()
        .find(|e| e["event_type"] == "tool-calls-generation");
    assert_eq!(calls.unwrap()["tool_calls"], called.plain["tool_calls"]);
}

#[tokio::test]
async fn jamba() {
    check("invoke", &good(), vec![
        (JAMBA, json!({"max_tokens": 4096, "temperature": 2, "top_p": 0.01, "stop": ["X"], "n": 2, "presence_penalty": 1}), ""),
        (JAMBA, json!({"max_tokens": 4097}), "4097 is not less or equal to 4096"),
        (JAMBA, json!({"top_p": 0}), "0 is not greater or equal to 0.01"),
        (JAMBA, json!({"n": 17}), "17 is not less or equal to 16"),
        (JAMBA, json!({"tools": []}), "extraneous key [tools]"),
        (JAMBA, json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}), "expected type: String, found: JSONArray"),
    ]).await;
    let said = both(JAMBA, &good()).await;
    assert_eq!(
        said.plain["choices"][0]["message"]["content"],
        "You said: Hi"
    );
    assert_eq!(
        texts(&said.events, "/choices/0/delta/content"),
        "You said: Hi"
    );
    assert_eq!(said.events.last().unwrap()["usage"], said.plain["usage"]);
}
