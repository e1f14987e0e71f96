//! Why a client is not served.

use http::StatusCode;

use crate::chat::{Error, ErrorKind};

/// Why a client is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It sent no key.
    NoKey {
        /// The headers in which keys are looked for, in words.
        headers: String,
    },
    /// Nobody has the key that it sent.
    UnknownKey,
    /// Its key has expired.
    ExpiredKey,
    /// Envoy knows who it is, but no caller has that identity.
    UnknownIdentity,
    /// Its caller is disabled.
    Disabled {
        /// The caller's name.
        caller: String,
    },
    /// Its caller has expired.
    Expired {
        /// The caller's name.
        caller: String,
    },
}

impl Refused {
    /// A word for it, fit for a label of a metric and for programs that read the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKey { .. } => "missing_api_key",
            Self::UnknownKey => "invalid_api_key",
            Self::ExpiredKey => "expired_api_key",
            Self::UnknownIdentity => "unknown_identity",
            Self::Disabled { .. } => "caller_disabled",
            Self::Expired { .. } => "caller_expired",
        }
    }

    /// The client's error. It never repeats a key.
    #[must_use]
    pub fn error(&self) -> Error {
        let (status, kind) = match self {
            Self::NoKey { .. } | Self::UnknownKey | Self::ExpiredKey => {
                (StatusCode::UNAUTHORIZED, ErrorKind::Authentication)
            }
            Self::UnknownIdentity | Self::Disabled { .. } | Self::Expired { .. } => {
                (StatusCode::FORBIDDEN, ErrorKind::Permission)
            }
        };
        Error::new(status, kind, self.message()).code(self.code())
    }

    fn message(&self) -> String {
        match self {
            Self::NoKey { headers } => format!(
                "The request has no API key. Send a key of this gateway in {headers}; its administrator issues keys."
            ),
            Self::UnknownKey => "The API key is not valid at this gateway: it was never issued, or has been revoked. \
                                 Ask the gateway's administrator for another."
                .to_owned(),
            Self::ExpiredKey => "The API key has expired. Ask the gateway's administrator for another.".to_owned(),
            Self::UnknownIdentity => "The gateway knows who you are, but not as one of its callers. Ask its \
                                      administrator to add you, or send a key of this gateway."
                .to_owned(),
            Self::Disabled { caller } => {
                format!("The caller `{caller}` is disabled. The gateway's administrator can enable it.")
            }
            Self::Expired { caller } => {
                format!("The caller `{caller}` has expired. The gateway's administrator can extend it.")
            }
        }
    }
}
