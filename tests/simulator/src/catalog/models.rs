//! The models that do not take Claude's Messages body: family, limits, abilities.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html>

use self::Route::{Direct, Profiles};
use crate::family::Family;
use crate::family::Family::{
    ClaudeText, CommandR, CommandText, DeepSeekR1, J2, Jamba, Llama2, Llama3, Llama4, MistralChat,
    MistralPrompt, Nova, OpenAi, Titan,
};

/// One model.
pub(super) struct Row {
    /// Base model id.
    pub(super) id: &'static str,
    pub(super) family: Family,
    /// The most output tokens that may be requested.
    pub(super) max_tokens: u64,
    pub(super) route: Route,
    /// Prefixes of its inference profiles, separated by spaces.
    pub(super) geos: &'static str,
    pub(super) apis: Apis,
    /// What it accepts besides text, and its other abilities: `image`, `pdf`, `audio`,
    /// `video`, `tools`, `schema` (structured output on Converse).
    pub(super) can: &'static str,
}

/// Whether the base id can be called without an inference profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Direct,
    Profiles,
}

/// The operations that serve a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apis {
    /// `InvokeModel` and Converse, streaming included.
    Both,
    /// Only `InvokeModel`.
    Invoke,
    /// Only Converse.
    Converse,
}

const BOTH: Apis = Apis::Both;
const INVOKE: Apis = Apis::Invoke;
const CONVERSE: Apis = Apis::Converse;

#[rustfmt::skip]
pub(super) const MODELS: &[Row] = &[
    row("ai21.j2-mid-v1", J2, 8_191, Direct, "", INVOKE, ""),
    row("ai21.j2-ultra-v1", J2, 8_191, Direct, "", INVOKE, ""),
    row("ai21.jamba-1-5-large-v1:0", Jamba, 4_096, Direct, "", BOTH, ""),
    row("ai21.jamba-1-5-mini-v1:0", Jamba, 4_096, Direct, "", BOTH, ""),
    row("ai21.jamba-instruct-v1:0", Jamba, 4_096, Direct, "", BOTH, ""),
    row("amazon.nova-2-lite-v1:0", Nova, 64_000, Profiles, "global apac us eu jp", BOTH, "image video pdf tools"),
    row("amazon.nova-2-pro-preview-20251202-v1:0", Nova, 64_000, Direct, "apac us eu", BOTH, "image video pdf tools"),
    row("amazon.nova-lite-v1:0", Nova, 10_000, Direct, "apac us eu ca", BOTH, "image video pdf tools"),
    row("amazon.nova-micro-v1:0", Nova, 10_000, Direct, "apac us eu", BOTH, "tools"),
    row("amazon.nova-premier-v1:0", Nova, 10_000, Profiles, "us", BOTH, "image video pdf tools"),
    row("amazon.nova-pro-v1:0", Nova, 10_000, Direct, "apac us eu", BOTH, "image video pdf tools"),
    row("amazon.titan-text-express-v1", Titan, 8_000, Direct, "", INVOKE, ""),
    row("amazon.titan-text-lite-v1", Titan, 4_000, Direct, "", INVOKE, ""),
    row("amazon.titan-text-premier-v1:0", Titan, 32_000, Direct, "", INVOKE, ""),
    row("amazon.titan-tg1-large", Titan, 4_096, Direct, "", INVOKE, ""),
    row("anthropic.claude-instant-v1", ClaudeText, 4_096, Direct, "", INVOKE, ""),
    row("anthropic.claude-v1", ClaudeText, 4_096, Direct, "", INVOKE, ""),
    row("anthropic.claude-v2", ClaudeText, 4_096, Direct, "", INVOKE, ""),
    row("anthropic.claude-v2:1", ClaudeText, 4_096, Direct, "", INVOKE, ""),
    row("cohere.command-light-text-v14", CommandText, 4_096, Direct, "", INVOKE, ""),
    row("cohere.command-r-plus-v1:0", CommandR, 4_096, Direct, "", BOTH, "tools"),
    row("cohere.command-r-v1:0", CommandR, 4_096, Direct, "", BOTH, "tools"),
    row("cohere.command-text-v14", CommandText, 4_096, Direct, "", INVOKE, ""),
    row("deepseek.r1-v1:0", DeepSeekR1, 8_192, Profiles, "us", BOTH, ""),
    row("deepseek.v3-v1:0", OpenAi, 8_000, Direct, "", BOTH, "tools schema"),
    row("deepseek.v3.2", OpenAi, 8_000, Direct, "us eu", BOTH, "tools schema"),
    row("google.gemma-3-12b-it", OpenAi, 8_000, Direct, "", BOTH, "image tools"),
    row("google.gemma-3-27b-it", OpenAi, 8_000, Direct, "", BOTH, "image tools"),
    row("google.gemma-3-4b-it", OpenAi, 8_000, Direct, "", BOTH, "image tools"),
    row("meta.llama2-13b-chat-v1", Llama2, 4_096, Direct, "", BOTH, ""),
    row("meta.llama2-70b-chat-v1", Llama2, 4_096, Direct, "", BOTH, ""),
    row("meta.llama3-1-405b-instruct-v1:0", Llama3, 4_096, Direct, "us", CONVERSE, "tools"),
    row("meta.llama3-1-70b-instruct-v1:0", Llama3, 4_096, Direct, "us", BOTH, "tools"),
    row("meta.llama3-1-8b-instruct-v1:0", Llama3, 4_096, Direct, "us", BOTH, "tools"),
    row("meta.llama3-2-11b-instruct-v1:0", Llama3, 4_096, Profiles, "us", BOTH, "image tools"),
    row("meta.llama3-2-1b-instruct-v1:0", Llama3, 4_096, Profiles, "us eu", BOTH, "tools"),
    row("meta.llama3-2-3b-instruct-v1:0", Llama3, 4_096, Profiles, "us eu", BOTH, "tools"),
    row("meta.llama3-2-90b-instruct-v1:0", Llama3, 4_096, Profiles, "us", BOTH, "image tools"),
    row("meta.llama3-3-70b-instruct-v1:0", Llama3, 4_096, Direct, "us", BOTH, "tools"),
    row("meta.llama3-70b-instruct-v1:0", Llama3, 8_192, Direct, "", BOTH, ""),
    row("meta.llama3-8b-instruct-v1:0", Llama3, 8_192, Direct, "", BOTH, ""),
    row("meta.llama4-maverick-17b-instruct-v1:0", Llama4, 8_192, Profiles, "us", BOTH, "image tools"),
    row("meta.llama4-scout-17b-instruct-v1:0", Llama4, 8_192, Profiles, "us", BOTH, "image tools"),
    row("minimax.minimax-m2", OpenAi, 8_000, Direct, "", BOTH, "tools schema"),
    row("minimax.minimax-m2.1", OpenAi, 8_000, Direct, "", BOTH, "tools"),
    row("minimax.minimax-m2.5", OpenAi, 8_000, Direct, "", BOTH, "tools"),
    row("mistral.devstral-2-123b", OpenAi, 32_000, Direct, "", BOTH, "tools"),
    row("mistral.magistral-small-2509", OpenAi, 40_000, Direct, "", BOTH, "image tools"),
    row("mistral.ministral-3-14b-instruct", OpenAi, 8_000, Direct, "", BOTH, "image tools schema"),
    row("mistral.ministral-3-3b-instruct", OpenAi, 8_000, Direct, "", BOTH, "image tools schema"),
    row("mistral.ministral-3-8b-instruct", OpenAi, 8_000, Direct, "", BOTH, "image tools schema"),
    row("mistral.mistral-7b-instruct-v0:2", MistralPrompt, 4_096, Direct, "", BOTH, ""),
    row("mistral.mistral-large-2402-v1:0", MistralPrompt, 4_096, Direct, "", BOTH, "tools"),
    row("mistral.mistral-large-2407-v1:0", MistralChat, 8_191, Direct, "", BOTH, "tools"),
    row("mistral.mistral-large-3-675b-instruct", OpenAi, 32_000, Direct, "", BOTH, "image tools schema"),
    row("mistral.mistral-small-2402-v1:0", MistralPrompt, 4_096, Direct, "", BOTH, "tools"),
    row("mistral.mixtral-8x7b-instruct-v0:1", MistralPrompt, 4_096, Direct, "", BOTH, ""),
    row("mistral.pixtral-large-2502-v1:0", MistralChat, 16_384, Profiles, "us eu", BOTH, "image tools"),
    row("mistral.voxtral-mini-3b-2507", OpenAi, 8_192, Direct, "", BOTH, "audio schema"),
    row("mistral.voxtral-small-24b-2507", OpenAi, 8_192, Direct, "", BOTH, "audio schema"),
    row("moonshot.kimi-k2-thinking", OpenAi, 16_000, Direct, "", BOTH, "tools schema"),
    row("moonshotai.kimi-k2.5", OpenAi, 16_000, Direct, "", BOTH, "image tools"),
    row("moonshotai.kimi-k3", OpenAi, 131_072, Direct, "global us in", BOTH, "image tools"),
    row("nvidia.nemotron-nano-12b-v2", OpenAi, 8_000, Direct, "us-gov", BOTH, "image tools"),
    row("nvidia.nemotron-nano-3-30b", OpenAi, 8_000, Direct, "us-gov", BOTH, "tools schema"),
    row("nvidia.nemotron-nano-9b-v2", OpenAi, 8_000, Direct, "us-gov", BOTH, "tools"),
    row("nvidia.nemotron-super-3-120b", OpenAi, 32_000, Direct, "us-gov", BOTH, "tools"),
    row("openai.gpt-5.6-luna", OpenAi, 128_000, Profiles, "global us", CONVERSE, "image tools"),
    row("openai.gpt-5.6-sol", OpenAi, 128_000, Profiles, "global us", CONVERSE, "image tools"),
    row("openai.gpt-5.6-terra", OpenAi, 128_000, Profiles, "global us", CONVERSE, "image tools"),
    row("openai.gpt-6-astra", OpenAi, 128_000, Profiles, "global us", CONVERSE, "image tools"),
    row("openai.gpt-6-luna", OpenAi, 128_000, Direct, "global us", BOTH, "image tools"),
    row("openai.gpt-6-sol", OpenAi, 128_000, Direct, "global us", BOTH, "image tools"),
    row("openai.gpt-6.1-sol", OpenAi, 131_072, Profiles, "global us", BOTH, "image tools"),
    row("openai.gpt-6.1-terra", OpenAi, 128_000, Profiles, "global us", BOTH, "image tools"),
    row("openai.gpt-oss-120b-1:0", OpenAi, 16_384, Direct, "us-gov", BOTH, "tools"),
    row("openai.gpt-oss-20b-1:0", OpenAi, 16_384, Direct, "us-gov", BOTH, "tools"),
    row("openai.gpt-oss-safeguard-120b", OpenAi, 16_000, Direct, "", BOTH, "tools"),
    row("openai.gpt-oss-safeguard-20b", OpenAi, 16_000, Direct, "", BOTH, "tools"),
    row("qwen.qwen3-235b-a22b-2507-v1:0", OpenAi, 8_192, Direct, "", BOTH, "tools schema"),
    row("qwen.qwen3-32b-v1:0", OpenAi, 8_192, Direct, "", BOTH, "tools schema"),
    row("qwen.qwen3-coder-30b-a3b-v1:0", OpenAi, 16_384, Direct, "", BOTH, "tools schema"),
    row("qwen.qwen3-coder-480b-a35b-v1:0", OpenAi, 16_384, Direct, "", BOTH, "tools schema"),
    row("qwen.qwen3-coder-next", OpenAi, 16_000, Direct, "", BOTH, "tools"),
    row("qwen.qwen3-next-80b-a3b", OpenAi, 8_000, Direct, "", BOTH, "tools schema"),
    row("qwen.qwen3-vl-235b-a22b", OpenAi, 8_000, Direct, "", BOTH, "image tools schema"),
    row("writer.palmyra-vision-7b", OpenAi, 4_096, Direct, "", BOTH, "image"),
    row("writer.palmyra-x4-v1:0", OpenAi, 8_192, Profiles, "us", CONVERSE, "pdf tools"),
    row("writer.palmyra-x5-v1:0", OpenAi, 8_192, Profiles, "us", CONVERSE, "pdf tools"),
    row("xai.grok-4.6", OpenAi, 500_000, Profiles, "us-gov global us", BOTH, "image tools"),
    row("xai.grok-4.7", OpenAi, 524_288, Profiles, "global us", BOTH, "image tools"),
    row("zai.glm-4.7", OpenAi, 128_000, Direct, "", BOTH, "tools"),
    row("zai.glm-4.7-flash", OpenAi, 128_000, Direct, "", BOTH, "tools"),
    row("zai.glm-5", OpenAi, 128_000, Direct, "", BOTH, "tools schema"),
    row("zai.glm-5.3", OpenAi, 128_000, Profiles, "global us", BOTH, "tools schema"),
];

const fn row(
    id: &'static str,
    family: Family,
    max_tokens: u64,
    route: Route,
    geos: &'static str,
    apis: Apis,
    can: &'static str,
) -> Row {
    Row {
        id,
        family,
        max_tokens,
        route,
        geos,
        apis,
        can,
    }
}
