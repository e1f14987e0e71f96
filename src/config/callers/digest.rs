//! Hashes of keys. Keys have 256 random bits, so they need neither salt nor a slow hash.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Bytes of a SHA-256.
const LENGTH: usize = 32;

/// Bytes of a hash that tell a key from all others.
const MARK_LENGTH: usize = 6;

/// SHA-256 of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; LENGTH]);

/// The start of a key's hash, by which usage records and administrators know the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMark([u8; MARK_LENGTH]);

/// A text that is not the hash of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA-256 as 64 hexadecimal digits")]
pub struct InvalidDigest;

impl KeyDigest {
    /// The hash of a key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What tells the key from others where its hash must not be.
    #[must_use]
    pub fn mark(&self) -> KeyMark {
        let [a, b, c, d, e, f, ..] = self.0;
        KeyMark([a, b, c, d, e, f])
    }
}

impl TryFrom<&[u8]> for KeyDigest {
    type Error = InvalidDigest;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidDigest> {
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }
}

impl FromStr for KeyDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (pairs, rest) = text.as_bytes().as_chunks();
        if pairs.len() != LENGTH || !rest.is_empty() {
            return Err(InvalidDigest);
        }
        let mut bytes = [0; LENGTH];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn digit(sign: u8) -> Result<u8, InvalidDigest> {
    match sign {
        b'0'..=b'9' => Ok(sign - b'0'),
        b'a'..=b'f' => Ok(sign - b'a' + 10),
        b'A'..=b'F' => Ok(sign - b'A' + 10),
        _ => Err(InvalidDigest),
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 12 lower-case hexadecimal digits.
impl fmt::Display for KeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A brought hash may be that of a weak key, which could be guessed from it.
impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}

impl Serialize for KeyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl Visitor<'_> for Hex {
            type Value = KeyDigest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a SHA-256 as 64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<KeyDigest, E> {
                // Whoever writes the key itself here must not find it in a log.
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Hex).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf key | sha256sum`
    const KEY: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

    #[test]
    fn a_digest_is_that_of_other_programs() {
        let digest = KeyDigest::of(b"key");
        assert_eq!(digest.to_string(), KEY);
        assert_eq!(KEY.parse(), Ok(digest));
        assert_eq!(KEY.to_uppercase().parse(), Ok(digest));
        assert_eq!(KeyDigest::try_from(digest.bytes()), Ok(digest));
        assert!(!format!("{digest:?}").contains("2c70"));
        assert_eq!(digest.mark().to_string(), KEY[..12]);
    }

    #[test]
    fn what_is_not_a_digest_is_refused_and_not_repeated() {
        for text in [
            "",
            "2c70",
            "sk-secret",
            &KEY.replace('2', "g"),
            &format!("{KEY}0"),
        ] {
            assert_eq!(text.parse::<KeyDigest>(), Err(InvalidDigest), "{text}");
            let json = serde_json::to_string(text).unwrap();
            let error = serde_json::from_str::<KeyDigest>(&json).unwrap_err();
            assert!(error.to_string().contains("64 hexadecimal"), "{error}");
            assert!(
                text.is_empty() || !error.to_string().contains(text),
                "{error}"
            );
        }
    }
}
