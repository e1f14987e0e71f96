//! What differs between generations of Claude.
//!
//! <https://platform.claude.com/docs/en/about-claude/models/overview>

/// Facts that follow from a base model id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation<'a> {
    /// The id without vendor, such as `claude-sonnet-4-5-20250929-v1:0`.
    name: &'a str,
    version: (u8, u8),
}

impl<'a> Generation<'a> {
    pub(super) fn of(model_id: &'a str) -> Self {
        let name = model_id.split_once('.').map_or(model_id, |(_, name)| name);
        Self {
            name,
            version: version(name),
        }
    }

    /// `temperature` and `top_p` exclude each other.
    pub(super) fn takes_one_sampling_parameter(self) -> bool {
        ((4, 5)..=(4, 6)).contains(&self.version)
    }

    /// No sampling parameter at all.
    pub(super) fn takes_no_sampling_parameter(self) -> bool {
        self.version >= (4, 7)
    }

    /// The conversation may end with an assistant message to continue.
    pub(super) fn takes_prefill(self) -> bool {
        self.version < (4, 6)
    }

    /// `system` is a role inside `messages` too.
    pub(super) fn takes_system_role(self) -> bool {
        self.version >= (4, 8)
    }

    /// `thinking.type` may be `enabled`, with a budget.
    pub(super) fn takes_thinking_budget(self) -> bool {
        ((3, 7)..=(4, 6)).contains(&self.version)
    }

    /// `thinking.type` may be `adaptive`.
    pub(super) fn takes_adaptive_thinking(self) -> bool {
        self.version >= (4, 6)
    }

    /// `thinking.type` must not be `disabled`.
    pub(super) fn always_thinks(self) -> bool {
        self.names(&["fable", "mythos", "opus-5-5", "sonnet-5-5"])
    }

    /// It thinks when the request says nothing about it.
    pub(super) fn thinks_by_default(self) -> bool {
        self.always_thinks() || self.names(&["sonnet-5", "opus-5"])
    }

    /// Thinking is shown on request only.
    pub(super) fn omits_thinking(self) -> bool {
        self.version >= (4, 7)
    }

    /// `output_config.format` is known.
    pub(super) fn takes_output_format(self) -> bool {
        match self.version {
            (4, 5 | 6 | 8) => true,
            (5.., _) => self.names(&["mythos", "haiku-5-5", "sonnet-5"]),
            _ => false,
        }
    }

    /// The values of `output_config.effort`; empty where it is unknown.
    pub(super) fn efforts(self) -> &'static [&'static str] {
        match self.version {
            (4, 5) if self.names(&["opus"]) => &["low", "medium", "high"],
            (4, 6) => &["low", "medium", "high", "max"],
            version if version >= (4, 7) => &["low", "medium", "high", "xhigh", "max"],
            _ => &[],
        }
    }

    /// `CountTokens` knows it.
    pub(super) fn is_counted(self) -> bool {
        ((3, 5)..=(4, 6)).contains(&self.version)
    }

    /// A mark may say how long a prefix is cached.
    pub(super) fn takes_cache_ttl(self) -> bool {
        self.version >= (4, 5)
    }

    /// It searches among tools.
    pub(super) fn searches_tools(self) -> bool {
        self.version >= (4, 5)
    }

    /// `strict` is known in a tool definition.
    pub(super) fn takes_strict_tools(self) -> bool {
        (4, 5) <= self.version && self.version < (4, 7)
    }

    fn names(self, marks: &[&str]) -> bool {
        marks.iter().any(|mark| self.name.contains(mark))
    }

    /// Calls and results in the history need the tools to be defined.
    pub(super) fn needs_tools_for_history(self) -> bool {
        self.version < (4, 0)
    }

    /// `tool_choice` must not force a tool.
    pub(super) fn refuses_forced_tools(self) -> bool {
        self.names(&["fable-5-1", "opus-5-5", "sonnet-5-5"])
    }

    /// The name in the `model` field of an answer.
    pub(super) fn public_name(self) -> &'a str {
        match self.name.rsplit_once("-v") {
            Some((name, suffix)) if suffix.starts_with(|c: char| c.is_ascii_digit()) => name,
            _ => self.name,
        }
    }
}

/// Major and minor: the first one or two short numbers of the name. A name
/// without any (`claude-mythos-preview`) is newer than 4.
fn version(name: &str) -> (u8, u8) {
    let short = |part: &&str| (1..=2).contains(&part.len());
    let mut numbers = name
        .split('-')
        .skip_while(|part| !short(part) || part.parse::<u8>().is_err())
        .map_while(|part| part.parse::<u8>().ok().filter(|_| short(&part)));
    match (numbers.next(), numbers.next()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) => (5, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_id() {
        for (id, expected, public) in [
            (
                "anthropic.claude-3-haiku-20240307-v1:0",
                (3, 0),
                "claude-3-haiku-20240307",
            ),
            (
                "anthropic.claude-3-5-sonnet-20241022-v2:0",
                (3, 5),
                "claude-3-5-sonnet-20241022",
            ),
            (
                "anthropic.claude-opus-4-20250514-v1:0",
                (4, 0),
                "claude-opus-4-20250514",
            ),
            (
                "anthropic.claude-sonnet-4-5-20250929-v1:0",
                (4, 5),
                "claude-sonnet-4-5-20250929",
            ),
            ("anthropic.claude-opus-4-6-v1", (4, 6), "claude-opus-4-6"),
            ("anthropic.claude-opus-4-8", (4, 8), "claude-opus-4-8"),
            ("anthropic.claude-fable-5", (5, 0), "claude-fable-5"),
            (
                "anthropic.claude-mythos-preview",
                (5, 0),
                "claude-mythos-preview",
            ),
        ] {
            let generation = Generation::of(id);
            assert_eq!(generation.version, expected, "{id}");
            assert_eq!(generation.public_name(), public, "{id}");
        }
    }
}
