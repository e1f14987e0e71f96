//! Beta features of Claude that Bedrock knows.
//!
//! One flag that Bedrock does not know fails the whole request ("invalid beta flag"), and Bedrock reads
//! them from the body, not from Anthropic's header.

use crate::chat::{Error, Param, Request};

/// Flags that Bedrock takes.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>
const KNOWN: &[&str] = &[
    "compact-2026-01-12",
    "computer-use-2024-10-22",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "dev-full-thinking-2025-05-14",
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "model-context-window-exceeded-2025-08-26",
    "output-128k-2025-02-19",
    "pdfs-2024-09-25",
    "search-results-2025-06-09",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
    "tool-search-tool-2025-10-19",
];

/// Anthropic's own name of a flag that Bedrock calls differently.
const ALIASES: &[(&str, &str)] = &[(
    "advanced-tool-use-2025-11-20",
    "tool-search-tool-2025-10-19",
)];

/// The flags of a request in Bedrock's names, each once.
///
/// # Errors
///
/// A 400 that names the first flag which Bedrock does not know.
pub(in crate::bedrock) fn betas(request: &Request<'_>) -> Result<Vec<&'static str>, Error> {
    let mut found = Vec::new();
    for (index, flag) in request.beta_features.iter().enumerate() {
        let alias = ALIASES.iter().find(|(own, _)| *own == flag.trim());
        let name = alias.map_or(flag.trim(), |(_, name)| name);
        let Some(known) = KNOWN.iter().find(|known| **known == name) else {
            let param = format!("{}[{index}]", request.name_of(Param::BetaFeatures));
            let message = format!("Bedrock does not know the beta flag '{name}'; remove it.");
            return Err(Error::unsupported(param, message));
        };
        if !found.contains(known) {
            found.push(*known);
        }
    }
    Ok(found)
}
