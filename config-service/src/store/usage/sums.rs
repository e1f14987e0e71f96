//! Adds requests up, and the sums to those that are stored.

use sqlx::{Sqlite, Transaction};

use super::StoreError;
use super::rows::{Entry, Spent, Sums};

/// A row of sums: its period, subject and outcome.
pub(super) type Place = (i64, i64, String);

/// Adds to a number that is stored, up to 10^18: what overflows would be no whole number any more, and not be taken.
macro_rules! plus {
    ($column:literal) => {
        concat!(
            $column,
            " = MIN(",
            $column,
            " + excluded.",
            $column,
            ", 1000000000000000000)"
        )
    };
}

/// The same for all sums of a row.
macro_rules! plus_sums {
    () => {
        concat!(
            plus!("requests"),
            ", ",
            plus!("input"),
            ", ",
            plus!("output"),
            ", ",
            plus!("cache_read"),
            ", ",
            plus!("cache_write"),
            ", ",
            plus!("reasoning"),
            ", ",
            plus!("attempts"),
            ", ",
            plus!("duration_ms"),
            ", ",
            plus!("first_token_ms"),
            ", ",
            plus!("with_first_token"),
            ", ",
            plus!("cost"),
            ", ",
            plus!("unpriced")
        )
    };
}

pub(super) use {plus, plus_sums};

impl Entry {
    /// What counts against budgets.
    pub(super) fn spent(&self) -> Spent {
        let input = self
            .input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write);
        Spent {
            tokens: input.saturating_add(self.output),
            nano_usd: self.cost.unwrap_or(0),
        }
    }
}

impl Sums {
    /// Adds a request.
    pub(super) fn add(&mut self, entry: &Entry) {
        self.requests += 1;
        self.input_tokens = self.input_tokens.saturating_add(entry.input);
        self.output_tokens = self.output_tokens.saturating_add(entry.output);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(entry.cache_read);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(entry.cache_write);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(entry.reasoning);
        self.attempts = self.attempts.saturating_add(entry.attempts);
        self.duration_ms = self.duration_ms.saturating_add(entry.duration_ms);
        if let Some(time) = entry.first_token_ms {
            self.first_token_ms = self.first_token_ms.saturating_add(time);
            self.with_first_token += 1;
        }
        match entry.cost {
            Some(cost) => self.cost_nano_usd = self.cost_nano_usd.saturating_add(cost),
            None => self.unpriced += 1,
        }
    }
}

/// Adds to a row of sums, which may not be there yet.
macro_rules! addition {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (period, subject, outcome, requests, input, output, cache_read, cache_write, reasoning, attempts, \
             duration_ms, first_token_ms, with_first_token, cost, unpriced) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT DO UPDATE SET ",
            plus_sums!()
        )
    };
}

/// Adds to the sums of an hour.
pub(super) const HOURLY: &str = addition!("hourly");
/// Adds to the sums of a day.
pub(super) const DAILY: &str = addition!("daily");

/// Adds to a row of sums by one of the two.
pub(super) async fn add_sums(
    transaction: &mut Transaction<'_, Sqlite>,
    statement: &'static str,
    (period, subject, outcome): &Place,
    sums: &Sums,
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .bind(period)
        .bind(subject)
        .bind(outcome)
        .bind(sums.requests)
        .bind(sums.input_tokens)
        .bind(sums.output_tokens)
        .bind(sums.cache_read_tokens)
        .bind(sums.cache_write_tokens)
        .bind(sums.reasoning_tokens)
        .bind(sums.attempts)
        .bind(sums.duration_ms)
        .bind(sums.first_token_ms)
        .bind(sums.with_first_token)
        .bind(sums.cost_nano_usd)
        .bind(sums.unpriced)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
