//! Seals credentials before they are stored and before they are published.
//!
//! The cipher is the filter's (`bedrock_filter::seal`); this side adds randomness and the policy:
//! with a key everything is sealed, without one everything is in clear text.

use bedrock_filter::seal::{
    KEY_LEN, KEY_VARIABLE, NONCE_LEN, OpenError, Place, SealKeys, is_sealed, key_id, key_text,
};
use bedrock_filter::secret::Secret;

/// Seals and opens with the keys that the service was given.
#[derive(Clone, Debug, Default)]
pub struct Sealer {
    keys: SealKeys,
}

/// A stored secret that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{field}` of {owner} {source} of the config-service's environment; start it \
     with the keys that it was sealed with"
)]
pub struct StoredSecretError {
    owner: String,
    field: String,
    source: OpenError,
}

/// Prefix of what the secrets of a credential are sealed for, instead of a channel. No channel has a name with a space.
pub(crate) const CREDENTIAL: &str = "credential ";

fn owner(sealed_for: &str) -> String {
    match sealed_for.strip_prefix(CREDENTIAL) {
        Some(name) => format!("the credential `{name}`"),
        None => format!("the channel `{sealed_for}`"),
    }
}

/// The system provides no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("cannot seal: the system provides no random bytes: {0}")]
pub struct SealError(#[from] getrandom::Error);

impl Sealer {
    /// Creates a sealer with these keys.
    #[must_use]
    pub fn new(keys: SealKeys) -> Self {
        Self { keys }
    }

    /// Whether there is a key.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.keys.sealing_id()
    }

    /// Logs whether secrets are sealed, and what it means if they are not.
    pub fn announce(&self) {
        match self.key_id() {
            Some(id) => tracing::info!(key = id, "credentials are sealed"),
            None => tracing::warn!(
                "CREDENTIALS ARE NOT SEALED: they are in clear text in the database, on the xDS \
                 connections and in every Envoy's /config_dump. Set {KEY_VARIABLE} here and in \
                 every Envoy; `config-service seal generate-key` prints a key"
            ),
        }
    }

    /// Seals a channel's secrets; without a key they stay as they are.
    ///
    /// # Errors
    ///
    /// When the system provides no random bytes.
    pub fn seal<'s, F: AsRef<str>>(
        &self,
        channel: &str,
        secrets: impl IntoIterator<Item = (F, &'s mut Secret)>,
    ) -> Result<(), SealError> {
        for (field, secret) in secrets {
            let field = field.as_ref();
            let place = Place { channel, field };
            if let Some(sealed) = self.keys.seal(secret, place, random::<NONCE_LEN>()?) {
                *secret = sealed;
            }
        }
        Ok(())
    }

    /// Opens a channel's sealed secrets.
    ///
    /// # Errors
    ///
    /// At the first one that cannot be opened.
    pub fn open<'s, F: AsRef<str>>(
        &self,
        channel: &str,
        secrets: impl IntoIterator<Item = (F, &'s mut Secret)>,
    ) -> Result<(), StoredSecretError> {
        for (field, secret) in secrets {
            let field = field.as_ref();
            if is_sealed(secret) {
                let place = Place { channel, field };
                *secret = self
                    .keys
                    .open(secret, place)
                    .map_err(|source| StoredSecretError {
                        owner: owner(channel),
                        field: field.to_owned(),
                        source,
                    })?;
            }
        }
        Ok(())
    }

    /// Whether a stored secret is sealed with the first key.
    #[must_use]
    pub fn is_current(&self, secret: &Secret) -> bool {
        key_id(secret).is_some() && key_id(secret) == self.key_id()
    }
}

/// A new key with a new id, in the form used in the environment.
///
/// # Errors
///
/// When the system provides no random bytes.
pub fn generate_key() -> Result<Secret, SealError> {
    let id = format!("k{}", crate::hex::encode(&random::<4>()?));
    Ok(key_text(&id, random::<KEY_LEN>()?))
}

fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_filter::config::Credentials;

    fn credentials() -> Credentials {
        Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hush"),
            session_token: Some(Secret::new("token")),
            expires_at: None,
        }
    }

    #[test]
    fn a_new_key_seals_and_opens() {
        let sealer = Sealer::new(generate_key().unwrap().expose().parse().unwrap());
        let mut credentials = credentials();
        sealer.seal("a", credentials.secrets_mut()).unwrap();
        assert!(
            credentials
                .secrets()
                .all(|secret| sealer.is_current(secret))
        );
        assert!(sealer.open("b", credentials.secrets_mut()).is_err());
        sealer.open("a", credentials.secrets_mut()).unwrap();
        assert_eq!(credentials, self::credentials());
    }

    #[test]
    fn without_a_key_nothing_is_sealed() {
        let mut credentials = credentials();
        Sealer::default()
            .seal("a", credentials.secrets_mut())
            .unwrap();
        assert_eq!(credentials, self::credentials());
    }

    #[test]
    fn keys_and_nonces_differ_each_time() {
        let [one, two] = [generate_key().unwrap(), generate_key().unwrap()];
        assert_ne!(one, two);
        let sealer = Sealer::new(one.expose().parse().unwrap());
        let [mut one, mut two] = [credentials(), credentials()];
        sealer.seal("a", one.secrets_mut()).unwrap();
        sealer.seal("a", two.secrets_mut()).unwrap();
        assert_ne!(one, two);
    }
}
