//! Message content: a string, or a list of typed parts.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::{self, CacheTtl};
use crate::json::{STRING, Text, reason};

/// Content of a message.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A plain string.
    Text(Text<'a>),
    /// Typed parts.
    Parts(Vec<Part<'a>>),
}

/// One part of a message's content.
///
/// Flat on purpose: serde's tagged enums would copy the whole part, images included, before
/// looking at `type`. So parts may be OpenAI's own, those of its Responses API or Anthropic's, which clients
/// send here too; the last two are rare, so most of what only they have is read when it is needed.
#[derive(Clone, Debug, Deserialize)]
pub struct Part<'a> {
    /// `text`, `image_url`, `input_audio`, `file`, `refusal`, an extension, or another API's.
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    /// Of `text` parts.
    #[serde(default, borrow)]
    pub text: Option<Text<'a>>,
    /// Of `refusal` parts.
    #[serde(default, borrow)]
    pub refusal: Option<Text<'a>>,
    /// Of `image_url` parts.
    #[serde(default, borrow)]
    pub image_url: Option<ImageUrl<'a>>,
    /// Of `file` parts.
    #[serde(default, borrow)]
    pub file: Option<File<'a>>,
    /// Extension: ends a prefix of the request that the model may cache.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
    /// OpenAI's own mark of such a prefix.
    #[serde(default)]
    pub prompt_cache_breakpoint: Option<CacheControl>,
    /// Of `thinking` parts, which some clients send back in the content.
    #[serde(default, borrow)]
    pub thinking: Option<Text<'a>>,
    /// Of `thinking` parts.
    #[serde(default, borrow)]
    pub signature: Option<Text<'a>>,
    /// Of `redacted_thinking` parts.
    #[serde(default, borrow)]
    pub data: Option<Text<'a>>,
    /// Of Anthropic's `image` and `document` parts: where the bytes are.
    #[serde(default, borrow)]
    pub source: Option<&'a RawValue>,
    /// Of `document` parts.
    #[serde(default, borrow)]
    pub title: Option<&'a RawValue>,
    /// Of `tool_use` parts: the call's id.
    #[serde(default, borrow)]
    pub id: Option<&'a RawValue>,
    /// Of `tool_use` parts: the tool's name.
    #[serde(default, borrow)]
    pub name: Option<&'a RawValue>,
    /// Of `tool_use` parts: the arguments, an object.
    #[serde(default, borrow)]
    pub input: Option<&'a RawValue>,
    /// Of `tool_result` parts: the call's id.
    #[serde(default, borrow)]
    pub tool_use_id: Option<&'a RawValue>,
    /// Of `tool_result` parts: a string, or parts.
    #[serde(default, borrow)]
    pub content: Option<&'a RawValue>,
    /// Of `tool_result` parts: whether the tool failed.
    #[serde(default, borrow)]
    pub is_error: Option<&'a RawValue>,
    /// Of Responses' `input_file` parts, like the two that follow.
    #[serde(default, borrow)]
    pub file_data: Option<&'a RawValue>,
    /// A file uploaded to OpenAI.
    #[serde(default, borrow)]
    pub file_id: Option<&'a RawValue>,
    /// The file's name.
    #[serde(default, borrow)]
    pub filename: Option<&'a RawValue>,
    /// Where the file would have to be fetched.
    #[serde(default, borrow)]
    pub file_url: Option<&'a RawValue>,
}

/// Where the bytes of an image or a file are, in Anthropic's words.
#[derive(Debug, Deserialize)]
pub(in crate::protocol) struct PartSource<'a> {
    /// `base64`, `url`, `text` or others.
    #[serde(rename = "type", borrow)]
    pub(in crate::protocol) kind: Text<'a>,
    /// Of `base64` and `text`.
    #[serde(default, borrow)]
    pub(in crate::protocol) media_type: Option<Text<'a>>,
    /// Of `base64` and `text`.
    #[serde(default, borrow)]
    pub(in crate::protocol) data: Option<Text<'a>>,
    /// Of `url`.
    #[serde(default, borrow)]
    pub(in crate::protocol) url: Option<Text<'a>>,
}

/// A file inside a request.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct File<'a> {
    /// A data URI, or bare base64.
    #[serde(default, borrow)]
    pub file_data: Option<Text<'a>>,
    /// A file uploaded to OpenAI, which Bedrock cannot see.
    #[serde(default, borrow)]
    pub file_id: Option<Text<'a>>,
    /// Its name.
    #[serde(default, borrow)]
    pub filename: Option<Text<'a>>,
}

/// Marks the end of a prefix that the model may cache.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheControl {
    /// How long the prefix is kept.
    pub ttl: CacheTtl,
}

impl From<CacheControl> for chat::CacheControl {
    fn from(mark: CacheControl) -> Self {
        Self { ttl: mark.ttl }
    }
}

impl<'de> Deserialize<'de> for CacheControl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object<'a> {
            #[serde(default, borrow)]
            ttl: Option<Text<'a>>,
        }

        let object = Object::deserialize(deserializer)?;
        let ttl = match object.ttl.as_deref() {
            Some("1h" | "12h") => CacheTtl::Hour,
            _ => CacheTtl::Default,
        };
        Ok(Self { ttl })
    }
}

impl Part<'_> {
    /// The mark of a cached prefix, in either spelling.
    #[must_use]
    pub fn cache(&self) -> Option<CacheControl> {
        self.cache_control.or(self.prompt_cache_breakpoint)
    }
}

/// An image: `{"url"}`, or the URL alone. `detail` has no counterpart on Bedrock and is left out.
#[derive(Clone, Debug)]
pub struct ImageUrl<'a> {
    /// A data URI, or an http(s) URL, which Bedrock does not fetch.
    pub url: Text<'a>,
}

impl<'a> Content<'a> {
    fn from_json(json: &'a RawValue) -> Result<Self, serde_json::Error> {
        match json.get().as_bytes().first() {
            Some(b'"') => Text::from_json(json).map(Self::Text),
            Some(b'[') => serde_json::from_str(json.get()).map(Self::Parts),
            // Says what is there instead.
            _ => serde_json::from_str::<Never>(json.get()).map(|never| match never {}),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(STRING, ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of content parts")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Text::from_map(map).map(Content::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Content::Parts)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Content::from_json(json).map_err(|fault| D::Error::custom(reason(&fault)))
    }
}

/// What is neither a string nor an array: always an error.
enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nothing;

        impl Visitor<'_> for Nothing {
            type Value = Never;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content parts")
            }
        }

        deserializer.deserialize_any(Nothing)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ImageUrl<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlVisitor;

        #[derive(Deserialize)]
        struct Object<'a> {
            #[serde(borrow)]
            url: Text<'a>,
        }

        impl<'de> Visitor<'de> for UrlVisitor {
            type Value = ImageUrl<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a `url`, or a URL")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ImageUrl { url: object.url })
            }

            fn visit_borrowed_str<E>(self, url: &'de str) -> Result<Self::Value, E> {
                Ok(ImageUrl { url: url.into() })
            }

            fn visit_str<E>(self, url: &str) -> Result<Self::Value, E> {
                let url = url.to_owned().into();
                Ok(ImageUrl { url })
            }
        }

        deserializer.deserialize_any(UrlVisitor)
    }
}
