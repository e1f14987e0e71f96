//! What callers may use in a month.

use sqlx::FromRow;

use super::{Store, StoreError};

/// What a caller may use in a calendar month.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Budget {
    /// Its name; empty for everybody together.
    pub caller: String,
    /// Tokens of prompts and answers; no limit if `None`.
    pub tokens: Option<i64>,
    /// Money, in billionths of a US dollar; no limit if `None`.
    pub nano_usd: Option<i64>,
}

impl Store {
    /// All budgets, that of everybody first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn budgets(&self) -> Result<Vec<Budget>, StoreError> {
        let rows = sqlx::query_as("SELECT caller, tokens, nano_usd FROM budgets ORDER BY caller");
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Sets the budget of a caller; `actor` did it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_budget(&self, budget: &Budget, actor: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO budgets (caller, tokens, nano_usd, updated_at, updated_by) \
             VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?4) \
             ON CONFLICT DO UPDATE SET tokens = excluded.tokens, nano_usd = excluded.nano_usd, \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        )
        .bind(&budget.caller)
        .bind(budget.tokens)
        .bind(budget.nano_usd)
        .bind(actor)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Removes the budget of a caller; whether there was one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_budget(&self, caller: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM budgets WHERE caller = ?1")
            .bind(caller)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
