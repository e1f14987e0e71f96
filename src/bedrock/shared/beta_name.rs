//! Beta features by Bedrock's names.

/// Anthropic's own names for features that Bedrock calls differently.
const ALIASES: [(&str, &str); 1] = [(
    "advanced-tool-use-2025-11-20",
    "tool-search-tool-2025-10-19",
)];

/// Bedrock's name of a beta feature.
#[must_use]
pub fn beta_name(beta: &str) -> &str {
    let alias = ALIASES.iter().find(|(own, _)| *own == beta);
    alias.map_or(beta, |(_, name)| name)
}
