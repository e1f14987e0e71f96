//! Callers that got another name keep what they have used.

use sqlx::{Sqlite, Transaction};

use super::sums::{plus, plus_sums};
use super::{StoreError, UsageStore};
use crate::store::CallerRename;

/// The name under which the number of the last rename is kept that was taken over.
const LAST: &str = "caller_renames";

/// Subjects of one caller, each with that of another that is the same otherwise.
const PAIRS: &str = "SELECT one.id, other.id FROM subjects AS one JOIN subjects AS other ON other.key = one.key \
     AND other.channel = one.channel AND other.region = one.region AND other.model = one.model \
     AND other.model_id = one.model_id AND other.base_model = one.base_model \
     AND other.endpoint = one.endpoint AND other.tier = one.tier WHERE one.caller = ?1 AND other.caller = ?2";

/// Adds the sums of one subject to those of another.
macro_rules! join_sums {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (period, subject, outcome, requests, input, output, cache_read, cache_write, reasoning, attempts, \
             duration_ms, first_token_ms, with_first_token, cost, unpriced) \
             SELECT period, ?2, outcome, requests, input, output, cache_read, cache_write, reasoning, attempts, \
             duration_ms, first_token_ms, with_first_token, cost, unpriced FROM ",
            $table,
            " WHERE subject = ?1 ON CONFLICT DO UPDATE SET ",
            plus_sums!()
        )
    };
}

/// Adds the times of one subject to those of another.
macro_rules! join_times {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (period, subject, outcome, kind, bucket, requests) SELECT period, ?2, outcome, kind, bucket, requests FROM ",
            $table,
            " WHERE subject = ?1 ON CONFLICT DO UPDATE SET ",
            plus!("requests")
        )
    };
}

/// Makes one subject a part of another.
const JOIN: [&str; 10] = [
    join_sums!("hourly"),
    join_sums!("daily"),
    join_times!("latencies"),
    join_times!("daily_latencies"),
    "UPDATE records SET subject = ?2 WHERE subject = ?1",
    "DELETE FROM hourly WHERE subject = ?1 AND ?2 <> ?1",
    "DELETE FROM daily WHERE subject = ?1 AND ?2 <> ?1",
    "DELETE FROM latencies WHERE subject = ?1 AND ?2 <> ?1",
    "DELETE FROM daily_latencies WHERE subject = ?1 AND ?2 <> ?1",
    "DELETE FROM subjects WHERE id = ?1 AND ?2 <> ?1",
];

/// Gives the rest to the later name.
const MOVE: [&str; 3] = [
    "UPDATE subjects SET caller = ?2 WHERE caller = ?1",
    "INSERT INTO last_used (kind, name, at_ms) SELECT kind, ?2, at_ms FROM last_used \
     WHERE kind = 'caller' AND name = ?1 ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)",
    "DELETE FROM last_used WHERE kind = 'caller' AND name = ?1 AND ?2 <> ?1",
];

impl UsageStore {
    /// Gives what callers used under earlier names to their later ones, each time once; whether there was anything to do.
    /// `renames` are all that there have ever been. Of those from before this database nothing is in it.
    ///
    /// # Errors
    ///
    /// When the database fails. Then nothing has changed.
    pub async fn rename_callers(&self, renames: &[CallerRename]) -> Result<bool, StoreError> {
        let newest = renames.last().map_or(0, |own| own.number);
        let mut known = self.subjects.lock().await;
        let last = sqlx::query_scalar("SELECT value FROM totals WHERE name = ?1").bind(LAST);
        let last: Option<i64> = last.fetch_optional(&self.readers).await?;
        if last == Some(newest) {
            return Ok(false);
        }
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut is_changed = false;
        for own in renames {
            if last.is_some_and(|last| own.number > last) {
                rename(&mut transaction, &own.earlier, &own.later).await?;
                is_changed = true;
            }
        }
        sqlx::query(
            "INSERT INTO totals (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        )
        .bind(LAST)
        .bind(newest)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        known.clear();
        Ok(is_changed)
    }
}

async fn rename(
    transaction: &mut Transaction<'_, Sqlite>,
    earlier: &str,
    later: &str,
) -> Result<(), StoreError> {
    let pairs = sqlx::query_as(PAIRS).bind(earlier).bind(later);
    let pairs: Vec<(i64, i64)> = pairs.fetch_all(&mut **transaction).await?;
    for (one, other) in pairs {
        for statement in JOIN {
            let query = sqlx::query(statement).bind(one).bind(other);
            query.execute(&mut **transaction).await?;
        }
    }
    for statement in MOVE {
        let query = sqlx::query(statement).bind(earlier).bind(later);
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}
