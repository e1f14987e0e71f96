//! Credentials as administrators configure them: keys, or where keys come from.

use std::collections::BTreeMap;

use bedrock_filter::config::Credentials as Issued;
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a channel gets what authenticates it at AWS.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Credentials {
    /// A long-term key, or temporary credentials with their session token.
    Static {
        /// Public half of the key.
        access_key_id: String,
        /// Secret half of the key.
        #[schema(value_type = String, write_only)]
        secret_access_key: Secret,
        /// Present with temporary credentials.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        session_token: Option<Secret>,
    },
    /// A Bedrock API key.
    BedrockApiKey {
        /// The whole key.
        #[schema(value_type = String, write_only)]
        api_key: Secret,
    },
    /// What the config-service itself runs with: environment, profile, SSO, web identity, ECS, EKS
    /// Pod Identity, EC2.
    ///
    /// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/credproviders.html>
    DefaultChain {
        /// Profile in the shared configuration files, instead of `AWS_PROFILE` or `default`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
    },
    /// A role that is assumed.
    AssumeRole(AssumeRole),
    /// A role that is assumed with a token of an identity provider, such as a Kubernetes service
    /// account's.
    WebIdentity(WebIdentity),
    /// A Bedrock API key that the config-service makes from other credentials.
    ///
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html>
    BedrockShortTermKey {
        /// The credentials that the key stands for.
        #[schema(no_recursion)]
        source: Box<Credentials>,
    },
}

/// What `AssumeRole` is called with.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// What the role's trust policy may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Name of the session, seen in `CloudTrail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Tags of the session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub session_tags: BTreeMap<String, String>,
    /// Life of the credentials in seconds; STS's default is an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// Who assumes it.
    #[schema(no_recursion)]
    pub source: Box<Credentials>,
}

/// What `AssumeRoleWithWebIdentity` is called with.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct WebIdentity {
    /// The role.
    pub role_arn: String,
    /// File with the token, on the config-service's machine, in a folder where tokens may be; read anew
    /// for each call.
    pub token_file: String,
    /// Name of the session, seen in `CloudTrail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Life of the credentials in seconds; STS's default is an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
}

impl Credentials {
    /// Name of the kind, as in `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Static { .. } => "static",
            Self::BedrockApiKey { .. } => "bedrock_api_key",
            Self::DefaultChain { .. } => "default_chain",
            Self::AssumeRole(_) => "assume_role",
            Self::WebIdentity(_) => "web_identity",
            Self::BedrockShortTermKey { .. } => "bedrock_short_term_key",
        }
    }

    /// The credentials that these are made from.
    #[must_use]
    pub fn source(&self) -> Option<&Self> {
        match self {
            Self::AssumeRole(role) => Some(&role.source),
            Self::BedrockShortTermKey { source } => Some(source),
            _ => None,
        }
    }

    /// What the filter gets, when it is what the administrator wrote; `None` for a source.
    #[must_use]
    pub fn written(&self) -> Option<Issued> {
        match self.clone() {
            Self::Static {
                access_key_id,
                secret_access_key,
                session_token,
            } => Some(Issued::Static {
                access_key_id,
                secret_access_key,
                session_token,
                expires_at: None,
            }),
            Self::BedrockApiKey { api_key } => Some(Issued::BedrockApiKey {
                api_key,
                expires_at: None,
            }),
            _ => None,
        }
    }

    /// The secrets with their places below `credentials`, to be sealed or opened.
    pub fn secrets_mut(&mut self) -> Vec<(String, &mut Secret)> {
        let below = |source: Vec<(String, _)>| {
            let below = source.into_iter();
            below.map(|(field, secret)| (format!("source/{field}"), secret))
        };
        match self {
            Self::Static {
                secret_access_key,
                session_token,
                ..
            } => {
                let mut secrets = vec![("secret_access_key".to_owned(), secret_access_key)];
                let token = session_token.as_mut();
                secrets.extend(token.map(|token| ("session_token".to_owned(), token)));
                secrets
            }
            Self::BedrockApiKey { api_key } => vec![("api_key".to_owned(), api_key)],
            Self::DefaultChain { .. } | Self::WebIdentity(_) => Vec::new(),
            Self::AssumeRole(role) => below(role.source.secrets_mut()).collect(),
            Self::BedrockShortTermKey { source } => below(source.secrets_mut()).collect(),
        }
    }

    /// The secrets, for those who must keep them out of a text.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut copy = self.clone();
        let secrets = copy.secrets_mut().into_iter();
        secrets.map(|(_, secret)| secret.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_at_every_depth_and_never_shown() {
        let document = r#"{"type":"bedrock_short_term_key","source":{"type":"assume_role",
            "role_arn":"arn:aws:iam::123456789012:role/r","source":{"type":"static",
            "access_key_id":"AKIDEXAMPLE","secret_access_key":"hush","session_token":"hush-too"}}}"#;
        let mut credentials: Credentials = serde_json::from_str(document).unwrap();
        let places: Vec<_> = credentials
            .secrets_mut()
            .into_iter()
            .map(|(place, secret)| format!("{place} {}", secret.expose()))
            .collect();
        assert_eq!(
            places,
            [
                "source/source/secret_access_key hush",
                "source/source/session_token hush-too"
            ]
        );
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hush"), "{shown}");
        let written = serde_json::to_string(&credentials).unwrap();
        assert_eq!(
            serde_json::from_str::<Credentials>(&written).unwrap(),
            credentials
        );
    }
}
