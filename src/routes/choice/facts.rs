//! The facts about a request that rules use.

use crate::config::When;

/// Facts about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The word in brackets with which the client's last message begins, or that of its header.
    pub tag: Option<String>,
    /// Whether there are images.
    pub images: bool,
    /// Whether there are tools.
    pub tools: bool,
    /// Whether it asks the model to think.
    pub reasoning: bool,
    /// An estimate of its tokens.
    pub prompt_tokens: u64,
}

impl Facts {
    /// Whether all conditions hold.
    pub(super) fn fit(&self, when: &When) -> bool {
        let tag = self.tag.as_deref().unwrap_or_default();
        let is_tagged = |wanted: &str| tag.eq_ignore_ascii_case(wanted);
        when.tag.as_deref().is_none_or(is_tagged)
            && when.images.is_none_or(|wanted| self.images == wanted)
            && when.tools.is_none_or(|wanted| self.tools == wanted)
            && when.reasoning.is_none_or(|wanted| self.reasoning == wanted)
            && when
                .prompt_tokens_over
                .is_none_or(|limit| self.prompt_tokens > limit)
    }
}
