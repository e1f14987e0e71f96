//! Parameters that no model on Bedrock can honour, decided in one place.
//!
//! * Refused when set to something that changes the answer: `audio`, `modalities` with audio,
//!   `function_call`, `functions`, `logit_bias`, `logprobs`, `top_logprobs`, `n` over 1,
//!   `reasoning_effort`, `response_format` other than text, `web_search_options`, penalties other
//!   than 0.
//! * Accepted and ignored, because the answer is the same without them: `metadata`, `moderation`,
//!   `prediction`, `prompt_cache_key`, `prompt_cache_options`, `prompt_cache_retention`,
//!   `safety_identifier`, `seed` (best effort at OpenAI too), `service_tier`, `store`, `user`,
//!   `verbosity`, and `detail` of images.

use super::{ChatRequest, Error};

/// Refuses what cannot be honoured.
///
/// # Errors
///
/// A 400 that names the first such parameter.
pub(super) fn check(request: &ChatRequest<'_>) -> Result<(), Error> {
    ranges(request)?;
    let set = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let format = request.response_format.as_ref().map(|format| &*format.kind);
    let refused = [
        ("audio", request.audio.is_some()),
        ("frequency_penalty", set(request.frequency_penalty)),
        ("function_call", request.function_call.is_some()),
        ("functions", request.functions.is_some()),
        (
            "logit_bias",
            request.logit_bias.is_some_and(|bias| bias.get() != "{}"),
        ),
        ("logprobs", request.logprobs == Some(true)),
        (
            "modalities",
            request
                .modalities
                .iter()
                .flatten()
                .any(|modality| &**modality != "text"),
        ),
        ("n", request.n.is_some_and(|n| n != 1)),
        ("presence_penalty", set(request.presence_penalty)),
        (
            "reasoning_effort",
            request
                .reasoning_effort
                .as_ref()
                .is_some_and(|effort| &**effort != "none"),
        ),
        ("response_format", format.is_some_and(|kind| kind != "text")),
        ("top_logprobs", request.top_logprobs.is_some_and(|n| n > 0)),
        ("web_search_options", request.web_search_options.is_some()),
    ];
    match refused.into_iter().find(|(_, refused)| *refused) {
        None => Ok(()),
        Some((param, _)) => {
            let message = format!("'{param}' is not supported by this gateway; remove it.");
            Err(Error::unsupported(param, message))
        }
    }
}

/// Ranges of the API reference: <https://platform.openai.com/docs/api-reference/chat/create>.
fn ranges(request: &ChatRequest<'_>) -> Result<(), Error> {
    let within = |param: &str, value: Option<f64>, max: f64| match value {
        Some(value) if !(0.0..=max).contains(&value) => {
            let message = format!("'{param}' is {value}; it must be between 0 and {max}.");
            Err(Error::invalid(param, message))
        }
        _ => Ok(()),
    };
    within("temperature", request.temperature, 2.0)?;
    within("top_p", request.top_p, 1.0)?;
    for (param, value) in [
        ("max_completion_tokens", request.max_completion_tokens),
        ("max_tokens", request.max_tokens),
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

    #[track_caller]
    fn check(fields: &str, refused: Option<&str>) {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{}{fields}}}"#,
            if fields.is_empty() { "" } else { "," }
        );
        let error = ChatRequest::parse(body.as_bytes()).err();
        assert_eq!(
            error.and_then(|error| error.param).as_deref(),
            refused,
            "{fields}"
        );
    }

    #[test]
    fn what_changes_the_answer_is_refused_by_name() {
        for (fields, param) in [
            (r#""n":2"#, "n"),
            (r#""logprobs":true"#, "logprobs"),
            (r#""top_logprobs":3"#, "top_logprobs"),
            (r#""logit_bias":{"5":1}"#, "logit_bias"),
            (r#""functions":[]"#, "functions"),
            (r#""function_call":"auto""#, "function_call"),
            (r#""frequency_penalty":0.5"#, "frequency_penalty"),
            (r#""presence_penalty":-1"#, "presence_penalty"),
            (r#""modalities":["text","audio"]"#, "modalities"),
            (r#""audio":{"voice":"a"}"#, "audio"),
            (r#""web_search_options":{}"#, "web_search_options"),
            (r#""temperature":2.5"#, "temperature"),
            (r#""top_p":-0.1"#, "top_p"),
            (r#""max_tokens":0"#, "max_tokens"),
        ] {
            check(fields, Some(param));
        }
    }

    #[test]
    fn neutral_values_and_harmless_parameters_pass() {
        for fields in [
            "",
            r#""n":1,"logprobs":false,"top_logprobs":0,"logit_bias":{},"frequency_penalty":0,"presence_penalty":0.0"#,
            r#""modalities":["text"],"response_format":{"type":"text"}"#,
            r#""metadata":{"a":"b"},"seed":7,"store":false,"user":"u","verbosity":"low","service_tier":"auto""#,
            r#""prediction":{"type":"content","content":"x"},"prompt_cache_key":"k","safety_identifier":"s""#,
        ] {
            check(fields, None);
        }
    }
}
