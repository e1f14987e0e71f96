//! The body of `POST /v1/chat/completions`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::content::{CacheControl, Content};
use super::fault;
use super::foreign::{ReasoningOptions, TemplateOptions};
use super::format::ResponseFormat;
use super::message::Message;
use super::params;
use super::tool::{Function, LegacyChoice, Tool, ToolChoice};
use super::value::{Label, optional_word, top_k, whole};
use crate::chat::{Effort, Error};
use crate::json::{self, Text};

/// Says that a text is UTF-8, and nothing else.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A chat request; strings borrow from the body.
///
/// Every parameter of the API has a field here. Which of them a model honours is the dialect's to say, see
/// [`crate::chat::Param`]. Of others only the names are kept.
#[derive(Clone, Debug, Deserialize)]
pub struct ChatRequest<'a> {
    /// Name of the model, as the client knows it.
    #[serde(default, borrow)]
    pub model: Option<Text<'a>>,
    /// The conversation.
    #[serde(default, borrow)]
    pub messages: Option<Vec<Message<'a>>>,
    /// Extension: beta features of Claude.
    #[serde(default, borrow)]
    pub anthropic_beta: Option<Vec<Text<'a>>>,
    /// Anthropic's: the whole request may be cached.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
    /// vLLM's: options of the model's template.
    #[serde(default)]
    pub chat_template_kwargs: Option<TemplateOptions>,
    /// Qwen's: whether to think.
    #[serde(default)]
    pub enable_thinking: Option<bool>,
    /// Parameters that belong beside it: what OpenAI's own libraries unpack.
    #[serde(default, borrow)]
    pub extra_body: Option<&'a RawValue>,
    /// Wanted form of spoken answers.
    #[serde(default, borrow)]
    pub audio: Option<&'a RawValue>,
    /// Penalty on frequent tokens, -2 to 2.
    #[serde(default)]
    pub frequency_penalty: Option<f64>,
    /// Older form of `tool_choice`.
    #[serde(default, borrow)]
    pub function_call: Option<LegacyChoice<'a>>,
    /// Older form of `tools`.
    #[serde(default, borrow)]
    pub functions: Option<Vec<Function<'a>>>,
    /// Extension: the guardrail to apply instead of the channel's.
    #[serde(default, borrow, rename = "guardrailConfig")]
    pub guardrail: Option<GuardrailConfig<'a>>,
    /// `OpenRouter`'s: whether to show what the model thought.
    #[serde(default)]
    pub include_reasoning: Option<bool>,
    /// Bias on single tokens.
    #[serde(default, borrow)]
    pub logit_bias: Option<&'a RawValue>,
    /// Whether to report token probabilities.
    #[serde(default)]
    pub logprobs: Option<bool>,
    /// Longest answer in tokens.
    #[serde(default, deserialize_with = "whole")]
    pub max_completion_tokens: Option<u32>,
    /// Older name of `max_completion_tokens`, which wins over it.
    #[serde(default, deserialize_with = "whole")]
    pub max_tokens: Option<u32>,
    /// Labels for the operator's logs.
    #[serde(default, borrow)]
    pub metadata: Option<BTreeMap<String, Label<'a>>>,
    /// Wanted kinds of output.
    #[serde(default, borrow)]
    pub modalities: Option<Vec<Text<'a>>>,
    /// Number of answers.
    #[serde(default, deserialize_with = "whole")]
    pub n: Option<u32>,
    /// Whether the model may call several tools at once.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// Extension: `{"latency": "standard" | "optimized"}`.
    #[serde(default, borrow, rename = "performanceConfig")]
    pub performance: Option<PerformanceConfig<'a>>,
    /// Penalty on tokens that appeared, -2 to 2.
    #[serde(default)]
    pub presence_penalty: Option<f64>,
    /// How much to think.
    #[serde(default, deserialize_with = "optional_word")]
    pub reasoning_effort: Option<Effort>,
    /// `OpenRouter`'s: how much to think, and whether to show it.
    #[serde(default)]
    pub reasoning: Option<ReasoningOptions>,
    /// The AI SDK's name of `reasoning_effort`, which some send as it is.
    #[serde(
        default,
        rename = "reasoningEffort",
        deserialize_with = "optional_word"
    )]
    pub camel_case_effort: Option<Effort>,
    /// Shape of the answer.
    #[serde(default, borrow)]
    pub response_format: Option<ResponseFormat<'a>>,
    /// Makes sampling repeatable.
    #[serde(default, deserialize_with = "whole")]
    pub seed: Option<i64>,
    /// Processing class.
    #[serde(default, borrow)]
    pub service_tier: Option<Text<'a>>,
    /// Texts that end the answer.
    #[serde(default, borrow, deserialize_with = "one_or_many")]
    pub stop: Option<Vec<Text<'a>>>,
    /// Anthropic's name of them.
    #[serde(default, borrow)]
    pub stop_sequences: Option<Vec<Text<'a>>>,
    /// Whether to answer as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// Options of a streamed answer.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// Anthropic's: instructions before the conversation.
    #[serde(default, borrow)]
    pub system: Option<Content<'a>>,
    /// Sampling temperature, 0 to 2.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Extension: Claude's own thinking configuration.
    #[serde(default, borrow)]
    pub thinking: Option<&'a RawValue>,
    /// Which tools the model may or must call.
    #[serde(default, borrow)]
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Tools that the model may call.
    #[serde(default, borrow)]
    pub tools: Option<Vec<Tool<'a>>>,
    /// Extension: sample from the `top_k` likeliest tokens.
    #[serde(default, deserialize_with = "top_k")]
    pub top_k: Option<u32>,
    /// Number of alternatives whose probabilities to report.
    #[serde(default, deserialize_with = "whole")]
    pub top_logprobs: Option<u32>,
    /// Nucleus sampling, 0 to 1.
    #[serde(default)]
    pub top_p: Option<f64>,
    /// The end user, opaque.
    #[serde(default, borrow)]
    pub user: Option<Text<'a>>,
    /// OpenAI's own web search.
    #[serde(default, borrow)]
    pub web_search_options: Option<&'a RawValue>,
    /// The body that it was read from.
    #[serde(skip)]
    pub source: &'a [u8],
    /// Names that are not known.
    #[serde(skip)]
    pub unknown: Vec<Cow<'a, str>>,
    #[serde(default, rename = "moderation")]
    pub(super) moderation: Option<IgnoredAny>,
    #[serde(default, rename = "prediction")]
    pub(super) prediction: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_key")]
    pub(super) prompt_cache_key: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_options")]
    pub(super) prompt_cache_options: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_retention")]
    pub(super) prompt_cache_retention: Option<IgnoredAny>,
    #[serde(default, rename = "safety_identifier")]
    pub(super) safety_identifier: Option<IgnoredAny>,
    #[serde(default, rename = "store")]
    pub(super) store: Option<IgnoredAny>,
    #[serde(default, rename = "verbosity")]
    pub(super) verbosity: Option<IgnoredAny>,
}

/// Options of a streamed answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk reports the token counts.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// `{"guardrailIdentifier", "guardrailVersion", "trace"?}`, Converse's names.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConfiguration.html>
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GuardrailConfig<'a> {
    /// Id or ARN of the guardrail.
    #[serde(borrow)]
    pub guardrail_identifier: Text<'a>,
    /// A number, or `DRAFT`.
    #[serde(borrow)]
    pub guardrail_version: Text<'a>,
    /// `enabled`, `disabled` or `enabled_full`.
    #[serde(default, borrow)]
    pub trace: Option<Text<'a>>,
}

/// `{"latency": "standard" | "optimized"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerformanceConfig<'a> {
    /// `standard` or `optimized`.
    #[serde(borrow)]
    pub latency: Text<'a>,
}

/// Every parameter is named, so that a new one is a compile error until it is here.
macro_rules! overwrite {
    ($($field:ident)*) => {
        impl ChatRequest<'_> {
            /// Takes over what another object of parameters has.
            fn overwrite_with(&mut self, other: Box<Self>) {
                let Self { source: _, unknown: _, $($field,)* } = *other;
                $(
                    if $field.is_some() {
                        self.$field = $field;
                    }
                )*
            }
        }
    };
}

overwrite! {
    model messages anthropic_beta cache_control chat_template_kwargs
    enable_thinking extra_body audio frequency_penalty function_call
    functions guardrail include_reasoning logit_bias logprobs
    max_completion_tokens max_tokens metadata modalities n
    parallel_tool_calls performance presence_penalty reasoning_effort reasoning
    camel_case_effort response_format seed service_tier stop
    stop_sequences stream stream_options system temperature
    thinking tool_choice tools top_k top_logprobs
    top_p user web_search_options moderation prediction
    prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier store
    verbosity
}

/// A name as it stands in JSON, without its escapes.
fn unescaped(name: &str) -> Option<Cow<'_, str>> {
    if name.contains('\\') {
        let read = serde_json::from_str(&format!("\"{name}\""));
        return read.ok().map(Cow::Owned);
    }
    Some(name.into())
}

impl<'a> ChatRequest<'a> {
    /// Reads a request and checks its ranges.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter.
    pub fn parse(body: &'a [u8]) -> Result<Box<Self>, Error> {
        // Some tools on Windows put it in front of every text.
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        // serde would read an array as the fields in their order.
        if text.trim_ascii_start().starts_with(b"[") {
            return Err(fault::no_object("an array"));
        }
        let mut request = Self::read(text, "")?;
        if let Some(extra) = request.extra_body.take() {
            request.unpack(extra)?;
        }
        request.source = body;
        params::check_ranges(&request)?;
        Ok(request)
    }

    /// Reads an object of parameters; faults are named behind `prefix`.
    fn read(text: &'a [u8], prefix: &str) -> Result<Box<Self>, Error> {
        // The standard library's check takes as long as all the rest where a text is not English.
        let common = simdutf8::basic::from_utf8(text).ok();
        // In a box, because so much should not be moved about.
        let common = common.and_then(json::read_noting::<Box<Self>>);
        let (mut request, names) = match common {
            Some((request, names)) => (request, names.into_iter().filter_map(unescaped).collect()),
            None => (fault::read(text, prefix)?, fault::names(text)),
        };
        let unknown = names.into_iter().filter(|name| !params::is_known(name));
        let unknown = unknown.map(|name| match prefix {
            "" => name,
            prefix => format!("{prefix}{name}").into(),
        });
        request.unknown = unknown.collect();
        Ok(request)
    }

    /// Puts the parameters of an `extra_body` where they belong.
    fn unpack(&mut self, extra: &'a RawValue) -> Result<(), Error> {
        if !extra.get().starts_with('{') {
            let message = "'extra_body' must be an object.";
            return Err(Error::invalid("extra_body", message));
        }
        let mut extra = Self::read(extra.get().as_bytes(), "extra_body.")?;
        self.unknown.append(&mut extra.unknown);
        self.overwrite_with(extra);
        Ok(())
    }

    /// Whether a stream ends with the token counts.
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options
            .and_then(|options| options.include_usage)
            .unwrap_or(false)
    }
}

/// `stop` is a string, a list of strings or null.
fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Text<'de>>>, D::Error> {
    struct OneOrMany;

    impl<'de> serde::de::Visitor<'de> for OneOrMany {
        type Value = Option<Vec<Text<'de>>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Some(vec![text.into()]))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(vec![text.to_owned().into()]))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = seq.next_element()? {
                texts.push(text);
            }
            Ok(Some(texts))
        }
    }

    deserializer.deserialize_any(OneOrMany)
}

#[cfg(test)]
mod tests {
    use super::super::Chat;
    use super::*;
    use crate::protocol::Protocol as _;

    #[track_caller]
    fn check_fault(json: &str, param: Option<&str>, code: &str) {
        let error = Chat.parse(json.as_bytes()).err().unwrap();
        assert_eq!(error.status, 400);
        assert_eq!(
            (error.param.clone(), error.code),
            (param.map(|param| param.to_owned().into()), Some(code)),
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
            r#"{"model":null,"messages":[]}"#,
            Some("model"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m"}"#,
            Some("messages"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m","extra_body":{"top_k":"many"}}"#,
            Some("extra_body.top_k"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","extra_body":[]}"#,
            Some("extra_body"),
            "invalid_value",
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
    fn stop_is_a_text_or_several() {
        for (stop, texts) in [(r#""x""#, 1), (r#"["x","y"]"#, 2), ("[]", 0)] {
            let user = r#"{"role":"user","content":"x"}"#;
            let body = format!(r#"{{"model":"m","messages":[{user}],"stop":{stop}}}"#);
            let request = ChatRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.stop.unwrap().len(), texts);
        }
    }

    #[test]
    fn faults_inside_parts_name_the_part() {
        let body = |parts: &str| {
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"a"}},{parts}]}}]}}"#
            )
        };
        check_fault(
            &body(r#"{"type":"text","text":5}"#),
            Some("messages[0].content[1].text"),
            "invalid_value",
        );
        check_fault(
            &body(r#"{"text":"a"}"#),
            Some("messages[0].content[1].type"),
            "missing_required_parameter",
        );
        check_fault(
            &body(r#"{"type":"image_url","image_url":{"url":5}}"#),
            Some("messages[0].content[1].image_url.url"),
            "invalid_value",
        );
        check_fault(
            &body(r#"{"type":"image","source":{"data":"AAAA"}}"#),
            Some("messages[0].content[1].source.type"),
            "missing_required_parameter",
        );
        check_fault(
            &body("\"\\ud800\""),
            Some("messages[0].content[1]"),
            "invalid_value",
        );
        check_fault(&body("\"\n\""), None, "invalid_json");
    }

    #[test]
    fn faults_are_told_in_words_of_json() {
        for (fields, message) in [
            (
                r#""temperature":"hot""#,
                "'temperature' must be a number, got the string \"hot\".",
            ),
            (
                r#""max_tokens":-1"#,
                "'max_tokens' must be a whole number from 0 to 4294967295, got -1.",
            ),
            (
                r#""reasoning_effort":5"#,
                "'reasoning_effort' must be a string, got 5.",
            ),
            (
                r#""metadata":{"a":["b"]}"#,
                "'metadata.a' must be a string, a number or a boolean, got an array.",
            ),
            (
                r#""tool_choice":"all""#,
                "'tool_choice' must be \"none\", \"auto\" or \"required\", got the string \"all\".",
            ),
            (
                r#""thinking":{"type":"on"}"#,
                "'thinking.type' must be \"enabled\", \"adaptive\" or \"disabled\", got the string \
                 \"on\".",
            ),
            (
                r#""stream":true,"stream":true"#,
                "'stream' is there twice; send it once.",
            ),
        ] {
            let user = r#"{"role":"user","content":"x"}"#;
            let body = format!(r#"{{"model":"m","messages":[{user}],{fields}}}"#);
            let error = Chat.parse(body.as_bytes());
            assert_eq!(error.err().unwrap().message, message, "{body}");
        }
        for (body, message) in [
            (
                r#"{"model":"m","messages":["Hi"]}"#,
                "'messages[0]' must be an object, got a string.",
            ),
            (
                r#"{"model":"m","messages":"Hi"}"#,
                "'messages' must be an array, got a string.",
            ),
            (
                r#"{"model":"m","messages":[{"role":7}]}"#,
                "'messages[0].role' must be a string, got 7.",
            ),
            ("5", "The request body must be a JSON object, got 5."),
            (
                r#"{"model":"m""#,
                "We could not parse the JSON body of your request: it ends inside an object (line 1, \
                 column 12).",
            ),
        ] {
            let error = Chat.parse(body.as_bytes()).err().unwrap();
            assert_eq!(error.message, message, "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_body() {
        let body = "\u{feff}{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.model.as_deref(), Some("m"));
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}],"stop":null,"tools":null,"temperature":null,"stream":null,"stream_options":null,"max_tokens":null,"tool_choice":null}"#;
        let request = ChatRequest::parse(body).unwrap();
        assert!(request.stop.is_none() && request.tools.is_none() && request.stream.is_none());
    }

    #[test]
    fn unknown_names_are_kept_whichever_reader_takes_them() {
        let user = r#"{"role":"user","content":"x"}"#;
        for (fields, unknown) in [
            (r#""seed":1,"store":true"#, &[][..]),
            (r#""b":{"c":1},"a":[],"b":2"#, &["b", "a", "b"][..]),
            // Escapes in a name: the first is known, the second is not.
            (r#""\u0073eed":1,"\u0061b":1"#, &["ab"][..]),
            (
                r#""extra_body":{"seed":1,"a":1,"extra_body":{"b":1}}"#,
                &["extra_body.a"][..],
            ),
        ] {
            let body = format!(r#"{{"model":"m","messages":[{user}],{fields}}}"#);
            let request = ChatRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.unknown, unknown, "{body}");
        }
        let names = fault::names(br#"{"model":"m","b":{"c":1},"a\u0062":[]}"#);
        assert_eq!(names, ["model", "b", "ab"]);
    }

    #[test]
    fn an_extra_body_is_unpacked() {
        let user = r#"{"role":"user","content":"x"}"#;
        let extra = r#"{"top_k":5,"temperature":0.5,"thinking":{"type":"disabled"}}"#;
        let body =
            format!(r#"{{"model":"m","messages":[{user}],"temperature":1,"extra_body":{extra}}}"#);
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        assert_eq!((request.top_k, request.temperature), (Some(5), Some(0.5)));
        assert!(request.thinking.is_some() && request.extra_body.is_none());
        assert_eq!(request.model.as_deref(), Some("m"));
    }
}
