//! Which paths are ours.

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
    pub(super) fn at(path: &'p str) -> Option<Self> {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        match path {
            "/v1/chat/completions" => Some(Self::ChatCompletions),
            "/v1/models" => Some(Self::Models),
            _ => path
                .strip_prefix("/v1/models/")
                .filter(|name| !name.is_empty())
                .map(Self::Model),
        }
    }

    /// The method that it takes.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::ChatCompletions => "POST",
            Self::Models | Self::Model(_) => "GET",
        }
    }
}
