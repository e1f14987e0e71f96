//! The model catalogue: what is known about each Bedrock model, as data.
//!
//! Adding a model is an edit of `src/catalog/models.json`. Nothing here decides how a model is
//! spoken to; that follows from its [`crate::catalog::ModelFamily`].

mod family;
mod profiles;

pub use family::ModelFamily;
pub use profiles::{CrossRegion, split_profile, strip_profile};

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::chat::Effort;

/// What is known about one base model.
///
/// Sources: the model cards and the inference-profile tables of the Bedrock user guide,
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html>.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Base model id, for example `anthropic.claude-sonnet-4-5-20250929-v1:0`.
    pub id: &'static str,
    /// How InvokeModel is spoken to for it.
    pub family: ModelFamily,
    /// Names by which clients commonly ask for it.
    pub aliases: Vec<&'static str>,
    /// Context window in tokens.
    pub context: Option<u32>,
    /// Longest answer in tokens.
    pub max_output: Option<u32>,
    /// Prefixes of the system-defined inference profiles that contain the model.
    pub profiles: Vec<&'static str>,
    /// Kinds of input: `text`, `image`, `pdf`.
    pub input: Vec<&'static str>,
    /// Whether InvokeModel serves it.
    pub invoke: bool,
    /// Whether Converse serves it.
    pub converse: bool,
    /// Whether it calls tools, in one API at least.
    pub tools: bool,
    /// Whether it can be made to call a tool.
    pub forced_tools: bool,
    /// Which sampling parameters it takes.
    pub sampling: Sampling,
    /// Highest temperature that it takes.
    pub max_temperature: f64,
    /// Whether it takes stop sequences.
    pub stop: bool,
    /// Whether the conversation may end with an assistant message that the model continues.
    pub prefill: bool,
    /// Whether instructions may stand behind the last turn, as messages of their own.
    pub system_role: bool,
    /// How it is told to think.
    pub thinking: Thinking,
    /// Reasoning efforts that it takes, least to most.
    pub efforts: Vec<Effort>,
    /// Whether it keeps to a JSON schema by itself.
    pub json_schema: bool,
    /// Whether it keeps to the schemas of strict tools, if it keeps to any.
    pub strict_tools: bool,
    /// Whether it takes `max_completion_tokens` and no `max_tokens`.
    pub max_completion_tokens: bool,
    /// Whether and how long it caches marked prefixes.
    pub caching: Caching,
    /// What is different on Converse.
    pub on_converse: OnConverse,
}

/// Facts that differ between the two APIs; what is not named is the same on both.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnConverse {
    json_schema: Option<bool>,
    sampling: Option<Sampling>,
    stop: Option<bool>,
    thinking: Option<Thinking>,
}

impl Default for Model {
    /// What most models can; entries name what is different.
    fn default() -> Self {
        Self {
            id: "",
            family: ModelFamily::Converse,
            aliases: Vec::new(),
            context: None,
            max_output: None,
            profiles: Vec::new(),
            input: Vec::new(),
            invoke: true,
            converse: true,
            tools: false,
            forced_tools: true,
            sampling: Sampling::Any,
            max_temperature: 2.0,
            stop: true,
            prefill: true,
            system_role: false,
            thinking: Thinking::None,
            efforts: Vec::new(),
            json_schema: false,
            strict_tools: true,
            max_completion_tokens: false,
            caching: Caching::None,
            on_converse: OnConverse::default(),
        }
    }
}

/// Which of `temperature`, `top_p` and `top_k` a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// All of them, together.
    Any,
    /// `temperature` or `top_p`, not both.
    Either,
    /// None but the default.
    None,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It cannot be told.
    None,
    /// With a budget of tokens.
    Budget,
    /// As much as it sees fit, or with a budget.
    AdaptiveOrBudget,
    /// As much as it sees fit, within an effort.
    Adaptive,
    /// Like `Adaptive`, and it cannot be turned off.
    Always,
    /// With an effort, in an object called `reasoningConfig`.
    ReasoningConfig,
    /// With OpenAI's own `reasoning_effort`.
    Effort,
    /// With OpenAI's own effort, as `reasoning.effort` on Converse.
    NestedEffort,
}

/// Whether and how long a model caches marked prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caching {
    /// It does not.
    None,
    /// Five minutes.
    Minutes,
    /// Five minutes or an hour.
    Hour,
}

impl Model {
    /// Whether the model reads images.
    #[must_use]
    pub fn reads_images(&self) -> bool {
        self.input.contains(&"image")
    }

    /// Whether the model reads PDF files.
    #[must_use]
    pub fn reads_documents(&self) -> bool {
        self.input.contains(&"pdf")
    }

    /// Whether it keeps to a JSON schema by itself on Converse.
    #[must_use]
    pub fn keeps_to_schemas_on_converse(&self) -> bool {
        self.on_converse.json_schema.unwrap_or(self.json_schema)
    }

    /// Whether it keeps to the schemas of strict tools on Converse.
    #[must_use]
    pub fn takes_strict_tools_on_converse(&self) -> bool {
        self.keeps_to_schemas_on_converse() && self.strict_tools
    }

    /// Which sampling parameters it takes on Converse.
    #[must_use]
    pub fn sampling_on_converse(&self) -> Sampling {
        self.on_converse.sampling.unwrap_or(self.sampling)
    }

    /// How it is told to think on Converse.
    #[must_use]
    pub fn thinking_on_converse(&self) -> Thinking {
        self.on_converse.thinking.unwrap_or(self.thinking)
    }

    /// Whether it takes stop sequences on Converse.
    #[must_use]
    pub fn takes_stop_on_converse(&self) -> bool {
        self.on_converse.stop.unwrap_or(self.stop)
    }

    /// The highest effort that the model takes and that is not above the wanted one; its lowest
    /// where there is none. Only who wants no reasoning gets none.
    #[must_use]
    pub fn effort(&self, wanted: Effort) -> Option<Effort> {
        let nothing = Effort::None;
        let efforts = self.efforts.iter().copied();
        let mut efforts = efforts.filter(|effort| wanted == nothing || *effort != nothing);
        let lowest = efforts.next()?;
        Some(
            efforts
                .rev()
                .find(|effort| *effort <= wanted)
                .unwrap_or(lowest),
        )
    }

    /// The id to call from `region` under the channel's policy: a profile id or the base id.
    #[must_use]
    pub fn id_in(&self, region: &str, policy: CrossRegion) -> String {
        profiles::prefixes(region, policy)
            .iter()
            .find(|prefix| self.profiles.contains(prefix))
            .map_or_else(
                || self.id.to_owned(),
                |prefix| format!("{prefix}.{}", self.id),
            )
    }
}

/// Finds a model by alias, base id or inference profile id.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    let catalog = catalog();
    let index = catalog
        .by_name
        .get(name)
        .or_else(|| catalog.by_name.get(strip_profile(name)))?;
    catalog.models.get(*index)
}

/// Finds a model by alias or base id, but not by inference profile id.
#[must_use]
pub fn find_base(name: &str) -> Option<&'static Model> {
    let catalog = catalog();
    catalog.models.get(*catalog.by_name.get(name)?)
}

/// Every model of the catalogue.
pub fn models() -> impl Iterator<Item = &'static Model> {
    catalog().models.iter()
}

struct Catalog {
    models: Vec<Model>,
    by_name: BTreeMap<&'static str, usize>,
}

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        // A test parses the same text, so the empty fallback is never taken.
        let models: Vec<Model> = parse().unwrap_or_default();
        let by_name = models
            .iter()
            .enumerate()
            .flat_map(|(index, model)| {
                std::iter::once(model.id)
                    .chain(model.aliases.iter().copied())
                    .map(move |name| (name, index))
            })
            .collect();
        Catalog { models, by_name }
    })
}

fn parse() -> serde_json::Result<Vec<Model>> {
    serde_json::from_str(include_str!("catalog/models.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_parses_and_every_name_is_unique() {
        let models = parse().unwrap();
        let names: usize = models.iter().map(|model| 1 + model.aliases.len()).sum();
        assert_eq!(catalog().by_name.len(), names);
    }

    /// `chat-models.json` lists what AWS's model cards name as chat models.
    #[test]
    fn every_chat_model_of_bedrock_is_known() {
        let json = include_str!("../tests/vectors/chat-models.json");
        let ids: Vec<&str> = serde_json::from_str(json).unwrap();
        let missing: Vec<_> = ids.iter().filter(|id| find_base(id).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(models().count(), ids.len());
    }

    #[test]
    fn a_model_is_found_by_alias_base_id_and_profile_id() {
        for name in [
            "claude-sonnet-4-5",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ] {
            assert_eq!(
                find(name).map(|model| model.id),
                Some("anthropic.claude-sonnet-4-5-20250929-v1:0"),
                "{name}"
            );
        }
        assert!(find("xx.anthropic.claude-sonnet-4-5-20250929-v1:0").is_none());
    }

    #[test]
    fn an_effort_is_brought_into_the_models_range() {
        use Effort::{High, Low, Max, Minimal, None, Xhigh};
        let check = |name: &str, wanted, expected| {
            let effort = find(name).unwrap().effort(wanted);
            assert_eq!(effort, expected, "{name} with {wanted:?}");
        };
        check("gpt-oss-120b", Max, Some(High));
        check("gpt-oss-120b", None, Some(Low));
        check("gpt-5.6-sol", None, Some(None));
        check("gpt-5.6-sol", Minimal, Some(Low));
        check("claude-opus-4-8", Max, Some(Xhigh));
        check("nova-pro", High, Option::None);
    }

    #[test]
    fn the_profile_follows_region_and_policy() {
        let check = |name: &str, region: &str, policy, expected: &str| {
            let id = find(name).unwrap().id_in(region, policy);
            assert_eq!(id, expected, "{name} in {region} with {policy:?}");
        };
        let (off, geo, global) = (CrossRegion::Off, CrossRegion::Geo, CrossRegion::Global);
        let haiku = "anthropic.claude-haiku-4-5-20251001-v1:0";
        check("claude-haiku-4-5", "us-east-1", off, haiku);
        check("claude-haiku-4-5", "us-east-1", geo, &format!("us.{haiku}"));
        check(
            "claude-haiku-4-5",
            "ca-central-1",
            geo,
            &format!("us.{haiku}"),
        );
        check("claude-haiku-4-5", "eu-west-1", geo, &format!("eu.{haiku}"));
        check(
            "claude-haiku-4-5",
            "ap-northeast-1",
            geo,
            &format!("jp.{haiku}"),
        );
        check(
            "claude-haiku-4-5",
            "ap-southeast-2",
            geo,
            &format!("au.{haiku}"),
        );
        check("claude-haiku-4-5", "sa-east-1", geo, haiku);
        check(
            "claude-haiku-4-5",
            "sa-east-1",
            global,
            &format!("global.{haiku}"),
        );
        check(
            "claude-haiku-4-5",
            "eu-west-1",
            global,
            &format!("global.{haiku}"),
        );
        let sonnet = "anthropic.claude-3-7-sonnet-20250219-v1:0";
        check(
            "claude-3-7-sonnet",
            "ap-northeast-1",
            geo,
            &format!("apac.{sonnet}"),
        );
        check(
            "claude-3-7-sonnet",
            "us-gov-west-1",
            global,
            &format!("us-gov.{sonnet}"),
        );
        check("claude-3-7-sonnet", "cn-north-1", global, sonnet);
    }
}
