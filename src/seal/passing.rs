//! What clients are given to send back: they cannot read it, nobody can change it unnoticed, and it opens for its
//! place alone.
//!
//! The first of the environment's keys seals and every one opens, as with credentials. Without keys a well-known one
//! takes their place. Anyone can forge what that key seals, but what was damaged on its way, or is meant for
//! another place, is still recognised.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::cipher::Cipher;
use super::{KEY_LEN, NONCE_LEN, SealKeys};

/// What such a text starts with; its key's id and the base64 of nonce and ciphertext follow. Another form of it, or
/// of what is inside, gets another number.
const PREFIX: &str = "bgw1:";

/// The well-known key; its id is empty, which no other key's is.
const OPEN_KEY: [u8; KEY_LEN] = *b"bedrock gateway without any keys";

impl SealKeys {
    /// Seals bytes for a place. The same bytes always give the same text.
    #[must_use]
    pub fn seal_passing(&self, place: &str, plain: &[u8]) -> Option<String> {
        let open = Cipher::new(OPEN_KEY);
        let first = self.keys.first();
        let (id, cipher) = first.map_or(("", &open), |(id, cipher)| (id.as_str(), cipher));
        let aad = associated_data(place);
        // There is no randomness here. A nonce derived from everything that is sealed repeats only for the same content.
        let digest = Sha256::new_with_prefix(&aad).chain_update(plain).finalize();
        let nonce: [u8; NONCE_LEN] = *digest.first_chunk()?;
        let sealed = cipher.seal(plain, &aad, nonce)?;
        let mut text = format!("{PREFIX}{id}:");
        URL_SAFE_NO_PAD.encode_string(sealed, &mut text);
        Some(text)
    }

    /// Opens what was sealed for a place; `None` for everything else.
    #[must_use]
    pub fn open_passing(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        let (id, text) = sealed.strip_prefix(PREFIX)?.split_once(':')?;
        let open = Cipher::new(OPEN_KEY);
        let cipher = if self.keys.is_empty() {
            Some(&open).filter(|_| id.is_empty())
        } else {
            let own = self.keys.iter().find(|(known, _)| known == id);
            own.map(|(_, cipher)| cipher)
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        cipher?.open(&bytes, &associated_data(place))
    }
}

/// Whether a text begins like one that was sealed here, by whatever key.
#[must_use]
pub fn is_passing(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// What is authenticated; credentials' begins otherwise, so that neither opens as the other.
fn associated_data(place: &str) -> Vec<u8> {
    format!("bedrock-filter passing\0{place}\0").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key_text;
    use crate::secret::Secret;
    use proptest::prelude::*;

    fn keys(ids: &[(&str, u8)]) -> SealKeys {
        let texts: Vec<_> = ids
            .iter()
            .map(|(id, byte)| key_text(id, [*byte; KEY_LEN]).expose().to_owned())
            .collect();
        texts.join(",").parse().unwrap()
    }

    #[test]
    fn it_opens_for_its_place_with_a_key_that_is_still_there() {
        let old = keys(&[("old", 1)]);
        let both = keys(&[("new", 2), ("old", 1)]);
        let sealed = old.seal_passing("anthropic", b"hm").unwrap();
        assert!(is_passing(&sealed) && sealed.starts_with("bgw1:old:"));
        assert_eq!(both.open_passing("anthropic", &sealed).unwrap(), b"hm");
        assert_eq!(both.open_passing("nova", &sealed), None);
        assert_eq!(keys(&[("new", 2)]).open_passing("anthropic", &sealed), None);
        assert_eq!(keys(&[("old", 2)]).open_passing("anthropic", &sealed), None);
        assert_eq!(old.seal_passing("anthropic", b"hm").unwrap(), sealed);
    }

    #[test]
    fn without_keys_it_is_told_from_others_all_the_same_and_keys_do_not_take_that() {
        let none = SealKeys::default();
        let sealed = none.seal_passing("anthropic", b"hm").unwrap();
        assert_eq!(none.open_passing("anthropic", &sealed).unwrap(), b"hm");
        assert_eq!(none.open_passing("nova", &sealed), None);
        assert_eq!(keys(&[("k", 1)]).open_passing("anthropic", &sealed), None);
        let by_key = keys(&[("k", 1)]).seal_passing("anthropic", b"hm").unwrap();
        assert_eq!(none.open_passing("anthropic", &by_key), None);
    }

    #[test]
    fn a_credential_does_not_open_as_such_a_text() {
        let keys = keys(&[("k", 1)]);
        let place = crate::seal::Place {
            channel: "anthropic",
            field: "x",
        };
        let sealed = keys
            .seal(&Secret::new("hush"), place, [3; NONCE_LEN])
            .unwrap();
        let text = sealed.expose().rsplit_once(':').unwrap().1;
        let text = text.replace('+', "-").replace('/', "_");
        let text = format!("bgw1:k:{}", text.trim_end_matches('='));
        assert_eq!(keys.open_passing("anthropic", &text), None);
    }

    proptest! {
        #[test]
        fn no_changed_byte_opens(at in 0_usize..43, bit in 0_u8..8, with_key: bool) {
            let keys = if with_key { keys(&[("k", 9)]) } else { SealKeys::default() };
            let sealed = keys.seal_passing("p", b"hm?").unwrap();
            let (head, text) = sealed.rsplit_once(':').unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            prop_assert_eq!(bytes.len(), 43);
            bytes[at] ^= 1 << bit;
            let changed = format!("{head}:{}", URL_SAFE_NO_PAD.encode(bytes));
            prop_assert_eq!(keys.open_passing("p", &changed), None);
        }

        #[test]
        fn arbitrary_text_is_refused(text in "\\PC{0,64}") {
            prop_assert_eq!(SealKeys::default().open_passing("p", &text), None);
            prop_assert_eq!(SealKeys::default().open_passing("p", &format!("bgw1::{text}")), None);
        }
    }
}
