//! Keys that are kept elsewhere: in files, in AWS Secrets Manager and in the Parameter Store.

use aws_config::BehaviorVersion;
use aws_config::Region;

use super::aws::{Aws, reason, retries, timeouts};
use super::error::FetchError;
use super::key_document::{Key, key_in};
use crate::channel::{AwsSecret, Credentials};

impl Aws {
    /// The key that is kept elsewhere; `None` for credentials of another kind.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not a key.
    pub(super) async fn stored_key(
        &self,
        credentials: &Credentials,
        region: &str,
    ) -> Result<Option<Key>, FetchError> {
        let text = match credentials {
            Credentials::File { path } => self.places.keys.read_text(path).await?,
            Credentials::SecretsManager(wanted) => self.secret(wanted, region).await?,
            Credentials::ParameterStore(wanted) => self.parameter(wanted, region).await?,
            _ => return Ok(None),
        };
        Ok(Some(key_in(&text)?))
    }

    async fn secret(&self, wanted: &AwsSecret, region: &str) -> Result<String, FetchError> {
        use aws_sdk_secretsmanager::{Client, Config};
        let (source, region) = self.reader(wanted, region).await?;
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region)
            .http_client(self.outbound.for_aws())
            .retry_config(retries())
            .timeout_config(timeouts())
            .credentials_provider(source);
        if let Some(endpoint) = &self.endpoints.secrets_manager {
            config = config.endpoint_url(endpoint);
        }
        let client = Client::from_conf(config.build());
        let answer = client.get_secret_value().secret_id(&wanted.id).send().await;
        let answer = answer.map_err(|error| FetchError::Aws(reason(&error)))?;
        let text = answer.secret_string().map(str::to_owned);
        text.ok_or(FetchError::NoText)
    }

    /// The identity that may read a secret, and the region that has it.
    pub(super) async fn reader(
        &self,
        wanted: &AwsSecret,
        region: &str,
    ) -> Result<(aws_credential_types::Credentials, Region), FetchError> {
        let region = wanted.region.as_deref().unwrap_or(region);
        // On the heap, because it is recursive.
        let source = Box::pin(self.credentials(&wanted.source, region)).await?;
        Ok((source, Region::new(region.to_owned())))
    }
}
