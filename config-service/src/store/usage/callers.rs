//! Who asks: when callers and keys were last used, and what would become of requests if everybody needed a key.

use std::collections::BTreeMap;

use sqlx::{Sqlite, Transaction};

use super::rows::Entry;
use super::{StoreError, UsageStore};
use crate::caller::{LastUses, Timestamp};

/// The length of a period for which requests are counted, in seconds.
const MINUTE: i64 = 60;

/// How long they are kept, in seconds. Somebody looks at the last hour.
const KEPT: i64 = 6 * 3_600;

/// What a batch adds.
#[derive(Debug, Default)]
pub(super) struct Callers {
    foreseen: BTreeMap<(i64, String), i64>,
    last_used: BTreeMap<(&'static str, String), i64>,
}

impl Callers {
    /// Takes a request.
    pub(super) fn add(&mut self, entry: &Entry) {
        let seconds = entry.at_ms.div_euclid(1_000);
        let minute = seconds - seconds.rem_euclid(MINUTE);
        *self
            .foreseen
            .entry((minute, entry.foreseen.clone()))
            .or_default() += 1;
        let who = [
            ("caller", &entry.subject.caller),
            ("key", &entry.subject.key),
        ];
        for (kind, name) in who.into_iter().filter(|(_, name)| !name.is_empty()) {
            let at = self.last_used.entry((kind, name.clone())).or_default();
            *at = (*at).max(entry.at_ms);
        }
    }

    /// Adds it to what is stored.
    pub(super) async fn write(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
    ) -> Result<(), StoreError> {
        for ((minute, foreseen), requests) in &self.foreseen {
            sqlx::query(
                "INSERT INTO foreseen (minute, foreseen, requests) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET requests = requests + excluded.requests",
            )
            .bind(minute)
            .bind(foreseen)
            .bind(requests)
            .execute(&mut **transaction)
            .await?;
        }
        for ((kind, name), at_ms) in &self.last_used {
            sqlx::query(
                "INSERT INTO last_used (kind, name, at_ms) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)",
            )
            .bind(*kind)
            .bind(name)
            .bind(at_ms)
            .execute(&mut **transaction)
            .await?;
        }
        Ok(())
    }
}

impl UsageStore {
    /// How many requests arrived in the minutes since a time, in seconds since the epoch, by what would have become of
    /// them if every client needed a key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn foreseen(&self, since: i64) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT foreseen, SUM(requests) FROM foreseen WHERE minute >= ?1 GROUP BY foreseen",
        )
        .bind(since)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// When all callers and keys were last used.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn last_uses(&self) -> Result<LastUses, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT kind, name, at_ms FROM last_used")
                .fetch_all(&self.readers)
                .await?;
        let mut uses = LastUses::default();
        for (kind, name, at_ms) in rows {
            let at = Timestamp::from_seconds(at_ms.max(0).unsigned_abs() / 1_000);
            match kind.as_str() {
                "key" => uses.note_key(name, at),
                _ => uses.note_caller(name, at),
            }
        }
        Ok(uses)
    }

    /// Forgets what is old; `now` is in seconds since the epoch, and `last_used` says for how many seconds names are kept.
    pub(super) async fn prune_callers(&self, last_used: i64, now: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM foreseen WHERE minute < ?1")
            .bind(now.saturating_sub(KEPT))
            .execute(&self.writer)
            .await?;
        sqlx::query("DELETE FROM last_used WHERE at_ms < ?1")
            .bind(now.saturating_sub(last_used).saturating_mul(1_000))
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
