//! Rules for single values, which are also checked before they are part of a configuration.

use super::{Credentials, Fault, SignedBy};
use crate::seal::is_sealed;
use crate::secret::Secret;

impl Credentials {
    /// Faults of their values; pointers are relative to the channel.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let key_id = match self {
            Self::Static { access_key_id, .. } => Some(access_key_id),
            Self::BedrockApiKey { .. } | Self::Unavailable {} => None,
        };
        let bad_key_id = key_id.filter(|id| !is_access_key_id(id)).map(|_| {
            Fault::new(
                "/credentials/access_key_id",
                "invalid_access_key_id",
                "must be letters and digits, such as AKIA…",
            )
        });
        let bad_secrets = self.named_secrets().filter(|(_, own)| !is_secret(own));
        let bad_secrets = bad_secrets.map(|(field, secret)| {
            let message = if is_sealed(secret) {
                "is sealed and was not opened, or begins with `sealed:` like one that is"
            } else {
                "must be visible ASCII without spaces (the value is hidden)"
            };
            Fault::new(format!("/credentials/{field}"), "invalid_secret", message)
        });
        bad_key_id.into_iter().chain(bad_secrets).collect()
    }
}

impl SignedBy {
    /// The fault of a channel that is signed for in this way, and has a Bedrock API key.
    #[must_use]
    pub fn fault_of_bearer(self) -> Option<Fault> {
        (self == Self::Envoy).then(|| {
            let message =
                "is `envoy`, but a Bedrock API key needs no signature; leave `signer` out";
            Fault::new("/signer", "nothing_to_sign", message)
        })
    }
}

fn is_access_key_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_secret(secret: &Secret) -> bool {
    !is_sealed(secret)
        && !secret.expose().is_empty()
        && secret.expose().bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_in_secrets_do_not_repeat_them() {
        let credentials = Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("top secret"),
            session_token: Some(Secret::new("token\n")),
            expires_at: None,
        };
        let faults = credentials.faults();
        assert_eq!(faults.len(), 2);
        for fault in faults {
            assert!(!fault.to_string().contains("top"), "{fault}");
        }
    }
}
