//! Which paths are ours.

use http::Method;
use http::uri::PathAndQuery;

use super::{Protocol, anthropic_messages, openai_chat};

const CHAT_COMPLETIONS: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const MODELS: &str = "/v1/models";

/// Which protocols are served besides OpenAI's chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Anthropic's Messages.
    pub anthropic_messages: bool,
}

/// An endpoint that the filter serves.
#[derive(Clone, Copy)]
pub enum ClientPath<'p> {
    /// A chat in a protocol: `/v1/chat/completions`, or `/v1/messages` where that is served.
    Chat(&'static dyn Protocol),
    /// `/v1/models`
    Models,
    /// `/v1/models/{model}`; the name is still percent-encoded.
    Model(&'p str),
}

impl<'p> ClientPath<'p> {
    /// The endpoint at a path; `None` for every path that is not ours.
    #[must_use]
    pub fn at(path: &'p PathAndQuery, served: Served) -> Option<Self> {
        Self::at_path(path.path(), served)
    }

    fn at_path(path: &'p str, served: Served) -> Option<Self> {
        match path {
            CHAT_COMPLETIONS => Some(Self::Chat(&openai_chat::Chat)),
            MESSAGES if served.anthropic_messages => {
                Some(Self::Chat(&anthropic_messages::Messages))
            }
            MODELS => Some(Self::Models),
            other => below(other, MODELS)
                .filter(|name| !name.is_empty())
                .map(Self::Model),
        }
    }

    /// Whether a path is below one of ours, where nothing is.
    #[must_use]
    pub fn is_below(path: &PathAndQuery, served: Served) -> bool {
        let path = path.path();
        let messages = served.anthropic_messages.then_some(MESSAGES);
        let mut own = [CHAT_COMPLETIONS, MODELS].into_iter().chain(messages);
        ClientPath::at_path(path, served).is_none() && own.any(|own| below(path, own).is_some())
    }

    /// What there is, for whoever looked for something else.
    #[must_use]
    pub fn all(served: Served) -> String {
        let messages = if served.anthropic_messages {
            format!("POST {MESSAGES}, ")
        } else {
            String::new()
        };
        format!("POST {CHAT_COMPLETIONS}, {messages}GET {MODELS} and GET {MODELS}/{{model}}")
    }

    /// The method that it takes.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Chat(_) => Method::POST,
            Self::Models | Self::Model(_) => Method::GET,
        }
    }
}

/// What of a path is below another.
fn below<'p>(path: &'p str, parent: &str) -> Option<&'p str> {
    path.strip_prefix(parent)?.strip_prefix('/')
}
