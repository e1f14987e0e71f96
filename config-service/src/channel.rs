//! A channel as stored, and as shown, without its secrets.

mod credential_status;
mod credentials;
mod discovery;
mod guardrail;
mod settings;
mod stored_credential;
mod warnings;

use bedrock_filter::secret::Secret;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::fault::{Fault, FaultSchema};
pub use credential_status::{CredentialState, CredentialStatus};
pub use credentials::{AssumeRole, AwsSecret, Credentials, SharedCredential, WebIdentity};
pub use discovery::{Discovery, FoundModel, FoundModels, FoundProfile, FoundProfiles, Trouble};
pub use settings::FIELDS;
pub(crate) use settings::{ChannelEdit, SETTINGS, Setting};
pub(crate) use stored_credential::resolve;
pub use stored_credential::{CredentialView, StoredCredential};
pub(crate) use warnings::warnings;

/// How many bytes of a fingerprint's hash are shown.
const FINGERPRINT_LEN: usize = 8;

/// A channel as administrators configure it.
pub type Channel = bedrock_filter::config::Channel<Credentials>;

/// A channel with what the config-service knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChannel {
    /// Id, which does not change with the name.
    pub id: String,
    /// What the administrator wrote.
    pub channel: Channel,
    /// Revision of its last edit.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    pub updated_at: String,
    /// What its account has, if it was asked.
    pub discovery: Option<Discovery>,
}

/// A channel as administrators read it, without secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelView {
    /// Id, which does not change with the name.
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
    /// Settings that are valid but suspicious.
    #[schema(value_type = Vec<FaultSchema>)]
    warnings: Vec<Fault>,
}

impl ChannelView {
    /// The view of a stored channel, with what is suspicious about it.
    #[must_use]
    pub(crate) fn new(stored: &StoredChannel, warnings: Vec<Fault>) -> Self {
        Self {
            id: stored.id.clone(),
            content: masked(&stored.channel),
            revision: stored.revision,
            created_at: stored.created_at.clone(),
            updated_at: stored.updated_at.clone(),
            credential_status: None,
            warnings,
        }
    }

    /// The same view, with the state of its credentials' source.
    #[must_use]
    pub fn with_credential_status(mut self, status: Option<CredentialStatus>) -> Self {
        self.credential_status = status;
        self
    }
}

/// Every field of a channel, with the credentials replaced by what may be shown of them.
#[must_use]
pub fn masked(channel: &Channel) -> serde_json::Map<String, serde_json::Value> {
    let settings = SETTINGS.iter();
    let settings = settings.map(|own| (own.name.to_owned(), own.show(channel)));
    let credentials = masked_credentials(&channel.credentials);
    let credentials = ("credentials".to_owned(), credentials);
    settings.chain([credentials]).collect()
}

/// What may be shown of credentials.
#[must_use]
pub fn masked_credentials(credentials: &Credentials) -> serde_json::Value {
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
        Credentials::Shared(SharedCredential { name, .. }) => serde_json::json!({
            "type": kind,
            "name": name,
        }),
        Credentials::File { path } => serde_json::json!({
            "type": kind,
            "path": path,
        }),
        Credentials::SecretsManager(secret) | Credentials::ParameterStore(secret) => {
            serde_json::json!({
                "type": kind,
                "id": secret.id,
                "region": secret.region,
                "source": masked_credentials(&secret.source),
            })
        }
    }
}

/// Tells two secrets apart without showing either.
///
/// AWS secrets have 240 random bits, so 64 bits of a hash do not help to guess them.
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
