//! Making tokens, for the API, the page and the terminal alike.

use bedrock_filter::secret::Secret;

use crate::access::{Principal, TokenHash, is_token_name, new_token};
use crate::store::{Store, StoreError, TokenEntry};

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// No token can have the name.
    #[error(
        "the name must be 1 to 64 letters, digits, `.`, `_` or `-`, start with a letter or digit, and \
         not be `admin`"
    )]
    Name,
    /// Another token has it.
    #[error("another token has the name `{0}`")]
    Taken(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a token for `owner` and remembers its hash; the token itself is here and nowhere else.
///
/// # Errors
///
/// See [`IssueError`]; nothing is remembered then.
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
