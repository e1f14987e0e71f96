//! What the catalogue says about a model.

use serde::Deserialize;

use super::profiles::{self, CrossRegion};
use super::{ModelFamily, Thinking};
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
    /// The format of its bodies on InvokeModel.
    pub family: ModelFamily,
    /// What people call it.
    pub name: &'static str,
    /// Names by which clients commonly ask for it.
    pub aliases: Vec<&'static str>,
    /// US dollars for a million tokens: of input and output, then read from the cache and written to it for five
    /// minutes, as far as they are known. On demand, by the base id; `LiteLLM`'s numbers, which are not binding:
    /// <https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json>.
    pub price: Vec<f64>,
    /// The day from which AWS may have withdrawn it, as `YYYY-MM-DD`:
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html>.
    pub retires: Option<&'static str>,
    /// Context window in tokens.
    pub context: Option<u32>,
    /// Longest answer in tokens.
    pub max_output: Option<u32>,
    /// Smallest limit of an answer that it takes, in tokens.
    pub min_output: u32,
    /// Prefixes of the system-defined inference profiles that contain the model.
    pub profiles: Vec<&'static str>,
    /// Kinds of input: `text`, `image`, `pdf`.
    pub input: Vec<&'static str>,
    /// Whether InvokeModel serves it.
    pub invoke: bool,
    /// Whether Converse serves it.
    pub converse: bool,
    /// Whether it calls tools, on at least one of the APIs.
    pub tools: bool,
    /// Whether it can be made to call a tool.
    pub forced_tools: bool,
    /// Which sampling parameters it takes.
    pub sampling: Sampling,
    /// Highest temperature that it takes.
    pub max_temperature: f64,
    /// Whether it takes `top_k`, if its family does.
    pub top_k: bool,
    /// Whether it takes stop sequences.
    pub stop: bool,
    /// Whether the conversation may end with an assistant message, which the model continues.
    pub prefill: bool,
    /// Whether it has a system prompt, if its family does.
    pub system: bool,
    /// Whether instructions may follow the last turn, as messages of their own.
    pub system_role: bool,
    /// How it is told to think.
    pub thinking: Thinking,
    /// Whether it thinks unless it is told not to, as far as it can be told.
    pub thinks: bool,
    /// Reasoning efforts that it takes, least to most.
    pub efforts: Vec<Effort>,
    /// Whether it keeps to a JSON schema by itself.
    pub json_schema: bool,
    /// Whether it keeps to the schemas of strict tools, if to any.
    pub strict_tools: bool,
    /// Whether it takes `max_completion_tokens` instead of `max_tokens`.
    pub max_completion_tokens: bool,
    /// Whether it caches marked prefixes, and for how long.
    pub caching: Caching,
    /// Whether `CountTokens` counts for it.
    pub count_tokens: bool,
    /// What is different on Converse.
    pub on_converse: OnConverse,
}

/// Facts that differ between the two APIs; whatever is not listed is the same on both.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnConverse {
    json_schema: Option<bool>,
    sampling: Option<Sampling>,
    stop: Option<bool>,
    thinking: Option<Thinking>,
}

impl Default for Model {
    /// What most models can do; entries list only the differences.
    fn default() -> Self {
        Self {
            id: "",
            name: "",
            price: Vec::new(),
            retires: None,
            family: ModelFamily::Converse,
            aliases: Vec::new(),
            context: None,
            max_output: None,
            min_output: 1,
            profiles: Vec::new(),
            input: Vec::new(),
            invoke: true,
            converse: true,
            tools: false,
            forced_tools: true,
            sampling: Sampling::Any,
            max_temperature: 2.0,
            top_k: true,
            stop: true,
            prefill: true,
            system: true,
            system_role: false,
            thinking: Thinking::None,
            thinks: false,
            efforts: Vec::new(),
            json_schema: false,
            strict_tools: true,
            max_completion_tokens: false,
            caching: Caching::None,
            count_tokens: false,
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
    /// None, except at its default.
    None,
}

/// Whether a model caches marked prefixes, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caching {
    /// It does not cache.
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

    /// The highest effort that the model takes and that does not exceed the wanted one; if there is none, the lowest
    /// that it takes. Only a request for no reasoning gets none.
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

    /// Every name by which clients can call it from `region`: its id, its aliases and the ids of its profiles.
    pub fn names_in(&self, region: &str) -> impl Iterator<Item = String> {
        let own = std::iter::once(self.id).chain(self.aliases.iter().copied());
        let prefixes = profiles::prefixes(region, CrossRegion::Global).into_iter();
        let prefixes = prefixes.filter(move |prefix| self.profiles.contains(prefix));
        let profiles = prefixes.map(move |prefix| format!("{prefix}.{}", self.id));
        own.map(str::to_owned).chain(profiles)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::find;

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
