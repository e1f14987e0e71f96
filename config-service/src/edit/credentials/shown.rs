//! Credentials as shown by a read: they refer to the stored ones, without the secrets.

use crate::channel::{Credentials, fingerprint};
use crate::fault::{Fault, child};

/// What a read shows of credentials.
#[derive(Debug)]
pub(in crate::edit) enum Shown {
    Static {
        access_key_id: String,
        fingerprint: String,
        has_session_token: Option<bool>,
    },
    BedrockApiKey {
        fingerprint: String,
    },
}

impl Shown {
    /// The stored credentials that this refers to.
    pub(super) fn resolve(
        &self,
        stored: Option<&Credentials>,
        at: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Credentials> {
        let kept = stored.filter(|stored| self.shows(stored));
        if kept.is_none() {
            let at = child(at, self.secret_field());
            faults.push(Fault::new(at, "secret_required", secret_required(stored)));
        }
        kept.cloned()
    }

    /// Whether this is what a read of `stored` shows.
    fn shows(&self, stored: &Credentials) -> bool {
        match (self, stored) {
            (
                Self::Static {
                    access_key_id,
                    fingerprint: shown,
                    has_session_token,
                },
                Credentials::Static {
                    access_key_id: stored_id,
                    secret_access_key,
                    session_token,
                },
            ) => {
                access_key_id == stored_id
                    && *shown == fingerprint(secret_access_key)
                    && has_session_token.is_none_or(|has| has == session_token.is_some())
            }
            (
                Self::BedrockApiKey { fingerprint: shown },
                Credentials::BedrockApiKey { api_key },
            ) => *shown == fingerprint(api_key),
            _ => false,
        }
    }

    /// The path of the missing secret.
    fn secret_field(&self) -> &'static str {
        match self {
            Self::Static { .. } => "secret_access_key",
            Self::BedrockApiKey { .. } => "api_key",
        }
    }
}

fn secret_required(stored: Option<&Credentials>) -> &'static str {
    if stored.is_some() {
        "must be given again, because `fingerprint` or another field beside it does not match the \
         stored credentials; or leave `credentials` out to keep what is stored"
    } else {
        "must be given: a new channel has no stored secret that `fingerprint` could refer to"
    }
}
