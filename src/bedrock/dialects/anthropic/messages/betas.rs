//! Beta features of Claude that Bedrock knows.
//!
//! One flag that Bedrock does not know fails the whole request ("invalid beta flag"), and Bedrock reads
//! them from the body, not from Anthropic's header.

use crate::bedrock::beta_name;
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
    "thinking-binding-controls-2026-08-01",
    "thinking-display-updates-2026-08-18",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
    "tool-search-tool-2025-10-19",
];

/// Flags that say nothing, and may be refused, without a part of the body that needs them.
const NEED_A_PART: [&str; 3] = [
    "compact-2026-01-12",
    "context-management-2025-06-27",
    EFFORT,
];

/// The flag for an effort.
pub(in crate::bedrock) const EFFORT: &str = "effort-2025-11-24";

/// The flags of a request in Bedrock's names, each once, and those that parts of the body need.
///
/// # Errors
///
/// A 400 that names the first flag that Bedrock does not know.
pub(in crate::bedrock) fn betas(
    request: &Request<'_>,
    needed: &[&'static str],
) -> Result<Vec<&'static str>, Error> {
    let mut found = Vec::new();
    for (index, flag) in request.beta_features.iter().enumerate() {
        let name = beta_name(flag.trim());
        let Some(known) = KNOWN.iter().find(|known| **known == name) else {
            if request.drops_unknown_betas {
                continue;
            }
            let param = format!("{}[{index}]", request.name_of(Param::BetaFeatures));
            let message = format!("Bedrock does not know the beta flag '{name}'; remove it.");
            return Err(Error::unsupported(param, message));
        };
        let is_idle = NEED_A_PART.contains(known) && !needed.contains(known);
        let is_dropped = is_idle && request.drops_unknown_betas;
        if !is_dropped && !found.contains(known) {
            found.push(*known);
        }
    }
    for flag in needed {
        if !found.contains(flag) {
            found.push(*flag);
        }
    }
    Ok(found)
}
