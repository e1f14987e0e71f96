//! The Claude models on Bedrock: limits, throughput, profile geographies.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html>

/// One model.
pub(crate) struct Row {
    /// Base model id.
    pub(crate) id: &'static str,
    /// Most output tokens that may be asked for.
    pub(crate) max_tokens: u64,
    /// Whether the base id can be called without an inference profile.
    pub(crate) on_demand: bool,
    /// Prefixes of its inference profiles, separated by spaces.
    pub(crate) geos: &'static str,
}

/// Every Claude model that takes the Messages body.
#[rustfmt::skip]
pub(crate) const MODELS: &[Row] = &[
    row("anthropic.claude-3-5-haiku-20241022-v1:0", 8_192, true, "us eu"),
    row("anthropic.claude-3-5-sonnet-20240620-v1:0", 4_096, true, "us-gov apac us eu"),
    row("anthropic.claude-3-5-sonnet-20241022-v2:0", 8_192, true, "apac us eu"),
    row("anthropic.claude-3-7-sonnet-20250219-v1:0", 8_192, true, "us-gov apac us eu"),
    row("anthropic.claude-3-haiku-20240307-v1:0", 4_096, true, "us-gov apac us eu"),
    row("anthropic.claude-3-opus-20240229-v1:0", 4_096, true, "us eu"),
    row("anthropic.claude-3-sonnet-20240229-v1:0", 4_096, true, "apac us eu"),
    row("anthropic.claude-fable-5", 128_000, false, "global apac us eu au"),
    row("anthropic.claude-fable-5-1", 128_000, false, "us-gov global us eu"),
    row("anthropic.claude-haiku-4-5-20251001-v1:0", 64_000, false, "global apac us eu jp au"),
    row("anthropic.claude-haiku-5-5", 128_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-mythos-5", 128_000, false, "us"),
    row("anthropic.claude-mythos-5-1", 128_000, false, "global us"),
    row("anthropic.claude-mythos-preview", 128_000, true, "apac us au"),
    row("anthropic.claude-opus-4-1-20250805-v1:0", 32_000, false, "us eu"),
    row("anthropic.claude-opus-4-20250514-v1:0", 32_000, false, "us eu"),
    row("anthropic.claude-opus-4-5-20251101-v1:0", 64_000, false, "global us eu"),
    row("anthropic.claude-opus-4-6-v1", 128_000, false, "global us eu au"),
    row("anthropic.claude-opus-4-7", 128_000, false, "global apac us eu jp au"),
    row("anthropic.claude-opus-4-8", 128_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-opus-5", 128_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-opus-5-5", 128_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-sonnet-4-20250514-v1:0", 64_000, false, "global apac us eu"),
    row("anthropic.claude-sonnet-4-5-20250929-v1:0", 64_000, false, "us-gov global us eu jp au"),
    row("anthropic.claude-sonnet-4-6", 64_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-sonnet-5", 128_000, false, "us-gov global apac us eu jp au"),
    row("anthropic.claude-sonnet-5-5", 128_000, false, "us-gov global apac us eu jp au"),
];

const fn row(id: &'static str, max_tokens: u64, on_demand: bool, geos: &'static str) -> Row {
    Row {
        id,
        max_tokens,
        on_demand,
        geos,
    }
}
