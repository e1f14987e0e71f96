//! What is known about the model and decides what is passed on.

use crate::catalog::{Caching, Model, Sampling, Thinking};
use crate::chat::Effort;

/// What the model takes. For one that the catalogue does not know: what every recent model takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    model: Option<&'static Model>,
}

impl Facts {
    pub(super) fn of(model: Option<&'static Model>) -> Self {
        Self { model }
    }

    /// How its thinking is controlled; `None` if unknown.
    pub(super) fn thinking(self) -> Option<Thinking> {
        self.model.map(|model| model.thinking)
    }

    /// The effort that it takes for a wanted one, if it takes any.
    pub(super) fn effort(self, wanted: Effort) -> Option<Effort> {
        match self.model {
            Some(model) => model.effort(wanted),
            None => Some(wanted),
        }
    }

    pub(super) fn sampling(self) -> Sampling {
        self.model.map_or(Sampling::Either, |model| model.sampling)
    }

    pub(super) fn caching(self) -> Caching {
        self.model.map_or(Caching::Minutes, |model| model.caching)
    }

    /// Whether instructions may come between turns.
    pub(super) fn takes_system_role(self) -> bool {
        self.model.is_some_and(|model| model.system_role)
    }

    pub(super) fn takes_prefill(self) -> bool {
        self.model.is_none_or(|model| model.prefill)
    }

    pub(super) fn takes_forced_tools(self) -> bool {
        self.model.is_none_or(|model| model.forced_tools)
    }

    pub(super) fn reads_images(self) -> bool {
        self.model.is_none_or(Model::reads_images)
    }

    pub(super) fn reads_documents(self) -> bool {
        self.model.is_none_or(Model::reads_documents)
    }

    pub(super) fn max_output(self) -> Option<u32> {
        self.model.and_then(|model| model.max_output)
    }

    /// Whether it can search its tools: the models from 4.5 on can, which are those that cache for an hour.
    ///
    /// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool>
    pub(super) fn searches_tools(self) -> bool {
        self.caching() == Caching::Hour
    }
}
