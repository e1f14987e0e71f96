//! Tokens of the admin API, as hashes.

use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::{Store, StoreError};
use crate::access::{Principal, Role, TokenHash};

/// A token's record, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, ToSchema)]
#[schema(as = Token)]
pub struct TokenEntry {
    /// Its id.
    pub id: String,
    /// Name for the history; unique.
    pub name: String,
    /// `viewer`, `editor` or `admin`.
    #[schema(value_type = Role)]
    pub role: String,
    /// When it was created, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
}

impl Store {
    /// Stores a token; `None` if the name is taken.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn add_token(
        &self,
        principal: &Principal,
        hash: TokenHash,
        created_by: &str,
    ) -> Result<Option<TokenEntry>, StoreError> {
        let entry = sqlx::query_as(
            "INSERT INTO tokens (name, role, hash, created_at, created_by) \
             VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?) \
             ON CONFLICT (name) DO NOTHING \
             RETURNING id, name, role, created_at, created_by",
        )
        .bind(&principal.name)
        .bind(principal.role.as_str())
        .bind(hash.0.as_slice())
        .bind(created_by)
        .fetch_optional(&self.pool)
        .await?;
        Ok(entry)
    }

    /// All tokens, in the order of their names.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<TokenEntry>, StoreError> {
        let entries = sqlx::query_as(
            "SELECT id, name, role, created_at, created_by FROM tokens ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(entries)
    }

    /// Deletes a token, by its id or name; returns whether there was one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_token(&self, id_or_name: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM tokens WHERE id = ?1 OR name = ?1")
            .bind(id_or_name)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whose token it is.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn principal(&self, hash: TokenHash) -> Result<Option<Principal>, StoreError> {
        let found: Option<(String, String)> =
            sqlx::query_as("SELECT name, role FROM tokens WHERE hash = ?")
                .bind(hash.0.as_slice())
                .fetch_optional(&self.pool)
                .await?;
        // The table contains only valid roles.
        let principal = found.and_then(|(name, role)| {
            let role: Role = role.parse().ok()?;
            Some(Principal { name, role })
        });
        Ok(principal)
    }
}
