//! Prices that administrators have set. Nothing is ever changed or deleted: each edit is a row of its own.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::{Store, StoreError, json};

/// Rates in US dollars for a million tokens, by name.
pub type DollarRates = BTreeMap<String, f64>;

/// An edit of the prices of an id.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceEdit {
    /// A model, profile or last segment of an ARN, with or without a region before it.
    pub id: String,
    /// What applies from then on; `None` for the table's own.
    pub rates: Option<DollarRates>,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
}

#[derive(FromRow)]
struct Row {
    id: String,
    rates: Option<String>,
    at: String,
    actor: String,
}

impl From<Row> for PriceEdit {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            // Only what `set_prices` wrote is there.
            rates: row.rates.and_then(|own| serde_json::from_str(&own).ok()),
            at: row.at,
            actor: row.actor,
        }
    }
}

impl Store {
    /// The prices that are set, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn prices(&self) -> Result<Vec<PriceEdit>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, rates, at, actor FROM prices \
             WHERE edit IN (SELECT MAX(edit) FROM prices GROUP BY id) AND rates IS NOT NULL ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(PriceEdit::from).collect())
    }

    /// The latest edits of prices, the last one first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn price_edits(&self, limit: u32) -> Result<Vec<PriceEdit>, StoreError> {
        let rows =
            sqlx::query_as("SELECT id, rates, at, actor FROM prices ORDER BY edit DESC LIMIT ?1");
        let rows: Vec<Row> = rows.bind(limit).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(PriceEdit::from).collect())
    }

    /// Sets the prices of an id; `actor` did it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_prices(
        &self,
        id: &str,
        rates: &DollarRates,
        actor: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO prices (id, rates, at, actor) \
             VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?3)",
        )
        .bind(id)
        .bind(json(rates)?)
        .bind(actor)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Lets the table's own prices of an id apply again; whether others were set.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_prices(&self, id: &str, actor: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO prices (id, rates, at, actor) \
             SELECT ?1, NULL, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?2 \
             WHERE EXISTS (SELECT 1 FROM prices WHERE id = ?1 AND rates IS NOT NULL \
             AND edit = (SELECT MAX(edit) FROM prices WHERE id = ?1))",
        )
        .bind(id)
        .bind(actor)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
