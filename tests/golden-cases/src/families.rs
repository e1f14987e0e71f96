//! Cases that are the same for every family, as a table of cases and families.
//!
//! A family's cases are generated from its own golden cases: `minimal` shows what its requests look like
//! on both sides, and `stream` what its streams look like.

use serde_json::{Value, json};

use crate::files::{REQUEST_ID, read, streamed};
use crate::{Answer, CHAT, Case};

/// A family of models: `(prefix of its cases' names, number of events in its stream up to "Hel")`.
type Family = (&'static str, usize);

/// Every family that the filter has a dialect for.
const FAMILIES: [Family; 14] = [
    ("anthropic/", 4),
    ("claude_text/", 1),
    ("cohere_command/", 1),
    ("cohere_command_r/", 2),
    ("converse/", 2),
    ("deepseek_r1/", 3),
    ("j2/", 1),
    ("jamba/", 1),
    ("llama3/", 1),
    ("mistral_chat/", 1),
    ("mistral_instruct/", 1),
    ("nova/", 2),
    ("openai_chat/", 2),
    ("titan_text/", 2),
];

/// The chunk after which the stream is cut: the model's first word, whatever came before it.
const FIRST_WORD: &str = r#""delta":{"content":"Hel"}"#;

/// Exceptions in the middle of a stream: name of the case, exception, message, and the type and code that
/// the client reads.
const EXCEPTIONS: [[&str; 5]; 3] = [
    [
        "model-error",
        "modelStreamErrorException",
        "The model failed.",
        "server_error",
        "stream_error",
    ],
    [
        "model-timeout",
        "modelTimeoutException",
        "The model took too long.",
        "server_error",
        "timeout",
    ],
    [
        "throttling",
        "throttlingException",
        "Too many tokens, please wait before trying again.",
        "rate_limit_error",
        "rate_limit_exceeded",
    ],
];

/// All cases of all families.
pub fn cases() -> impl Iterator<Item = Case> {
    FAMILIES.into_iter().flat_map(|family| {
        let mut cases = vec![
            throttling(family),
            refused(family, "n", &json!({"n": 2})),
            refused(
                family,
                "logprobs",
                &json!({"logprobs": true, "top_logprobs": 3}),
            ),
            broken_off(family),
        ];
        cases.extend(EXCEPTIONS.map(|exception| excepted(family, exception)));
        cases
    })
}

/// The models in the families' cases.
pub fn models() -> impl Iterator<Item = String> {
    FAMILIES.into_iter().map(|family| model(&request(family)))
}

fn request((prefix, _): Family) -> Value {
    serde_json::from_str(&read(&format!("{prefix}minimal/request.json"))).unwrap()
}

fn model(request: &Value) -> String {
    request["model"].as_str().unwrap().to_owned()
}

fn error(message: &str, kind: &str, code: &str) -> Value {
    json!({"message": message, "type": kind, "param": null, "code": code})
}

/// An error as the client gets it, with its members in OpenAI's order.
fn shown(error: &Value) -> String {
    let member = |name: &str| format!("    \"{name}\": {}", error[name]);
    let members = ["message", "type", "param", "code"].map(member);
    format!("{{\n  \"error\": {{\n{}\n  }}\n}}", members.join(",\n"))
}

fn throttling(family @ (prefix, _): Family) -> Case {
    let message = "Too many requests, please wait before trying again.";
    let kind = "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/";
    let headers = [
        ("content-type", "application/json"),
        ("x-amzn-requestid", REQUEST_ID),
        ("x-amzn-errortype", kind),
        ("retry-after", "7"),
    ];
    let body = shown(&error(message, "rate_limit_error", "rate_limit_exceeded"));
    Case {
        name: format!("{prefix}throttling"),
        folder: None,
        path: CHAT.to_owned(),
        request: request(family).to_string().into_bytes(),
        answer: Some(Answer {
            status: 429,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: json!({"message": message}).to_string().into_bytes(),
        }),
        upstream: Some(read(&format!("{prefix}minimal/upstream.http"))),
        response: Some(format!(
            "429\nretry-after: 7\nx-request-id: {REQUEST_ID}\ncontent-type: application/json\n\n{body}\n"
        )),
    }
}

/// A parameter that no model has.
fn refused(family @ (prefix, _): Family, parameter: &str, fields: &Value) -> Case {
    let mut request = request(family);
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    let message = format!(
        "'{parameter}' is not supported with the model `{}`; remove it.",
        model(&request)
    );
    let error = json!({
        "message": message,
        "type": "invalid_request_error",
        "param": parameter,
        "code": "unsupported_parameter",
    });
    Case {
        name: format!("{prefix}refused-{parameter}"),
        folder: None,
        path: CHAT.to_owned(),
        request: request.to_string().into_bytes(),
        answer: None,
        upstream: None,
        response: Some(format!("400\n\n{}\n", shown(&error))),
    }
}

/// A stream that ends after its first word.
fn broken_off(family: Family) -> Case {
    let message = "The model's answer was cut off before its end.";
    let error = error(message, "server_error", "stream_error");
    cut(family, "that-breaks-off", "", &error)
}

/// A stream with an exception after its first word.
fn excepted(family: Family, [name, exception, message, kind, code]: [&str; 5]) -> Case {
    let event = format!("!{exception} {}\n", json!({"message": message}));
    let name = format!("exception-{name}");
    cut(family, &name, &event, &error(message, kind, code))
}

/// A stream that continues with `event` after its first word, and what the client then gets.
fn cut((prefix, events): Family, name: &str, event: &str, error: &Value) -> Case {
    let file = |name: &str| read(&format!("{prefix}stream/{name}"));
    let before: String = file("answer.events")
        .split_inclusive('\n')
        .take(events)
        .collect();
    let response = file("response.http");
    let word = response.find(FIRST_WORD).unwrap();
    let end = word + response[word..].find("\n\n").unwrap();
    let error = compact(error);
    Case {
        name: format!("{prefix}stream-{name}"),
        folder: None,
        path: CHAT.to_owned(),
        request: file("request.json").into_bytes(),
        answer: Some(streamed(&(before + event))),
        upstream: Some(file("upstream.http")),
        response: Some(format!(
            "{}\n\ndata: {{\"error\":{error}}}\n\n\n",
            &response[..end]
        )),
    }
}

/// As [`shown`], on one line.
fn compact(error: &Value) -> String {
    let member = |name: &str| format!("\"{name}\":{}", error[name]);
    let members = ["message", "type", "param", "code"].map(member);
    format!("{{{}}}", members.join(","))
}
