//! The body of `POST /v1/chat/completions`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Error, ErrorKind, Message, Text, Tool, ToolChoice, params};

/// A chat request; strings borrow from the body.
///
/// Every parameter of the API has a field here, so an unknown one is a client's mistake. What
/// happens to those that Bedrock has no use for is decided in one place, [`params`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest<'a> {
    /// Name of the model, as the client knows it.
    #[serde(borrow)]
    pub model: Text<'a>,
    /// The conversation.
    #[serde(borrow)]
    pub messages: Vec<Message<'a>>,
    /// Longest answer in tokens.
    #[serde(default)]
    pub max_completion_tokens: Option<u32>,
    /// Older name of `max_completion_tokens`, which wins over it.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Whether the model may call several tools at once.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// Texts that end the answer.
    #[serde(default, borrow, deserialize_with = "one_or_many")]
    pub stop: Vec<Text<'a>>,
    /// Whether to answer as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// Options of a streamed answer.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// Sampling temperature, 0 to 2.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Which tools the model may or must call.
    #[serde(default, borrow)]
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Tools that the model may call.
    #[serde(default, borrow)]
    pub tools: Option<Vec<Tool<'a>>>,
    /// Extension: sample from the `top_k` likeliest tokens.
    #[serde(default)]
    pub top_k: Option<u32>,
    /// Nucleus sampling, 0 to 1.
    #[serde(default)]
    pub top_p: Option<f64>,
    /// Parameters that are not translated.
    #[serde(default, borrow)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) frequency_penalty: Option<f64>,
    #[serde(default, borrow)]
    pub(super) function_call: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) functions: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) logit_bias: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) logprobs: Option<bool>,
    #[serde(default, borrow)]
    pub(super) modalities: Option<Vec<Text<'a>>>,
    #[serde(default)]
    pub(super) n: Option<u32>,
    #[serde(default)]
    pub(super) presence_penalty: Option<f64>,
    #[serde(default, borrow)]
    pub(super) reasoning_effort: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(default)]
    pub(super) top_logprobs: Option<u32>,
    #[serde(default, borrow)]
    pub(super) web_search_options: Option<&'a RawValue>,
    #[serde(default, rename = "metadata")]
    _metadata: Option<IgnoredAny>,
    #[serde(default, rename = "moderation")]
    _moderation: Option<IgnoredAny>,
    #[serde(default, rename = "prediction")]
    _prediction: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_key")]
    _prompt_cache_key: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_options")]
    _prompt_cache_options: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_retention")]
    _prompt_cache_retention: Option<IgnoredAny>,
    #[serde(default, rename = "safety_identifier")]
    _safety_identifier: Option<IgnoredAny>,
    #[serde(default, rename = "seed")]
    _seed: Option<IgnoredAny>,
    #[serde(default, rename = "service_tier")]
    _service_tier: Option<IgnoredAny>,
    #[serde(default, rename = "store")]
    _store: Option<IgnoredAny>,
    #[serde(default, rename = "user")]
    _user: Option<IgnoredAny>,
    #[serde(default, rename = "verbosity")]
    _verbosity: Option<IgnoredAny>,
}

/// Options of a streamed answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk reports the token counts.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// The kind of `response_format`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ResponseFormat<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
}

impl<'a> ChatRequest<'a> {
    /// Reads a request and refuses what cannot be honoured on any model.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        // serde would read an array as the fields in their order.
        if body.trim_ascii_start().starts_with(b"[") {
            let message = "The request body must be a JSON object.";
            return Err(Error::new(400, ErrorKind::InvalidRequest, message).code("invalid_json"));
        }
        let request: Self = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(fault) => return Err(parse_error(body, &fault)),
        };
        params::check(&request)?;
        Ok(request)
    }

    /// The limit of the answer in tokens, if the client set one.
    #[must_use]
    pub fn max_output(&self) -> Option<u32> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// Whether the client asked for server-sent events.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    /// Whether a stream ends with the token counts.
    #[must_use]
    pub fn wants_usage(&self) -> bool {
        self.stream_options
            .and_then(|options| options.include_usage)
            .unwrap_or(false)
    }
}

/// `stop` is a string, a list of strings or null.
fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Text<'de>>, D::Error> {
    struct OneOrMany;

    impl<'de> serde::de::Visitor<'de> for OneOrMany {
        type Value = Vec<Text<'de>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(vec![Text(text.into())])
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Text(text.to_owned().into())])
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = seq.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }

    deserializer.deserialize_any(OneOrMany)
}

/// Reads the body once more, slowly, to say where the fault is.
fn parse_error(body: &[u8], fault: &serde_json::Error) -> Error {
    if !fault.is_data() {
        let message = format!("We could not parse the JSON body of your request: {fault}.");
        return Error::new(400, ErrorKind::InvalidRequest, message).code("invalid_json");
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let located = serde_path_to_error::deserialize::<_, ChatRequest<'_>>(&mut deserializer);
    let Err(located) = located else {
        return Error::new(400, ErrorKind::InvalidRequest, fault.to_string());
    };
    let path = located.path().to_string();
    if path == "." {
        let message = format!("The request body must be a JSON object: {fault}.");
        let error = Error::new(400, ErrorKind::InvalidRequest, message);
        return match quoted_after(&located.inner().to_string(), "missing field ") {
            Some(field) => missing(field),
            None => error.code("invalid_json"),
        };
    }
    let message = located.inner().to_string();
    if let Some(field) = quoted_after(&message, "missing field ") {
        return missing(&format!("{path}.{field}"));
    }
    if quoted_after(&message, "unknown field ").is_some() {
        let message = format!("Unknown parameter: '{path}'.");
        return Error::invalid(path, message).code("unknown_parameter");
    }
    let message = format!("Invalid value for '{path}': {message}.");
    Error::invalid(path, message)
}

fn quoted_after<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').nth(1)
}

fn missing(param: &str) -> Error {
    let message = format!("Missing required parameter: '{param}'.");
    Error::invalid(param, message).code("missing_required_parameter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fault(json: &str, param: Option<&str>, code: &str) {
        let error = ChatRequest::parse(json.as_bytes()).unwrap_err();
        assert_eq!(error.status, 400);
        assert_eq!(
            (error.param.as_deref(), error.code),
            (param, Some(code)),
            "{error}"
        );
    }

    #[test]
    fn faults_name_their_parameter() {
        check_fault("", None, "invalid_json");
        check_fault("{", None, "invalid_json");
        check_fault("[]", None, "invalid_json");
        check_fault("null", None, "invalid_json");
        check_fault("{}", Some("model"), "missing_required_parameter");
        check_fault(
            r#"{"model":"m"}"#,
            Some("messages"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m","messages":[],"tempreature":1}"#,
            Some("tempreature"),
            "unknown_parameter",
        );
        check_fault(
            r#"{"model":"m","messages":[{"role":"user","content":5}]}"#,
            Some("messages[0].content"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","messages":[{"role":"wizard","content":"x"}]}"#,
            Some("messages[0].role"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","messages":[{"content":"x"}]}"#,
            Some("messages[0].role"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m","messages":[],"temperature":"hot"}"#,
            Some("temperature"),
            "invalid_value",
        );
    }

    #[test]
    fn strings_borrow_from_the_body_unless_they_have_escapes() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"a\n"}],"stop":"x"}"#;
        let request = ChatRequest::parse(body).unwrap();
        let borrowed: Vec<_> = request
            .messages
            .iter()
            .map(|message| match &message.content {
                Some(super::super::Content::Text(Text(text))) => {
                    matches!(text, std::borrow::Cow::Borrowed(_))
                }
                _ => false,
            })
            .collect();
        assert_eq!(borrowed, [true, false]);
        assert_eq!(&*request.stop[0], "x");
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}],"stop":null,"tools":null,"temperature":null,"stream":null,"stream_options":null,"max_tokens":null,"tool_choice":null}"#;
        let request = ChatRequest::parse(body).unwrap();
        assert!(request.stop.is_empty() && request.tools.is_none() && !request.is_stream());
    }
}
