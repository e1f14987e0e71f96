//! The paths that the filter serves: below `/v1`, and below whatever else an operator serves them at.

use http::Method;

use super::{Protocol, anthropic_messages, openai_chat, openai_responses};

const CHAT_COMPLETIONS: &str = "/chat/completions";
const MESSAGES: &str = "/messages";
const COUNT_TOKENS: &str = "/messages/count_tokens";
const MODELS: &str = "/models";
const RESPONSES: &str = "/responses";
const INPUT_TOKENS: &str = "/responses/input_tokens";
const USAGE: &str = "/usage";

/// Path segments in the place of a response's id that are not ids.
const NOT_IDS: [&str; 2] = ["compact", "input_tokens"];

/// Which protocols are served, and what else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// OpenAI's chat completions.
    pub openai_chat: bool,
    /// OpenAI's responses.
    pub openai_responses: bool,
    /// Anthropic's Messages.
    pub anthropic_messages: bool,
    /// What callers have used.
    pub usage: bool,
}

/// An endpoint that takes a request in a protocol.
struct Endpoint {
    /// Below the prefix.
    path: &'static str,
    protocol: &'static dyn Protocol,
    is_served: fn(Served) -> bool,
}

/// All of them. Unknown paths below them get the protocol's own errors.
const ENDPOINTS: [Endpoint; 5] = [
    Endpoint {
        path: CHAT_COMPLETIONS,
        protocol: &openai_chat::Chat,
        is_served: |served| served.openai_chat,
    },
    Endpoint {
        path: RESPONSES,
        protocol: &openai_responses::Responses::Create,
        is_served: |served| served.openai_responses,
    },
    Endpoint {
        path: INPUT_TOKENS,
        protocol: &openai_responses::Responses::CountTokens,
        is_served: |served| served.openai_responses,
    },
    Endpoint {
        path: MESSAGES,
        protocol: &anthropic_messages::Messages::Create,
        is_served: |served| served.anthropic_messages,
    },
    Endpoint {
        path: COUNT_TOKENS,
        protocol: &anthropic_messages::Messages::CountTokens,
        is_served: |served| served.anthropic_messages,
    },
];

/// An endpoint that the filter serves.
#[derive(Clone, Copy)]
pub enum ClientPath<'p> {
    /// A request in a protocol, such as `/v1/chat/completions`.
    Ask(&'static dyn Protocol),
    /// `/v1/models`
    Models,
    /// `/v1/models/{model}`; the name is still percent-encoded.
    Model(&'p str),
    /// `/v1/usage`: what the caller has used.
    Usage,
    /// `/health`: how the channels are doing.
    Health,
    /// `/health/liveliness`: whether the gateway runs.
    Alive,
    /// `/health/readiness`: whether it serves.
    Ready,
}

impl<'p> ClientPath<'p> {
    /// The endpoint at a path, which begins after the prefix and has no slash at its end; `None` for every path that is
    /// not ours.
    #[must_use]
    pub fn at(path: &'p str, served: Served) -> Option<Self> {
        if served.usage && path == USAGE {
            return Some(Self::Usage);
        }
        let own = endpoints(served).find(|own| own.path == path);
        own.map(|own| Self::Ask(own.protocol)).or_else(|| {
            (path == MODELS).then_some(Self::Models).or_else(|| {
                below(path, MODELS)
                    .filter(|name| !name.is_empty())
                    .map(Self::Model)
            })
        })
    }

    /// The endpoint about the gateway itself at a whole path without a slash at its end, by `LiteLLM`'s names:
    /// <https://docs.litellm.ai/docs/proxy/health>.
    #[must_use]
    pub fn of_gateway(path: &str) -> Option<Self> {
        match path {
            "/health" => Some(Self::Health),
            "/health/liveliness" | "/health/liveness" => Some(Self::Alive),
            "/health/readiness" => Some(Self::Ready),
            _ => None,
        }
    }

    /// The id in the path of a response that would have to be stored, which none is: `/v1/responses/{id}` and what
    /// is below it.
    #[must_use]
    pub fn stored(path: &'p str, served: Served) -> Option<&'p str> {
        let rest = below(path, RESPONSES).filter(|_| served.openai_responses)?;
        let (id, operation) = rest.split_once('/').unwrap_or((rest, ""));
        let is_one = matches!(operation, "" | "cancel" | "input_items");
        (is_one && !id.is_empty() && !NOT_IDS.contains(&id)).then_some(id)
    }

    /// The protocol of an unknown path below one that is served; `None` for all other paths.
    #[must_use]
    pub fn below(path: &str, served: Served) -> Option<&'static dyn Protocol> {
        let own = endpoints(served).find(|own| below(path, own.path).is_some());
        let models = || below(path, MODELS).map(|_| &openai_chat::Chat as &dyn Protocol);
        own.map(|own| own.protocol).or_else(models)
    }

    /// The served paths, for the answer to a path that is not.
    #[must_use]
    pub fn all(served: Served) -> String {
        let own = endpoints(served).map(|own| format!("POST /v1{}, ", own.path));
        let own: String = own.collect();
        if served.usage {
            return format!("{own}GET /v1{MODELS}, GET /v1{MODELS}/{{model}} and GET /v1{USAGE}");
        }
        format!("{own}GET /v1{MODELS} and GET /v1{MODELS}/{{model}}")
    }

    /// Whether the prefix may name the model: only where a request is asked of one.
    #[must_use]
    pub fn asks(self) -> bool {
        matches!(self, Self::Ask(_))
    }

    /// Whether nobody has to say who they are: load balancers have no key.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Alive | Self::Ready)
    }

    /// The method that it takes.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Ask(_) => Method::POST,
            _ => Method::GET,
        }
    }

    /// Whether it takes a method. Load balancers may leave out the body of what they ask for.
    #[must_use]
    pub fn takes(self, method: &str) -> bool {
        let is_gateways = matches!(self, Self::Health | Self::Alive | Self::Ready);
        self.method() == method || (is_gateways && Method::HEAD == method)
    }
}

fn endpoints(served: Served) -> impl Iterator<Item = &'static Endpoint> {
    let all: &'static [Endpoint] = &ENDPOINTS;
    all.iter().filter(move |own| (own.is_served)(served))
}

/// The part of a path that is below another.
fn below<'p>(path: &'p str, parent: &str) -> Option<&'p str> {
    path.strip_prefix(parent)?.strip_prefix('/')
}
