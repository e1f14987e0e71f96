//! What callers may use in a month, and what they have used.

use std::collections::HashMap;

use super::messages::Exhausted;
use crate::store::{Budget, Spent};
use crate::zone::Zone;

/// A calendar month, in seconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Its start.
    pub start: i64,
    /// The start of the next one.
    pub end: i64,
}

impl Month {
    /// The month that a time is in.
    #[must_use]
    pub fn of(seconds: i64, zone: &Zone) -> Self {
        let (start, end) = zone.month(seconds);
        Self { start, end }
    }

    /// Whether a time is in it.
    #[must_use]
    pub fn has(self, seconds: i64) -> bool {
        (self.start..self.end).contains(&seconds)
    }
}

/// What was used in a month.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) month: Month,
    callers: HashMap<String, Spent>,
    /// By everybody together.
    all: Spent,
}

/// How far a budget is used up.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetUse {
    /// The budget.
    pub budget: Budget,
    /// What was used of it.
    pub spent: Spent,
    /// When it begins anew, in seconds since the epoch.
    pub resets_at: i64,
}

impl Account {
    pub(super) fn new(month: Month, spent: impl IntoIterator<Item = (String, Spent)>) -> Self {
        let mut account = Self {
            month,
            ..Self::default()
        };
        for (caller, spent) in spent {
            account.add(caller, spent);
        }
        account
    }

    pub(super) fn add(&mut self, caller: String, spent: Spent) {
        self.all.add(spent);
        self.callers.entry(caller).or_default().add(spent);
    }

    /// How far budgets are used up.
    pub(super) fn uses(&self, budgets: &[Budget]) -> Vec<BudgetUse> {
        let used = |budget: &Budget| match budget.caller.as_str() {
            "" => self.all,
            caller => self.callers.get(caller).copied().unwrap_or_default(),
        };
        let uses = budgets.iter().map(|budget| BudgetUse {
            spent: used(budget),
            budget: budget.clone(),
            resets_at: self.month.end,
        });
        uses.collect()
    }
}

impl BudgetUse {
    /// The largest part of it that is used, 1 for all; of a budget of 0, all.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let part = |spent: i64, most: Option<i64>| match most {
            None => 0.0,
            Some(0) => 1.0,
            Some(most) => spent as f64 / most as f64,
        };
        let tokens = part(self.spent.tokens, self.budget.tokens);
        tokens.max(part(self.spent.nano_usd, self.budget.nano_usd))
    }

    /// What Envoys are told once it is used up.
    pub(super) fn exhausted(&self) -> Option<Exhausted> {
        let is_over = |spent: i64, most: Option<i64>| most.is_some_and(|most| spent >= most);
        let out_of_money = is_over(self.spent.nano_usd, self.budget.nano_usd);
        let out_of_tokens = is_over(self.spent.tokens, self.budget.tokens);
        (out_of_money || out_of_tokens).then(|| Exhausted {
            caller: self.budget.caller.clone(),
            resets_at: self.resets_at.unsigned_abs(),
            budget: u32::from(!out_of_tokens),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T12:00:00Z
    const NOON: i64 = 1_796_040_000;
    const DAY: i64 = 86_400;

    #[test]
    fn months_are_those_of_the_calendar() {
        let utc = Zone::default();
        let november = Month::of(NOON, &utc);
        assert_eq!(november.end, NOON + DAY / 2);
        assert_eq!(november.end - november.start, 30 * DAY);
        let december = Month::of(november.end, &utc);
        assert_eq!(december.start, november.end);
        assert_eq!(december.end - december.start, 31 * DAY);
        assert!(november.has(NOON) && !november.has(november.end));
        // East of UTC the new month has begun already.
        let tokyo = Month::of(NOON + 4 * 3_600, &"Asia/Tokyo".parse().unwrap());
        assert_eq!(tokyo.start, november.end - 9 * 3_600);
        // January follows December.
        assert_eq!(Month::of(december.end, &utc).end - december.end, 31 * DAY);
    }

    #[test]
    fn budgets_end_when_they_are_used_up() {
        let spent = |tokens, nano_usd| Spent { tokens, nano_usd };
        let budget = |caller: &str, tokens, nano_usd| Budget {
            caller: caller.to_owned(),
            tokens,
            nano_usd,
        };
        let mut account = Account::new(
            Month::of(NOON, &Zone::default()),
            [("a".to_owned(), spent(60, 1))],
        );
        account.add("a".to_owned(), spent(40, 1));
        account.add("b".to_owned(), spent(1, 500));
        let budgets = [
            budget("", Some(1_000), None),
            budget("a", Some(100), Some(1_000)),
            budget("b", None, Some(1_000)),
            budget("c", Some(0), None),
            budget("d", None, Some(10)),
        ];
        let uses = account.uses(&budgets);
        let ratios: Vec<_> = uses.iter().map(BudgetUse::ratio).collect();
        assert_eq!(ratios, [0.101, 1.0, 0.5, 1.0, 0.0]);
        let over: Vec<_> = uses.iter().filter_map(BudgetUse::exhausted).collect();
        let over: Vec<_> = over.iter().map(|own| (&*own.caller, own.budget)).collect();
        assert_eq!(over, [("a", 0), ("c", 0)]);
        account.add("b".to_owned(), spent(0, 500));
        let over = account.uses(&budgets)[2].exhausted().unwrap();
        assert_eq!(
            (over.budget, over.resets_at),
            (1, (NOON + DAY / 2).unsigned_abs())
        );
    }
}
