//! What AWS refuses of the newer parts of Anthropic's Messages: features that come with betas, and blocks that only
//! some places take.

use serde_json::{Value, json};

use crate::client::{HAIKU, SONNET};
use crate::refusals::{Row, chat, check, text, tool};

const OPUS_4_8: &str = "us.anthropic.claude-opus-4-8";

const EXTRA: &str = "Extra inputs are not permitted";

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

/// A body with betas, and with these fields.
fn with(betas: &[&str], fields: Value) -> Value {
    let mut body = fields;
    body["anthropic_beta"] = json!(betas);
    body
}

#[tokio::test]
async fn fields_that_come_with_betas() {
    let compaction = || json!({"compaction": {"enabled": true}});
    let safeguards = || json!({"safeguards": {}});
    let edits = |kind: &str| json!({"context_management": {"edits": [{"type": kind}]}});
    let (clear, clear_beta) = ("clear_tool_uses_20250919", "context-management-2025-06-27");
    let (compact, compact_beta) = ("compact_20260112", "compact-2026-01-12");
    let mut both = edits(compact);
    both["compaction"] = json!({});
    let refused = |field: &str| format!("{field}: {EXTRA}");
    let (compaction_refused, context_refused) =
        (refused("compaction"), refused("context_management"));
    let safeguards_refused = refused("safeguards");
    let rows: Vec<(Value, &str)> = vec![
        (with(&["compact-2026-09-04"], compaction()), ""),
        (compaction(), &*compaction_refused),
        (with(&[compact_beta], compaction()), &*compaction_refused),
        (with(&["dangerous-tool-use-2026-09-03"], safeguards()), ""),
        (safeguards(), &*safeguards_refused),
        (with(&[clear_beta], edits(clear)), ""),
        (with(&[compact_beta], edits(compact)), ""),
        (edits(clear), &*context_refused),
        (with(&[compact_beta], edits(clear)), &*context_refused),
        (
            with(
                &[clear_beta, compact_beta],
                edits("clear_thinking_20251015"),
            ),
            &*context_refused,
        ),
        (
            with(&["compact-2026-09-04", compact_beta], both),
            &*context_refused,
        ),
        (
            with(&[clear_beta], json!({"context_management": {}})),
            "context_management.edits: Field required",
        ),
        (
            with(
                &[clear_beta],
                json!({"context_management": {"edits": [{}]}}),
            ),
            "context_management.edits.0.type: Field required",
        ),
    ];
    for (fields, expected) in rows {
        let expected: &'static str = expected.to_owned().leak();
        check(vec![(SONNET, fields, expected)]).await;
    }
}

#[tokio::test]
async fn tools_that_a_model_was_made_for() {
    let own = |kind: &str, name: &str| json!({"tools": [{"type": kind, "name": name}]});
    let search = || own("tool_search_tool_regex_20251119", "tool_search_tool_regex");
    let computer = || own("computer_20250124", "computer");
    let (search_beta, computer_beta) = ("tool-search-tool-2025-10-19", "computer-use-2025-01-24");
    let unknown = "The provided request is not valid";
    check(vec![
        (SONNET, own("bash_20250124", "bash"), ""),
        (
            SONNET,
            own("text_editor_20250728", "str_replace_based_edit_tool"),
            "",
        ),
        (SONNET, own("web_search_20250305", "web_search"), unknown),
        (
            SONNET,
            own("code_execution_20250825", "code_execution"),
            unknown,
        ),
        (SONNET, with(&[computer_beta], computer()), ""),
        (SONNET, computer(), unknown),
        (
            SONNET,
            with(&["computer-use-2025-11-24"], computer()),
            unknown,
        ),
        (SONNET, with(&[search_beta], search()), ""),
        (SONNET, search(), unknown),
        (HAIKU, with(&[search_beta], search()), unknown),
    ])
    .await;
}

#[tokio::test]
async fn instructions_among_the_messages() {
    let first = chat(json!([["system", "Be brief."], ["user", "Hi"]]));
    let middle = chat(json!([["user", "a"], ["system", "b"], ["user", "c"]]));
    check(vec![
        (OPUS_4_8, middle.clone(), ""),
        (
            OPUS_4_8,
            first,
            "messages: messages.0: use the top-level 'system' parameter",
        ),
        (
            SONNET,
            middle,
            "role 'system' is not supported on this model",
        ),
    ])
    .await;
}

#[tokio::test]
async fn blocks_in_their_places() {
    let document = |source: Value| user(json!([{"type": "document", "source": source}]));
    let plain = json!({"type": "text", "media_type": "text/plain", "data": "Hi"});
    let mut cited = text("a");
    cited["citations"] = Value::Null;
    let found =
        json!({"type": "search_result", "source": "a", "title": "b", "content": [text("c")]});
    let reference = json!({"type": "tool_reference", "tool_name": "now"});
    let place = "blocks are not allowed here";
    let rows: Vec<(Value, String)> = vec![
        (document(plain), String::new()),
        (document(json!({"type": "content", "content": [text("a")]})), String::new()),
        (
            document(json!({"type": "url", "url": "https://example.com/a.pdf"})),
            "messages.0.content.0.document.source: Input tag 'url'".to_owned(),
        ),
        (
            document(json!({"type": "base64", "media_type": "text/plain", "data": "SGk="})),
            "messages.0.content.0.document.source.base64.media_type: Input should be 'application/pdf'".to_owned(),
        ),
        (
            document(json!({"type": "text", "media_type": "text/plain", "data": "a", "title": "b"})),
            format!("messages.0.content.0.document.source.title: {EXTRA}"),
        ),
        (
            user(json!([cited])),
            "messages.0.content.0.text.citations: Input should be a valid list".to_owned(),
        ),
        (user(json!([found])), String::new()),
        (user(json!([reference])), format!("messages.0.content.0: `tool_reference` {place}")),
        (
            chat(json!([["user", "a"], ["assistant", [found]], ["user", "b"]])),
            format!("messages.1.content.0: `search_result` {place}"),
        ),
        (
            user(json!([{"type": "server_tool_use", "id": "a", "name": "b", "input": {}}])),
            format!("messages.0.content.0: `server_tool_use` {place}"),
        ),
    ];
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(fields, expected)| (SONNET, fields, &*expected.leak()))
        .collect();
    check(rows).await;
}

#[tokio::test]
async fn results_of_tools_that_failed() {
    let png = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let result = |content: Value, is_error: bool| {
        let call = json!({"type": "tool_use", "id": "t", "name": "now", "input": {}});
        let mut result = json!({"type": "tool_result", "tool_use_id": "t", "content": content});
        if content.is_null() {
            result.as_object_mut().unwrap().remove("content");
        }
        if is_error {
            result["is_error"] = json!(true);
        }
        let mut body = chat(json!([
            ["user", "a"],
            ["assistant", [call]],
            ["user", [result]]
        ]));
        body["tools"] = json!([tool("now")]);
        body
    };
    let place = "messages.2.content.0.tool_result";
    let empty = format!("{place}: content cannot be empty if `is_error` is true");
    let alone = format!("{place}: all content must be type `text` if `is_error` is true");
    let rows = vec![
        (result(json!("no"), true), String::new()),
        (result(json!([text("no")]), true), String::new()),
        (result(json!([text("a"), png]), false), String::new()),
        (result(Value::Null, false), String::new()),
        (result(Value::Null, true), empty.clone()),
        (result(json!(""), true), empty.clone()),
        (result(json!([]), true), empty),
        (result(json!([text("a"), png]), true), alone),
    ];
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(fields, expected)| (SONNET, fields, &*expected.leak()))
        .collect();
    check(rows).await;
}
