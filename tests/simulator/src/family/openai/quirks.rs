//! What differs between the vendors of OpenAI-shaped bodies.
//!
//! From the parameter pages and model cards of the vendors:
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-cards.html>

use serde_json::Value;

use super::messages::{Content, Rules};
use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::ask::Thinking;
use crate::family::claude::schema_fault;
use crate::family::schema::{EMPTY, MAY, MUST, Shape};
use crate::family::{field, list};

/// The vendor of a model, as far as its rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirks {
    GptOss,
    Gpt,
    Kimi,
    Grok,
    MiniMax,
    Qwen,
    Glm,
    DeepSeek,
    Nemotron,
    Writer,
    /// Gemma, newer Mistral, and models that a test added.
    Plain,
}

/// Where an answer has its reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the start of the content, between tags with this name.
    Tag(&'static str),
    /// In a field of the message.
    Field(&'static str),
}

const EFFORTS: Shape = Shape::OneOf(&["low", "medium", "high"]);
const ALL_EFFORTS: Shape =
    Shape::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]);
const WITH_EFFORT: Shape = Shape::Object(&[("reasoning_effort", MAY, EFFORTS)]);
const WITH_REASONING: Shape = Shape::Object(&[(
    "reasoning",
    MAY,
    Shape::Object(&[("effort", MUST, ALL_EFFORTS)]),
)]);

impl Quirks {
    pub(crate) fn of(model_id: &str) -> Self {
        let starts = |prefix: &str| model_id.starts_with(prefix);
        match () {
            () if starts("openai.gpt-oss") => Self::GptOss,
            () if starts("openai.") => Self::Gpt,
            () if starts("moonshot") => Self::Kimi,
            () if starts("xai.") => Self::Grok,
            () if starts("minimax.") => Self::MiniMax,
            () if starts("qwen.") => Self::Qwen,
            () if starts("zai.") => Self::Glm,
            () if starts("deepseek.") => Self::DeepSeek,
            () if starts("nvidia.") => Self::Nemotron,
            () if starts("writer.") => Self::Writer,
            () => Self::Plain,
        }
    }

    pub(crate) fn refuses_stop(self) -> bool {
        matches!(self, Self::Kimi | Self::Grok | Self::Gpt)
    }

    /// Converse takes stop sequences from fewer models than `InvokeModel`.
    pub(crate) fn refuses_stop_on_converse(self) -> bool {
        self.refuses_stop() || matches!(self, Self::GptOss | Self::Glm)
    }

    /// These ignore sampling parameters.
    pub(crate) fn refuses_sampling_on_converse(self) -> bool {
        matches!(self, Self::Gpt | Self::Grok)
    }

    /// A tool cannot be required, only offered or named.
    pub(crate) fn refuses_required(self) -> bool {
        self == Self::Kimi
    }

    /// The schema of `additionalModelRequestFields`.
    pub(crate) fn additional(self) -> Shape {
        match self {
            Self::Gpt | Self::Grok => WITH_REASONING,
            Self::Plain | Self::Writer => EMPTY,
            _ => WITH_EFFORT,
        }
    }

    /// What the messages may hold.
    pub(crate) fn rules(self, model: &Model) -> Rules {
        let parts = [("image", "image_url"), ("audio", "input_audio")];
        let parts = parts.iter().filter(|(input, _)| model.can(input));
        Rules {
            roles: match self {
                Self::GptOss | Self::Gpt => &["system", "developer", "user", "assistant", "tool"],
                _ => &["system", "user", "assistant", "tool"],
            },
            parts: parts.map(|(_, part)| *part).collect(),
            content: match self {
                Self::Kimi => Content::Plain,
                _ => Content::Parts,
            },
        }
    }

    /// Whether the answer shows reasoning. `body` may be the additional fields
    /// of Converse as well.
    pub(crate) fn thinking(self, body: &Value) -> Thinking {
        let effort = field(body, "reasoning_effort");
        let asked = effort.is_some_and(|effort| effort != "none");
        match self {
            // These always reason, and always show it.
            Self::GptOss | Self::Kimi => Thinking::On,
            Self::Gpt | Self::Grok | Self::Plain | Self::Writer => Thinking::Off,
            _ if asked => Thinking::On,
            _ => Thinking::Off,
        }
    }

    pub(crate) fn place(self) -> Place {
        match self {
            Self::GptOss | Self::Kimi => Place::Tag("reasoning"),
            Self::Glm => Place::Field("reasoning_content"),
            Self::DeepSeek => Place::Field("reasoning"),
            _ => Place::Tag("think"),
        }
    }

    /// The rules beyond the schema.
    pub(crate) fn check(self, model: &Model, body: &Value) -> Result<(), AwsError> {
        let sent = |name: &str| body.get(name).is_some();
        let refused = match self {
            Self::Kimi | Self::Grok if sent("stop") => Some("stop"),
            Self::Gpt if sent("stop") => Some("stop"),
            Self::Gpt if sent("max_tokens") => Some("max_tokens"),
            Self::Plain | Self::Writer if sent("reasoning_effort") => Some("reasoning_effort"),
            other if other != Self::Gpt && sent("verbosity") => Some("verbosity"),
            _ => None,
        };
        if let Some(name) = refused {
            return Err(AwsError::validation(format!(
                "Malformed input request: #: extraneous key [{name}] is not permitted, please reformat your input and try again."
            )));
        }
        self.check_effort(body)?;
        self.check_limits(model, body)?;
        check_format(body)?;
        let functions = list(body, "tools").iter();
        let mut functions = functions.filter_map(|tool| tool.get("function"));
        if let Some(text) = functions.find_map(|own| strict_fault(own, "parameters")) {
            return Err(AwsError::validation(format!("tools: {text}")));
        }
        let temperature = body.get("temperature").and_then(Value::as_f64);
        if self == Self::Kimi && temperature.is_some_and(|value| value > 1.0) {
            return Err(AwsError::validation(
                "temperature: must be between 0 and 1 for this model.",
            ));
        }
        match self.refuses_required() && field(body, "tool_choice") == Some("required") {
            true => Err(AwsError::validation(
                "tool_choice: 'required' is not supported by this model.",
            )),
            false => Ok(()),
        }
    }

    fn check_effort(self, body: &Value) -> Result<(), AwsError> {
        match field(body, "reasoning_effort") {
            None | Some("low" | "medium" | "high") => Ok(()),
            Some(_) if matches!(self, Self::Gpt | Self::Grok) => Ok(()),
            Some(other) => Err(AwsError::validation(format!(
                "reasoning_effort: '{other}' is not one of 'low', 'medium', 'high'."
            ))),
        }
    }

    fn check_limits(self, model: &Model, body: &Value) -> Result<(), AwsError> {
        let limits = ["max_tokens", "max_completion_tokens"];
        let sent: Vec<u64> = limits
            .iter()
            .filter_map(|name| body.get(*name)?.as_u64())
            .collect();
        let text = match sent.as_slice() {
            [_, _] => "max_tokens and max_completion_tokens cannot be set both.".to_owned(),
            [asked] if *asked > model.max_tokens => format!(
                "The maximum tokens you requested exceeds the model limit of {}.",
                model.max_tokens
            ),
            [asked] if self == Self::Gpt && *asked < 16 => {
                "max_completion_tokens: must be at least 16.".to_owned()
            }
            _ => return Ok(()),
        };
        Err(AwsError::validation(text))
    }
}

/// What is wrong with the schema of something that is strict.
fn strict_fault(shape: &Value, name: &str) -> Option<String> {
    let is_strict = shape.get("strict") == Some(&Value::Bool(true));
    shape.get(name).filter(|_| is_strict).and_then(schema_fault)
}

/// The schema comes with its type, and only with it.
fn check_format(body: &Value) -> Result<(), AwsError> {
    let Some(format) = body.get("response_format") else {
        return Ok(());
    };
    let shape = format.get("json_schema").unwrap_or(&Value::Null);
    if let Some(text) = strict_fault(shape, "schema") {
        return Err(AwsError::validation(format!("response_format: {text}")));
    }
    match format.get("json_schema").is_some() == (field(format, "type") == Some("json_schema")) {
        true => Ok(()),
        false => Err(AwsError::validation(
            "response_format: 'json_schema' must be set for its type, and for no other.",
        )),
    }
}
