//! Calls AWS to get credentials, through AWS's own SDK.

use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::types::{Credentials as StsCredentials, Tag};
use bedrock_filter::config::Credentials as Issued;
use bedrock_filter::secret::Secret;

use super::error::FetchError;
use super::key_document::Key;
use super::ledger::Fetched;
use super::{DEFAULT_SESSION_NAME, FilePlaces, short_term};
use crate::channel::{AssumeRole, Credentials, WebIdentity};
use crate::outbound::{Outbound, chain};

/// How long one call may take, retries included.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// The client for AWS. Clones share one HTTP client.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    pub(super) outbound: Outbound,
    pub(super) endpoints: Endpoints,
    pub(super) places: FilePlaces,
}

/// Endpoints of AWS's services, if they are not those of the region.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// Security Token Service.
    pub sts: Option<String>,
    /// Secrets Manager.
    pub secrets_manager: Option<String>,
    /// The Parameter Store of Systems Manager.
    pub parameter_store: Option<String>,
}

impl Aws {
    /// Files are read only from these places.
    #[must_use]
    pub fn new(outbound: Outbound, endpoints: Endpoints, places: FilePlaces) -> Self {
        Self {
            outbound,
            endpoints,
            places,
        }
    }

    /// The key that the filter is to use for a channel with these credentials in this region.
    ///
    /// # Errors
    ///
    /// When there is no key; the error gives AWS's reason, without secrets.
    pub(super) async fn fetch(
        &self,
        credentials: &Credentials,
        region: &str,
    ) -> Result<Fetched, FetchError> {
        let effective = credentials.effective();
        let fetched = match effective {
            Credentials::BedrockShortTermKey { source } => {
                let signer = self.credentials(source, region).await;
                signer.and_then(|signer| short_term_key(&signer, region, SystemTime::now()))
            }
            other => match self.stored_key(other, region).await {
                Ok(Some(key)) => Ok(fetched_key(key)),
                Ok(None) => {
                    let found = self.credentials(other, region).await;
                    found.map(|credentials| access_key(&credentials))
                }
                Err(error) => Err(error),
            },
        };
        fetched.map_err(|error| error.without(&credentials.secrets()))
    }

    /// AWS credentials, from whichever source.
    pub(super) async fn credentials(
        &self,
        credentials: &Credentials,
        region: &str,
    ) -> Result<AwsCredentials, FetchError> {
        match credentials.effective() {
            Credentials::Static {
                access_key_id,
                secret_access_key,
                session_token,
            } => Ok(AwsCredentials::new(
                access_key_id,
                secret_access_key.expose(),
                session_token.as_ref().map(|it| it.expose().to_owned()),
                None,
                "static",
            )),
            Credentials::DefaultChain { profile } => {
                self.default_chain(profile.as_deref(), region).await
            }
            Credentials::AssumeRole(role) => {
                // On the heap, because it is recursive.
                let source = Box::pin(self.credentials(&role.source, region)).await?;
                self.assume_role(role, source, region).await
            }
            Credentials::WebIdentity(identity) => self.web_identity(identity, region).await,
            Credentials::BedrockApiKey { .. } | Credentials::BedrockShortTermKey { .. } => {
                Err(FetchError::CannotSign)
            }
            Credentials::Shared(shared) => Err(FetchError::Unknown(shared.name.clone())),
            stored => match self.stored_key(stored, region).await? {
                Some(Key::Access(key)) => Ok(key),
                _ => Err(FetchError::CannotSign),
            },
        }
    }

    async fn default_chain(
        &self,
        profile: Option<&str>,
        region: &str,
    ) -> Result<AwsCredentials, FetchError> {
        let region = Region::new(region.to_owned());
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(self.outbound.for_aws());
        let mut builder = DefaultCredentialsChain::builder()
            .configure(config)
            .region(region);
        if let Some(profile) = profile {
            builder = builder.profile_name(profile);
        }
        let provider = builder.build().await;
        let found = provider.provide_credentials().await;
        found.map_err(|error| FetchError::Aws(chain(&error)))
    }

    async fn assume_role(
        &self,
        role: &AssumeRole,
        source: AwsCredentials,
        region: &str,
    ) -> Result<AwsCredentials, FetchError> {
        let tags = role.session_tags.iter().map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| FetchError::Aws(error.to_string()))
        });
        let tags: Vec<_> = tags.collect::<Result<_, _>>()?;
        let answer = self
            .sts(region, Some(source))
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(session_name(role.session_name.as_deref()))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(seconds(role.duration_seconds))
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .send()
            .await
            .map_err(|error| FetchError::Aws(reason(&error)))?;
        issued_by_sts(answer.credentials())
    }

    async fn web_identity(
        &self,
        identity: &WebIdentity,
        region: &str,
    ) -> Result<AwsCredentials, FetchError> {
        let token = self.places.tokens.read_token(&identity.token_file).await?;
        let answer = self
            .sts(region, None)
            .assume_role_with_web_identity()
            .role_arn(&identity.role_arn)
            .role_session_name(session_name(identity.session_name.as_deref()))
            .set_duration_seconds(seconds(identity.duration_seconds))
            .web_identity_token(token.expose())
            .send()
            .await
            .map_err(|error| FetchError::Aws(without_token(&reason(&error), &token)))?;
        issued_by_sts(answer.credentials())
    }

    fn sts(&self, region: &str, credentials: Option<AwsCredentials>) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .http_client(self.outbound.for_aws())
            .retry_config(retries())
            .timeout_config(timeouts());
        if let Some(credentials) = credentials {
            config = config.credentials_provider(credentials);
        }
        if let Some(endpoint) = &self.endpoints.sts {
            config = config.endpoint_url(endpoint);
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }
}

/// How often a call is made.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(2)
}

/// How long a call may take.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

fn fetched_key(key: Key) -> Fetched {
    match key {
        Key::Access(credentials) => access_key(&credentials),
        Key::Api(api_key) => Fetched {
            credentials: Issued::BedrockApiKey {
                api_key,
                expires_at: None,
            },
            expires_at: None,
        },
    }
}

fn access_key(credentials: &AwsCredentials) -> Fetched {
    Fetched {
        credentials: Issued::Static {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: Secret::new(credentials.secret_access_key()),
            session_token: credentials.session_token().map(Secret::new),
            expires_at: None,
        },
        expires_at: credentials.expiry(),
    }
}

fn short_term_key(
    signer: &AwsCredentials,
    region: &str,
    now: SystemTime,
) -> Result<Fetched, FetchError> {
    let left = signer.expiry().map_or(short_term::MAX_LIFE, |expiry| {
        expiry.duration_since(now).unwrap_or_default()
    });
    // Whole seconds, as in the key.
    let life = Duration::from_secs(left.min(short_term::MAX_LIFE).as_secs());
    if life.is_zero() {
        return Err(FetchError::SignerExpired);
    }
    Ok(Fetched {
        credentials: Issued::BedrockApiKey {
            api_key: short_term::mint(signer, region, now, life).map_err(FetchError::Mint)?,
            expires_at: None,
        },
        expires_at: Some(now + life),
    })
}

fn issued_by_sts(credentials: Option<&StsCredentials>) -> Result<AwsCredentials, FetchError> {
    let issued = credentials.ok_or(FetchError::Empty)?;
    let expiry = SystemTime::try_from(*issued.expiration());
    let expiry = expiry.map_err(|error| FetchError::InvalidExpiry(error.to_string()))?;
    Ok(AwsCredentials::new(
        issued.access_key_id(),
        issued.secret_access_key(),
        Some(issued.session_token().to_owned()),
        Some(expiry),
        "sts",
    ))
}

/// A reason without the token, and without any part of it.
fn without_token(reason: &str, token: &Secret) -> String {
    let whole = reason.replace(token.expose(), "[redacted]");
    let parts = token.expose().split('.');
    parts.fold(whole, |text, part| text.replace(part, "[redacted]"))
}

fn session_name(configured: Option<&str>) -> &str {
    configured.unwrap_or(DEFAULT_SESSION_NAME)
}

fn seconds(duration: Option<u32>) -> Option<i32> {
    duration.and_then(|seconds| i32::try_from(seconds).ok())
}

/// AWS's code and message if it answered, otherwise how the call failed.
pub(super) fn reason<E>(error: &E) -> String
where
    E: ProvideErrorMetadata + std::error::Error,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => chain(error),
    }
}
