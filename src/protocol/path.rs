//! Which paths are ours.

use http::Method;
use http::uri::PathAndQuery;

use super::{Protocol, openai_chat};

/// An endpoint that the filter serves.
#[derive(Clone, Copy)]
pub enum ClientPath<'p> {
    /// A chat in a protocol: `/v1/chat/completions`.
    Chat(&'static dyn Protocol),
    /// `/v1/models`
    Models,
    /// `/v1/models/{model}`; the name is still percent-encoded.
    Model(&'p str),
}

impl<'p> ClientPath<'p> {
    /// The endpoint at a path; `None` for every path that is not ours.
    #[must_use]
    pub fn at(path: &'p PathAndQuery) -> Option<Self> {
        Self::at_path(path.path())
    }

    fn at_path(path: &'p str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::Chat(&openai_chat::Chat)),
            "/v1/models" => Some(Self::Models),
            other => other
                .strip_prefix("/v1/models/")
                .filter(|name| !name.is_empty())
                .map(Self::Model),
        }
    }

    /// Whether a path is below one of ours, where nothing is.
    #[must_use]
    pub fn is_below(path: &PathAndQuery) -> bool {
        let path = path.path();
        ClientPath::at_path(path).is_none()
            && ["/v1/chat/completions/", "/v1/models/"]
                .iter()
                .any(|own| path.starts_with(own))
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
