//! Values of limits that Envoys may use, kept so that a restart does not take their rules away.

use std::collections::BTreeSet;

use super::{Store, StoreError, json};
use crate::limit_rules::{Kind, LimitValue};

impl Store {
    /// Stores the values that have rules, in place of those before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn keep_limits(
        &self,
        values: &BTreeSet<LimitValue>,
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = values
            .iter()
            .map(|own| (own.kind.key(), own.value))
            .collect();
        let rows = json(&rows)?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM published_limits")
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO published_limits (kind, value) \
             SELECT value ->> 0, value ->> 1 FROM json_each(?1)",
        )
        .bind(rows)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The values that had rules.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn kept_limits(&self) -> Result<BTreeSet<LimitValue>, StoreError> {
        let rows: Vec<(String, u32)> = sqlx::query_as("SELECT kind, value FROM published_limits")
            .fetch_all(&self.pool)
            .await?;
        let values = rows.into_iter().filter_map(|(key, value)| {
            let kind = Kind::of_key(&key)?;
            Some(LimitValue { kind, value })
        });
        Ok(values.collect())
    }
}
