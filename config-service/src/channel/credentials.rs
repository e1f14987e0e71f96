//! Credentials as administrators configure them: keys, or where keys come from.

use std::collections::BTreeMap;

use bedrock_filter::config::Credentials as Issued;
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a channel gets the credentials that it uses with AWS.
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
    /// The config-service's own AWS identity: environment, profile, SSO, web identity, ECS, EKS
    /// Pod Identity, EC2.
    ///
    /// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/credproviders.html>
    DefaultChain {
        /// Profile in the shared configuration files, instead of `AWS_PROFILE` or `default`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
    },
    /// A role to assume.
    AssumeRole(AssumeRole),
    /// A role to assume with an identity provider's token, such as a Kubernetes service
    /// account's.
    WebIdentity(WebIdentity),
    /// A Bedrock API key that the config-service creates from other credentials.
    ///
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html>
    BedrockShortTermKey {
        /// The credentials that the key is derived from.
        #[schema(no_recursion)]
        source: Box<Credentials>,
    },
    /// A credential that is stored by itself, for any number of channels.
    Shared(SharedCredential),
    /// A file with a key, on the config-service's machine, in one of the allowed folders; read again every
    /// five minutes.
    File {
        /// Its absolute path.
        path: String,
    },
    /// A secret in AWS Secrets Manager that contains a key.
    ///
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    SecretsManager(AwsSecret),
    /// A parameter in AWS Systems Manager's Parameter Store that contains a key.
    ///
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
    ParameterStore(AwsSecret),
}

/// What `AssumeRole` is called with.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// What the role's trust policy may require.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Name of the session, seen in `CloudTrail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Tags of the session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub session_tags: BTreeMap<String, String>,
    /// Lifetime of the credentials in seconds; STS's default is an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// The credentials that assume it.
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
    /// File that contains the token, on the config-service's machine, in one of the allowed
    /// folders; read again for each call.
    pub token_file: String,
    /// Name of the session, seen in `CloudTrail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Lifetime of the credentials in seconds; STS's default is an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
}

/// A reference to a credential that is stored by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct SharedCredential {
    /// Its name.
    pub name: String,
    /// What it contains; filled in when the reference is read together with what it refers to.
    #[serde(skip)]
    pub content: Option<Box<Credentials>>,
}

/// A key that AWS stores.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct AwsSecret {
    /// Name or ARN; of a parameter, also with `:version` or `:label` behind it.
    pub id: String,
    /// The region that stores it, if it is not the channel's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The credentials that may read it.
    #[schema(no_recursion)]
    pub source: Box<Credentials>,
}

impl Credentials {
    /// Name of the type, as in `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Static { .. } => "static",
            Self::BedrockApiKey { .. } => "bedrock_api_key",
            Self::DefaultChain { .. } => "default_chain",
            Self::AssumeRole(_) => "assume_role",
            Self::WebIdentity(_) => "web_identity",
            Self::BedrockShortTermKey { .. } => "bedrock_short_term_key",
            Self::Shared(_) => "shared",
            Self::File { .. } => "file",
            Self::SecretsManager(_) => "secrets_manager",
            Self::ParameterStore(_) => "parameter_store",
        }
    }

    /// What is used: a shared credential's content, otherwise the credentials themselves.
    #[must_use]
    pub fn effective(&self) -> &Self {
        match self {
            Self::Shared(shared) => shared.content.as_deref().unwrap_or(self),
            own => own,
        }
    }

    /// The credentials that these are derived from.
    #[must_use]
    pub fn source(&self) -> Option<&Self> {
        match self {
            Self::AssumeRole(role) => Some(&role.source),
            Self::BedrockShortTermKey { source } => Some(source),
            Self::SecretsManager(secret) | Self::ParameterStore(secret) => Some(&secret.source),
            _ => None,
        }
    }

    /// The same credentials, derived from others.
    #[must_use]
    pub fn with_source(mut self, other: Self) -> Self {
        if let Some(source) = self.source_mut() {
            *source = other;
        }
        self
    }

    fn source_mut(&mut self) -> Option<&mut Self> {
        match self {
            Self::AssumeRole(role) => Some(&mut role.source),
            Self::BedrockShortTermKey { source } => Some(source),
            Self::SecretsManager(secret) | Self::ParameterStore(secret) => Some(&mut secret.source),
            _ => None,
        }
    }

    /// The references to shared credentials in it, at any depth, with their paths in `credentials`.
    pub fn shared_mut(&mut self) -> Vec<(String, &mut SharedCredential)> {
        let mut found = Vec::new();
        let mut next = Some((String::new(), self));
        while let Some((at, own)) = next.take() {
            match own {
                Self::Shared(shared) => found.push((at, shared)),
                other => {
                    next = other
                        .source_mut()
                        .map(|source| (format!("{at}/source"), source));
                }
            }
        }
        found
    }

    /// Whether a shared credential is part of it.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        match self {
            Self::Shared(shared) => shared.name == name,
            other => other.source().is_some_and(|source| source.uses(name)),
        }
    }

    /// Whether the key may be one that is sent as it is, instead of signing with it.
    #[must_use]
    pub fn may_be_bearer(&self) -> bool {
        match self.effective() {
            Self::Static { .. }
            | Self::DefaultChain { .. }
            | Self::AssumeRole(_)
            | Self::WebIdentity(_)
            | Self::Shared(_) => false,
            Self::BedrockApiKey { .. }
            | Self::BedrockShortTermKey { .. }
            | Self::File { .. }
            | Self::SecretsManager(_)
            | Self::ParameterStore(_) => true,
        }
    }

    /// Whether whoever edits a channel need not know a secret to use them: they are the config-service's own
    /// or stored for several channels.
    #[must_use]
    pub fn is_ambient(&self) -> bool {
        match self {
            Self::DefaultChain { .. }
            | Self::WebIdentity(_)
            | Self::Shared(_)
            | Self::File { .. } => true,
            other => other.source().is_some_and(Self::is_ambient),
        }
    }

    /// The role that is assumed.
    #[must_use]
    pub fn role_arn(&self) -> Option<&str> {
        match self {
            Self::AssumeRole(role) => Some(&role.role_arn),
            Self::WebIdentity(identity) => Some(&identity.role_arn),
            _ => None,
        }
    }

    /// What the filter gets, if it is what the administrator entered; `None` for a source.
    #[must_use]
    pub fn written(&self) -> Option<Issued> {
        match self.effective().clone() {
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

    /// The secrets with their paths in `credentials`, to be sealed or opened; not those of shared credentials,
    /// which are stored elsewhere.
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
            other => {
                let source = other.source_mut();
                below(source.map_or_else(Vec::new, Self::secrets_mut)).collect()
            }
        }
    }

    /// The secrets, those of shared credentials included, for code that must keep them out of a text.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut copy = self.clone();
        let mut secrets: Vec<_> = copy
            .secrets_mut()
            .into_iter()
            .map(|(_, secret)| secret.clone())
            .collect();
        let shared = copy.shared_mut().into_iter();
        let contents = shared.filter_map(|(_, shared)| shared.content.as_deref());
        secrets.extend(contents.flat_map(Self::secrets));
        secrets
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
        let mut shared: Credentials = serde_json::from_str(
            r#"{"type":"assume_role","role_arn":"r","source":{"type":"shared","name":"base"}}"#,
        )
        .unwrap();
        assert!(shared.uses("base") && !shared.uses("other") && shared.is_ambient());
        for (at, reference) in shared.shared_mut() {
            assert_eq!(at, "/source");
            reference.content = Some(Box::new(credentials.clone()));
        }
        assert!(shared.secrets_mut().is_empty());
        assert_eq!(shared.secrets().len(), 2);
        let written = serde_json::to_string(&shared).unwrap();
        assert!(!written.contains("hush"), "{written}");
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hush"), "{shown}");
        let written = serde_json::to_string(&credentials).unwrap();
        assert_eq!(
            serde_json::from_str::<Credentials>(&written).unwrap(),
            credentials
        );
    }
}
