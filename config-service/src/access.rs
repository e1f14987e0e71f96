//! Who may do what: roles, and the tokens that grant them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bedrock_filter::config::is_name;
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// The name of whoever uses the token from the environment.
pub const BOOTSTRAP: &str = "admin";

/// Prefix of every token created here, so that scanners for leaked secrets can find them.
const PREFIX: &str = "bedrock-admin-";

/// Number of random bytes in a token.
const TOKEN_BYTES: usize = 32;

/// Number of characters that they become: Base64 without padding.
const TOKEN_TEXT: usize = (TOKEN_BYTES * 4).div_ceil(3);

/// What somebody may do; each role includes the previous ones.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything but secrets, which nobody can read.
    Viewer,
    /// Edits channels, and tests them.
    Editor,
    /// Creates and revokes tokens.
    Admin,
}

/// Somebody who has presented a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Name of the token, for the history.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// SHA-256 of a token.
///
/// A plain hash is enough, because a token has 256 random bits, which nobody can guess.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub(crate) [u8; 32]);

impl Role {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let all = [Self::Viewer, Self::Editor, Self::Admin];
        let found = all.into_iter().find(|role| role.as_str() == text);
        found.ok_or(UnknownRole)
    }
}

/// A word that is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; the roles are viewer, editor and admin")]
pub struct UnknownRole;

/// 256 random bits as text that fits into headers, cookies and forms.
pub(crate) fn random_text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Creates a token.
///
/// # Errors
///
/// When the system cannot provide random numbers.
pub fn new_token() -> Result<Secret, getrandom::Error> {
    Ok(Secret::new(format!("{PREFIX}{}", random_text()?)))
}

/// Whether a text looks like a token created here. Others need no lookup.
pub(crate) fn may_be_issued(token: &[u8]) -> bool {
    let random = token.strip_prefix(PREFIX.as_bytes());
    random.is_some_and(|text| text.len() == TOKEN_TEXT)
}

impl TokenHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}

/// Whether a text is a valid name for a token: the rules are those for channels, and the name used
/// for the token from the environment is taken.
#[must_use]
pub fn is_token_name(name: &str) -> bool {
    name != BOOTSTRAP && is_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_fit_into_a_header() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(may_be_issued(one.expose().as_bytes()));
        for other in ["", "t0ken", PREFIX, "bedrock-admin-guess"] {
            assert!(!may_be_issued(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn roles_include_the_previous_ones() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Admin);
        for role in [Role::Viewer, Role::Editor, Role::Admin] {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }

    #[test]
    fn names_are_plain_and_admin_is_taken() {
        for (name, fits) in [
            ("ci", true),
            ("team-a.deploy_2", true),
            ("admin", false),
            ("", false),
            ("-a", false),
            ("a b", false),
        ] {
            assert_eq!(is_token_name(name), fits, "{name:?}");
        }
    }
}
