//! Halves of surrogate pairs, which no reader of JSON accepts, in every place where a request can have a text.

use golden_cases::{Case, MESSAGES, RESPONSES};
use harness::laws;

/// The first half of a pair, as clients write it that cut a text by UTF-16 units.
const HALF: &str = "\\ud83d";

#[test]
fn half_a_pair_anywhere_in_a_request_never_reaches_bedrock() {
    for case in golden_cases::all() {
        let Ok(request) = std::str::from_utf8(&case.request) else {
            continue;
        };
        for end in ends_of_strings(request) {
            let (before, after) = request.split_at(end);
            check(&case, &format!("{before}{HALF}{after}"));
        }
    }
}

/// Halves in every text of a request at once, also where a result's call is not there, so that the request is translated.
#[test]
fn halves_in_every_text_of_a_request_never_reach_bedrock() {
    for case in golden_cases::all() {
        let Ok(request) = std::str::from_utf8(&case.request) else {
            continue;
        };
        if !request.contains(HALF) {
            continue;
        }
        for model in laws::models() {
            let asked = with_model(request, &model);
            check(&case, &asked);
            check(&case, &asked.replace("toolu_1", "toolu_0"));
            check(&case, &asked.replacen("toolu_1", "toolu_0", 1));
        }
    }
}

/// A request's text with another model.
fn with_model(request: &str, model: &str) -> String {
    let (before, rest) = request.split_once("\"model\": \"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}\"model\": \"{model}\"{after}")
}

fn check(case: &Case, body: &str) {
    let model = "";
    match &*case.path {
        path if path.starts_with(MESSAGES) => laws::messages_translation(body.as_bytes(), model),
        path if path.starts_with(RESPONSES) => laws::responses_translation(body.as_bytes(), model),
        _ => laws::request_translation(body.as_bytes(), model),
    }
}

/// Where the strings of a JSON text end, names of members included.
fn ends_of_strings(json: &str) -> Vec<usize> {
    let (mut ends, mut is_inside, mut is_escaped) = (Vec::new(), false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_inside,
            b'"' if is_inside => {
                ends.push(at);
                is_inside = false;
            }
            b'"' => is_inside = true,
            _ => {}
        }
    }
    ends
}
