//! Whether a prompt was too long: agents then shorten the conversation and try again.
//!
//! Every vendor has its own words for it, so what matters is that a measured quantity of the input exceeds something.

/// What is measured.
const INPUT: [&str; 7] = [
    "input",
    "prompt",
    "context window",
    "context length",
    "context limit",
    "number of tokens",
    "maxlength:",
];

/// Words for exceeding a limit.
const EXCEEDS: [&str; 6] = [
    "too long",
    "too many input tokens",
    "too many tokens",
    "exceed",
    "maximum context length",
    "expected maxlength:",
];

/// Other things that are measured, in the same words.
const OTHER: [&str; 11] = [
    "output token",
    "completion token",
    "image",
    "document",
    " file",
    "bytes",
    " mb",
    "name",
    "stop",
    "wait",
    "tokens you requested exceeds",
];

/// Whether Bedrock's message says so.
pub(super) fn says(message: &str) -> bool {
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    has(&INPUT) && has(&EXCEEDS) && !has(&OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendors_words_are_understood() {
        for message in [
            "Input is too long for requested model.",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "Malformed input request: expected maxLength: 2048, actual: 3000, please reformat your input and try again.",
            "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
            "input length and `max_tokens` exceed context limit: 199211 + 20000 > 204698",
            "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (136000 in the messages, 4000 in the completion).",
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
            "too many tokens: total number of tokens in the prompt cannot exceed 128000 - received 130000",
            "Prompt exceeds max length",
            "context window exceeds limit",
            "Prompt is too long (260000 tokens); max is 256000",
            "The input exceeds the maximum context length of 65536 tokens",
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
        ] {
            assert!(says(message), "{message}");
        }
    }

    #[test]
    fn other_measures_are_other_faults() {
        for message in [
            "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
            "Number of output tokens exceeds maximum length",
            "tools.0.name: String is too long",
            "The number of images in the prompt exceeds the limit of 20",
            "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
            "Too many tokens, please wait before trying again.",
            "The document in the input exceeds 4.5 MB",
            "stop_sequences: too many in the input",
            "The prompt must not be empty.",
            "The provided model identifier is invalid.",
        ] {
            assert!(!says(message), "{message}");
        }
    }
}
