//! A channel as it is stored, and as it is shown: without its secrets.

mod credential_status;
mod credentials;
mod guardrail;
mod settings;

use bedrock_filter::config::lint;
use bedrock_filter::secret::Secret;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::fault::{Fault, FaultSchema};
pub use credential_status::{CredentialState, CredentialStatus};
pub use credentials::{AssumeRole, Credentials, WebIdentity};
pub use settings::FIELDS;
pub(crate) use settings::{ChannelEdit, Input, SETTINGS, Setting};

/// Bytes of a fingerprint's hash that are shown.
const FINGERPRINT_LEN: usize = 8;

/// A channel as administrators configure it.
pub type Channel = bedrock_filter::config::Channel<Credentials>;

/// A channel with what the config-service knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChannel {
    /// Identity that survives a change of name.
    pub id: String,
    /// What the administrator wrote.
    pub channel: Channel,
    /// Revision of its last edit.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    pub updated_at: String,
}

/// A channel as administrators read it; has no secret in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelView {
    /// Identity that survives a change of name.
    id: String,
    #[serde(flatten)]
    #[schema(value_type = ChannelEdit)]
    content: serde_json::Map<String, serde_json::Value>,
    /// Revision of its last edit.
    revision: u64,
    /// When it was created, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    updated_at: String,
    /// For credentials that come from AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CredentialStatus, required = false)]
    credential_status: Option<CredentialStatus>,
    /// What is legal but suspicious in it.
    #[schema(value_type = Vec<FaultSchema>)]
    warnings: Vec<Fault>,
}

impl ChannelView {
    /// The view of a stored channel.
    #[must_use]
    pub fn new(stored: &StoredChannel) -> Self {
        Self {
            id: stored.id.clone(),
            content: masked(&stored.channel),
            revision: stored.revision,
            created_at: stored.created_at.clone(),
            updated_at: stored.updated_at.clone(),
            credential_status: None,
            warnings: lint::warnings(&stored.channel),
        }
    }

    /// The same view with how the source of its credentials is doing.
    #[must_use]
    pub fn with_credential_status(mut self, status: Option<CredentialStatus>) -> Self {
        self.credential_status = status;
        self
    }
}

/// Every field of a channel, the credentials replaced by what may be shown of them.
#[must_use]
pub fn masked(channel: &Channel) -> serde_json::Map<String, serde_json::Value> {
    let settings = SETTINGS.iter();
    let settings = settings.map(|own| (own.name.to_owned(), own.show(channel)));
    let credentials = masked_credentials(&channel.credentials);
    let credentials = ("credentials".to_owned(), credentials);
    settings.chain([credentials]).collect()
}

fn masked_credentials(credentials: &Credentials) -> serde_json::Value {
    let kind = credentials.kind();
    match credentials {
        Credentials::Static {
            access_key_id,
            secret_access_key,
            session_token,
        } => serde_json::json!({
            "type": kind,
            "access_key_id": access_key_id,
            "fingerprint": fingerprint(secret_access_key),
            "has_session_token": session_token.is_some(),
        }),
        Credentials::BedrockApiKey { api_key } => serde_json::json!({
            "type": kind,
            "fingerprint": fingerprint(api_key),
        }),
        Credentials::DefaultChain { profile } => serde_json::json!({
            "type": kind,
            "profile": profile,
        }),
        Credentials::AssumeRole(AssumeRole {
            role_arn,
            external_id,
            session_name,
            session_tags,
            duration_seconds,
            source,
        }) => serde_json::json!({
            "type": kind,
            "role_arn": role_arn,
            "external_id": external_id,
            "session_name": session_name,
            "session_tags": session_tags,
            "duration_seconds": duration_seconds,
            "source": masked_credentials(source),
        }),
        Credentials::WebIdentity(WebIdentity {
            role_arn,
            token_file,
            session_name,
            duration_seconds,
        }) => serde_json::json!({
            "type": kind,
            "role_arn": role_arn,
            "token_file": token_file,
            "session_name": session_name,
            "duration_seconds": duration_seconds,
        }),
        Credentials::BedrockShortTermKey { source } => serde_json::json!({
            "type": kind,
            "source": masked_credentials(source),
        }),
    }
}

/// Tells two secrets apart without showing either.
///
/// AWS secrets are 240 random bits, so 64 bits of a hash give nothing to guess from.
pub(crate) fn fingerprint(secret: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(b"bedrock secret fingerprint\0");
    hash.update(secret.expose());
    crate::hex::encode(hash.finalize().iter().take(FINGERPRINT_LEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_the_secret_and_is_short() {
        let one = fingerprint(&Secret::new("one"));
        assert_eq!(one.len(), 16);
        assert_eq!(one, fingerprint(&Secret::new("one")));
        assert_ne!(one, fingerprint(&Secret::new("two")));
    }
}
