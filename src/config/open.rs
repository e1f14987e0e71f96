//! Opens the sealed secrets of a plugin configuration.

use super::{Channel, Fault, PluginConfig};
use crate::seal::{KEY_VARIABLE, OpenError, Place, SealKeys, is_sealed};

/// The place for which [`PluginConfig::key_check`] is sealed. No channel has this name.
pub const KEY_CHECK: Place<'static> = Place {
    channel: "",
    field: "key_check",
};

impl PluginConfig {
    /// Opens every sealed secret; those in clear stay unchanged.
    ///
    /// # Errors
    ///
    /// A [`Fault`] for each secret that cannot be opened.
    pub fn open(mut self, keys: &SealKeys) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if let Some(sealed) = &self.key_check
            && is_sealed(sealed)
            && let Err(error) = keys.open(sealed, KEY_CHECK)
        {
            faults.push(key_fault("/key_check", &error));
        }
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let own = open_channel(channel, keys);
            let prefix = format!("/channels/{index}");
            faults.extend(own.into_iter().map(|fault| fault.below(&prefix)));
        }
        if faults.is_empty() {
            Ok(self)
        } else {
            Err(faults)
        }
    }
}

/// Faults of one channel; paths are relative to it.
fn open_channel(channel: &mut Channel, keys: &SealKeys) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (field, secret) in channel.credentials.secrets_mut() {
        let place = Place {
            channel: &channel.name,
            field,
        };
        if !is_sealed(secret) {
            continue;
        }
        match keys.open(secret, place) {
            Ok(opened) => *secret = opened,
            Err(error) => faults.push(fault(place, &error)),
        }
    }
    faults
}

fn key_fault(path: &str, error: &OpenError) -> Fault {
    let reason = format!(
        "{error} of Envoy's environment; {} ({KEY_VARIABLE})",
        remedy(error)
    );
    Fault::new(path, "sealed_secret", reason)
}

fn remedy(error: &OpenError) -> &'static str {
    match error {
        OpenError::Unknown => "update the filter",
        OpenError::NoKey(_) => {
            "give Envoy the config-service's keys in its environment, and name the variable in \
             `host_env_keys`; a running Envoy has to be restarted"
        }
        OpenError::Refused(_) => "give Envoy and the config-service the same keys",
    }
}

fn fault(place: Place<'_>, error: &OpenError) -> Fault {
    let reason = format!(
        "of channel `{}` {error} of Envoy's environment; {} ({KEY_VARIABLE})",
        place.channel,
        remedy(error)
    );
    let path = format!("/credentials/{}", place.field);
    Fault::new(path, "sealed_secret", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{KEY_LEN, NONCE_LEN, key_text};
    use crate::secret::Secret;

    fn keys(id: &str) -> SealKeys {
        key_text(id, [1; KEY_LEN]).expose().parse().unwrap()
    }

    /// A configuration whose secrets are sealed with the key `k1` for the channel `sealed_for`.
    fn config(sealed_for: &str) -> PluginConfig {
        let mut config = PluginConfig::from_json(
            br#"{"channels":[
                {"name":"clear","region":"us-east-1","credentials":
                    {"type":"bedrock_api_key","api_key":"in-clear"}},
                {"name":"a","region":"us-east-1","credentials":
                    {"type":"static","access_key_id":"AKIDEXAMPLE","secret_access_key":"hush",
                     "session_token":"token"}}
            ]}"#,
        )
        .unwrap();
        for (field, secret) in config.channels[1].credentials.secrets_mut() {
            let place = Place {
                channel: sealed_for,
                field,
            };
            *secret = keys("k1").seal(secret, place, [2; NONCE_LEN]).unwrap();
        }
        config
    }

    #[test]
    fn sealed_secrets_are_opened_and_clear_ones_stay() {
        let opened = config("a").open(&keys("k1")).unwrap();
        let secrets = opened
            .channels
            .iter()
            .flat_map(|it| it.credentials.secrets());
        let secrets: Vec<_> = secrets.map(Secret::expose).collect();
        assert_eq!(secrets, ["in-clear", "hush", "token"]);
    }

    #[track_caller]
    fn check_faults(config: PluginConfig, keys: &SealKeys, words: &[&str]) {
        let faults = config.open(keys).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = ["secret_access_key", "session_token"]
            .map(|field| format!("/channels/1/credentials/{field}"));
        assert_eq!(paths, expected);
        for fault in &faults {
            for word in words {
                assert!(fault.message.contains(word), "{fault}");
            }
            assert!(!fault.message.contains("sealed:"), "{fault}");
        }
    }

    #[test]
    fn a_key_check_opens_only_with_its_key() {
        let sealed = keys("k1").seal(&Secret::new("check"), KEY_CHECK, [3; NONCE_LEN]);
        let config = || PluginConfig {
            key_check: sealed.clone(),
            ..PluginConfig::default()
        };
        assert!(config().open(&keys("k1")).is_ok());
        for keys in [SealKeys::default(), keys("k2")] {
            let faults = config().open(&keys).unwrap_err();
            let [fault] = faults.as_slice() else {
                panic!("{faults:?}");
            };
            assert_eq!(fault.pointer, "/key_check");
            assert!(fault.message.contains("`k1`"), "{fault}");
            assert!(fault.message.contains(KEY_VARIABLE), "{fault}");
        }
    }

    #[test]
    fn what_does_not_open_is_named_with_a_remedy() {
        let words = ["channel `a`", "`k1`", KEY_VARIABLE, "host_env_keys"];
        check_faults(config("a"), &SealKeys::default(), &words);
        check_faults(config("a"), &keys("k2"), &words);
        check_faults(config("b"), &keys("k1"), &["channel `a`", "the same keys"]);
    }
}
