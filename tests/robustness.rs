//! Property tests: whatever comes in from outside, nothing panics and the answer makes sense.
//!
//! `cargo xtask fuzz` holds the same laws against what libFuzzer thinks of.

use std::sync::LazyLock;

use harness::laws;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Names that mean something, in requests, answers or configurations.
const WORDS: &[&str] = &[
    "access_key_id",
    "allowed_tools",
    "any",
    "api",
    "allow_model_ids",
    "arguments",
    "assistant",
    "auto",
    "bytes",
    "cache_control",
    "channels",
    "choices",
    "chunk",
    "completion",
    "content",
    "content_block",
    "contentBlockDelta",
    "contentBlockIndex",
    "credentials",
    "cross_region",
    "data",
    "delta",
    "description",
    "developer",
    "endpoint",
    "error",
    "event_type",
    "file",
    "file_data",
    "filename",
    "finish_reason",
    "function",
    "function_call",
    "functions",
    "generation",
    "guardrailConfig",
    "high",
    "id",
    "image_url",
    "index",
    "inference_profile_arn_map",
    "input",
    "is_finished",
    "json_object",
    "json_schema",
    "limits",
    "max_tokens",
    "message",
    "messages",
    "metadata",
    "metrics",
    "model_families",
    "model_mapping",
    "name",
    "none",
    "output",
    "outputs",
    "parameters",
    "reasoning_content",
    "reasoning_effort",
    "redacted_thinking",
    "refusal",
    "region",
    "required",
    "response_format",
    "results",
    "role",
    "schema",
    "signature",
    "stop",
    "stop_reason",
    "stream",
    "stream_options",
    "strict",
    "system",
    "temperature",
    "text",
    "thinking",
    "thinking_blocks",
    "tool",
    "tool_call_id",
    "tool_calls",
    "tool_choice",
    "tools",
    "top_p",
    "type",
    "url",
    "usage",
    "user",
    "amazon-bedrock-invocationMetrics",
];

/// Strings that are read further.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\n",
    "{",
    "{}",
    "{\"a\":1}",
    "[1]",
    "null",
    "é\u{0}\u{fffd}",
    "[DONE]",
    "\"[DONE]\"",
    "<think>",
    "</think>",
    "<reasoning>a</reasoning>b",
    "[INST]",
    "</s>",
    "<|eot_id|>",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
    "data:application/pdf;base64,JVBERi0xLjQK",
    "data:text/plain;base64,SGVsbG8=",
    "data:,",
    "data:;base64,",
    "a.pdf",
    "a.docx",
    "https://example.com/a.png",
    "claude-haiku-4-5",
    "us-east-1",
    "http://127.0.0.1:9",
    "https://[::1]",
    "eyJhIjoxfQ==",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
    "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0",
    "arn:aws:::::",
];

/// Any JSON, biased to what our types know.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        select(vec![0_i64, 1, -1, 16, 4096, i64::MAX, i64::MIN]).prop_map(|n| json!(n)),
        select(vec![0.0, 0.5, -0.5, 1.7, 1e300, f64::MIN_POSITIVE]).prop_map(|n| json!(n)),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => number,
        3 => any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let object = prop::collection::vec((any_key(), inner), 0..5)
            .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()));
        prop_oneof![1 => list, 2 => object]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(WORDS).prop_map(str::to_owned),
        select(TEXTS).prop_map(str::to_owned),
        ".{0,8}",
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(WORDS).prop_map(str::to_owned), 1 => ".{0,4}"]
}

/// One change of a JSON document.
#[derive(Clone, Debug)]
enum Edit {
    Replace(Index, Value),
    /// Adds a field to an object or an element to a list.
    Add(Index, String, Value),
    /// Removes a field of an object or an element of a list.
    Remove(Index, Index),
}

fn any_edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<Index>(), any_json()).prop_map(|(at, value)| Edit::Replace(at, value)),
        (any::<Index>(), any_key(), any_json()).prop_map(|(at, key, v)| Edit::Add(at, key, v)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, child)| Edit::Remove(at, child)),
    ];
    prop::collection::vec(edit, 1..4)
}

impl Edit {
    fn apply(&self, document: &mut Value) {
        let (Self::Replace(at, _) | Self::Add(at, ..) | Self::Remove(at, _)) = self;
        let mut places = vec![String::new()];
        collect_places(document, "", &mut places);
        let place: &String = at.get(&places);
        let place = document.pointer_mut(place).unwrap();
        match (self, place) {
            (Self::Replace(_, value), place) => *place = value.clone(),
            (Self::Add(_, key, value), Value::Object(fields)) => {
                fields.insert(key.clone(), value.clone());
            }
            (Self::Add(_, _, value), Value::Array(list)) => list.push(value.clone()),
            (Self::Remove(_, child), Value::Object(fields)) if !fields.is_empty() => {
                let keys: Vec<_> = fields.keys().cloned().collect();
                fields.remove(child.get(&keys));
            }
            (Self::Remove(_, child), Value::Array(list)) if !list.is_empty() => {
                list.remove(child.index(list.len()));
            }
            _ => {}
        }
    }
}

/// JSON pointers of everything inside a value.
fn collect_places(value: &Value, prefix: &str, places: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, child)| (key.replace('~', "~0").replace('/', "~1"), child))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, child)| (index.to_string(), child))
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let place = format!("{prefix}/{key}");
        collect_places(child, &place, places);
        places.push(place);
    }
}

static REQUESTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let requests = golden_cases::texts("request.json");
    let json = requests
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok());
    json.collect()
});

static STREAMS: LazyLock<Vec<String>> = LazyLock::new(|| golden_cases::texts("answer.events"));

static ANSWERS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let answers = golden_cases::texts("answer.http");
    let bodies = answers.iter().filter_map(|text| text.split_once("\n\n"));
    let json = bodies.filter_map(|(_, body)| serde_json::from_str(body).ok());
    json.collect()
});

static MODELS: LazyLock<Vec<String>> = LazyLock::new(laws::models);

/// The stream with one of its events changed.
fn edited_stream(stream: &str, at: Index, edits: &[Edit]) -> String {
    let mut lines: Vec<_> = stream.lines().map(str::to_owned).collect();
    let line = at.get(&lines).clone();
    let (name, json) = match line.split_once(' ') {
        Some((name, json)) if line.starts_with(['!', '@']) => (format!("{name} "), json),
        _ => (String::new(), line.as_str()),
    };
    let mut event: Value = serde_json::from_str(json).unwrap_or_default();
    for edit in edits {
        edit.apply(&mut event);
    }
    let at = at.index(lines.len());
    lines[at] = format!("{name}{event}");
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_json_as_a_request_is_a_call_or_the_clients_error(
        body in any_json(),
        model in any::<Index>(),
    ) {
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.to_string().as_bytes(), model);
    }

    #[test]
    fn any_conversation_is_a_call_or_the_clients_error(
        messages in prop::collection::vec(any_json(), 1..4),
        fields in prop::collection::vec((any_key(), any_json()), 0..3),
        model in any::<Index>(),
    ) {
        let mut body: Map<_, _> = fields.into_iter().collect();
        body.insert("messages".to_owned(), json!(messages));
        let body = Value::Object(body).to_string();
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.as_bytes(), model);
    }

    #[test]
    fn any_change_of_a_good_request_is_a_call_or_the_clients_error(
        request in any::<Index>(),
        edits in any_edits(),
        model in any::<Index>(),
    ) {
        let mut body = request.get(&REQUESTS).clone();
        edits.iter().for_each(|edit| edit.apply(&mut body));
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.to_string().as_bytes(), model);
        laws::json_reading(body.to_string().as_bytes());
    }

    #[test]
    fn a_spoilt_request_is_read_as_serde_json_reads_it(
        request in any::<Index>(),
        at in any::<Index>(),
        length in 0..4_usize,
        replacement in "[\\[\\]{},:\"\\\\0-9eE.+\\-nul \t\n]{0,3}",
    ) {
        let mut text = request.get(&REQUESTS).to_string().into_bytes();
        let start = at.index(text.len());
        let end = text.len().min(start + length);
        text.splice(start..end, replacement.bytes());
        laws::json_reading(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_change_of_a_good_stream_ends_in_done_or_an_error(
        stream in any::<Index>(),
        at in any::<Index>(),
        edits in any_edits(),
    ) {
        let stream: &String = stream.get(&STREAMS);
        let stream = edited_stream(stream, at, &edits);
        laws::stream_decoding(stream.as_bytes());
    }

    #[test]
    fn any_mixture_of_streams_ends_in_done_or_an_error(
        picks in prop::collection::vec((any::<Index>(), any::<Index>()), 1..6),
    ) {
        let lines = picks.iter().map(|(stream, line)| {
            let lines: Vec<_> = stream.get(&STREAMS).lines().collect();
            *line.get(&lines)
        });
        let stream = lines.collect::<Vec<_>>().join("\n");
        laws::stream_decoding(stream.as_bytes());
    }

    #[test]
    fn any_change_of_a_good_answer_is_an_answer_or_an_error(
        answer in any::<Index>(),
        edits in any_edits(),
    ) {
        let mut answer = answer.get(&ANSWERS).clone();
        edits.iter().for_each(|edit| edit.apply(&mut answer));
        laws::stream_decoding(answer.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_a_stream_that_ends_in_done_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        json in any_json(),
    ) {
        laws::stream_decoding(&bytes);
        laws::stream_decoding(json.to_string().as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_configuration_is_compiled_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        json in any_json(),
        edits in any_edits(),
    ) {
        laws::plugin_configuration(&bytes);
        laws::plugin_configuration(json.to_string().as_bytes());
        let mut config: Value = serde_json::from_str(golden_cases::PLUGIN_CONFIG).unwrap();
        edits.iter().for_each(|edit| edit.apply(&mut config));
        laws::plugin_configuration(config.to_string().as_bytes());
    }
}

/// Pieces of the markup of all models.
const MARKUP: &[&str] = &[
    "<think>",
    "</think>",
    "<reasoning>",
    "</reasoning>",
    "<mm:think>",
    "</mm:think>",
    "[THINK]",
    "[/THINK]",
    "<|tool_calls_section_begin|>",
    "<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
    "<|tool_calls_section_end|>",
    "<|channel|>analysis<|message|>",
    "<|channel|>final<|message|>",
    "<|channel|>commentary to=functions.now<|message|>{}",
    "<|end|>",
    "<|call|>",
    "<|start|>assistant",
    "<tool_call>",
    "<function=now>",
    "</function>",
    "</tool_call>",
    "now",
    "<arg_key>a</arg_key>",
    "<arg_value>1</arg_value>",
    "{\"name\":\"now\"}",
    "<minimax:tool_call>",
    "<invoke name=\"now\">",
    "</invoke>",
    "<parameter name=\"a\">1</parameter>",
    "</minimax:tool_call>",
    "<｜DSML｜function_calls>",
    "</｜DSML｜function_calls>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
    "<｜tool▁calls▁end｜>",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "[ARGS]{}",
    "<TOOLCALL>",
    "</TOOLCALL>",
    "<|eot_id|>",
    "<|im_end|>",
    "</s>",
    "<",
    "</",
    "<|",
    "[",
    "`",
    "```",
    " ",
    "\n",
    "é",
    "word",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn markup_reads_the_same_whole_and_streamed(
        parts in prop::collection::vec(select(MARKUP), 0..12),
        cuts in prop::collection::vec(0..400usize, 0..8),
        model in select(&laws::MODELS_WITH_MARKUP[..]),
        tools in any::<bool>(),
    ) {
        laws::markup_reading(&parts.concat(), &cuts, model, tools);
    }
}
