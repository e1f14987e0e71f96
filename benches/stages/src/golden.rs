//! The golden cases that the stages work on, embedded in the binary because Wasm cannot
//! read files.

/// A dialect's richest request with its answer, and a stream.
pub(crate) struct Golden {
    pub(crate) dialect: &'static str,
    pub(crate) request: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) stream_request: &'static str,
    pub(crate) events: &'static str,
}

macro_rules! golden {
    ($($dialect:literal $prefix:literal;)*) => {
        &[$(Golden {
            dialect: $dialect,
            request: include_str!(concat!("../../../tests/golden/", $prefix, "full/request.json")),
            answer: include_str!(concat!("../../../tests/golden/", $prefix, "full/answer.http")),
            stream_request: include_str!(concat!("../../../tests/golden/", $prefix, "stream/request.json")),
            events: include_str!(concat!("../../../tests/golden/", $prefix, "stream/answer.events")),
        }),*]
    };
}

pub(crate) const GOLDEN: &[Golden] = golden! {
    "anthropic" "anthropic/";
    "claude_text" "claude_text/";
    "cohere_command" "cohere_command/";
    "cohere_command_r" "cohere_command_r/";
    "converse" "converse/";
    "deepseek_r1" "deepseek_r1/";
    "jamba" "jamba/";
    "llama" "llama3/";
    "mistral_chat" "mistral_chat/";
    "mistral_instruct" "mistral_instruct/";
    "nova" "nova/";
    "openai_chat" "openai_chat/";
    "titan_text" "titan_text/";
};
