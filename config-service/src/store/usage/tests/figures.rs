//! How fast the database is: the figures in `docs/PERFORMANCE.md`.

#![allow(clippy::print_stdout, reason = "figures are for a person")]

use std::time::{Duration, Instant};

use super::*;

/// Batches of each size that are taken.
const BATCHES: i64 = 200;

/// Times that each query is made; the median counts.
const ROUNDS: usize = 5;

const DAY: i64 = 86_400;

/// Three months of 200 subjects in every hour, of 230 requests each: 100 million.
const SUBJECTS: &str = "INSERT INTO subjects \
     (caller, key, channel, region, model, model_id, base_model, endpoint, tier) \
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
     SELECT 'team-' || (i % 40), '', 'channel-' || (i % 5), 'us-east-1', 'model-' || (i % 8), '', '', 'e', '' || i FROM n";
const HOURLY: &str = "INSERT INTO hourly WITH RECURSIVE \
     h(t) AS (SELECT 0 UNION ALL SELECT t + 3600 FROM h WHERE t < 92 * 86400 - 3600) \
     SELECT t, id, 'answered', 230, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 FROM h, subjects";
const DAILY: &str = "INSERT INTO daily \
     SELECT period - period % 86400, subject, outcome, SUM(requests), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 \
     FROM hourly GROUP BY 1, 2, 3";
/// Durations fall into nine buckets, and first words into five.
const LATENCIES: &str = "INSERT INTO latencies \
     WITH RECURSIVE b(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM b WHERE i < 13) \
     SELECT period, subject, outcome, iif(i < 9, 'duration', 'first_token'), i + 10, 20 FROM hourly, b";
const DAILY_LATENCIES: &str = "INSERT INTO daily_latencies \
     SELECT period - period % 86400, subject, outcome, kind, bucket, SUM(requests) \
     FROM latencies GROUP BY 1, 2, 3, 4, 5";

async fn run(store: &UsageStore, statement: &'static str) {
    let done = sqlx::query(statement).execute(&store.writer);
    done.await.unwrap();
}

/// The median of several times.
async fn time<T>(what: &str, mut act: impl AsyncFnMut() -> T) {
    let mut times = [Duration::ZERO; ROUNDS];
    for time in &mut times {
        let started = Instant::now();
        act().await;
        *time = started.elapsed();
    }
    times.sort();
    println!("{what}: {:?}", times[ROUNDS / 2]);
}

/// Takes batches of a size; the ids begin with a number.
async fn ingest(own: &Fixture, size: i64, first: i64) {
    let started = Instant::now();
    for batch in 0..BATCHES {
        let number = |at: i64| (first + batch * size + at).unsigned_abs();
        let entries = (0..size).map(|at| {
            // A few callers, answers of every length, and an hour that goes by.
            let took = 200 + (at * 7_919) % 20_000;
            Entry {
                duration_ms: took,
                first_token_ms: Some(took / 10),
                ..entry(
                    number(at),
                    &format!("caller-{}", at % 20),
                    NOON + batch * 18,
                )
            }
        });
        let entries: Vec<_> = entries.collect();
        own.take(&entries).await;
    }
    let rate = (BATCHES * size) as f64 / started.elapsed().as_secs_f64();
    println!("batches of {size}: {rate:.0} records a second");
}

/// A query of the page, over so many of the last days.
fn of_days(days: i64, resolution: Resolution, by: &[Dimension]) -> UsageQuery {
    UsageQuery {
        from: (92 - days) * DAY,
        to: 92 * DAY,
        resolution,
        by: by.to_vec(),
        limit: 10_000,
        ..UsageQuery::default()
    }
}

/// `cargo test --release -p config-service --lib -- --ignored --nocapture figures_of_the_database` prints the figures in
/// `docs/PERFORMANCE.md`.
#[tokio::test]
#[ignore = "measures, and takes minutes"]
async fn figures_of_the_database() {
    let own = Fixture::new().await;
    for statement in [SUBJECTS, HOURLY, DAILY, LATENCIES, DAILY_LATENCIES] {
        run(&own.store, statement).await;
    }
    let file = own.folder.path().join("usage.db");
    let bytes = || std::fs::metadata(&file).unwrap().len();
    println!("sums of 100 million requests: {} MB", bytes() / 1_000_000);
    for size in [100, 1_000] {
        ingest(&own, size, size * 1_000_000).await;
    }
    for (days, resolution) in [
        (7, Resolution::Day),
        (92, Resolution::Day),
        (7, Resolution::Hour),
        (31, Resolution::Hour),
        (92, Resolution::Hour),
    ] {
        let everybody = of_days(days, resolution, &[Dimension::Period]);
        let only = vec![(Dimension::Caller, "team-7".to_owned())];
        let of_one = UsageQuery {
            only,
            ..everybody.clone()
        };
        for (who, asked) in [("everybody", everybody), ("one caller", of_one)] {
            let what = format!("{days} days, by {resolution:?}, {who}");
            let store = &own.store;
            time(&format!("{what}: bars"), || store.lines(&asked)).await;
            let largest = UsageQuery {
                by: vec![Dimension::Model],
                order: Order::Cost,
                ..asked.clone()
            };
            time(&format!("{what}: models"), || store.lines(&largest)).await;
            time(&format!("{what}: times"), || store.latencies(&asked)).await;
        }
    }
    let lines = of_days(
        31,
        Resolution::Hour,
        &[Dimension::Period, Dimension::Caller],
    );
    time("31 days by Hour and caller, a page of 10,000", || {
        own.store.lines(&lines)
    })
    .await;
    time("a month's budgets", || own.store.spent(61 * DAY, 92 * DAY)).await;
}
