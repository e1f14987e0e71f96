//! Message content: a string, or a list of typed parts.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::Text;

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
/// looking at `type`.
#[derive(Clone, Debug, Deserialize)]
pub struct Part<'a> {
    /// `text`, `image_url`, `input_audio`, `file`, `refusal` or an extension.
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
}

/// An image; `detail` has no counterpart on Bedrock and is ignored.
#[derive(Clone, Debug)]
pub struct ImageUrl<'a> {
    /// A data URI, or an http(s) URL, which Bedrock does not fetch.
    pub url: Text<'a>,
}

impl<'a> Content<'a> {
    /// The content as parts' texts, in order; other kinds of parts are skipped.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (text, parts) = match self {
            Self::Text(text) => (Some(&**text), &[][..]),
            Self::Parts(parts) => (None, parts.as_slice()),
        };
        text.into_iter()
            .chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of content parts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content::Text(Text(text.into())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content::Text(Text(text.to_owned().into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Content::Parts(parts))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ImageUrl<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Object<'a> {
            #[serde(borrow)]
            url: Text<'a>,
            #[serde(default, rename = "detail")]
            _detail: Option<IgnoredAny>,
        }
        let object = Object::deserialize(deserializer)?;
        Ok(Self { url: object.url })
    }
}
