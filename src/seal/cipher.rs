//! What is sealed, as bytes: a nonce, then the ciphertext.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};

use super::{KEY_LEN, NONCE_LEN};

/// A key that is ready to seal and to open.
#[derive(Clone)]
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: [u8; KEY_LEN]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// Seals bytes; `aad` has to be given again to open them. `None` for more bytes than a nonce is good for.
    pub(super) fn seal(&self, plain: &[u8], aad: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let payload = Payload { msg: plain, aad };
        let ciphertext = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([nonce.as_slice(), &ciphertext].concat())
    }

    /// Opens what was sealed with this key and `aad`, and nothing else.
    pub(super) fn open(&self, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let payload = Payload { msg, aad };
        self.0.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}
