//! What is set for a caller's requests, and what they may not use.

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::Exchange;
use golden_cases::PLUGIN_CONFIG;
use harness::{Message, routes, send_as};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";
const COUNT: &str = "/v1/messages/count_tokens";

/// The usual configuration with a caller under these rules, whose key is `sk-a`.
fn exchange(rules: &Value) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["callers"] = json!({
        "mode": "optional",
        "nobody": {"refused": ["tools"]},
        "entries": [{
            "name": "team-a",
            "keys": [{"sha256": KeyDigest::of(b"sk-a").to_string()}],
            "rules": rules,
        }],
    });
    Exchange::new(routes(&config.to_string()))
}

/// What the caller sends, or the status and the error.
fn ask(rules: &Value, path: &str, body: &Value) -> Result<Message, (u16, Value)> {
    let body = body.to_string();
    let key = &[("x-api-key", "sk-a")];
    let sent = send_as(&mut exchange(rules), (path, key), body.as_bytes());
    sent.map_err(|(status, body)| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, body["error"].clone())
    })
}

/// A request with this conversation and these further members.
fn body(path: &str, model: &str, said: &Value, more: &Value) -> Value {
    let mut body = json!({"model": model});
    if path == RESPONSES {
        body["input"] = said.clone();
    } else {
        body["messages"] = said.clone();
    }
    if path == MESSAGES || path == COUNT {
        body["max_tokens"] = json!(4000);
    }
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    body
}

fn hi() -> Value {
    json!([{"role": "user", "content": "Hi"}])
}

/// Something that is used, by endpoint: the conversation, further members, and what the error is about.
type Use = (&'static str, Value, Value, &'static str);

fn tools() -> Vec<Use> {
    let schema = json!({"type": "object", "properties": {}});
    let function = json!({"name": "f", "parameters": schema});
    vec![
        (
            CHAT,
            hi(),
            json!({"tools": [{"type": "function", "function": function}]}),
            "tools",
        ),
        (CHAT, hi(), json!({"functions": [function]}), "functions"),
        (
            MESSAGES,
            hi(),
            json!({"tools": [{"name": "f", "input_schema": schema}]}),
            "tools",
        ),
        (
            MESSAGES,
            json!([{"role": "user", "content": [
                {"type": "text", "text": "Hi"},
                {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}},
            ]}]),
            json!({}),
            "messages.0.content.1",
        ),
        (
            RESPONSES,
            hi(),
            json!({"tools": [{"type": "function", "name": "f", "parameters": schema}]}),
            "tools",
        ),
    ]
}

fn thinking() -> Vec<Use> {
    vec![
        (
            CHAT,
            hi(),
            json!({"reasoning_effort": "low"}),
            "reasoning_effort",
        ),
        (
            CHAT,
            hi(),
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000}),
            "thinking",
        ),
        (
            MESSAGES,
            hi(),
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
            "thinking",
        ),
        (
            RESPONSES,
            hi(),
            json!({"reasoning": {"effort": "high"}}),
            "reasoning.effort",
        ),
    ]
}

fn documents() -> Vec<Use> {
    let data = "JVBERi0xLjQK";
    let uri = format!("data:application/pdf;base64,{data}");
    let source = json!({"type": "base64", "media_type": "application/pdf", "data": data});
    let document = json!({"type": "document", "source": source});
    let said =
        |part: Value| json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}, part]}]);
    let result = json!({"type": "tool_result", "tool_use_id": "t", "content": [document]});
    vec![
        (
            CHAT,
            said(json!({"type": "file", "file": {"filename": "a.pdf", "file_data": uri}})),
            json!({}),
            "messages[0].content[1]",
        ),
        (
            CHAT,
            said(json!({"type": "image_url", "image_url": {"url": uri}})),
            json!({}),
            "messages[0].content[1]",
        ),
        (
            MESSAGES,
            said(document.clone()),
            json!({}),
            "messages.0.content.1",
        ),
        (
            MESSAGES,
            json!([
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                {"role": "user", "content": [result]},
            ]),
            json!({}),
            "messages.2.content.0",
        ),
        (
            RESPONSES,
            said(json!({"type": "input_file", "filename": "a.pdf", "file_data": uri})),
            json!({}),
            "input[0].content[1]",
        ),
    ]
}

fn marks() -> Vec<Use> {
    let mark = json!({"type": "ephemeral"});
    let marked = json!({"type": "text", "text": "Hi", "cache_control": mark});
    let said = json!([{"role": "user", "content": [marked]}]);
    let schema = json!({"type": "object", "properties": {}});
    let tool = json!({"name": "f", "input_schema": schema, "cache_control": mark});
    vec![
        (CHAT, said.clone(), json!({}), "messages[0].content[0]"),
        (CHAT, hi(), json!({"cache_control": mark}), "cache_control"),
        (MESSAGES, said, json!({}), "messages.0.content.0"),
        (MESSAGES, hi(), json!({"system": [marked]}), "system.0"),
        (MESSAGES, hi(), json!({"tools": [tool]}), "cache_control"),
        (
            MESSAGES,
            hi(),
            json!({"cache_control": mark}),
            "cache_control",
        ),
    ]
}

/// Refuses every use of a feature where that is refused, for a model that speaks Anthropic's words and for one that does
/// not, and none where another feature is.
#[track_caller]
fn check(feature: &str, other: &str, uses: &[Use]) {
    for (path, said, more, place) in uses {
        for model in ["claude-sonnet-4-5", "nova-pro"] {
            let body = body(path, model, said, more);
            let refused = ask(&json!({"refused": [feature]}), path, &body);
            let (status, error) = refused.expect_err(&format!("{path} {body}"));
            assert_eq!(status, 403, "{body} {error}");
            assert_eq!(error["type"], "permission_error");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("not allowed for this caller"), "{message}");
            assert!(message.contains("administrator"), "{message}");
            if *path == MESSAGES {
                assert!(message.contains(place), "{message}");
            } else {
                assert_eq!(error["param"], *place, "{body}");
                assert_eq!(error["code"], "not_allowed");
            }
            if let Err((status, error)) = ask(&json!({"refused": [other]}), path, &body) {
                assert_ne!(status, 403, "{body} {error}");
            }
        }
    }
}

#[test]
fn tools_can_be_refused() {
    check("tools", "documents", &tools());
}

#[test]
fn thinking_can_be_refused() {
    check("thinking", "tools", &thinking());
}

#[test]
fn documents_can_be_refused() {
    check("documents", "thinking", &documents());
}

#[test]
fn prompt_caching_can_be_refused() {
    check("prompt_caching", "documents", &marks());
}

#[test]
fn what_asks_for_nothing_is_not_refused() {
    let rules = json!({"refused": ["documents", "prompt_caching", "thinking", "tools"]});
    for (path, more) in [
        (CHAT, json!({"reasoning_effort": "none", "tools": []})),
        (
            CHAT,
            json!({"prompt_cache_key": "k", "cache_control": null}),
        ),
        (
            MESSAGES,
            // At Anthropic an effort is about the whole answer.
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}, "tools": []}),
        ),
        (RESPONSES, json!({"tools": [], "reasoning": {}})),
    ] {
        let body = body(path, "claude-opus-4-5", &hi(), &more);
        let sent = ask(&rules, path, &body);
        assert!(sent.is_ok(), "{path} {body} {sent:?}");
    }
}

#[test]
fn an_error_names_all_that_has_to_go() {
    let more =
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "reasoning_effort": "low"});
    let body = body(CHAT, "claude-sonnet-4-5", &hi(), &more);
    let (_, error) = ask(&json!({"refused": ["thinking"]}), CHAT, &body).unwrap_err();
    assert_eq!(
        error["message"],
        "Thinking is not allowed for this caller; remove 'thinking' and 'reasoning_effort', or ask the gateway's \
         administrator to change that."
    );
}

#[test]
fn counting_tokens_uses_nothing() {
    let rules = json!({"refused": ["tools"], "guardrail": {"identifier": "g", "version": "1"}});
    let (_, said, more, _) = &tools()[2];
    let body = body(COUNT, "claude-sonnet-4-5", said, more);
    assert!(ask(&rules, COUNT, &body).is_ok());
}

#[test]
fn nobody_in_particular_has_rules_too() {
    let (path, said, more, _) = &tools()[0];
    let body = body(path, "nova-pro", said, more).to_string();
    let sent = send_as(
        &mut exchange(&json!({})),
        (path, &[("x-api-key", "sk-unknown")]),
        body.as_bytes(),
    );
    assert_eq!(sent.unwrap_err().0, 403);
    let known = send_as(
        &mut exchange(&json!({})),
        (path, &[("x-api-key", "sk-a")]),
        body.as_bytes(),
    );
    assert!(known.is_ok(), "{known:?}");
}

/// What a call says of a guardrail, a tier and labels: in headers of InvokeModel, in a body of Converse.
fn options(sent: &Message) -> Value {
    let header = |name| sent.headers.get_str(name);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    if header(":path").unwrap().contains("/converse") {
        return json!([
            body["guardrailConfig"]["guardrailIdentifier"],
            body["guardrailConfig"]["guardrailVersion"],
            body["guardrailConfig"]["trace"],
            body["serviceTier"]["type"],
            body["requestMetadata"],
        ]);
    }
    let labels = header("x-amzn-bedrock-request-metadata");
    let trace = header("x-amzn-bedrock-trace").map(str::to_lowercase);
    json!([
        header("x-amzn-bedrock-guardrailidentifier"),
        header("x-amzn-bedrock-guardrailversion"),
        trace,
        header("x-amzn-bedrock-service-tier"),
        labels.map(|own| serde_json::from_str::<Value>(own).unwrap()),
    ])
}

#[test]
fn defaults_are_set_whatever_client_and_model_speak() {
    let rules = json!({
        "guardrail": {"identifier": "gr1", "version": "2", "trace": "enabled"},
        "service_tier": "flex",
        "request_metadata": {"team": "a"},
    });
    for path in [CHAT, MESSAGES, RESPONSES] {
        for model in ["claude-sonnet-4-5", "nova-pro", "llama3-3-70b-instruct"] {
            let sent = ask(&rules, path, &body(path, model, &hi(), &json!({})));
            let sent = sent.unwrap_or_else(|error| panic!("{path} {model} {error:?}"));
            let expected = json!(["gr1", "2", "enabled", "flex", {"team": "a"}]);
            assert_eq!(options(&sent), expected, "{path} {model}");
        }
    }
}

#[test]
fn a_client_chooses_its_tier_and_adds_labels_but_replaces_none() {
    let rules = json!({"service_tier": "flex", "request_metadata": {"team": "a"}});
    let more =
        json!({"service_tier": "priority", "metadata": {"team": "b", "team ": "c", "run": "1"}});
    for path in [CHAT, RESPONSES] {
        let sent = ask(&rules, path, &body(path, "nova-pro", &hi(), &more)).unwrap();
        let options = options(&sent);
        assert_eq!(options[3], "priority");
        assert_eq!(options[4], json!({"run": "1", "team": "a", "team ": "c"}));
        let auto = json!({"service_tier": "auto"});
        let sent = ask(&rules, path, &body(path, "nova-pro", &hi(), &auto)).unwrap();
        assert_eq!(self::options(&sent)[3], "flex");
    }
}

#[test]
fn a_guardrail_cannot_be_replaced() {
    let rules = json!({"guardrail": {"identifier": "gr1", "version": "2"}});
    let named = |identifier: &str, version: &str| {
        json!({"guardrailConfig": {
            "guardrailIdentifier": identifier, "guardrailVersion": version, "trace": "enabled_full",
        }})
    };
    for path in [CHAT, RESPONSES] {
        for (identifier, version) in [("gr2", "2"), ("gr1", "1"), ("gr1", "DRAFT")] {
            let other = body(path, "nova-pro", &hi(), &named(identifier, version));
            let (status, error) = ask(&rules, path, &other).unwrap_err();
            assert_eq!((status, &error["param"]), (403, &json!("guardrailConfig")));
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("remove 'guardrailConfig'"), "{message}");
        }
        let same = body(path, "nova-pro", &hi(), &named("gr1", "2"));
        let options = options(&ask(&rules, path, &same).unwrap());
        assert_eq!(
            (&options[0], &options[2]),
            (&json!("gr1"), &json!("enabled_full"))
        );
    }
}
