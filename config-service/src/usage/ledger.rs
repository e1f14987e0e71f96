//! Puts a cost on records and stores them.

use std::sync::{Arc, PoisonError, RwLock};

use prost::Message as _;
use tokio::sync::Mutex;

use super::budgets::{Account, BudgetUse, Month};
use super::figures::{self, Remembered};
use super::messages::{Ack, Record, Report};
use super::traffic;
use crate::health::Health;
use crate::prices::{Called, Counts, Prices};
use crate::store::{Budget, Entry, Store, StoreError, Subject, Taken, UsageStore};
use crate::zone::Zone;

/// The error with which the filter answers for a model that nothing serves.
const NOT_SERVED: &str = "model_not_found";

/// The endpoints that only count tokens, for which AWS charges nothing.
pub(super) const COUNTERS: [&str; 2] = ["anthropic_count_tokens", "openai_input_tokens"];

/// By how much an Envoy's clock may be ahead, in milliseconds. Later records count now: a wrong clock must not fill
/// periods that are yet to come.
const AHEAD_MS: i64 = 3_600_000;

/// By how much a record may be late, in milliseconds: as long as an Envoy may be without the config-service. Older ones
/// count now.
const BEHIND_MS: i64 = 14 * 86_400_000;

/// The book of what was used. Clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: UsageStore,
    /// The prices of the table and of the operator's file.
    listed: Arc<Prices>,
    /// The same with what administrators have set.
    prices: Arc<RwLock<Arc<Prices>>>,
    /// Held while they are read and replaced.
    pricing: Arc<Mutex<()>>,
    budgets: Arc<Mutex<Vec<Budget>>>,
    /// What was used in the running month; held while a batch is stored, so that nothing is added twice.
    account: Arc<Mutex<Option<Account>>>,
    /// What callers were told of their own usage a moment ago.
    told: Arc<Mutex<Remembered>>,
    /// Where it is told what requests have shown of the channels.
    health: Health,
}

impl Ledger {
    /// A ledger that keeps its book in a database.
    #[must_use]
    pub fn new(store: UsageStore, prices: Prices) -> Self {
        let listed = Arc::new(prices);
        Self {
            store,
            prices: Arc::new(RwLock::new(Arc::clone(&listed))),
            listed,
            pricing: Arc::default(),
            budgets: Arc::default(),
            account: Arc::default(),
            told: Arc::default(),
            health: Health::default(),
        }
    }

    /// The same, which tells there what requests have shown of the channels.
    #[must_use]
    pub(crate) fn telling(self, health: Health) -> Self {
        Self { health, ..self }
    }

    /// The time zone of days and months.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        self.store.zone()
    }

    /// What a caller may know of its own usage, as a JSON document, at a time in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn figures(&self, caller: &str, now: i64) -> Result<Vec<u8>, StoreError> {
        // One at a time: whoever asks often gets what was found out before.
        let mut told = self.told.lock().await;
        if let Some(known) = told.get(caller, now) {
            return Ok(known);
        }
        let mut budgets = self.budgets.lock().await.clone();
        budgets.retain(|own| own.caller.is_empty() || own.caller == caller);
        let (month, uses) = {
            let mut account = self.account.lock().await;
            let account = self.current(&mut account, now).await?;
            (account.month, account.uses(&budgets))
        };
        let document = figures::of(&self.store, month, &uses, caller).await?;
        told.keep(caller, now, &document);
        Ok(document)
    }

    /// Enforces these budgets from now on, in place of all others.
    pub async fn enforce(&self, budgets: Vec<Budget>) {
        *self.budgets.lock().await = budgets;
    }

    /// Enforces the budgets that are stored. Whoever comes later reads later, so that the latest edit wins.
    ///
    /// # Errors
    ///
    /// When the database fails. Then those from before apply.
    pub async fn enforce_stored(&self, edited: &Store) -> Result<(), StoreError> {
        let mut budgets = self.budgets.lock().await;
        *budgets = edited.budgets().await?;
        Ok(())
    }

    /// How far the budgets are used up, at a time in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn budget_uses(&self, now: i64) -> Result<Vec<BudgetUse>, StoreError> {
        let budgets = self.budgets.lock().await.clone();
        if budgets.is_empty() {
            return Ok(Vec::new());
        }
        let mut account = self.account.lock().await;
        let account = self.current(&mut account, now).await?;
        Ok(account.uses(&budgets))
    }

    /// What was used in the month that a time is in.
    async fn current<'a>(
        &self,
        account: &'a mut Option<Account>,
        now: i64,
    ) -> Result<&'a mut Account, StoreError> {
        let is_current = account.as_ref().is_some_and(|own| own.month.has(now));
        if !is_current {
            *account = None;
        }
        match account {
            Some(own) => Ok(own),
            none => {
                let month = Month::of(now, self.zone());
                let spent = self.store.spent(month.start, month.end).await?;
                Ok(none.insert(Account::new(month, spent)))
            }
        }
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &UsageStore {
        &self.store
    }

    /// What tokens cost.
    #[must_use]
    pub fn prices(&self) -> Arc<Prices> {
        let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&prices)
    }

    /// What tokens cost unless administrators have set something else.
    #[must_use]
    pub fn listed_prices(&self) -> &Prices {
        &self.listed
    }

    /// Puts the prices that administrators have set on what is recorded from now on; likewise.
    ///
    /// # Errors
    ///
    /// When the database fails. Then those from before apply.
    pub async fn charge_stored(&self, edited: &Store) -> Result<(), StoreError> {
        let _turn = self.pricing.lock().await;
        let set = edited.prices().await?;
        let set = set.iter();
        let set = set.filter_map(|own| Some((own.id.as_str(), own.rates.as_ref()?)));
        let prices = self.listed.with(set);
        let mut own = self.prices.write().unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(prices);
        Ok(())
    }

    /// Stores a report that arrived now, in milliseconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails. Then the report has to come again.
    pub(super) async fn enter(&self, report: Report, now_ms: i64) -> Result<Ack, StoreError> {
        let all = report.records.len();
        let prices = self.prices();
        let read = report.records.iter();
        let entries: Vec<_> = read
            .filter_map(|bytes| Record::decode(&**bytes).ok())
            .filter(|record| !record.id.is_empty())
            .map(|record| entry(record, &prices, now_ms))
            .collect();
        if entries.len() < all {
            let unreadable = all - entries.len();
            tracing::warn!(unreadable, "an Envoy reported records that cannot be read");
        }
        if report.dropped > 0 {
            tracing::warn!(
                records = report.dropped,
                "an Envoy had no room left for what requests used; their usage is lost"
            );
        }
        let now = now_ms.div_euclid(1_000);
        let mut account = self.account.lock().await;
        self.current(&mut account, now).await?;
        let taken = self.store.take(&entries, report.dropped, now).await?;
        let Taken {
            new,
            repeated,
            spent,
        } = taken;
        tracing::debug!(new, repeated, "usage reported");
        traffic::tell(&entries, &self.health);
        if let Some(account) = account.as_mut() {
            for ((hour, caller), spent) in spent {
                if account.month.has(hour) {
                    account.add(caller, spent);
                }
            }
        }
        drop(account);
        let uses = self.budget_uses(now).await?;
        Ok(Ack {
            exhausted: uses.iter().filter_map(BudgetUse::exhausted).collect(),
        })
    }
}

/// What is stored of a record.
fn entry(record: Record, prices: &Prices, now_ms: i64) -> Entry {
    let cost = cost(&record, prices);
    // Bedrock's own refusals have the same code.
    let is_served = record.code != NOT_SERVED || !record.channel.is_empty();
    let unserved = (!is_served && !record.model.is_empty()).then(|| record.model.clone());
    // Clients choose this name; it would be a subject of its own each time.
    let model = if is_served {
        record.model
    } else {
        String::new()
    };
    Entry {
        id: record.id,
        at_ms: plausible(record.at_ms, now_ms),
        subject: Subject {
            caller: record.caller,
            key: record.key,
            channel: record.channel,
            region: record.region,
            model,
            model_id: record.model_id,
            base_model: record.base_model,
            endpoint: record.endpoint,
            tier: record.tier,
        },
        request_id: record.request_id,
        outcome: record.outcome,
        status: u16::try_from(record.status).unwrap_or(0),
        code: record.code,
        foreseen: record.foreseen,
        unserved,
        input: count(record.input),
        output: count(record.output),
        cache_read: count(record.cache_read),
        cache_write: count(record.cache_write),
        reasoning: count(record.reasoning),
        attempts: count(record.attempts),
        duration_ms: count(record.duration_ms),
        first_token_ms: (record.first_token_ms > 0).then(|| count(record.first_token_ms - 1)),
        cost,
    }
}

/// What a request cost. What was refused cost nothing, whatever the price; what broke off cost something of which at most
/// an estimate is known.
fn cost(record: &Record, prices: &Prices) -> Option<i64> {
    let counts = Counts {
        input: record.input,
        output: record.output,
        cache_read: record.cache_read,
        cache_write_5m: record.cache_write.saturating_sub(record.cache_write_1h),
        cache_write_1h: record.cache_write_1h,
    };
    if counts == Counts::default() {
        let is_open = matches!(&*record.outcome, "answered" | "broken" | "cancelled");
        let is_free = record.attempts == 0 || !is_open || COUNTERS.contains(&&*record.endpoint);
        return is_free.then_some(0);
    }
    // Of an answer that broke off, most models have not said how long the prompt was.
    let is_estimate = matches!(&*record.outcome, "broken" | "cancelled");
    let has_prompt = counts.input > 0 || counts.cache_read > 0 || record.cache_write > 0;
    if is_estimate && !has_prompt {
        return None;
    }
    let called = Called {
        region: &record.region,
        model_id: &record.model_id,
        base_model: &record.base_model,
        tier: &record.tier,
    };
    let cost = prices.cost(called, &counts)?;
    Some(count(cost.0))
}

/// A time that a record can have.
fn plausible(at_ms: u64, now_ms: i64) -> i64 {
    let at = count(at_ms);
    let range = now_ms.saturating_sub(BEHIND_MS)..=now_ms.saturating_add(AHEAD_MS);
    if range.contains(&at) { at } else { now_ms }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::UsageQuery;

    const NOW: i64 = 1_796_040_000_000;

    fn record(number: u8) -> Record {
        Record {
            id: vec![number; 16],
            at_ms: NOW.unsigned_abs(),
            model: "nova".to_owned(),
            model_id: "amazon.nova-pro-v1:0".to_owned(),
            base_model: "amazon.nova-pro-v1:0".to_owned(),
            outcome: "answered".to_owned(),
            input: 1_000,
            output: 500,
            attempts: 1,
            ..Record::default()
        }
    }

    async fn sums_of(reports: Vec<Report>) -> crate::store::Sums {
        let folder = tempfile::tempdir().unwrap();
        let store = UsageStore::open(&folder.path().join("usage.db"))
            .await
            .unwrap();
        let ledger = Ledger::new(store, Prices::built_in());
        for report in reports {
            ledger.enter(report, NOW).await.unwrap();
        }
        let query = UsageQuery {
            to: i64::MAX,
            limit: 1,
            ..UsageQuery::default()
        };
        ledger.store().lines(&query).await.unwrap()[0].sums
    }

    fn report(records: &[Record]) -> Report {
        Report {
            records: records.iter().map(Record::encode_to_vec).collect(),
            dropped: 0,
        }
    }

    #[tokio::test]
    async fn a_record_gets_the_cost_of_its_tokens() {
        let unknown = Record {
            model_id: "secret".to_owned(),
            base_model: String::new(),
            ..record(2)
        };
        let free = Record {
            outcome: "refused".to_owned(),
            code: "model_not_found".to_owned(),
            model_id: String::new(),
            base_model: String::new(),
            input: 0,
            output: 0,
            ..record(3)
        };
        let sums = sums_of(vec![report(&[record(1), unknown, free])]).await;
        assert_eq!((sums.requests, sums.errors), (3, 1));
        assert_eq!((sums.cost_nano_usd, sums.unpriced), (2_400_000, 1));
    }

    #[tokio::test]
    async fn what_broke_off_costs_what_is_known_of_it_or_an_unknown_amount() {
        let cancelled = |number, input, output| Record {
            outcome: "cancelled".to_owned(),
            input,
            output,
            ..record(number)
        };
        // 1,000 x 0.8 $/M + 10 x 3.2 $/M
        let sums = sums_of(vec![report(&[cancelled(1, 1_000, 10)])]).await;
        assert_eq!((sums.cost_nano_usd, sums.unpriced), (832_000, 0));
        assert_eq!((sums.errors, sums.output_tokens), (1, 10));
        // The prompt's length came with none of the events.
        let sums = sums_of(vec![report(&[cancelled(1, 0, 10), cancelled(2, 0, 0)])]).await;
        assert_eq!((sums.cost_nano_usd, sums.unpriced), (0, 2));
        assert_eq!(sums.output_tokens, 10);
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_does_not_keep_the_others_away() {
        let mut batch = report(&[record(1), record(2)]);
        batch.records.insert(1, vec![0x0a, 200]);
        batch.records.push(Vec::new());
        assert_eq!(sums_of(vec![batch.clone(), batch]).await.requests, 2);
    }

    #[tokio::test]
    async fn a_budget_that_is_used_up_is_in_the_answer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage.db");
        let store = UsageStore::open(&file).await.unwrap();
        let ledger = Ledger::new(store, Prices::built_in());
        let budget = Budget {
            tokens: Some(4_000),
            ..Budget::default()
        };
        ledger.enforce(vec![budget.clone()]).await;
        let mut told = Vec::new();
        for number in 1..=3 {
            let batch = report(&[record(number)]);
            // The answer to the first was lost.
            ledger.enter(batch.clone(), NOW).await.unwrap();
            told.push(ledger.enter(batch, NOW).await.unwrap().exhausted.len());
        }
        assert_eq!(told, [0, 0, 1], "1,500 tokens each");
        // A service that has just started knows it too, and the next month begins anew.
        let again = Ledger::new(ledger.store().clone(), Prices::built_in());
        again.enforce(vec![budget]).await;
        let empty = || report(&[]);
        assert_eq!(again.enter(empty(), NOW).await.unwrap().exhausted.len(), 1);
        let december = NOW + 86_400_000;
        assert!(
            again
                .enter(empty(), december)
                .await
                .unwrap()
                .exhausted
                .is_empty()
        );
        ledger.enforce(Vec::new()).await;
        assert!(
            ledger
                .enter(empty(), NOW)
                .await
                .unwrap()
                .exhausted
                .is_empty()
        );
    }

    #[test]
    fn a_wrong_clock_does_not_reach_far() {
        assert_eq!(plausible(NOW.unsigned_abs() - 5, NOW), NOW - 5);
        for wrong in [0, u64::MAX, NOW.unsigned_abs() + 7_200_000] {
            assert_eq!(plausible(wrong, NOW), NOW);
        }
    }
}
