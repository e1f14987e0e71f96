//! Why no channel serves a model, as the client is told.

use http::StatusCode;

use crate::chat::Error;
use crate::config::{Invisible, visible};

/// Seconds after which a client may ask again if credentials are missing: the config-service tries to get them after
/// 1, 2, 4 seconds and so on, up to a minute.
const RETRY_AFTER: u32 = 10;

/// Why no channel serves a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No enabled channel has the name.
    #[error(
        "The model `{}` does not exist or no channel serves it.{} {}",
        visible(.name), hidden(.name), instead(.nearest)
    )]
    NotFound {
        /// The name that the client sent.
        name: String,
        /// Similar names that can be used.
        nearest: Vec<String>,
    },
    /// No channel serves the model, or the caller may not use it: it is not told which.
    #[error("{}", not_permitted(.0))]
    NotPermitted(String),
    /// No channel serves any of the models that the name has chosen.
    #[error(
        "No channel serves a model that `{name}` chooses for this request. GET /v1/models lists the names that can be \
         used. The gateway's administrator can change what `{name}` chooses, or add one of its models to a channel.",
        name = visible(.0)
    )]
    NoneChosen(String),
    /// Channels serve the model, but the caller may not use it. It is told the same.
    #[error("{}", not_permitted(.0))]
    Withheld(String),
    /// Channels serve the model, but AWS would refuse all of their credentials at the moment.
    #[error(
        "No channel that serves `{}` has valid credentials at the moment; please retry. The gateway's \
         administrator can find the reason in the channel's `credential_status`.", visible(.0)
    )]
    NoCredentials(String),
    /// A channel has the name, but nothing says which bodies the model takes.
    #[error(
        "The model family of `{}` is not known. The gateway's administrator can name it in the \
         channel's `model_families`.", visible(.0)
    )]
    UnknownFamily(String),
    /// A channel could call the model, but does not let clients ask for it.
    #[error(
        "No channel lets clients ask for `{}`. GET /v1/models lists the names that can be used. \
         The gateway's administrator can map a name to this model, or set the channel's \
         `allow_model_ids` to `{allowed_by}`.", visible(.name)
    )]
    NotAllowed {
        /// The name that the client sent.
        name: String,
        /// The value of `allow_model_ids` that would allow it.
        allowed_by: &'static str,
    },
}

/// What a caller is told that has a list of models or channels.
fn not_permitted(name: &str) -> String {
    format!(
        "The model `{}` does not exist, or your key may not use it. GET /v1/models lists the names that it can use.",
        visible(name)
    )
}

/// Names an invisible character, with which a wrong name looks right.
fn hidden(name: &str) -> String {
    Invisible::find_anywhere(name).map_or_else(String::new, |found| {
        format!(" The name contains an invisible character, {found}; remove it.")
    })
}

/// What to do about a name that does not exist.
fn instead(nearest: &[String]) -> String {
    let quoted: Vec<_> = nearest.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "GET /v1/models lists the names that can be used.".to_owned(),
        Some((only, [])) => format!("Did you mean {only}?"),
        Some((last, others)) => format!("Did you mean {} or {last}?", others.join(", ")),
    }
}

impl ResolveError {
    /// The client's error.
    #[must_use]
    pub fn error(&self) -> Error {
        let error = match self {
            Self::NoCredentials(_) => Error::server(
                StatusCode::SERVICE_UNAVAILABLE,
                "credentials_unavailable",
                self.to_string(),
            )
            .retry_after(RETRY_AFTER),
            _ => Error::model_not_found(self),
        };
        match self {
            // It is no name that is asked for in vain.
            Self::Withheld(_) => error,
            _ => error.about_model(self.name()),
        }
    }

    /// The name that the client sent.
    fn name(&self) -> &str {
        match self {
            Self::NotFound { name, .. }
            | Self::NotAllowed { name, .. }
            | Self::NotPermitted(name)
            | Self::NoneChosen(name)
            | Self::Withheld(name)
            | Self::NoCredentials(name)
            | Self::UnknownFamily(name) => name,
        }
    }
}
