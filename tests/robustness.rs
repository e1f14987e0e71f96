//! Property tests: whatever the input from outside, nothing panics and the answer makes
//! sense.
//!
//! `cargo xtask fuzz` checks the same laws against whatever libFuzzer comes up with.

mod halves;
mod inputs;
mod markup;
mod vocabulary;

use std::sync::LazyLock;

use harness::laws;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use inputs::{Edit, any_edits, any_json, any_key};

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

/// A stream with one of its events changed.
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
    fn any_json_as_a_request_is_a_call_or_a_client_error(
        body in any_json(),
        model in any::<Index>(),
    ) {
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.to_string().as_bytes(), model);
        laws::responses_translation(body.to_string().as_bytes(), model);
        laws::messages_translation(body.to_string().as_bytes(), model);
    }

    #[test]
    fn any_conversation_is_a_call_or_a_client_error(
        messages in prop::collection::vec(any_json(), 1..4),
        fields in prop::collection::vec((any_key(), any_json()), 0..3),
        model in any::<Index>(),
    ) {
        let mut body: Map<_, _> = fields.into_iter().collect();
        body.insert("messages".to_owned(), json!(messages));
        body.insert("input".to_owned(), json!(messages));
        body.entry("max_tokens").or_insert(json!(100));
        let body = Value::Object(body).to_string();
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.as_bytes(), model);
        laws::responses_translation(body.as_bytes(), model);
        laws::messages_translation(body.as_bytes(), model);
    }

    #[test]
    fn any_change_to_a_good_request_is_a_call_or_a_client_error(
        request in any::<Index>(),
        edits in any_edits(),
        model in any::<Index>(),
    ) {
        let mut body = request.get(&REQUESTS).clone();
        edits.iter().for_each(|edit| edit.apply(&mut body));
        let model: &String = model.get(&MODELS);
        laws::request_translation(body.to_string().as_bytes(), model);
        laws::responses_translation(body.to_string().as_bytes(), model);
        laws::messages_translation(body.to_string().as_bytes(), model);
        laws::json_reading(body.to_string().as_bytes());
    }

    #[test]
    fn a_damaged_request_is_read_as_serde_json_reads_it(
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
    fn any_change_to_a_good_stream_ends_in_done_or_an_error(
        stream in any::<Index>(),
        at in any::<Index>(),
        edits in any_edits(),
    ) {
        let stream: &String = stream.get(&STREAMS);
        let stream = edited_stream(stream, at, &edits);
        laws::stream_decoding(stream.as_bytes());
        laws::responses_stream(stream.as_bytes());
        laws::messages_stream(stream.as_bytes());
        laws::messages_passthrough(stream.as_bytes());
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
        laws::responses_stream(stream.as_bytes());
        laws::messages_stream(stream.as_bytes());
        laws::messages_passthrough(stream.as_bytes());
    }

    #[test]
    fn any_change_to_a_good_answer_is_an_answer_or_an_error(
        answer in any::<Index>(),
        edits in any_edits(),
    ) {
        let mut answer = answer.get(&ANSWERS).clone();
        edits.iter().for_each(|edit| edit.apply(&mut answer));
        laws::stream_decoding(answer.to_string().as_bytes());
        laws::responses_stream(answer.to_string().as_bytes());
        laws::messages_stream(answer.to_string().as_bytes());
        laws::messages_passthrough(answer.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_a_stream_that_ends_in_done_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        json in any_json(),
    ) {
        laws::stream_decoding(&bytes);
        laws::responses_stream(&bytes);
        laws::messages_stream(&bytes);
        laws::messages_passthrough(&bytes);
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
