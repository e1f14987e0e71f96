//! What the models of a family take on Converse, as far as the catalogue does not say it.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>

use crate::bedrock::Target;
use crate::bedrock::dialects::mistral;
use crate::bedrock::shared::conversation::Mixing;
use crate::catalog::ModelFamily;
use crate::catalog::{Caching, Model, Sampling};

/// What a model takes.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    /// Whether it has a system prompt.
    pub(super) system: bool,
    /// Whether it calls tools.
    pub(super) tools: bool,
    /// Whether it calls tools in a stream.
    pub(super) streams_tools: bool,
    /// Which choices among tools it takes.
    pub(super) choices: Choices,
    /// Whether one turn may have tool blocks and others.
    pub(super) mixing: Mixing,
    /// Whether results of tools may be images and documents.
    pub(super) rich_results: bool,
    /// Whether it can be told that a tool failed.
    pub(super) failures: bool,
    /// Whether it takes its reasoning back.
    pub(super) reasoning_back: bool,
    /// Whether it has Claude's own parameters.
    pub(super) claude: bool,
    /// Where it has `top_k`.
    pub(super) top_k: TopK,
    /// How long it caches what is marked.
    pub(super) caching: Caching,
    /// Whether names of tools may have hyphens, and their schemas more at the top than properties.
    pub(super) free_tools: bool,
    /// Whether tools can be marked.
    pub(super) caches_tools: bool,
    /// Which sampling parameters it takes.
    pub(super) sampling: Sampling,
    /// Smallest answer limit that it takes, in tokens.
    pub(super) min_tokens: u32,
}

/// Choices among tools, each with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Choices {
    /// The model decides; that is the default, and some refuse to be told even that.
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
    /// The same, with a highest.
    UpTo(u32),
    /// As `k`.
    K,
    /// As `topK` among its inference parameters.
    Inference,
}

/// What is safe with every model.
const PLAIN: Traits = Traits {
    system: true,
    tools: true,
    streams_tools: true,
    choices: Choices::Default,
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

impl Traits {
    /// What the family's models take, less what the catalogue says that this one does not.
    pub(super) fn of(target: &Target<'_>) -> Self {
        let model = target.model;
        let family = Self::of_family(target.family, model);
        Self {
            tools: family.tools && model.is_none_or(|model| model.tools || has_tools(target)),
            choices: match model {
                Some(model) if !model.forced_tools => Choices::Default,
                _ => family.choices,
            },
            caching: model.map_or(family.caching, |model| model.caching),
            sampling: model.map_or(family.sampling, Model::sampling_on_converse),
            // GPT's limit is called `max_completion_tokens` and is 16 or more.
            min_tokens: match model {
                Some(model) if model.max_completion_tokens => 16,
                _ => 1,
            },
            ..family
        }
    }

    fn of_family(family: ModelFamily, model: Option<&Model>) -> Self {
        match family {
            ModelFamily::Anthropic | ModelFamily::ClaudeText => Self {
                choices: Choices::Tool,
                mixing: Mixing::Free,
                rich_results: true,
                failures: true,
                reasoning_back: true,
                claude: true,
                top_k: TopK::Plain,
                caching: Caching::Minutes,
                sampling: Sampling::Either,
                ..PLAIN
            },
            ModelFamily::Nova => Self {
                choices: Choices::Tool,
                rich_results: true,
                failures: true,
                reasoning_back: true,
                top_k: TopK::Inference,
                caching: Caching::Minutes,
                free_tools: false,
                caches_tools: false,
                ..PLAIN
            },
            ModelFamily::Llama2 | ModelFamily::Llama3 => Self {
                mixing: Mixing::CallsApart,
                ..PLAIN
            },
            ModelFamily::Llama4 => Self {
                mixing: Mixing::CallsApart,
                streams_tools: false,
                ..PLAIN
            },
            // The large ones call tools, and they alone have a system prompt.
            ModelFamily::MistralInstruct => Self {
                choices: Choices::Any,
                system: model.is_none_or(|model| model.tools),
                top_k: match model {
                    Some(model) if mistral::takes_top_k(model.id) => TopK::UpTo(mistral::MAX_TOP_K),
                    _ => TopK::None,
                },
                ..PLAIN
            },
            ModelFamily::MistralChat => Self {
                choices: Choices::Any,
                ..PLAIN
            },
            ModelFamily::CohereCommandR => Self {
                top_k: TopK::K,
                ..PLAIN
            },
            ModelFamily::OpenaiChat => Self {
                choices: Choices::Tool,
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
            ModelFamily::Jamba | ModelFamily::Converse => PLAIN,
        }
    }

    /// Whether the model can be made to call a tool.
    pub(super) fn forces_tools(&self) -> bool {
        self.tools && self.choices >= Choices::Any
    }
}

/// Families whose tools only Converse has, so that the catalogue does not speak of them.
fn has_tools(target: &Target<'_>) -> bool {
    target.family == ModelFamily::CohereCommandR
}
