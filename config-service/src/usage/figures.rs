//! What callers may know of their own usage: the answer to `GET /v1/usage` at the gateway.
//!
//! It has nothing of anybody else, and nothing of how the gateway is set up: no channel, profile or region.

use std::collections::HashMap;

use serde::Serialize;

use super::budgets::{BudgetUse, Month};
use crate::prices::NanoDollars;
use crate::store::{Dimension, Line, Order, StoreError, Sums, UsageQuery, UsageStore};

/// For how many seconds the same answer is given again.
const FRESH: i64 = 2;

/// Most answers that are remembered.
const REMEMBERED: usize = 1_000;

/// Most models of an answer, the most expensive first.
const MODELS: u32 = 100;

/// More days than a month has.
const DAYS: u32 = 40;

/// Answers of the last seconds, by caller.
#[derive(Debug, Default)]
pub(super) struct Remembered(HashMap<String, (i64, Vec<u8>)>);

impl Remembered {
    pub(super) fn get(&self, caller: &str, now: i64) -> Option<Vec<u8>> {
        let (at, document) = self.0.get(caller)?;
        let is_fresh = (*at..at.saturating_add(FRESH)).contains(&now);
        is_fresh.then(|| document.clone())
    }

    pub(super) fn keep(&mut self, caller: &str, now: i64, document: &[u8]) {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(caller.to_owned(), (now, document.to_vec()));
    }
}

/// The whole answer.
#[derive(Serialize)]
struct Document<'a> {
    object: &'static str,
    caller: &'a str,
    time_zone: String,
    /// The running month.
    from: String,
    to: String,
    #[serde(flatten)]
    used: Used,
    /// What the caller may use in it.
    budget: Option<OwnBudget>,
    /// Whether requests are refused now, because this budget or that of everybody together is used up.
    exhausted: bool,
    by_model: Vec<OfModel>,
    by_day: Vec<OfDay>,
}

/// Sums for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Used {
    requests: i64,
    errors: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    reasoning_tokens: i64,
    cost_usd: f64,
    /// Answers whose cost is unknown.
    unpriced: i64,
}

#[derive(Serialize)]
struct OwnBudget {
    tokens: Option<Part<i64>>,
    usd: Option<Part<f64>>,
    resets_at: String,
}

#[derive(Serialize)]
struct Part<N> {
    limit: N,
    used: N,
    remaining: N,
}

#[derive(Serialize)]
struct OfModel {
    model: String,
    #[serde(flatten)]
    used: Used,
}

#[derive(Serialize)]
struct OfDay {
    day: String,
    #[serde(flatten)]
    used: Used,
}

/// Finds out what a caller used in a month; `uses` are the budgets that concern it.
pub(super) async fn of(
    store: &UsageStore,
    month: Month,
    uses: &[BudgetUse],
    caller: &str,
) -> Result<Vec<u8>, StoreError> {
    let zone = store.zone();
    let query = UsageQuery {
        from: month.start,
        to: month.end,
        only: vec![(Dimension::Caller, caller.to_owned())],
        by: vec![Dimension::Period],
        limit: DAYS,
        ..UsageQuery::default()
    };
    let days = store.lines(&query).await?;
    let query = UsageQuery {
        by: vec![Dimension::Model],
        order: Order::Cost,
        limit: MODELS,
        ..query
    };
    let models = store.lines(&query).await?;
    let own = uses.iter().find(|own| own.budget.caller == caller);
    let document = Document {
        object: "usage",
        caller,
        time_zone: zone.to_string(),
        from: zone.rfc3339(month.start),
        to: zone.rfc3339(month.end),
        used: total(&days),
        budget: own.map(|own| OwnBudget::new(own, zone.rfc3339(own.resets_at))),
        exhausted: uses.iter().any(|own| own.exhausted().is_some()),
        by_model: models.into_iter().map(OfModel::from).collect(),
        by_day: days
            .iter()
            .map(|line| OfDay {
                day: zone.day_text(line.period.unwrap_or_default()),
                used: line.sums.into(),
            })
            .collect(),
    };
    Ok(serde_json::to_vec(&document).unwrap_or_default())
}

fn total(days: &[Line]) -> Used {
    let mut all = Sums::default();
    for Line { sums, .. } in days {
        for (all, own) in [
            (&mut all.requests, sums.requests),
            (&mut all.errors, sums.errors),
            (&mut all.input_tokens, sums.input_tokens),
            (&mut all.output_tokens, sums.output_tokens),
            (&mut all.cache_read_tokens, sums.cache_read_tokens),
            (&mut all.cache_write_tokens, sums.cache_write_tokens),
            (&mut all.reasoning_tokens, sums.reasoning_tokens),
            (&mut all.cost_nano_usd, sums.cost_nano_usd),
            (&mut all.unpriced, sums.unpriced),
        ] {
            *all = all.saturating_add(own);
        }
    }
    all.into()
}

impl From<Sums> for Used {
    fn from(sums: Sums) -> Self {
        Self {
            requests: sums.requests,
            errors: sums.errors,
            input_tokens: sums.input_tokens,
            output_tokens: sums.output_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            cost_usd: dollars(sums.cost_nano_usd),
            unpriced: sums.unpriced,
        }
    }
}

impl From<Line> for OfModel {
    fn from(line: Line) -> Self {
        Self {
            model: line.model.unwrap_or_default(),
            used: line.sums.into(),
        }
    }
}

impl OwnBudget {
    fn new(own: &BudgetUse, resets_at: String) -> Self {
        let left = |limit: i64, used: i64| limit.saturating_sub(used).max(0);
        let (tokens, nanos) = (own.spent.tokens, own.spent.nano_usd);
        Self {
            tokens: own.budget.tokens.map(|limit| Part {
                limit,
                used: tokens,
                remaining: left(limit, tokens),
            }),
            usd: own.budget.nano_usd.map(|limit| Part {
                limit: dollars(limit),
                used: dollars(nanos),
                remaining: dollars(left(limit, nanos)),
            }),
            resets_at,
        }
    }
}

fn dollars(nanos: i64) -> f64 {
    NanoDollars(nanos.unsigned_abs()).dollars()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_again_for_a_moment() {
        let mut own = Remembered::default();
        own.keep("a", 100, b"1");
        assert_eq!(own.get("a", 101).as_deref(), Some(&b"1"[..]));
        for (caller, now) in [("a", 102), ("a", 99), ("b", 100)] {
            assert_eq!(own.get(caller, now), None, "{caller} {now}");
        }
        for number in 0..2 * REMEMBERED {
            own.keep(&number.to_string(), 100, b"");
        }
        assert!(own.0.len() <= REMEMBERED);
    }
}
