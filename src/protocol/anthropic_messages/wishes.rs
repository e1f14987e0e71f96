//! Parameters that are objects: thinking, the choice of tools, effort and the shape of the answer.

use serde_json::value::RawValue;

use super::fault::Fault;
use super::wire::{Asked, RawMembers, member};
use crate::chat::{Effort, JsonSchema, OutputFormat, Thinking, ThinkingMode, ToolChoice};
use crate::json::{Kind, Text, Walker};

pub(super) fn members<'a>(json: &'a RawValue, name: &str) -> Result<RawMembers<'a>, Fault> {
    let mut walker = Walker::new(json.get());
    if walker.kind() != Kind::Object {
        return Err(Fault::here("Input should be an object").below(name));
    }
    let mut members = Vec::new();
    walker.object(|walker, name| {
        members.push((name.text, walker.raw()?));
        Ok::<_, Fault>(())
    })?;
    Ok(members)
}

/// Its `type`, which must be one of `known`.
fn kind<'a>(members: &RawMembers<'a>, of: &str, known: &[&str]) -> Result<Text<'a>, Fault> {
    let Some(json) = member(members, "type") else {
        return Err(Fault::missing("type").below(of));
    };
    let kind = string(json, "type").map_err(|own| own.below(of))?;
    if known.contains(&&*kind) {
        return Ok(kind);
    }
    let known: Vec<_> = known.iter().map(|word| format!("'{word}'")).collect();
    let words = format!(
        "Input tag '{}' found using 'type' does not match any of the expected tags: {}",
        short(&kind),
        known.join(", ")
    );
    Err(Fault::here(words).below(of))
}

/// As much of a client's word as an error repeats.
fn short(word: &str) -> String {
    word.chars().take(40).collect()
}

pub(super) fn thinking(asked: &Asked<'_>) -> Result<Option<Thinking>, Fault> {
    const NAME: &str = "thinking";
    let Some(json) = asked.get(NAME) else {
        return Ok(None);
    };
    let members = members(json, NAME)?;
    let known = ["enabled", "adaptive", "disabled", "between_tools"];
    let mode = match &*kind(&members, NAME, &known)? {
        "enabled" => ThinkingMode::Enabled,
        "disabled" => ThinkingMode::Disabled,
        // No model on Bedrock supports thinking only between calls.
        _ => ThinkingMode::Adaptive,
    };
    let below = |own: Fault| own.below(NAME);
    let budget = member(&members, "budget_tokens");
    let budget_tokens = budget.map(|json| {
        let number = json.get().parse::<u32>();
        number.map_err(|_| {
            below(Fault::here("Input should be a valid integer").below("budget_tokens"))
        })
    });
    let budget_tokens = budget_tokens.transpose()?;
    if mode == ThinkingMode::Enabled && budget_tokens.is_none() {
        return Err(below(Fault::missing("budget_tokens")));
    }
    let display = member(&members, "display").map(|json| string(json, "display").map_err(below));
    Ok(Some(Thinking {
        mode,
        budget_tokens,
        display: display.transpose()?.map(|own| own.to_string()),
        // Clients send it to every model that they do not know, whatever it can do.
        is_hint: true,
    }))
}

/// Which tools may or must be called.
pub(super) struct ToolWish<'a> {
    pub(super) choice: ToolChoice<'a>,
    pub(super) one_at_a_time: bool,
}

impl<'a> ToolWish<'a> {
    /// That of a client that does not say.
    pub(super) const UNSET: Self = Self {
        choice: ToolChoice::Unset,
        one_at_a_time: false,
    };

    pub(super) fn of(asked: &Asked<'a>) -> Result<Self, Fault> {
        const NAME: &str = "tool_choice";
        let Some(json) = asked.get(NAME) else {
            return Ok(Self::UNSET);
        };
        let members = members(json, NAME)?;
        let choice = match &*kind(&members, NAME, &["auto", "any", "tool", "none"])? {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            _ => match member(&members, "name") {
                Some(json) => {
                    ToolChoice::Tool(string(json, "name").map_err(|own| own.below(NAME))?)
                }
                None => return Err(Fault::missing("name").below(NAME)),
            },
        };
        let flag = member(&members, "disable_parallel_tool_use").map(RawValue::get);
        Ok(Self {
            choice,
            one_at_a_time: flag == Some("true"),
        })
    }

    pub(super) fn is_forced(&self) -> bool {
        self.choice.is_forced()
    }
}

/// How much effort the answer is worth, and its shape.
pub(super) struct OutputConfig<'a> {
    pub(super) effort: Option<Effort>,
    pub(super) format: OutputFormat<'a>,
}

impl<'a> OutputConfig<'a> {
    pub(super) fn of(asked: &Asked<'a>) -> Result<Self, Fault> {
        const NAME: &str = "output_config";
        let members = match asked.get(NAME) {
            Some(json) => members(json, NAME)?,
            None => RawMembers::new(),
        };
        let below = |own: Fault| own.below(NAME);
        let effort = member(&members, "effort").map(effort);
        let format = match (member(&members, "format"), asked.get("output_format")) {
            (Some(json), _) => format(json, "format").map_err(below)?,
            (None, Some(json)) => format(json, "output_format")?,
            (None, None) => OutputFormat::Text,
        };
        Ok(Self {
            effort: effort.transpose().map_err(below)?,
            format,
        })
    }
}

fn effort(json: &RawValue) -> Result<Effort, Fault> {
    Ok(match json.get() {
        "\"low\"" => Effort::Low,
        "\"medium\"" => Effort::Medium,
        "\"high\"" => Effort::High,
        "\"xhigh\"" => Effort::Xhigh,
        "\"max\"" => Effort::Max,
        _ => {
            let words = "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'";
            return Err(Fault::here(words).below("effort"));
        }
    })
}

fn format<'a>(json: &'a RawValue, name: &str) -> Result<OutputFormat<'a>, Fault> {
    let members = members(json, name)?;
    kind(&members, name, &["json_schema"])?;
    let schema = member(&members, "schema").ok_or_else(|| Fault::missing("schema").below(name))?;
    if !schema.get().starts_with('{') {
        return Err(Fault::here("Input should be an object")
            .below("schema")
            .below(name));
    }
    Ok(OutputFormat::JsonSchema(JsonSchema {
        name: "answer".into(),
        description: None,
        schema,
        strict: true,
    }))
}

/// A value that must be a string.
pub(super) fn string<'a>(json: &'a RawValue, name: &str) -> Result<Text<'a>, Fault> {
    Text::from_json(json).map_err(|_| Fault::here("Input should be a valid string").below(name))
}
