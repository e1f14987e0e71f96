//! Which APIs clients may speak.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An API that clients speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtocolName {
    /// OpenAI's chat completions: `/v1/chat/completions`. What is meant where nobody says what a client speaks.
    #[default]
    OpenaiChat,
    /// OpenAI's responses: `/v1/responses`.
    OpenaiResponses,
    /// Anthropic's Messages: `/v1/messages` and what is below it.
    AnthropicMessages,
}

impl ProtocolName {
    /// Every one.
    pub const ALL: [Self; 3] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::AnthropicMessages,
    ];

    /// The path at which clients ask in it.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::OpenaiChat => "/v1/chat/completions",
            Self::OpenaiResponses => "/v1/responses",
            Self::AnthropicMessages => "/v1/messages",
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::AnthropicMessages => "anthropic_messages",
        }
    }
}

/// A word that names no API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an API; use `openai_chat`, `openai_responses` or `anthropic_messages`")]
pub struct UnknownProtocol(String);

impl FromStr for ProtocolName {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        let mut all = Self::ALL.into_iter();
        all.find(|own| own.as_str() == name)
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// The APIs that clients may speak. The filter lets the paths of all others pass.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Protocols(BTreeSet<ProtocolName>);

impl Protocols {
    /// Whether an API is among them.
    #[must_use]
    pub fn has(&self, name: ProtocolName) -> bool {
        self.0.contains(&name)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all are served, which need not be said: an older filter does not know the field.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The same without one.
    #[must_use]
    pub fn without(mut self, name: ProtocolName) -> Self {
        self.0.remove(&name);
        self
    }
}

impl Default for Protocols {
    fn default() -> Self {
        ProtocolName::ALL.into_iter().collect()
    }
}

impl FromIterator<ProtocolName> for Protocols {
    fn from_iter<I: IntoIterator<Item = ProtocolName>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration() {
        for name in ProtocolName::ALL {
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(json, format!("\"{}\"", name.as_str()));
            assert_eq!(name.as_str().parse(), Ok(name));
        }
        let unknown = "openai".parse::<ProtocolName>().unwrap_err().to_string();
        for name in ProtocolName::ALL {
            assert!(
                unknown.contains(&format!("`{}`", name.as_str())),
                "{unknown}"
            );
        }
        let some: Protocols = serde_json::from_str("[\"openai_chat\"]").unwrap();
        assert!(some.has(ProtocolName::OpenaiChat) && !some.is_default());
        assert!(!some.has(ProtocolName::AnthropicMessages));
        assert!(Protocols::default().is_default());
    }
}
