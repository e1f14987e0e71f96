//! The parameters of a request by name.

use super::ChatRequest;
use crate::chat::{Asked, Error, Param};
use crate::protocol::openai::params::{self, at_least_one, needed, params, within};

// Every parameter of <https://platform.openai.com/docs/api-reference/chat/create>, and extensions that OpenAI does not
// have. Neutral values count as unset, and so do penalties too small to matter.
params! { ChatRequest:
    // Other APIs' names come before OpenAI's own for the same thing.
    "cache_control" CacheMark |r| r.cache_control.is_some();
    "chat_template_kwargs" Effort |r| r.chat_template_kwargs.is_some_and(|own| own.thinks().is_some());
    "enable_thinking" Effort |r| r.enable_thinking.is_some();
    "include_reasoning" ShownReasoning |r| r.include_reasoning.is_some();
    "reasoning" Effort |r| r.reasoning.is_some();
    "reasoningEffort" Effort |r| r.camel_case_effort.is_some();
    "stop_sequences" Stop |r| r.stop_sequences.as_ref().is_some_and(|stop| !stop.is_empty());
    "system" Messages |r| r.system.is_some();
    "anthropic_beta" BetaFeatures |r| r.anthropic_beta.is_some();
    "audio" Audio |r| r.audio.is_some();
    "frequency_penalty" FrequencyPenalty |r| r.frequency_penalty.is_some_and(is_strong);
    "function_call" ToolChoice |r| r.function_call.is_some();
    "functions" Tools |r| r.functions.as_ref().is_some_and(|f| !f.is_empty());
    "guardrailConfig" Guardrail |r| r.guardrail.is_some();
    "logit_bias" LogitBias |r| r.logit_bias.is_some_and(|bias| bias.get() != "{}");
    "logprobs" Logprobs |r| r.logprobs == Some(true);
    "max_completion_tokens" MaxOutput |r| r.max_completion_tokens.is_some();
    "max_tokens" MaxOutput |r| r.max_tokens.is_some();
    "messages" Messages |_| true;
    "metadata" Metadata |r| r.metadata.is_some();
    "modalities" Modalities |r| r.modalities.iter().flatten().any(|m| &**m != "text");
    "model" Model |_| true;
    "moderation" Moderation |r| r.moderation.is_some();
    "n" Candidates |r| r.n.is_some_and(|n| n != 1);
    "parallel_tool_calls" ParallelToolCalls |r| r.parallel_tool_calls.is_some();
    "performanceConfig" Latency |r| r.performance.is_some();
    "prediction" Prediction |r| r.prediction.is_some();
    "presence_penalty" PresencePenalty |r| r.presence_penalty.is_some_and(is_strong);
    "prompt_cache_key" PromptCache |r| r.prompt_cache_key.is_some();
    "prompt_cache_options" PromptCache |r| r.prompt_cache_options.is_some();
    "prompt_cache_retention" PromptCache |r| r.prompt_cache_retention.is_some();
    "reasoning_effort" Effort |r| r.reasoning_effort.is_some();
    "response_format" OutputFormat |r| r.response_format.as_ref().is_some_and(|f| !f.is_text());
    "safety_identifier" SafetyIdentifier |r| r.safety_identifier.is_some();
    "seed" Seed |r| r.seed.is_some();
    "service_tier" ServiceTier |r| r.service_tier.is_some();
    "stop" Stop |r| r.stop.as_ref().is_some_and(|stop| !stop.is_empty());
    "store" Store |r| r.store.is_some();
    "stream" Stream |r| r.stream.is_some();
    "stream_options" StreamOptions |r| r.stream_options.is_some();
    "temperature" Temperature |r| r.temperature.is_some();
    "thinking" Thinking |r| r.thinking.is_some();
    "tool_choice" ToolChoice |r| r.tool_choice.as_ref().is_some_and(|c| !c.is_neutral());
    "tools" Tools |r| r.tools.as_ref().is_some_and(|tools| !tools.is_empty());
    "top_k" TopK |r| r.top_k.is_some();
    "top_logprobs" Logprobs |r| r.top_logprobs.is_some_and(|n| n > 0);
    "top_p" TopP |r| r.top_p.is_some();
    "user" User |r| r.user.is_some();
    "verbosity" Verbosity |r| r.verbosity.is_some();
    "web_search_options" WebSearch |r| r.web_search_options.is_some();
}

/// Whether a penalty changes an answer so much that a model without it must not leave it out. OpenAI says that up
/// to 1 it only reduces repetition somewhat, and many clients send a little of it with every request.
///
/// <https://platform.openai.com/docs/api-reference/parameter-details>
fn is_strong(penalty: f64) -> bool {
    penalty.abs() > 1.0
}

/// Every parameter of the API, by name.
#[must_use]
pub fn params() -> &'static [Asked] {
    PARAMS
}

/// Whether a parameter is read, whatever becomes of it.
pub(super) fn is_known(name: &str) -> bool {
    name == "extra_body" || params::has(PARAMS, name)
}

/// The API's name for a parameter.
pub(super) fn name(param: Param) -> &'static str {
    params::name(PARAMS, param)
}

/// What has to be there, and ranges of the API reference: <https://platform.openai.com/docs/api-reference/chat/create>.
pub(super) fn check_ranges(request: &ChatRequest<'_>) -> Result<(), Error> {
    needed("model", request.model.as_ref())?;
    needed("messages", request.messages.as_ref())?;
    within("temperature", request.temperature, &(0.0..=2.0))?;
    within("top_p", request.top_p, &(0.0..=1.0))?;
    within(
        "frequency_penalty",
        request.frequency_penalty,
        &(-2.0..=2.0),
    )?;
    within("presence_penalty", request.presence_penalty, &(-2.0..=2.0))?;
    at_least_one("max_completion_tokens", request.max_completion_tokens)?;
    at_least_one("max_tokens", request.max_tokens)?;
    at_least_one("n", request.n)?;
    match &request.messages {
        Some(messages) if messages.is_empty() => {
            let message = "'messages' is empty; it needs at least one message.";
            Err(Error::invalid("messages", message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Chat;
    use super::*;
    use crate::chat::check;
    use crate::protocol::Protocol as _;

    fn body(fields: &str) -> String {
        let comma = if fields.is_empty() { "" } else { "," };
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{comma}{fields}}}"#)
    }

    #[track_caller]
    fn check_refused(fields: &str, refused: Option<&str>) {
        let body = body(fields);
        let error = Chat
            .parse(body.as_bytes(), &crate::protocol::Said::default())
            .and_then(|parsed| check(&parsed.request, Param::default_treatment))
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
            (r#""frequency_penalty":1.5"#, "frequency_penalty"),
            (r#""presence_penalty":-1.1"#, "presence_penalty"),
            (r#""modalities":["text","audio"]"#, "modalities"),
            (r#""audio":{"voice":"a"}"#, "audio"),
            (r#""web_search_options":{}"#, "web_search_options"),
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
            r#""frequency_penalty":0.5,"presence_penalty":-1"#,
            r#""modalities":["text"],"response_format":{"type":"text"},"tools":[],"tool_choice":"auto""#,
            r#""response_format":{"type":"json_object"}"#,
            r#""metadata":{"a":"b"},"seed":7,"store":false,"user":"u","verbosity":"low","service_tier":"auto""#,
            r#""prediction":{"type":"content","content":"x"},"prompt_cache_key":"k","safety_identifier":"s""#,
        ] {
            check_refused(fields, None);
        }
    }
}
