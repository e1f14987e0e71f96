//! The request's parameters by name, and what can happen to each.

use super::ChatRequest;
use crate::chat::Error;

/// What a dialect does with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Translated.
    Mapped,
    /// Accepted and left out: the answer is as good without it.
    Ignored,
    /// A 400 that names it: the answer would not be what the client asked for.
    Refused,
}

macro_rules! params {
    ($($variant:ident $name:literal $default:ident $set:expr;)*) => {
        /// A parameter of `POST /v1/chat/completions`.
        ///
        /// <https://platform.openai.com/docs/api-reference/chat/create>; those that OpenAI does not
        /// have are extensions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the API's own names")]
        pub enum Param { $($variant,)* }

        impl Param {
            /// Every parameter, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the request.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What dialects do that say nothing else.
            #[must_use]
            pub fn default_treatment(self) -> Treatment {
                match self { $(Self::$variant => Treatment::$default,)* }
            }

            /// Whether a request asks for something with it; neutral values count as unset.
            fn is_set(self, request: &ChatRequest<'_>) -> bool {
                match self { $(Self::$variant => { let set: fn(&ChatRequest<'_>) -> bool = $set; set(request) })* }
            }
        }
    };
}

params! {
    AnthropicBeta "anthropic_beta" Ignored |r| r.anthropic_beta.is_some();
    Audio "audio" Refused |r| r.audio.is_some();
    FrequencyPenalty "frequency_penalty" Refused |r| r.frequency_penalty.is_some_and(|p| p != 0.0);
    FunctionCall "function_call" Refused |r| r.function_call.is_some();
    Functions "functions" Refused |r| r.functions.as_ref().is_some_and(|f| !f.is_empty());
    GuardrailConfig "guardrailConfig" Mapped |r| r.guardrail.is_some();
    LogitBias "logit_bias" Refused |r| r.logit_bias.is_some_and(|bias| bias.get() != "{}");
    Logprobs "logprobs" Refused |r| r.logprobs == Some(true);
    MaxCompletionTokens "max_completion_tokens" Mapped |r| r.max_completion_tokens.is_some();
    MaxTokens "max_tokens" Mapped |r| r.max_tokens.is_some();
    Messages "messages" Mapped |_| true;
    Metadata "metadata" Mapped |r| r.metadata.is_some();
    Modalities "modalities" Refused |r| r.modalities.iter().flatten().any(|m| &**m != "text");
    Model "model" Mapped |_| true;
    Moderation "moderation" Ignored |r| r.moderation.is_some();
    N "n" Refused |r| r.n.is_some_and(|n| n != 1);
    ParallelToolCalls "parallel_tool_calls" Ignored |r| r.parallel_tool_calls.is_some();
    PerformanceConfig "performanceConfig" Mapped |r| r.performance.is_some();
    Prediction "prediction" Ignored |r| r.prediction.is_some();
    PresencePenalty "presence_penalty" Refused |r| r.presence_penalty.is_some_and(|p| p != 0.0);
    PromptCacheKey "prompt_cache_key" Ignored |r| r.prompt_cache_key.is_some();
    PromptCacheOptions "prompt_cache_options" Ignored |r| r.prompt_cache_options.is_some();
    PromptCacheRetention "prompt_cache_retention" Ignored |r| r.prompt_cache_retention.is_some();
    ReasoningEffort "reasoning_effort" Ignored |r| r.reasoning_effort.is_some();
    ResponseFormat "response_format" Refused |r| r.response_format.as_ref().is_some_and(|f| !f.is_text());
    SafetyIdentifier "safety_identifier" Ignored |r| r.safety_identifier.is_some();
    Seed "seed" Ignored |r| r.seed.is_some();
    ServiceTier "service_tier" Mapped |r| r.service_tier.is_some();
    Stop "stop" Mapped |r| !r.stop.is_empty();
    Store "store" Ignored |r| r.store.is_some();
    Stream "stream" Mapped |r| r.stream.is_some();
    StreamOptions "stream_options" Mapped |r| r.stream_options.is_some();
    Temperature "temperature" Mapped |r| r.temperature.is_some();
    Thinking "thinking" Ignored |r| r.thinking.is_some();
    ToolChoice "tool_choice" Refused |r| r.tool_choice.as_ref().is_some_and(|c| !c.is_neutral());
    Tools "tools" Refused |r| r.tools.as_ref().is_some_and(|tools| !tools.is_empty());
    TopK "top_k" Ignored |r| r.top_k.is_some();
    TopLogprobs "top_logprobs" Refused |r| r.top_logprobs.is_some_and(|n| n > 0);
    TopP "top_p" Mapped |r| r.top_p.is_some();
    User "user" Ignored |r| r.user.is_some();
    Verbosity "verbosity" Ignored |r| r.verbosity.is_some();
    WebSearchOptions "web_search_options" Refused |r| r.web_search_options.is_some();
}

/// Refuses what a dialect refuses.
///
/// # Errors
///
/// A 400 that names the first such parameter.
pub fn check(
    request: &ChatRequest<'_>,
    treatment: impl Fn(Param) -> Treatment,
) -> Result<(), Error> {
    let refused = Param::ALL
        .iter()
        .find(|param| param.is_set(request) && treatment(**param) == Treatment::Refused);
    match refused {
        None => Ok(()),
        Some(param) => {
            let name = param.name();
            let message = format!(
                "'{name}' is not supported with the model `{}`; remove it.",
                &*request.model
            );
            Err(Error::unsupported(name, message))
        }
    }
}

/// Ranges of the API reference: <https://platform.openai.com/docs/api-reference/chat/create>.
pub(super) fn check_ranges(request: &ChatRequest<'_>) -> Result<(), Error> {
    let within = |param: &str, value: Option<f64>, (min, max): (f64, f64)| match value {
        Some(value) if !(min..=max).contains(&value) => {
            let message = format!("'{param}' is {value}; it must be between {min} and {max}.");
            Err(Error::invalid(param, message))
        }
        _ => Ok(()),
    };
    within("temperature", request.temperature, (0.0, 2.0))?;
    within("top_p", request.top_p, (0.0, 1.0))?;
    within("frequency_penalty", request.frequency_penalty, (-2.0, 2.0))?;
    within("presence_penalty", request.presence_penalty, (-2.0, 2.0))?;
    for (param, value) in [
        ("max_completion_tokens", request.max_completion_tokens),
        ("max_tokens", request.max_tokens),
        ("n", request.n),
    ] {
        if value == Some(0) {
            let message = format!("'{param}' must be at least 1.");
            return Err(Error::invalid(param, message));
        }
    }
    if request.messages.is_empty() {
        let message = "'messages' is empty; it needs at least one message.";
        return Err(Error::invalid("messages", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(fields: &str) -> String {
        let comma = if fields.is_empty() { "" } else { "," };
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{comma}{fields}}}"#)
    }

    #[track_caller]
    fn check_refused(fields: &str, refused: Option<&str>) {
        let body = body(fields);
        let error = ChatRequest::parse(body.as_bytes())
            .and_then(|request| check(&request, Param::default_treatment))
            .err();
        assert_eq!(
            error.and_then(|error| error.param),
            refused.map(|param| param.to_owned().into()),
            "{fields}"
        );
    }

    #[test]
    fn what_changes_the_answer_is_refused_by_name() {
        for (fields, param) in [
            (r#""n":2"#, "n"),
            (r#""n":0"#, "n"),
            (r#""logprobs":true"#, "logprobs"),
            (r#""top_logprobs":3"#, "top_logprobs"),
            (r#""logit_bias":{"5":1}"#, "logit_bias"),
            (r#""functions":[{"name":"f"}]"#, "functions"),
            (r#""function_call":"auto""#, "function_call"),
            (r#""frequency_penalty":0.5"#, "frequency_penalty"),
            (r#""presence_penalty":-1"#, "presence_penalty"),
            (r#""modalities":["text","audio"]"#, "modalities"),
            (r#""audio":{"voice":"a"}"#, "audio"),
            (r#""web_search_options":{}"#, "web_search_options"),
            (
                r#""response_format":{"type":"json_object"}"#,
                "response_format",
            ),
            (r#""temperature":2.5"#, "temperature"),
            (r#""top_p":-0.1"#, "top_p"),
            (r#""max_tokens":0"#, "max_tokens"),
        ] {
            check_refused(fields, Some(param));
        }
    }

    #[test]
    fn neutral_values_and_harmless_parameters_pass() {
        for fields in [
            "",
            r#""n":1,"logprobs":false,"top_logprobs":0,"logit_bias":{},"frequency_penalty":0,"presence_penalty":0.0"#,
            r#""modalities":["text"],"response_format":{"type":"text"},"tools":[],"tool_choice":"auto""#,
            r#""metadata":{"a":"b"},"seed":7,"store":false,"user":"u","verbosity":"low","service_tier":"auto""#,
            r#""prediction":{"type":"content","content":"x"},"prompt_cache_key":"k","safety_identifier":"s""#,
        ] {
            check_refused(fields, None);
        }
    }
}
