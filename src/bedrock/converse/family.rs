//! What the models of a family take on Converse, as far as the catalogue does not say so.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>

use crate::bedrock::Target;
use crate::bedrock::dialects::mistral;
use crate::bedrock::shared::conversation::Mixing;
use crate::catalog::ModelFamily;
use crate::catalog::{Caching, Model, Sampling, Thinking};

/// What a model takes.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    /// Whether it has a system prompt.
    pub(super) system: bool,
    /// Whether it calls tools.
    pub(super) tools: bool,
    /// Whether it calls tools in a stream.
    pub(super) streams_tools: bool,
    /// Which values of `tool_choice` it takes.
    pub(super) tool_choices: ToolChoices,
    /// Whether one turn may have tool blocks and others.
    pub(super) mixing: Mixing,
    /// Whether results of tools may be images and documents.
    pub(super) rich_results: bool,
    /// Whether it can be told that a tool failed.
    pub(super) failures: bool,
    /// Whether it takes its own reasoning back.
    pub(super) reasoning_back: bool,
    /// Whether it has Claude's own parameters.
    pub(super) claude: bool,
    /// Where it has `top_k`.
    pub(super) top_k: TopK,
    /// How long it caches marked prefixes.
    pub(super) caching: Caching,
    /// Whether names of tools may have hyphens, and schemas more than properties at the top level.
    pub(super) free_tools: bool,
    /// Whether tools can be followed by a cache point.
    pub(super) caches_tools: bool,
    /// Which sampling parameters it takes.
    pub(super) sampling: Sampling,
    /// Smallest answer limit that it takes, in tokens.
    pub(super) min_tokens: u32,
}

/// Values of `tool_choice`, each including all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ToolChoices {
    /// The model decides; that is the default, and some models refuse even this value.
    Default,
    /// Some tool must be called.
    Any,
    /// One tool must be called.
    Tool,
}

/// Where a model has `top_k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopK {
    None,
    /// As `top_k`.
    Plain,
    /// The same, with a maximum.
    UpTo(u32),
    /// As `k`.
    K,
    /// As `topK` among its inference parameters.
    Inference,
}

/// Safe with every model; all that is known about a new family.
const PLAIN: Traits = Traits {
    system: true,
    tools: true,
    streams_tools: true,
    tool_choices: ToolChoices::Default,
    mixing: Mixing::ResultsApart,
    rich_results: false,
    failures: false,
    reasoning_back: false,
    claude: false,
    top_k: TopK::None,
    caching: Caching::None,
    free_tools: true,
    caches_tools: true,
    sampling: Sampling::Any,
    min_tokens: 1,
};

const CLAUDE: Traits = Traits {
    tool_choices: ToolChoices::Tool,
    mixing: Mixing::Free,
    rich_results: true,
    failures: true,
    reasoning_back: true,
    claude: true,
    top_k: TopK::Plain,
    caching: Caching::Minutes,
    sampling: Sampling::Either,
    ..PLAIN
};

const NOVA: Traits = Traits {
    tool_choices: ToolChoices::Tool,
    rich_results: true,
    failures: true,
    reasoning_back: true,
    top_k: TopK::Inference,
    caching: Caching::Minutes,
    free_tools: false,
    caches_tools: false,
    ..PLAIN
};

impl Traits {
    /// What the family's models take, less what the catalogue says this one does not.
    pub(super) fn of(target: &Target<'_>) -> Self {
        let model = target.model;
        let family = Self::of_family(target.family, model);
        Self {
            system: family.system && model.is_none_or(|model| model.system),
            tools: family.tools && model.is_none_or(|model| model.tools || has_tools(target)),
            tool_choices: match model {
                Some(model) if !model.forced_tools => ToolChoices::Default,
                _ => family.tool_choices,
            },
            caching: model.map_or(family.caching, |model| model.caching),
            sampling: model.map_or(family.sampling, Model::sampling_on_converse),
            // Of the Novas only those that think.
            reasoning_back: family.reasoning_back
                && (family.claude || model.is_none_or(|own| own.thinking != Thinking::None)),
            min_tokens: model.map_or(1, |model| model.min_output),
            ..family
        }
    }

    fn of_family(family: ModelFamily, model: Option<&Model>) -> Self {
        match family {
            ModelFamily::Anthropic | ModelFamily::ClaudeText => CLAUDE,
            ModelFamily::Nova => NOVA,
            ModelFamily::Llama2 | ModelFamily::Llama3 | ModelFamily::Llama4 => Self {
                mixing: Mixing::CallsApart,
                streams_tools: false,
                ..PLAIN
            },
            ModelFamily::MistralInstruct => Self {
                tool_choices: ToolChoices::Any,
                top_k: match model {
                    Some(model) if model.top_k => TopK::UpTo(mistral::MAX_TOP_K),
                    _ => TopK::None,
                },
                streams_tools: false,
                ..PLAIN
            },
            ModelFamily::MistralChat => Self {
                tool_choices: ToolChoices::Any,
                streams_tools: false,
                ..PLAIN
            },
            ModelFamily::CohereCommandR => Self {
                top_k: TopK::K,
                ..PLAIN
            },
            ModelFamily::OpenaiChat => Self {
                tool_choices: ToolChoices::Tool,
                ..PLAIN
            },
            ModelFamily::TitanText | ModelFamily::CohereCommand | ModelFamily::J2 => Self {
                system: false,
                tools: false,
                ..PLAIN
            },
            ModelFamily::DeepseekR1 => Self {
                tools: false,
                ..PLAIN
            },
            // Writer's Palmyra.
            ModelFamily::Converse => Self {
                streams_tools: false,
                ..PLAIN
            },
            _ => PLAIN,
        }
    }

    /// Whether the model can be forced to call a tool.
    pub(super) fn forces_tools(&self) -> bool {
        self.tools && self.tool_choices >= ToolChoices::Any
    }
}

/// Families that have tools only on Converse, so that the catalogue does not mention them.
fn has_tools(target: &Target<'_>) -> bool {
    target.family == ModelFamily::CohereCommandR
}
