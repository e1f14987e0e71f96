//! Takes batches of records: each is one transaction, and what is there already changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::callers::Callers;
use super::rows::{Entry, Latency, Spent, Subject, Sums};
use super::sums::{DAILY, HOURLY, Place, add_sums, plus};
use super::{StoreError, UsageStore};
use crate::zone::Zone;

/// Rows of one statement: SQLite takes 32,766 values.
const ROWS: usize = 100;

/// Most subjects. Configurations name a few thousand; what comes on top is summed up by caller alone.
const MAX_SUBJECTS: usize = 100_000;

/// Most names of models that nothing serves. Clients choose them.
const MAX_UNSERVED: i64 = 1_000;

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Records that are new.
    pub new: usize,
    /// Records that were there already.
    pub repeated: usize,
    /// What the new ones used, by hour and caller.
    pub spent: BTreeMap<(i64, String), Spent>,
}

/// A row of times: its period, subject and outcome, their kind, and their bucket.
type Slot = (Place, &'static str, i64);

/// What a batch adds.
#[derive(Debug, Default)]
struct Additions {
    hourly: BTreeMap<Place, Sums>,
    daily: BTreeMap<Place, Sums>,
    latencies: BTreeMap<Slot, i64>,
    daily_latencies: BTreeMap<Slot, i64>,
    unserved: BTreeMap<String, i64>,
    spent: BTreeMap<(i64, String), Spent>,
    callers: Callers,
    /// The days of hours.
    days: HashMap<i64, i64>,
}

impl UsageStore {
    /// Stores a batch that arrived at a time in seconds since the epoch, and how many records its Envoy had to drop.
    ///
    /// # Errors
    ///
    /// When the database fails. Then nothing of the batch is stored, and it can come again.
    pub async fn take(
        &self,
        entries: &[Entry],
        dropped: u64,
        now: i64,
    ) -> Result<Taken, StoreError> {
        let mut known = self.subjects.lock().await;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut learnt = HashMap::new();
        let mut additions = Additions::default();
        let mut new = 0;
        for chunk in entries.chunks(ROWS) {
            let mut rows = Vec::with_capacity(chunk.len());
            for entry in chunk {
                let subject = id(&mut transaction, &known, &mut learnt, &entry.subject).await?;
                rows.push((subject, entry));
            }
            let mut kept = insert(&mut transaction, &rows, now).await?;
            new += kept.len();
            for (subject, entry) in rows {
                // Of two with one id in a statement, one was kept.
                if kept.remove(&entry.id) {
                    additions.add(subject, entry, &self.zone);
                }
            }
        }
        additions.write(&mut transaction, now).await?;
        additions.callers.write(&mut transaction).await?;
        if dropped > 0 {
            count_dropped(&mut transaction, dropped).await?;
        }
        transaction.commit().await?;
        known.extend(learnt);
        Ok(Taken {
            new,
            repeated: entries.len() - new,
            spent: additions.spent,
        })
    }
}

/// The id of a subject, which gets one if it has none.
async fn id(
    transaction: &mut Transaction<'_, Sqlite>,
    known: &HashMap<Subject, i64>,
    learnt: &mut HashMap<Subject, i64>,
    subject: &Subject,
) -> Result<i64, StoreError> {
    if let Some(id) = known.get(subject).or_else(|| learnt.get(subject)) {
        return Ok(*id);
    }
    let is_full = known.len() + learnt.len() >= MAX_SUBJECTS;
    let stored = if is_full {
        Subject {
            caller: subject.caller.clone(),
            model: "other".to_owned(),
            ..Subject::default()
        }
    } else {
        subject.clone()
    };
    let id = sqlx::query_scalar(
        "INSERT INTO subjects (caller, key, channel, region, model, model_id, base_model, endpoint, tier) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT DO UPDATE SET caller = excluded.caller RETURNING id",
    )
    .bind(&stored.caller)
    .bind(&stored.key)
    .bind(&stored.channel)
    .bind(&stored.region)
    .bind(&stored.model)
    .bind(&stored.model_id)
    .bind(&stored.base_model)
    .bind(&stored.endpoint)
    .bind(&stored.tier)
    .fetch_one(&mut **transaction)
    .await?;
    if !is_full {
        learnt.insert(stored, id);
    }
    Ok(id)
}

/// Stores records; the ids of those that are new.
async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    rows: &[(i64, &Entry)],
    now: i64,
) -> Result<HashSet<Vec<u8>>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO records (id, at_ms, received_at, subject, request_id, outcome, status, code, input, output, \
         cache_read, cache_write, reasoning, attempts, duration_ms, first_token_ms, cost) ",
    );
    query.push_values(rows, |mut row, (subject, entry)| {
        row.push_bind(&entry.id)
            .push_bind(entry.at_ms)
            .push_bind(now)
            .push_bind(subject)
            .push_bind(&entry.request_id)
            .push_bind(&entry.outcome)
            .push_bind(i64::from(entry.status))
            .push_bind(&entry.code)
            .push_bind(entry.input)
            .push_bind(entry.output)
            .push_bind(entry.cache_read)
            .push_bind(entry.cache_write)
            .push_bind(entry.reasoning)
            .push_bind(entry.attempts)
            .push_bind(entry.duration_ms)
            .push_bind(entry.first_token_ms)
            .push_bind(entry.cost);
    });
    query.push(" ON CONFLICT DO NOTHING RETURNING id");
    let kept: Vec<Vec<u8>> = query
        .build_query_scalar()
        .fetch_all(&mut **transaction)
        .await?;
    Ok(kept.into_iter().collect())
}

async fn count_dropped(
    transaction: &mut Transaction<'_, Sqlite>,
    dropped: u64,
) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "INSERT INTO totals (name, value) VALUES ('dropped', ?1) ON CONFLICT DO UPDATE SET ",
        plus!("value")
    ))
    .bind(i64::try_from(dropped).unwrap_or(i64::MAX))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Counts a name that nothing serves. Where there is no room for a new one, the one that was asked for least makes some, of
/// several the one that was asked for longest ago: whoever invents names displaces their own.
async fn note_unserved(
    transaction: &mut Transaction<'_, Sqlite>,
    model: &str,
    requests: i64,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO unserved (model, first_at, last_at, requests) VALUES (?1, ?2, ?2, ?3) \
         ON CONFLICT DO UPDATE SET last_at = excluded.last_at, requests = requests + excluded.requests",
    )
    .bind(model)
    .bind(now)
    .bind(requests)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "DELETE FROM unserved WHERE (SELECT COUNT(*) FROM unserved) > ?1 AND model = \
         (SELECT model FROM unserved WHERE model <> ?2 ORDER BY requests, last_at, model LIMIT 1)",
    )
    .bind(MAX_UNSERVED)
    .bind(model)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Additions {
    fn add(&mut self, subject: i64, entry: &Entry, zone: &Zone) {
        let hour = zone.hour(entry.at_ms.div_euclid(1_000));
        // A batch is of a few hours, and looking up a day takes longer than an hour.
        let day = *self.days.entry(hour).or_insert_with(|| zone.day(hour));
        for (sums, period) in [(&mut self.hourly, hour), (&mut self.daily, day)] {
            let place = (period, subject, entry.outcome.clone());
            sums.entry(place).or_default().add(entry);
        }
        let times = [
            ("duration", Some(entry.duration_ms)),
            ("first_token", entry.first_token_ms),
        ];
        for (kind, time) in times {
            if let Some(time) = time {
                let bucket = Latency::of(time);
                for (latencies, period) in [
                    (&mut self.latencies, hour),
                    (&mut self.daily_latencies, day),
                ] {
                    let place = (period, subject, entry.outcome.clone());
                    *latencies.entry((place, kind, bucket)).or_default() += 1;
                }
            }
        }
        self.callers.add(entry);
        let place = (hour, entry.subject.caller.clone());
        self.spent.entry(place).or_default().add(entry.spent());
        if let Some(name) = &entry.unserved {
            *self.unserved.entry(name.clone()).or_default() += 1;
        }
    }

    async fn write(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        now: i64,
    ) -> Result<(), StoreError> {
        for (place, sums) in &self.hourly {
            add_sums(transaction, HOURLY, place, sums).await?;
        }
        for (place, sums) in &self.daily {
            add_sums(transaction, DAILY, place, sums).await?;
        }
        for (statement, latencies) in [
            (LATENCIES, &self.latencies),
            (DAILY_LATENCIES, &self.daily_latencies),
        ] {
            add_latencies(transaction, statement, latencies).await?;
        }
        for (model, requests) in &self.unserved {
            note_unserved(transaction, model, *requests, now).await?;
        }
        Ok(())
    }
}

/// Adds to a row of times, which may not be there yet.
macro_rules! slots {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (period, subject, outcome, kind, bucket, requests) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET requests = requests + excluded.requests"
        )
    };
}

const LATENCIES: &str = slots!("latencies");
const DAILY_LATENCIES: &str = slots!("daily_latencies");

async fn add_latencies(
    transaction: &mut Transaction<'_, Sqlite>,
    statement: &'static str,
    latencies: &BTreeMap<Slot, i64>,
) -> Result<(), StoreError> {
    for (((period, subject, outcome), kind, bucket), requests) in latencies {
        sqlx::query(statement)
            .bind(period)
            .bind(subject)
            .bind(outcome)
            .bind(*kind)
            .bind(bucket)
            .bind(requests)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
