//! Puts a cost on records and stores them.

use std::sync::{Arc, PoisonError, RwLock};

use prost::Message as _;
use tokio::sync::Mutex;

use super::budgets::{Account, BudgetUse, Month};
use super::entry::{MOST, capped, entry};
use super::figures::{self, Remembered};
use super::messages::{Ack, Record, Report};
use super::tally::{Fate, Tally};
use super::traffic;
use crate::health::Health;
use crate::prices::Prices;
use crate::store::{Budget, Store, StoreError, Taken, UsageStore};
use crate::zone::Zone;

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
    /// What became of reports.
    tally: Arc<Tally>,
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
            tally: Arc::default(),
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

    /// Enforces the budgets that are stored, and gives what was used under earlier names of callers to their present ones.
    /// Whoever comes later reads later, so that the latest edit wins.
    ///
    /// # Errors
    ///
    /// When the database fails. Then those from before apply.
    pub async fn enforce_stored(&self, edited: &Store) -> Result<(), StoreError> {
        self.follow_renames(edited).await?;
        let mut budgets = self.budgets.lock().await;
        *budgets = edited.budgets().await?;
        Ok(())
    }

    async fn follow_renames(&self, edited: &Store) -> Result<(), StoreError> {
        // Before anybody reads what follows, so that the last rename is not passed over.
        let mut told = self.told.lock().await;
        let mut account = self.account.lock().await;
        let renames = edited.caller_renames().await?;
        if self.store.rename_callers(&renames).await? {
            *told = Remembered::default();
            *account = None;
        }
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

    /// What became of what Envoys reported since the service started.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Stores a report that arrived now, in milliseconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails. Then the report has to come again.
    pub(super) async fn enter(&self, report: Report, now_ms: i64) -> Result<Ack, StoreError> {
        let entered = self.store_report(report, now_ms).await;
        self.tally.reported(entered.is_ok());
        entered
    }

    async fn store_report(&self, report: Report, now_ms: i64) -> Result<Ack, StoreError> {
        let (all, dropped) = (report.records.len(), report.dropped.min(MOST));
        let prices = self.prices();
        let read = report.records.iter();
        let mut implausible = 0_u64;
        let entries: Vec<_> = read
            .filter_map(|bytes| Record::decode(&**bytes).ok())
            .filter(|record| !record.id.is_empty())
            .map(|record| {
                let (record, is_true) = capped(record);
                implausible += u64::from(!is_true);
                entry(record, &prices, now_ms)
            })
            .collect();
        let unreadable = all - entries.len();
        if unreadable > 0 {
            tracing::warn!(unreadable, "an Envoy reported records that cannot be read");
        }
        if implausible > 0 {
            tracing::warn!(
                records = implausible,
                most = MOST,
                "an Envoy reported counts that no request can have; they count as the most that is believed"
            );
        }
        if dropped > 0 {
            tracing::warn!(
                records = dropped,
                "an Envoy had no room left for what requests used; their usage is lost"
            );
        }
        let now = now_ms.div_euclid(1_000);
        let mut account = self.account.lock().await;
        self.current(&mut account, now).await?;
        let taken = self.store.take(&entries, dropped, now).await?;
        self.tally.add(Fate::Dropped, dropped);
        self.tally.add(Fate::Unreadable, unreadable as u64);
        self.tally.add(Fate::Implausible, implausible);
        self.tally.add(Fate::Stored, taken.new as u64);
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
    async fn absurd_counts_are_cut_and_do_not_stop_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage.db");
        let store = UsageStore::open(&file).await.unwrap();
        let ledger = Ledger::new(store, Prices::built_in());
        ledger.enforce(vec![Budget::default()]).await;
        let absurd = |number| Record {
            input: u64::MAX,
            cache_write: u64::MAX,
            cache_write_1h: u64::MAX,
            output: u64::MAX,
            duration_ms: u64::MAX,
            first_token_ms: u64::MAX,
            ..record(number)
        };
        let batch = Report {
            dropped: u64::MAX,
            ..report(&[absurd(1), absurd(2), record(3)])
        };
        ledger.enter(batch, NOW).await.unwrap();
        ledger.enter(report(&[record(4)]), NOW).await.unwrap();
        let uses = ledger.budget_uses(NOW / 1_000).await.unwrap();
        let most = i64::try_from(MOST).unwrap();
        assert_eq!(uses[0].spent.tokens, 6 * most + 2 * 1_500);
        // Two of 10^9 x (0.8 + 0.8 + 3.2) $/M, and two of 0.0024 $.
        assert_eq!(uses[0].spent.nano_usd, 2 * 4_800_000_000_000 + 4_800_000);
        ledger.figures("", NOW / 1_000).await.unwrap();
        let records: Vec<_> = ledger.tally().records().map(|(_, own)| own).collect();
        assert_eq!(records[..3], [4, 2, 0]);
        assert_eq!(ledger.tally().reports(), [("stored", 2), ("failed", 0)]);
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
}
