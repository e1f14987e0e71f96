//! Beta features: those that the client names and Bedrock knows, and those that the outgoing body needs.

use super::rules::Rules;
use crate::bedrock::beta_name;
use crate::config::Rule;

/// Features that are refused unless the body uses them.
const ONLY_IF_USED: [&str; 7] = [
    "compact-2026-01-12",
    "compact-2026-09-04",
    "context-management-2025-06-27",
    "dangerous-tool-use-2026-09-03",
    "effort-2025-11-24",
    "mid-conversation-output-config-2026-07-01",
    "mid-conversation-tool-changes-2026-07-01",
];

/// The features that are passed on, sorted, each once.
pub(super) fn betas(wanted: &[String], used: &[&'static str], rules: Rules<'_>) -> Vec<String> {
    let named = wanted.iter().map(|name| beta_name(name));
    let named = named.filter(|name| {
        rules.beta(name) == Rule::Pass && (!ONLY_IF_USED.contains(name) || used.contains(name))
    });
    // An operator's exclusion also applies to betas that the body needs.
    let used = used.iter().copied();
    let used = used.filter(|name| rules.beta(name) == Rule::Pass);
    let mut all: Vec<_> = named.chain(used).map(str::to_owned).collect();
    all.sort_unstable();
    all.dedup();
    all
}
