//! The admin token: kept as a hash, compared in constant time.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The secret that administrators send as a bearer token.
#[derive(Clone)]
pub struct AdminToken([u8; 32]);

/// Why a text cannot be an admin token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the admin token must be visible ASCII without spaces and not empty")]
pub struct InvalidToken;

impl AdminToken {
    /// Whether `candidate` is the token. Takes equally long for every wrong answer of one length.
    #[must_use]
    pub fn matches(&self, candidate: &[u8]) -> bool {
        let candidate: [u8; 32] = Sha256::digest(candidate).into();
        self.0.ct_eq(&candidate).into()
    }
}

impl FromStr for AdminToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        Ok(Self(Sha256::digest(text).into()))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_matches() {
        let token: AdminToken = "s3cret".parse().unwrap();
        assert!(token.matches(b"s3cret"));
        for wrong in ["", "s3cre", "s3cret ", "S3CRET"] {
            assert!(!token.matches(wrong.as_bytes()), "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused() {
        for text in ["", " ", "a b", "é", "a\n"] {
            assert_eq!(text.parse::<AdminToken>().unwrap_err(), InvalidToken);
        }
    }
}
