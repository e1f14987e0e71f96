//! The parameters of a request by name.

use super::request::Body;
use crate::chat::{Asked, Error, Param, Treatment};
use crate::protocol::openai::params::{self, at_least_one, needed, params, within};

// Those parameters of <https://platform.openai.com/docs/api-reference/responses/create> that mean something to models,
// and extensions that OpenAI does not have. What a body asks for further inside is found where that is read.
params! { Body:
    "instructions" Messages |r| r.instructions.is_some();
    "guardrailConfig" Guardrail |r| r.guardrail.is_some();
    "include" ShownReasoning |r| r.include.is_some();
    "input" Messages |_| true;
    "max_output_tokens" MaxOutput |r| r.max_output_tokens.is_some();
    "metadata" Metadata |r| r.metadata.is_some();
    "model" Model |_| true;
    "moderation" Moderation |_| false;
    "parallel_tool_calls" ParallelToolCalls |r| r.parallel_tool_calls.is_some();
    "performanceConfig" Latency |r| r.performance.is_some();
    "prompt_cache_key" PromptCache |_| false;
    "prompt_cache_options" PromptCache |_| false;
    "prompt_cache_retention" PromptCache |_| false;
    "reasoning.effort" Effort |_| false;
    "reasoning.summary" ShownReasoning |_| false;
    "safety_identifier" SafetyIdentifier |_| false;
    "service_tier" ServiceTier |r| r.service_tier.is_some();
    "store" Store |_| false;
    "stream" Stream |r| r.stream.is_some();
    "temperature" Temperature |r| r.temperature.is_some();
    "text.format" OutputFormat |_| false;
    "text.verbosity" Verbosity |_| false;
    "tool_choice" ToolChoice |_| false;
    "tools" Tools |_| false;
    "top_logprobs" Logprobs |r| r.top_logprobs.is_some_and(|n| n > 0);
    "top_p" TopP |r| r.top_p.is_some();
    "user" User |r| r.user.is_some();
}

/// The parameters that mean the same whatever the model: they are about OpenAI's own service.
pub const FIXED: &[(&str, Treatment)] = &[
    ("access_programs", Treatment::Ignored),
    ("background", Treatment::Refused),
    ("background_options", Treatment::Refused),
    ("client_metadata", Treatment::Ignored),
    ("context_management", Treatment::Ignored),
    ("conversation", Treatment::Refused),
    ("image", Treatment::Ignored),
    ("max_tool_calls", Treatment::Ignored),
    ("previous_response_id", Treatment::Refused),
    ("prompt", Treatment::Refused),
    ("reasoning.context", Treatment::Ignored),
    ("reasoning.mode", Treatment::Ignored),
    ("stream_options", Treatment::Ignored),
    ("truncation", Treatment::Ignored),
];

/// The parameters of the API whose treatment is the model's to say, by name.
#[must_use]
pub fn params() -> &'static [Asked] {
    PARAMS
}

/// Whether a parameter is read, whatever becomes of it.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "reasoning" | "text")
        || params::has(PARAMS, name)
        || FIXED.iter().any(|(own, _)| *own == name)
}

/// The API's name for a parameter.
pub(super) fn name(param: Param) -> &'static str {
    match param {
        Param::Thinking => "reasoning",
        _ => params::name(PARAMS, param),
    }
}

/// What has to be there, what cannot be, and ranges of the API reference.
pub(super) fn check(request: &Body<'_>) -> Result<(), Error> {
    refuse_what_is_stored(request)?;
    needed("model", request.model.as_ref())?;
    needed("input", request.input.as_ref())?;
    within("temperature", request.temperature, &(0.0..=2.0))?;
    within("top_p", request.top_p, &(0.0..=1.0))?;
    at_least_one("max_output_tokens", request.max_output_tokens)
}

/// Refuses whatever needs something that was kept from an earlier request: without it the model would answer another
/// question than the client's.
fn refuse_what_is_stored(request: &Body<'_>) -> Result<(), Error> {
    let stored = "Responses are not stored here: send the whole conversation in 'input', with the items of earlier \
                  answers' 'output', and leave this parameter out.";
    let background = "Background responses are not available here: leave this parameter out, and use 'stream' for long \
                      answers.";
    let faults = [
        (
            "previous_response_id",
            request.previous_response_id.is_some(),
            stored,
        ),
        ("conversation", request.conversation.is_some(), stored),
        (
            "prompt",
            request.prompt.is_some(),
            "Prompts are not stored here: send their text in 'instructions' or 'input'.",
        ),
        ("background", request.background == Some(true), background),
        (
            "background_options",
            request.background_options.is_some(),
            background,
        ),
    ];
    let fault = faults.into_iter().find(|(_, is_there, _)| *is_there);
    fault.map_or(Ok(()), |(param, _, message)| {
        Err(Error::unsupported(param, message))
    })
}
