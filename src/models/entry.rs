//! One model of the list.

use serde::Serialize;
use time::{Date, Month};

use super::Shape;
use crate::catalog::{Model, Sampling, Thinking};

/// A name with what is known about its model. What is not known is left out.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) id: &'a str,
    #[serde(flatten)]
    own: Own<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_length: Option<u32>,
    architecture: Architecture,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    top_provider: Limits,
    supported_parameters: Vec<&'static str>,
    /// The model's last day, if AWS has announced one.
    expiration_date: Option<&'static str>,
}

/// The fields of the client's API.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Own<'a> {
    OpenAi {
        object: &'static str,
        created: i64,
        owned_by: &'static str,
        name: &'a str,
    },
    Anthropic {
        #[serde(rename = "type")]
        kind: &'static str,
        display_name: &'a str,
        created_at: String,
        lifecycle: &'static str,
        retires_at: Option<String>,
        max_input_tokens: Option<u32>,
        max_tokens: Option<u32>,
    },
}

#[derive(Debug, Serialize)]
struct Architecture {
    input_modalities: Vec<&'static str>,
    output_modalities: [&'static str; 1],
}

/// US dollars for one token, as decimal texts.
#[derive(Debug, Serialize)]
struct Pricing {
    prompt: String,
    completion: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cache_read: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cache_write: Option<String>,
}

#[derive(Debug, Serialize)]
struct Limits {
    context_length: Option<u32>,
    max_completion_tokens: Option<u32>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(id: &'a str, model: Option<&'static Model>, shape: Shape) -> Self {
        let (context, max_output) = model.map_or((None, None), |own| (own.context, own.max_output));
        Self {
            id,
            own: Own::new(id, model, shape),
            context_length: context,
            architecture: Architecture {
                input_modalities: modalities(model),
                output_modalities: ["text"],
            },
            pricing: model.and_then(Pricing::of),
            top_provider: Limits {
                context_length: context,
                max_completion_tokens: max_output,
            },
            supported_parameters: model.map(parameters).unwrap_or_default(),
            expiration_date: model.and_then(|own| own.retires),
        }
    }

    /// The model's lifecycle stage, in Anthropic's words.
    pub(super) fn lifecycle(&self) -> &'static str {
        lifecycle(self.expiration_date)
    }
}

impl<'a> Own<'a> {
    fn new(id: &'a str, model: Option<&'static Model>, shape: Shape) -> Self {
        let name = model.map_or(id, |own| own.name);
        let released = model.and_then(|own| released(own.id));
        match shape {
            Shape::OpenAi => Self::OpenAi {
                object: "model",
                created: released.map_or(0, |date| date.midnight().assume_utc().unix_timestamp()),
                owned_by: model.map_or("amazon-bedrock", |own| vendor(own.id)),
                name,
            },
            Shape::Anthropic => {
                let retires = model.and_then(|own| own.retires);
                Self::Anthropic {
                    kind: "model",
                    display_name: name,
                    // The API has the epoch where the date is not known.
                    created_at: released.map_or_else(
                        || midnight("1970-01-01"),
                        |date| midnight(&date.to_string()),
                    ),
                    lifecycle: lifecycle(retires),
                    retires_at: retires.map(midnight),
                    max_input_tokens: model.and_then(|own| own.context),
                    max_tokens: model.and_then(|own| own.max_output),
                }
            }
        }
    }
}

impl Pricing {
    fn of(model: &Model) -> Option<Self> {
        let mut prices = model.price.iter().map(|price| per_token(*price));
        Some(Self {
            prompt: prices.next()?,
            completion: prices.next()?,
            input_cache_read: prices.next(),
            input_cache_write: prices.next(),
        })
    }
}

/// The price of one token, from that of a million.
fn per_token(per_million: f64) -> String {
    let price = format!("{:.12}", per_million / 1e6);
    price.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A model with a date is on its way out; only AWS knows whether it is gone by then.
fn lifecycle(retires: Option<&str>) -> &'static str {
    retires.map_or("active", |_| "deprecated")
}

/// What of a request a model reads, in `OpenRouter`'s words. What it reads besides, such as videos, no request can carry.
fn modalities(model: Option<&Model>) -> Vec<&'static str> {
    let Some(model) = model else {
        return vec!["text"];
    };
    let words = model.input.iter();
    let words = words.filter_map(|kind| match *kind {
        "text" | "image" => Some(*kind),
        "pdf" => Some("file"),
        _ => None,
    });
    words.collect()
}

/// The parameters that matter when picking a model, by OpenAI's and `OpenRouter`'s names.
fn parameters(model: &'static Model) -> Vec<&'static str> {
    let samples = model.sampling != Sampling::None;
    let all = [
        (true, "max_tokens"),
        (samples, "temperature"),
        (samples, "top_p"),
        (model.stop, "stop"),
        (model.tools, "tools"),
        (model.tools && model.forced_tools, "tool_choice"),
        (true, "response_format"),
        (model.json_schema, "structured_outputs"),
        (model.thinking != Thinking::None, "reasoning"),
    ];
    let all = all.into_iter().filter(|(takes, _)| *takes);
    all.map(|(_, name)| name).collect()
}

/// Whose model it is: the beginning of its id.
fn vendor(id: &'static str) -> &'static str {
    id.split_once('.').map_or(id, |(vendor, _)| vendor)
}

/// The date in a model's id, which is when it was released.
fn released(id: &str) -> Option<Date> {
    let digits = id.split('-').find(|part| part.len() == 8)?;
    let number = digits.parse::<u32>().ok()?;
    let month = u8::try_from(number / 100 % 100).ok()?;
    let day = u8::try_from(number % 100).ok()?;
    let year = i32::try_from(number / 10_000).ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// A day as a time of RFC 3339.
fn midnight(date: &str) -> String {
    format!("{date}T00:00:00Z")
}
