//! The body of `POST /v1/messages`.

use std::fmt;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::{CacheControl, CacheTtl, Effort};
use crate::json::Text;

/// A request; strings borrow from the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    pub(super) max_tokens: u32,
    #[serde(borrow)]
    pub(super) messages: Vec<Message<'a>>,
    #[serde(default, borrow)]
    pub(super) system: Option<Content<'a>>,
    #[serde(default, borrow)]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(default, borrow)]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(default, borrow)]
    pub(super) stop_sequences: Vec<Text<'a>>,
    #[serde(default)]
    pub(super) stream: Option<bool>,
    #[serde(default)]
    pub(super) temperature: Option<f64>,
    #[serde(default)]
    pub(super) top_p: Option<f64>,
    #[serde(default)]
    pub(super) top_k: Option<u32>,
    #[serde(default)]
    pub(super) thinking: Option<Thinking>,
    #[serde(default, borrow)]
    pub(super) output_config: Option<OutputConfig<'a>>,
    #[serde(default, borrow)]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(default, borrow)]
    pub(super) service_tier: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message<'a> {
    pub(super) role: Role,
    #[serde(borrow)]
    pub(super) content: Content<'a>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    User,
    Assistant,
    System,
}

/// A string, or a list of blocks.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Blocks(Vec<Block<'a>>),
}

/// A block, flat over all types: a tagged enum would copy it, images included, before it looks at `type`.
#[derive(Debug, Deserialize)]
pub(super) struct Block<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(default, borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) source: Option<Source<'a>>,
    #[serde(default, borrow)]
    pub(super) title: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) tool_use_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(default)]
    pub(super) is_error: Option<bool>,
    #[serde(default, borrow)]
    pub(super) thinking: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) signature: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) data: Option<Text<'a>>,
    #[serde(default, deserialize_with = "cache_control")]
    pub(super) cache_control: Option<CacheControl>,
}

/// Where the bytes of an image or a file are.
#[derive(Debug, Deserialize)]
pub(super) struct Source<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(default, borrow)]
    pub(super) media_type: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) data: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) url: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tool<'a> {
    #[serde(default, rename = "type", borrow)]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(default, borrow)]
    pub(super) description: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) input_schema: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) strict: Option<bool>,
    #[serde(default, deserialize_with = "cache_control")]
    pub(super) cache_control: Option<CacheControl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolChoice<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Choice,
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) disable_parallel_tool_use: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Choice {
    Auto,
    Any,
    Tool,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thinking {
    #[serde(rename = "type")]
    pub(super) kind: ThinkingKind,
    #[serde(default)]
    pub(super) budget_tokens: Option<u32>,
    #[serde(default)]
    pub(super) display: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ThinkingKind {
    Enabled,
    Adaptive,
    Disabled,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputConfig<'a> {
    #[serde(default)]
    pub(super) effort: Option<Effort>,
    #[serde(default, borrow)]
    pub(super) format: Option<Format<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Format<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(default, borrow)]
    pub(super) schema: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(default, borrow)]
    pub(super) user_id: Option<Text<'a>>,
}

/// `{"type": "ephemeral", "ttl"?: "5m" | "1h"}`.
fn cache_control<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<CacheControl>, D::Error> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(default, borrow)]
        ttl: Option<Text<'a>>,
    }
    let object = Option::<Object<'_>>::deserialize(deserializer)?;
    Ok(object.map(|object| CacheControl {
        ttl: match object.ttl.as_deref() {
            Some("1h") => CacheTtl::Hour,
            _ => CacheTtl::Default,
        },
    }))
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content blocks")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Content::Blocks)
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}
