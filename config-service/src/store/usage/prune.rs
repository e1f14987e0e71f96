//! Forgets what is old, in small steps: records are taken in between.

use super::{StoreError, UsageStore};

/// Rows that one transaction deletes.
const STEP: i64 = 5_000;

/// How long what is kept, each in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Single records.
    pub records: i64,
    /// Sums by hour.
    pub hourly: i64,
    /// Sums by day.
    pub daily: i64,
}

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Single records.
    pub records: u64,
    /// Sums by hour, and the times with them.
    pub hourly: u64,
    /// Sums by day, and the times with them.
    pub daily: u64,
}

impl UsageStore {
    /// Deletes what is older than it may be; `now` is in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails. What was deleted until then stays so.
    pub async fn prune(&self, keep: Retention, now: i64) -> Result<Pruned, StoreError> {
        let hourly = now.saturating_sub(keep.hourly);
        let daily = now.saturating_sub(keep.daily);
        let pruned = Pruned {
            records: self
                .delete(
                    "DELETE FROM records WHERE id IN \
                     (SELECT id FROM records WHERE received_at < ?1 LIMIT ?2)",
                    now.saturating_sub(keep.records),
                )
                .await?,
            hourly: self
                .delete(
                    "DELETE FROM hourly WHERE (period, subject, outcome) IN \
                     (SELECT period, subject, outcome FROM hourly WHERE period < ?1 LIMIT ?2)",
                    hourly,
                )
                .await?
                + self
                    .delete(
                        "DELETE FROM latencies WHERE (period, subject, outcome, kind, bucket) IN \
                         (SELECT period, subject, outcome, kind, bucket FROM latencies WHERE period < ?1 LIMIT ?2)",
                        hourly,
                    )
                    .await?,
            daily: self
                .delete(
                    "DELETE FROM daily WHERE (period, subject, outcome) IN \
                     (SELECT period, subject, outcome FROM daily WHERE period < ?1 LIMIT ?2)",
                    daily,
                )
                .await?
                + self
                    .delete(
                        "DELETE FROM daily_latencies WHERE (period, subject, outcome, kind, bucket) IN \
                         (SELECT period, subject, outcome, kind, bucket FROM daily_latencies WHERE period < ?1 LIMIT ?2)",
                        daily,
                    )
                    .await?,
        };
        self.prune_callers(keep.daily, now).await?;
        sqlx::query("DELETE FROM unserved WHERE last_at < ?1")
            .bind(hourly)
            .execute(&self.writer)
            .await?;
        Ok(pruned)
    }

    async fn delete(&self, statement: &'static str, before: i64) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let done = sqlx::query(statement)
                .bind(before)
                .bind(STEP)
                .execute(&self.writer)
                .await?;
            all += done.rows_affected();
            if done.rows_affected() < STEP.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}
