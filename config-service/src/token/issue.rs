//! Creates tokens for the API, the web page and the terminal.

use bedrock_filter::secret::Secret;

use crate::access::{Principal, TokenHash, is_token_name, new_token};
use crate::store::{Store, StoreError, TokenEntry};

/// Why a token was not created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The name is not valid for a token.
    #[error(
        "the name must be 1 to 64 letters, digits, `.`, `_` or `-`, start with a letter or digit, and \
         not be `admin`"
    )]
    Name,
    /// Another token has the name.
    #[error("another token has the name `{0}`; choose another")]
    Taken(String),
    /// The system provides no random numbers.
    #[error("the system provides no random numbers")]
    Random(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates a token for `owner` and stores its hash; the token itself is only in what this
/// returns.
///
/// # Errors
///
/// See [`IssueError`]; then nothing is stored.
pub(crate) async fn issue(
    store: &Store,
    owner: &Principal,
    created_by: &str,
) -> Result<(TokenEntry, Secret), IssueError> {
    if !is_token_name(&owner.name) {
        return Err(IssueError::Name);
    }
    let token = new_token()?;
    let hash = TokenHash::of(token.expose().as_bytes());
    let entry = store.add_token(owner, hash, created_by).await?;
    let entry = entry.ok_or_else(|| IssueError::Taken(owner.name.clone()))?;
    Ok((entry, token))
}
