//! Sealed secrets: how credentials travel in a plugin configuration that others can read.
//!
//! The config-service seals and the filter opens, both with the keys of [`KEY_VARIABLE`] in their environments. The
//! cipher is XChaCha20-Poly1305. Channel and field are authenticated with the secret, so a secret that was sealed for
//! one place opens nowhere else. This module does no IO: keys and nonces are parameters.

mod cipher;
mod passing;

pub use passing::is_passing;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Secret;
use cipher::Cipher;

/// Environment variable of the config-service and of every Envoy that holds the keys: `<id>:<base64 of 32 bytes>`;
/// separate several with commas.
pub const KEY_VARIABLE: &str = "BEDROCK_SEAL_KEY";

/// Length of a key, in bytes.
pub const KEY_LEN: usize = 32;

/// Length of a nonce, in bytes: long enough to be chosen at random for every secret.
pub const NONCE_LEN: usize = 24;

/// What a sealed secret starts with; the id of its key and the base64 of nonce and ciphertext follow.
const PREFIX: &str = "sealed:v1:";

/// Longest id of a key, in characters.
const MAX_ID_LEN: usize = 32;

/// Keys by id. The first one seals; all of them open.
#[derive(Clone, Default)]
pub struct SealKeys {
    keys: Vec<(String, Cipher)>,
}

/// Where a secret belongs; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Name of the channel.
    pub channel: &'a str,
    /// Field below the channel's `credentials`, such as `secret_access_key`.
    pub field: &'a str,
}

/// Why a text contains no keys. Never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealKeyError {
    /// No id, or an id with other characters.
    #[error(
        "key {0} must be <id>:<base64 of 32 bytes>, with an id of 1 to 32 letters, digits, `_`, `.` or `-`"
    )]
    Id(usize),
    /// The part after the id is not a key.
    #[error("key {0} does not have 32 bytes in base64 after its id")]
    Key(usize),
    /// Two keys have the same id.
    #[error("key {0} has the same id as an earlier one")]
    DuplicateId(usize),
}

/// Why a sealed secret cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not sealed in a format of this version.
    #[error("is sealed in a format that this version does not support")]
    Unknown,
    /// There is no key with that id.
    #[error("is sealed under the key `{0}`, which is not in {KEY_VARIABLE}")]
    NoKey(String),
    /// The key of that id is a different one, or the secret was changed or moved.
    #[error(
        "cannot be opened with the key `{0}`: another key has that id, or the secret was sealed for \
         another channel or field"
    )]
    Refused(String),
}

impl SealKeys {
    /// Whether there are no keys, so that nothing can be sealed or opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn sealing_id(&self) -> Option<&str> {
        self.keys.first().map(|(id, _)| id.as_str())
    }

    /// Seals a secret for a place with the first key; `None` without keys.
    ///
    /// `nonce` must be random: using one twice gives both secrets away.
    #[must_use]
    pub fn seal(
        &self,
        secret: &Secret,
        place: Place<'_>,
        nonce: [u8; NONCE_LEN],
    ) -> Option<Secret> {
        let (id, cipher) = self.keys.first()?;
        let plain = secret.expose().as_bytes();
        let bytes = cipher.seal(plain, &place.associated_data(), nonce)?;
        Some(Secret::new(format!(
            "{PREFIX}{id}:{}",
            STANDARD.encode(bytes)
        )))
    }

    /// Opens a sealed secret.
    ///
    /// # Errors
    ///
    /// When its key is missing, or the secret was sealed for another place.
    pub fn open(&self, sealed: &Secret, place: Place<'_>) -> Result<Secret, OpenError> {
        let (id, text) = split(sealed).ok_or(OpenError::Unknown)?;
        let (_, cipher) = self
            .keys
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| OpenError::NoKey(shown(id)))?;
        decrypt(cipher, text, place).ok_or_else(|| OpenError::Refused(shown(id)))
    }
}

impl FromStr for SealKeys {
    type Err = SealKeyError;

    /// Reads the content of [`KEY_VARIABLE`]; a blank text means no keys.
    fn from_str(text: &str) -> Result<Self, SealKeyError> {
        let mut keys: Vec<(String, Cipher)> = Vec::new();
        let entries = text.split(',').map(str::trim);
        for (number, entry) in (1..).zip(entries) {
            if entry.is_empty() && text.trim().is_empty() {
                continue;
            }
            let (id, key) = entry
                .split_once(':')
                .filter(|(id, _)| is_id(id))
                .ok_or(SealKeyError::Id(number))?;
            if keys.iter().any(|(known, _)| known == id) {
                return Err(SealKeyError::DuplicateId(number));
            }
            let bytes: [u8; KEY_LEN] = STANDARD
                .decode(key)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(SealKeyError::Key(number))?;
            keys.push((id.to_owned(), Cipher::new(bytes)));
        }
        Ok(Self { keys })
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

impl Place<'_> {
    /// What is authenticated with the secret. Neither a name nor a field can contain a NUL.
    fn associated_data(self) -> Vec<u8> {
        format!("bedrock-filter\0{}\0{}", self.channel, self.field).into_bytes()
    }
}

/// Whether a secret is sealed, by whichever version.
#[must_use]
pub fn is_sealed(secret: &Secret) -> bool {
    secret.expose().starts_with("sealed:")
}

/// Id of the key that a secret is sealed with.
#[must_use]
pub fn key_id(secret: &Secret) -> Option<&str> {
    split(secret).map(|(id, _)| id)
}

/// A key as it is written in [`KEY_VARIABLE`].
#[must_use]
pub fn key_text(id: &str, key: [u8; KEY_LEN]) -> Secret {
    Secret::new(format!("{id}:{}", STANDARD.encode(key)))
}

fn split(sealed: &Secret) -> Option<(&str, &str)> {
    sealed.expose().strip_prefix(PREFIX)?.split_once(':')
}

fn decrypt(cipher: &Cipher, text: &str, place: Place<'_>) -> Option<Secret> {
    let bytes = STANDARD.decode(text).ok()?;
    let plain = cipher.open(&bytes, &place.associated_data())?;
    String::from_utf8(plain).ok().map(Secret::new)
}

fn is_id(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=MAX_ID_LEN).contains(&text.len()) && text.chars().all(known)
}

/// An id that is safe to put into a message: it comes from a document of unknown origin.
fn shown(id: &str) -> String {
    if is_id(id) {
        id.to_owned()
    } else {
        "(not an id)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place<'_> = Place {
        channel: "a",
        field: "secret_access_key",
    };

    fn keys(ids: &[(&str, u8)]) -> SealKeys {
        let texts: Vec<_> = ids
            .iter()
            .map(|(id, byte)| key_text(id, [*byte; KEY_LEN]).expose().to_owned())
            .collect();
        texts.join(",").parse().unwrap()
    }

    #[track_caller]
    fn check_keys(text: &str, expected: Result<&[&str], SealKeyError>) {
        let ids = text.parse::<SealKeys>().map(|keys| {
            let ids = keys.keys.into_iter().map(|(id, _)| id);
            ids.collect::<Vec<_>>()
        });
        let expected = expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(ids, expected, "{text}");
    }

    #[test]
    fn keys_are_an_id_and_32_bytes_each() {
        let key = STANDARD.encode([7; 32]);
        check_keys("", Ok(&[]));
        check_keys("  ", Ok(&[]));
        check_keys(&format!("k1:{key}"), Ok(&["k1"]));
        check_keys(&format!("k1:{key}, k-2:{key}"), Ok(&["k1", "k-2"]));
        check_keys(&key, Err(SealKeyError::Id(1)));
        check_keys(&format!("k 1:{key}"), Err(SealKeyError::Id(1)));
        check_keys(&format!("k1:{key},"), Err(SealKeyError::Id(2)));
        check_keys("k1:AAAA", Err(SealKeyError::Key(1)));
        let twice = format!("k1:{key},k1:{key}");
        check_keys(&twice, Err(SealKeyError::DuplicateId(2)));
    }

    #[test]
    fn the_first_key_seals_and_every_key_opens() {
        let secret = Secret::new("hush");
        let old = keys(&[("old", 1)]);
        let both = keys(&[("new", 2), ("old", 1)]);
        let by_old = old.seal(&secret, PLACE, [3; NONCE_LEN]).unwrap();
        let by_both = both.seal(&secret, PLACE, [4; NONCE_LEN]).unwrap();
        assert_eq!(key_id(&by_old), Some("old"));
        assert_eq!(key_id(&by_both), Some("new"));
        assert_eq!(both.open(&by_old, PLACE), Ok(secret.clone()));
        assert_eq!(both.open(&by_both, PLACE), Ok(secret));
        let missing = Err(OpenError::NoKey("new".to_owned()));
        assert_eq!(old.open(&by_both, PLACE), missing);
    }

    #[test]
    fn a_secret_opens_only_at_its_own_place_with_its_own_key() {
        let keys_a = keys(&[("k", 1)]);
        let sealed = keys_a
            .seal(&Secret::new("hush"), PLACE, [3; NONCE_LEN])
            .unwrap();
        let refused = Err(OpenError::Refused("k".to_owned()));
        for place in [
            Place {
                channel: "b",
                ..PLACE
            },
            Place {
                field: "session_token",
                ..PLACE
            },
        ] {
            assert_eq!(keys_a.open(&sealed, place), refused);
        }
        assert_eq!(keys(&[("k", 2)]).open(&sealed, PLACE), refused);
        let other_version = Secret::new(sealed.expose().replace("v1", "v9"));
        assert!(is_sealed(&other_version));
        assert_eq!(keys_a.open(&other_version, PLACE), Err(OpenError::Unknown));
    }

    #[test]
    fn nothing_shows_a_key() {
        let keys = keys(&[("k", 1)]);
        assert_eq!(format!("{keys:?}"), r#"["k"]"#);
        let error = "k1:c2VjcmV0".parse::<SealKeys>().unwrap_err();
        assert!(!error.to_string().contains("c2Vj"), "{error}");
    }

    proptest! {
        #[test]
        fn opening_undoes_sealing(text in "\\PC{0,64}", nonce: [u8; NONCE_LEN]) {
            let keys = keys(&[("k", 9)]);
            let secret = Secret::new(text);
            let sealed = keys.seal(&secret, PLACE, nonce).unwrap();
            prop_assert_eq!(keys.open(&sealed, PLACE), Ok(secret));
        }

        #[test]
        fn no_changed_byte_opens(at in 0_usize..44, bit in 0_u8..8) {
            let keys = keys(&[("k", 9)]);
            let sealed = keys.seal(&Secret::new("hush"), PLACE, [5; NONCE_LEN]).unwrap();
            let (_, text) = split(&sealed).unwrap();
            let mut bytes = STANDARD.decode(text).unwrap();
            prop_assert_eq!(bytes.len(), 44);
            bytes[at] ^= 1 << bit;
            let changed = Secret::new(format!("{PREFIX}k:{}", STANDARD.encode(bytes)));
            prop_assert_eq!(keys.open(&changed, PLACE), Err(OpenError::Refused("k".to_owned())));
        }

        #[test]
        fn arbitrary_text_is_refused(text in "\\PC{0,64}") {
            let keys = keys(&[("k", 9)]);
            prop_assert!(keys.open(&Secret::new(text.clone()), PLACE).is_err());
            let _ = text.parse::<SealKeys>();
        }
    }
}
