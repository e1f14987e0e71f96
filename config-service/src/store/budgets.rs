//! What callers may use in a month.

use std::collections::BTreeMap;

use sqlx::{FromRow, Sqlite, Transaction};

use super::{Store, StoreError, signed};
use crate::caller::CallerBook;

/// Billionths of a dollar in a cent.
const NANOS_OF_A_CENT: u64 = 10_000_000;

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

/// A caller that got another name.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CallerRename {
    /// Larger than those of earlier ones.
    #[sqlx(rename = "rename")]
    pub number: i64,
    /// The name that it had.
    pub earlier: String,
    /// The name that it got.
    pub later: String,
}

/// An edit of a budget; without tokens and money it was removed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BudgetEdit {
    /// The caller's name; empty for everybody together.
    pub caller: String,
    /// Tokens a month from then on.
    pub tokens: Option<i64>,
    /// Billionths of a US dollar a month from then on.
    pub nano_usd: Option<i64>,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
}

impl Store {
    /// All budgets, that of everybody first: those that were set, and those that callers have as fields of their own. If a
    /// caller has both, the smaller one counts.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn budgets(&self) -> Result<Vec<Budget>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let set = sqlx::query_as("SELECT caller, tokens, nano_usd FROM budgets");
        let set: Vec<Budget> = set.fetch_all(&mut *transaction).await?;
        let book = self.caller_book(&mut transaction).await?;
        transaction.commit().await?;
        Ok(together(set, &book))
    }

    /// The latest edits of budgets, the last one first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn budget_edits(&self, limit: u32) -> Result<Vec<BudgetEdit>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT caller, tokens, nano_usd, at, actor FROM budget_edits ORDER BY edit DESC LIMIT ?1",
        );
        Ok(rows.bind(limit).fetch_all(&self.pool).await?)
    }

    /// Sets the budget of a caller; `actor` did it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_budget(&self, budget: &Budget, actor: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        put(&mut transaction, budget, actor).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes the budget of a caller; whether there was one. `actor` did it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_budget(&self, caller: &str, actor: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let removed = take(&mut transaction, caller, actor).await?;
        transaction.commit().await?;
        Ok(removed.is_some())
    }

    /// All callers that ever got another name, in the order in which that happened.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn caller_renames(&self) -> Result<Vec<CallerRename>, StoreError> {
        let rows =
            sqlx::query_as("SELECT rename, earlier, later FROM caller_renames ORDER BY rename");
        Ok(rows.fetch_all(&self.pool).await?)
    }
}

/// A caller has got another name: its budget goes with it, and the database of usage will learn of it. If there is a budget
/// for the later name already, the smaller one counts.
pub(super) async fn rename(
    transaction: &mut Transaction<'_, Sqlite>,
    (earlier, later): (&str, &str),
    actor: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO caller_renames (earlier, later) VALUES (?1, ?2)")
        .bind(earlier)
        .bind(later)
        .execute(&mut **transaction)
        .await?;
    let Some(own) = take(transaction, earlier, actor).await? else {
        return Ok(());
    };
    let there = sqlx::query_as("SELECT caller, tokens, nano_usd FROM budgets WHERE caller = ?1");
    let there: Option<Budget> = there.bind(later).fetch_optional(&mut **transaction).await?;
    let there = there.unwrap_or_default();
    let budget = Budget {
        caller: later.to_owned(),
        tokens: smaller(own.tokens, there.tokens),
        nano_usd: smaller(own.nano_usd, there.nano_usd),
    };
    put(transaction, &budget, actor).await
}

async fn put(
    transaction: &mut Transaction<'_, Sqlite>,
    budget: &Budget,
    actor: &str,
) -> Result<(), StoreError> {
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
    .execute(&mut **transaction)
    .await?;
    note(transaction, budget, actor).await
}

/// Removes the budget of a caller, and returns it.
async fn take(
    transaction: &mut Transaction<'_, Sqlite>,
    caller: &str,
    actor: &str,
) -> Result<Option<Budget>, StoreError> {
    let removed =
        sqlx::query_as("DELETE FROM budgets WHERE caller = ?1 RETURNING caller, tokens, nano_usd");
    let removed: Option<Budget> = removed
        .bind(caller)
        .fetch_optional(&mut **transaction)
        .await?;
    if removed.is_some() {
        let none = Budget {
            caller: caller.to_owned(),
            ..Budget::default()
        };
        note(transaction, &none, actor).await?;
    }
    Ok(removed)
}

/// Notes an edit.
async fn note(
    transaction: &mut Transaction<'_, Sqlite>,
    budget: &Budget,
    actor: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget_edits (caller, tokens, nano_usd, at, actor) \
         VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?4)",
    )
    .bind(&budget.caller)
    .bind(budget.tokens)
    .bind(budget.nano_usd)
    .bind(actor)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Of each caller, the smaller of what was set and what it has.
fn together(set: Vec<Budget>, book: &CallerBook) -> Vec<Budget> {
    let own = book.callers.iter().map(|stored| {
        let caller = &stored.caller;
        let usd = caller.monthly_usd.map(|own| own.cents());
        Budget {
            caller: caller.name.clone(),
            tokens: caller.monthly_tokens.map(signed),
            nano_usd: usd.map(|cents| signed(cents.saturating_mul(NANOS_OF_A_CENT))),
        }
    });
    let own = own.filter(|own| own.tokens.is_some() || own.nano_usd.is_some());
    let mut all: BTreeMap<String, Budget> = BTreeMap::new();
    for budget in set.into_iter().chain(own) {
        let known = all.entry(budget.caller.clone()).or_insert_with(|| Budget {
            caller: budget.caller.clone(),
            ..Budget::default()
        });
        known.tokens = smaller(known.tokens, budget.tokens);
        known.nano_usd = smaller(known.nano_usd, budget.nano_usd);
    }
    all.into_values().collect()
}

/// `None` is no limit.
fn smaller(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::caller::{Caller, StoredCaller, Usd};

    #[test]
    fn of_two_budgets_of_a_caller_the_smaller_counts() {
        let stored = |name: &str, tokens, cents: Option<u64>| {
            Arc::new(StoredCaller {
                id: name.to_owned(),
                caller: Caller {
                    name: name.to_owned(),
                    monthly_tokens: tokens,
                    monthly_usd: cents.map(Usd::from_cents),
                    ..Caller::default()
                },
                keys: Vec::new(),
                revision: 1,
                created_at: String::new(),
                updated_at: String::new(),
            })
        };
        let book = CallerBook {
            callers: vec![
                stored("a", Some(100), Some(250)),
                stored("b", None, None),
                stored("c", Some(u64::MAX), None),
            ],
            ..CallerBook::default()
        };
        let budget = |caller: &str, tokens, nano_usd| Budget {
            caller: caller.to_owned(),
            tokens,
            nano_usd,
        };
        let set = vec![
            budget("a", Some(900), Some(1)),
            budget("", Some(5), None),
            budget("gone", None, Some(3)),
        ];
        let expected = [
            budget("", Some(5), None),
            budget("a", Some(100), Some(1)),
            budget("c", Some(i64::MAX), None),
            budget("gone", None, Some(3)),
        ];
        assert_eq!(together(set, &book), expected);
        let alone = together(Vec::new(), &book);
        assert_eq!(alone[0], budget("a", Some(100), Some(2_500_000_000)));
    }
}
