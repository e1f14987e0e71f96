//! The lists: which parts of a request Bedrock takes.
//!
//! As those who tried have found: Envoy AI Gateway's probes
//! (<https://github.com/envoyproxy/ai-gateway>) and `LiteLLM`'s lists (<https://github.com/BerriAI/litellm>). What
//! is not listed is left out where that does no harm, else refused.

use std::collections::BTreeMap;

use crate::chat::Error;
use crate::config::{AnthropicRules, Rule};
use Rule::{Drop, Pass, Refuse};

/// Members of a request besides conversation and tools.
const FIELDS: [(&str, Rule); 12] = [
    ("compaction", Pass),
    ("context_management", Pass),
    ("max_tokens", Pass),
    ("metadata", Pass),
    ("output_config", Pass),
    ("safeguards", Pass),
    ("stop_sequences", Pass),
    ("temperature", Pass),
    ("thinking", Pass),
    ("tool_choice", Pass),
    ("top_k", Pass),
    ("top_p", Pass),
];

/// Beta features. One that Bedrock does not know fails the whole request.
const BETAS: [(&str, Rule); 16] = [
    ("compact-2026-01-12", Pass),
    ("compact-2026-09-04", Pass),
    ("computer-use-2024-10-22", Pass),
    ("computer-use-2025-01-24", Pass),
    ("computer-use-2025-11-24", Pass),
    ("context-1m-2025-08-07", Pass),
    ("context-management-2025-06-27", Pass),
    ("dangerous-tool-use-2026-09-03", Pass),
    ("effort-2025-11-24", Pass),
    ("fine-grained-tool-streaming-2025-05-14", Pass),
    ("interleaved-thinking-2025-05-14", Pass),
    ("mid-conversation-output-config-2026-07-01", Pass),
    ("mid-conversation-tool-changes-2026-07-01", Pass),
    ("thinking-binding-controls-2026-08-01", Pass),
    ("thinking-display-updates-2026-08-18", Pass),
    ("tool-search-tool-2025-10-19", Pass),
];

/// Tools, by type: those with a schema of their own, and those that the client runs and the model was made for.
const TOOLS: [(&str, Rule); 6] = [
    ("bash_*", Pass),
    ("computer_2024*", Pass),
    ("computer_2025*", Pass),
    ("custom", Pass),
    ("text_editor_*", Pass),
    ("tool_search_tool_*", Pass),
];

/// Blocks of content, by type. Of what Anthropic's own tools did, only the model's words about it remain.
const CONTENT: [(&str, Rule); 20] = [
    ("advisor_tool_result", Drop),
    ("bash_code_execution_tool_result", Drop),
    ("code_execution_tool_result", Drop),
    ("compaction", Pass),
    ("document", Pass),
    ("fallback", Drop),
    ("image", Pass),
    ("mcp_tool_*", Drop),
    ("redacted_thinking", Pass),
    ("search_result", Pass),
    ("text", Pass),
    ("text_editor_code_execution_tool_result", Drop),
    ("thinking", Pass),
    ("tool_addition", Pass),
    ("tool_reference", Pass),
    ("tool_removal", Pass),
    ("tool_result", Pass),
    ("tool_search_tool_result", Pass),
    ("tool_use", Pass),
    ("web_*_tool_result", Drop),
];

/// The lists with an operator's exceptions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'r>(pub(super) &'r AnthropicRules);

impl Rules<'_> {
    pub(super) fn field(self, name: &str) -> Rule {
        find(&self.0.fields, &FIELDS, name).unwrap_or(Drop)
    }

    pub(super) fn beta(self, name: &str) -> Rule {
        find(&self.0.betas, &BETAS, name).unwrap_or(Drop)
    }

    pub(super) fn tool(self, kind: &str) -> Rule {
        find(&self.0.tools, &TOOLS, kind).unwrap_or(Refuse)
    }

    pub(super) fn content(self, kind: &str) -> Rule {
        find(&self.0.content, &CONTENT, kind).unwrap_or(Refuse)
    }

    pub(super) fn keeps_attribution(self) -> bool {
        self.0.keep_attribution
    }
}

/// The error for a member that must not be sent.
pub(super) fn extra(name: &str) -> Error {
    Error::unsupported(name.to_owned(), "Extra inputs are not permitted")
}

/// The operator's rule for a name, else the list's.
fn find(own: &BTreeMap<String, Rule>, list: &[(&str, Rule)], name: &str) -> Option<Rule> {
    let exact = own.get(name).copied();
    exact
        .or_else(|| {
            let alike = own.iter().find(|(pattern, _)| matches(pattern, name));
            alike.map(|(_, rule)| *rule)
        })
        .or_else(|| {
            let alike = list.iter().find(|(pattern, _)| matches(pattern, name));
            alike.map(|(_, rule)| *rule)
        })
}

/// Whether a name is as a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name
            .strip_prefix(start)
            .is_some_and(|rest| rest.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_rule_comes_first() {
        let own = AnthropicRules {
            betas: BTreeMap::from([
                ("context-1m-2025-08-07".to_owned(), Drop),
                ("new-*".to_owned(), Pass),
            ]),
            tools: BTreeMap::from([("memory_20250818".to_owned(), Pass)]),
            ..AnthropicRules::default()
        };
        let rules = Rules(&own);
        assert_eq!(rules.beta("context-1m-2025-08-07"), Drop);
        assert_eq!(rules.beta("new-thing-2027-01-01"), Pass);
        assert_eq!(rules.beta("effort-2025-11-24"), Pass);
        assert_eq!(rules.beta("files-api-2025-04-14"), Drop);
        assert_eq!(rules.tool("memory_20250818"), Pass);
        assert_eq!(rules.tool("web_search_20250305"), Refuse);
        assert_eq!(rules.tool("bash_20250124"), Pass);
        assert_eq!(rules.content("web_search_tool_result"), Drop);
        assert_eq!(rules.content("container_upload"), Refuse);
        assert_eq!(rules.field("inference_geo"), Drop);
    }
}
