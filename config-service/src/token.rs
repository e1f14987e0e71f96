//! Tokens of the admin API: the one from the environment, and how others are created.

mod issue;

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq as _;

use crate::access::{TokenHash, new_token};
pub(crate) use issue::{IssueError, issue};

/// The bearer token that the service was started with, kept as a hash and compared in constant
/// time.
#[derive(Clone)]
pub struct AdminToken(TokenHash);

/// Why a text cannot be an admin token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the admin token must be visible ASCII without spaces and not empty")]
pub struct InvalidToken;

impl AdminToken {
    /// A random token that nobody knows.
    ///
    /// # Errors
    ///
    /// When the system provides no random numbers.
    pub(crate) fn unknown() -> Result<Self, getrandom::Error> {
        let token = new_token()?;
        Ok(Self(TokenHash::of(token.expose().as_bytes())))
    }

    /// Whether `candidate` is the token's hash. Takes the same time for every wrong one.
    #[must_use]
    pub fn matches(&self, candidate: TokenHash) -> bool {
        self.0.0.ct_eq(&candidate.0).into()
    }
}

impl FromStr for AdminToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        Ok(Self(TokenHash::of(text.as_bytes())))
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
        let matches = |text: &str| token.matches(TokenHash::of(text.as_bytes()));
        assert!(matches("s3cret"));
        for wrong in ["", "s3cre", "s3cret ", "S3CRET"] {
            assert!(!matches(wrong), "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn a_token_that_a_header_cannot_carry_is_refused() {
        for text in ["", " ", "a b", "é", "a\n"] {
            assert_eq!(text.parse::<AdminToken>().unwrap_err(), InvalidToken);
        }
    }
}
