//! Which paths are ours.

use http::Method;
use http::uri::PathAndQuery;

/// An endpoint of the OpenAI API that the filter serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api<'p> {
    /// `/v1/chat/completions`
    ChatCompletions,
    /// `/v1/models`
    Models,
    /// `/v1/models/{model}`; the name is still percent-encoded.
    Model(&'p str),
}

impl<'p> Api<'p> {
    /// The endpoint at a path; `None` for every path that is not ours.
    pub(super) fn at(path: &'p PathAndQuery) -> Option<Self> {
        Self::at_path(path.path())
    }

    fn at_path(path: &'p str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::ChatCompletions),
            "/v1/models" => Some(Self::Models),
            other => other
                .strip_prefix("/v1/models/")
                .filter(|name| !name.is_empty())
                .map(Self::Model),
        }
    }

    /// Whether a path is below one of ours, where nothing is.
    pub(super) fn is_below(path: &'p PathAndQuery) -> bool {
        let path = path.path();
        Self::at_path(path).is_none()
            && ["/v1/chat/completions/", "/v1/models/"]
                .iter()
                .any(|own| path.starts_with(own))
    }

    /// The method that it takes.
    pub(super) fn method(self) -> Method {
        match self {
            Self::ChatCompletions => Method::POST,
            Self::Models | Self::Model(_) => Method::GET,
        }
    }
}
