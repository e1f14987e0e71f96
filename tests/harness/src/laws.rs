//! Laws that hold for any input from outside, shared by the property tests in
//! `tests/robustness.rs` and the fuzz targets in `fuzz/`.

mod markup;
mod messages;
mod responses;

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_filter::bedrock::{Answer, ResponseStream, dialect};
use bedrock_filter::catalog;
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::chat::AnswerHead;
use bedrock_filter::config::{PluginConfig, lint};
use bedrock_filter::exchange::Exchange;
use bedrock_filter::json;
use bedrock_filter::protocol::openai_chat::{Chat, ChatRequest};
use bedrock_filter::protocol::{Protocol as _, Reply, Said};
use bedrock_filter::routes::Routes;
use bedrock_filter::seal::SealKeys;
use serde_json::{Value, json};

use golden_cases::{CHAT, frame};

use crate::{routes, send_to};

pub use markup::{MODELS as MODELS_WITH_MARKUP, markup_reading};
pub use messages::{messages_passthrough, messages_stream, messages_translation};
pub use responses::{responses_stream, responses_translation};

static ROUTES: LazyLock<Arc<Routes>> = LazyLock::new(|| {
    let (mut arns, mut families) = (json!({}), json!({}));
    for family in ModelFamily::ALL {
        let name = opaque(*family);
        arns[&name] = json!(
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456"
        );
        families[&name] = json!(family);
    }
    let config = json!({"channels": [{
        "name": "a",
        "region": "us-east-1",
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        },
        "inference_profile_arn_map": arns,
        "model_families": families,
    }]});
    routes(&config.to_string())
});

/// Model names: every one in the catalogue, and an unknown one of each family.
pub fn models() -> Vec<String> {
    let known = catalog::models().map(|model| model.id.to_owned());
    known
        .chain(ModelFamily::ALL.iter().map(|family| opaque(*family)))
        .collect()
}

fn opaque(family: ModelFamily) -> String {
    format!("opaque-{}", json!(family).as_str().unwrap())
}

/// Any body for any model becomes a call with a JSON body, or a client error that says what is
/// wrong.
pub fn request_translation(body: &[u8], model: &str) {
    translated(CHAT, body, model);
}

fn translated(path: &str, body: &[u8], model: &str) {
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut request)) => {
            request.insert("model".to_owned(), json!(model));
            Value::Object(request).to_string().into_bytes()
        }
        _ => body.to_vec(),
    };
    match send_to(&mut Exchange::new(ROUTES.clone()), path, &body) {
        Ok(call) => {
            let path = call.headers.get_str(":path").unwrap();
            assert!(path.starts_with("/model/"), "{path}");
            let sent: Value = serde_json::from_slice(&call.body).unwrap();
            assert!(sent.is_object(), "{sent}");
        }
        Err((status, body)) => {
            let error: Value = serde_json::from_slice(&body).unwrap();
            assert!((400..500).contains(&status), "{status} {error}");
            assert!(error["error"]["message"].is_string(), "{error}");
        }
    }
}

/// What our reader accepts, `serde_json` also accepts, with the same result.
pub fn json_reading(json: &[u8]) {
    let Ok(text) = std::str::from_utf8(json) else {
        return;
    };
    if let Some(own) = json::read::<Value>(text) {
        assert_eq!(own, serde_json::from_str::<Value>(text).unwrap());
    }
    if let Some(own) = json::read::<ChatRequest<'_>>(text) {
        let other: ChatRequest<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(format!("{own:?}"), format!("{other:?}"));
    }
}

/// Any events, one per line as in the golden files, give every family's client complete events,
/// the last of which is either `[DONE]` or an error. The same lines as a body may or may not give
/// an answer.
pub fn stream_decoding(events: &[u8]) {
    for family in ModelFamily::ALL {
        let dialect = dialect(*family);
        let mut stream = response_stream(*family);
        let mut out = stream.push(&frames(events));
        out.extend(stream.finish());
        check_events(&out);
        let mut stream = response_stream(*family);
        let mut out = stream.push(events);
        out.extend(stream.finish());
        check_events(&out);
        for body in events.split(|byte| *byte == b'\n').chain([events]) {
            let answer = Answer::default();
            if let Ok(completion) = dialect.decode_response(body, &answer) {
                let head = AnswerHead::default();
                let body = reply().whole(&completion, &head);
                serde_json::from_slice::<Value>(&body).unwrap();
            }
        }
    }
}

/// How a client wants its answer.
fn reply() -> Rc<dyn Reply> {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":true}}"#;
    Chat.parse(body, &Said::default()).unwrap().reply
}

fn response_stream(family: ModelFamily) -> ResponseStream {
    let head = AnswerHead::default();
    let decoder = dialect(family).stream_decoder(Answer::default());
    ResponseStream::new(decoder, reply().stream(&head))
}

/// Like [`golden_cases::frames`], for bytes that need not be text.
fn frames(events: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in events.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let (kind, name, payload) = match (text.chars().next(), text.split_once(' ')) {
            (None, _) => continue,
            (Some('!'), Some((name, json))) => ("exception", &name[1..], json.into()),
            (Some('@'), Some((name, json))) => ("event", &name[1..], json.into()),
            _ => ("event", "chunk", chunk(line)),
        };
        let header = format!(":{kind}-type");
        let name = name.get(..name.len().min(60)).unwrap_or("chunk");
        out.extend(frame(
            &[(&header, name), (":message-type", kind)],
            payload.as_bytes(),
        ));
    }
    out
}

fn chunk(event: &[u8]) -> String {
    let mut payload = String::new();
    let _ = write!(payload, r#"{{"bytes":"{}"}}"#, STANDARD.encode(event));
    payload
}

fn check_events(out: &[u8]) {
    let text = std::str::from_utf8(out).unwrap();
    let events: Vec<_> = text.split_terminator("\n\n").collect();
    let (last, before) = events.split_last().unwrap();
    for event in before {
        let event: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        assert!(event["choices"].is_array(), "{text}");
    }
    if *last != "data: [DONE]" {
        let error: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
        assert!(error["error"]["message"].is_string(), "{text}");
    }
}

/// Any configuration is either compiled or refused with a reason; what compiles does not fail
/// later.
pub fn plugin_configuration(json: &[u8]) {
    let Ok(config) = PluginConfig::from_json(json) else {
        return;
    };
    for channel in &config.channels {
        let _ = lint::warnings(channel);
    }
    if let Err(faults) = config.clone().open(&SealKeys::default()) {
        assert!(faults.iter().all(|fault| !fault.message.is_empty()));
    }
    match Routes::compile(config) {
        Ok(routes) => {
            let known = routes.listed().iter().map(|own| own.name.clone());
            for name in known.chain(["claude-haiku-4-5".to_owned(), "?".to_owned()]) {
                if let Ok(route) = routes.find(&name) {
                    assert!(!route.model_id.is_empty());
                    let _ = (route.api(), route.is_invoke_only());
                }
            }
        }
        Err(faults) => assert!(faults.iter().all(|fault| !fault.message.is_empty())),
    }
}
