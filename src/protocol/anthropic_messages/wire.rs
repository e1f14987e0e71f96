//! A request as it is in the client's body: what is where, and what each part says.

use std::borrow::Cow;

use serde_json::value::{RawValue, to_raw_value};

use crate::chat::{CacheControl, CacheTtl};
use crate::json::{Text, without_halves};

/// A whole request, in the client's words.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Every member of the request in order, except `messages`, `system` and `tools`.
    pub members: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The system prompt.
    pub system: Option<Content<'a>>,
    /// The conversation, its JSON first.
    pub messages: (&'a str, Vec<Message<'a>>),
    /// The tools, their JSON first; that is empty where there are none, or where one that was sent twice is left out.
    pub tools: (&'a str, Vec<Object<'a>>),
    /// Beta features, in Anthropic's words, each once.
    pub betas: Vec<String>,
    /// Whether half of a surrogate pair is anywhere in the request.
    pub has_halves: bool,
    /// Whether the tokens of the request are to be counted, and nothing is to be answered.
    pub counts: bool,
}

/// Members of an object as their JSON, in their order.
pub(super) type RawMembers<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// One message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Its JSON.
    pub json: &'a str,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content<'a>,
    /// Whether it has members besides these.
    pub has_more: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The application.
    System,
}

/// A string, or a list of blocks.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A string.
    Text(Text<'a>),
    /// Blocks, their JSON first.
    Blocks(&'a str, Vec<Object<'a>>),
}

/// An object: a block of content, a source, a mark, a tool.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    /// Its JSON.
    pub json: &'a str,
    /// Its members, in their order.
    pub members: Vec<Member<'a>>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: Value<'a>,
}

/// The value of a member, as far as it is read.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// An object.
    Object(Object<'a>),
    /// A list of blocks, their JSON first.
    Blocks(&'a str, Vec<Object<'a>>),
    /// Anything else.
    Raw(&'a RawValue),
}

impl<'a> Asked<'a> {
    /// A member by its name; `null` counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        member(&self.members, name)
    }

    /// All content: the system prompt, then the messages.
    pub fn contents(&self) -> impl Iterator<Item = &Content<'a>> {
        let messages = self.messages.1.iter().map(|message| &message.content);
        self.system.iter().chain(messages)
    }

    /// The marks of cached prefixes, in the order in which a model reads the request.
    pub fn marks(&self) -> impl Iterator<Item = CacheControl> {
        let tools = self.tools.1.iter().filter_map(Object::mark);
        let blocks = self.contents().flat_map(Content::blocks);
        let inner = |block: &Object<'a>| {
            let inside: Vec<_> = block.inside().iter().filter_map(Object::mark).collect();
            inside.into_iter().chain(block.mark())
        };
        tools.chain(blocks.flat_map(inner))
    }
}

/// A member by its name; `null` counts as absent.
pub(super) fn member<'a>(members: &RawMembers<'a>, name: &str) -> Option<&'a RawValue> {
    let (_, value) = members.iter().find(|(own, _)| own == name)?;
    (value.get() != "null").then_some(*value)
}

impl<'a> Content<'a> {
    /// Its blocks; none where it is a string.
    #[must_use]
    pub fn blocks(&self) -> &[Object<'a>] {
        match self {
            Self::Text(_) => &[],
            Self::Blocks(_, blocks) => blocks,
        }
    }
}

impl<'a> Object<'a> {
    /// The value of a member; `null` counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let found = self.members.iter().find(|own| own.name == name);
        found.map(|own| &own.value).filter(|value| !value.is_null())
    }

    /// A member that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&Text<'a>> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A member that is an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Self> {
        match self.get(name)? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// A member as its JSON.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        match self.get(name)? {
            Value::Raw(json) => Some(json),
            _ => None,
        }
    }

    /// The object as its JSON.
    #[must_use]
    pub fn to_raw(&self) -> Option<&'a RawValue> {
        serde_json::from_str(self.json).ok()
    }

    /// Whether a member is `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|json| json.get() == "true")
    }

    /// Its `type`; empty where it has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type").map_or("", |kind| kind)
    }

    /// The blocks inside it.
    #[must_use]
    pub fn inside(&self) -> &[Self] {
        match self.get("content") {
            Some(Value::Blocks(_, blocks)) => blocks,
            _ => &[],
        }
    }

    /// Its mark that a prefix of the request that may be cached ends here.
    #[must_use]
    pub fn mark(&self) -> Option<CacheControl> {
        let mark = self.object("cache_control")?;
        Some(CacheControl {
            ttl: match mark.text("ttl").map(|ttl| &**ttl) {
                Some("1h") => CacheTtl::Hour,
                _ => CacheTtl::Default,
            },
        })
    }
}

impl<'a> Value<'a> {
    /// Its JSON, in which the replacement character stands for every half of a surrogate pair.
    #[must_use]
    pub fn to_raw(&self) -> Option<Cow<'a, RawValue>> {
        let json: &'a str = match self {
            Self::Text(text) => match text.json() {
                Some(json) => json,
                None => return to_raw_value(&**text).ok().map(Cow::Owned),
            },
            Self::Object(object) => object.json,
            Self::Blocks(json, _) => json,
            Self::Raw(json) => json.get(),
        };
        match without_halves(json) {
            Some(repaired) => RawValue::from_string(repaired).ok().map(Cow::Owned),
            None => serde_json::from_str(json).ok().map(Cow::Borrowed),
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Raw(json) if json.get() == "null")
    }
}
