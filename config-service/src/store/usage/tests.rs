mod failures;
mod figures;
mod plans;
mod queries;

use super::*;

/// A database in a folder that lives as long as it.
struct Fixture {
    folder: tempfile::TempDir,
    store: UsageStore,
}

const NOON: i64 = 1_796_040_000;

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = UsageStore::open(&folder.path().join("usage.db"))
            .await
            .unwrap();
        Self { folder, store }
    }

    async fn take(&self, entries: &[Entry]) -> Taken {
        self.store.take(entries, 0, NOON).await.unwrap()
    }

    async fn sums(&self) -> Sums {
        let mut lines = self.store.lines(&everything()).await.unwrap();
        lines.pop().unwrap_or_default().sums
    }
}

fn everything() -> UsageQuery {
    UsageQuery {
        to: i64::MAX,
        limit: 1_000,
        ..UsageQuery::default()
    }
}

/// A request of a caller for 10 tokens, which cost 7, at a time.
fn entry(number: u64, caller: &str, seconds: i64) -> Entry {
    Entry {
        id: [[7; 8], number.to_be_bytes()].concat(),
        at_ms: seconds * 1_000,
        subject: Subject {
            caller: caller.to_owned(),
            channel: "a".to_owned(),
            model: "m".to_owned(),
            ..Subject::default()
        },
        outcome: "answered".to_owned(),
        input: 8,
        output: 2,
        attempts: 1,
        duration_ms: 100,
        first_token_ms: Some(10),
        cost: Some(7),
        ..Entry::default()
    }
}

#[tokio::test]
async fn what_comes_again_is_counted_once() {
    let own = Fixture::new().await;
    let batch: Vec<_> = (0..250).map(|number| entry(number, "x", NOON)).collect();
    assert_eq!(own.take(&batch).await.new, 250);
    let again = own.take(&batch).await;
    assert_eq!((again.new, again.repeated), (0, 250));
    assert!(again.spent.is_empty(), "{again:?}");
    // In one batch too.
    let twice = [
        entry(300, "x", NOON),
        entry(300, "x", NOON),
        entry(301, "x", NOON),
    ];
    assert_eq!(own.take(&twice).await.new, 2);
    let (from, to) = own.store.zone().month(NOON);
    let spent = own.store.spent(from, to).await.unwrap();
    let expected = Spent {
        tokens: 252 * 10,
        nano_usd: 252 * 7,
    };
    assert_eq!(spent, [("x".to_owned(), expected)]);
    let sums = own.sums().await;
    assert_eq!((sums.requests, sums.cost_nano_usd), (252, 252 * 7));
    assert_eq!((sums.input_tokens, sums.output_tokens), (252 * 8, 252 * 2));
    assert_eq!(own.store.records().await.unwrap(), 252);
}

#[tokio::test]
async fn names_that_nothing_serves_are_counted_up_to_a_limit() {
    let own = Fixture::new().await;
    let asked = |number: u64, name: String| Entry {
        unserved: Some(name),
        outcome: "refused".to_owned(),
        ..entry(number, "x", NOON)
    };
    let many: Vec<_> = (0..1_200)
        .map(|number| asked(number, format!("gpt-{number}")))
        .collect();
    own.take(&many).await;
    let unserved = own.store.unserved(0).await.unwrap();
    assert_eq!(unserved.len(), 1_000);
    // A name that is new makes room for itself, and one that is asked for again stays.
    for number in 5_000..5_003 {
        own.take(&[asked(number, "gpt-real".to_owned())]).await;
    }
    let others: Vec<_> = (6_000..7_500)
        .map(|number| asked(number, format!("junk-{number}")))
        .collect();
    own.take(&others).await;
    let unserved = own.store.unserved(0).await.unwrap();
    assert_eq!(unserved.len(), 1_000);
    assert_eq!((&*unserved[0].model, unserved[0].requests), ("gpt-real", 3));
    assert!(own.store.unserved(NOON + 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn absurd_numbers_neither_stop_what_follows_nor_the_questions() {
    let own = Fixture::new().await;
    let absurd = |number| Entry {
        input: i64::MAX,
        output: i64::MAX,
        duration_ms: i64::MAX,
        attempts: i64::MAX,
        cost: Some(i64::MAX),
        ..entry(number, "x", NOON)
    };
    own.take(&[absurd(1), absurd(2)]).await;
    own.store.take(&[absurd(3)], u64::MAX, NOON).await.unwrap();
    let other = Entry {
        outcome: "failed".to_owned(),
        ..absurd(4)
    };
    own.store.take(&[other], u64::MAX, NOON).await.unwrap();
    assert_eq!(own.take(&[entry(5, "y", NOON)]).await.new, 1);
    let most = 1_000_000_000_000_000_000;
    let sums = own.sums().await;
    assert_eq!((sums.requests, sums.errors), (5, 1));
    assert_eq!((sums.input_tokens, sums.cost_nano_usd), (most, most));
    assert_eq!(own.store.dropped().await.unwrap(), most);
    let (from, to) = own.store.zone().month(NOON);
    let spent = own.store.spent(from, to).await.unwrap();
    let spent: Vec<_> = spent
        .iter()
        .map(|(who, own)| (&**who, own.tokens))
        .collect();
    assert_eq!(spent, [("x", most), ("y", 10)]);
    let query = UsageQuery {
        by: vec![Dimension::Caller],
        order: Order::Tokens,
        ..everything()
    };
    assert_eq!(own.store.lines(&query).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_old_goes_and_the_sums_stay() {
    let own = Fixture::new().await;
    let batch: Vec<_> = (0..6_000).map(|number| entry(number, "x", NOON)).collect();
    own.take(&batch).await;
    let keep = Retention {
        records: 3_600,
        hourly: 86_400 * 2,
        daily: 86_400 * 400,
    };
    let pruned = own.store.prune(keep, NOON + 3_600).await.unwrap();
    assert_eq!(pruned, Pruned::default());
    let pruned = own.store.prune(keep, NOON + 3_601).await.unwrap();
    assert_eq!((pruned.records, pruned.hourly), (6_000, 0));
    assert_eq!(own.sums().await.requests, 6_000);
    let pruned = own.store.prune(keep, NOON + 86_400 * 3).await.unwrap();
    // The hour, and its two buckets of times.
    assert_eq!((pruned.hourly, pruned.daily), (3, 0));
    assert_eq!(own.sums().await.requests, 6_000);
    let pruned = own.store.prune(keep, NOON + 86_400 * 401).await.unwrap();
    // The day, likewise.
    assert_eq!(pruned.daily, 3);
    assert_eq!(own.sums().await.requests, 0);
}

#[tokio::test]
async fn it_survives_being_closed_and_dropped_records_add_up() {
    let own = Fixture::new().await;
    own.store
        .take(&[entry(1, "x", NOON)], 5, NOON)
        .await
        .unwrap();
    own.store.take(&[], 2, NOON).await.unwrap();
    own.store.close().await;
    let store = UsageStore::open(&own.folder.path().join("usage.db"))
        .await
        .unwrap();
    assert_eq!(store.dropped().await.unwrap(), 7);
    // The subject is known by its row, not by what the first process remembered.
    let taken = store
        .take(&[entry(1, "x", NOON), entry(2, "x", NOON)], 0, NOON)
        .await
        .unwrap();
    assert_eq!((taken.new, taken.repeated), (1, 1));
    let by = vec![Dimension::Caller];
    let lines = store
        .lines(&UsageQuery { by, ..everything() })
        .await
        .unwrap();
    assert_eq!(lines[0].sums.requests, 2);
}

#[tokio::test]
async fn hours_and_days_are_those_of_the_time_zone() {
    let folder = tempfile::tempdir().unwrap();
    let store = UsageStore::open(&folder.path().join("usage.db")).await;
    let zone: Zone = "Asia/Kolkata".parse().unwrap();
    let store = store.unwrap().in_zone(zone.clone());
    // Midnight in India, half an hour after an hour began in UTC.
    let midnight = zone.start_of("2026-12-01").unwrap();
    assert_eq!(midnight.rem_euclid(3_600), 1_800);
    let batch = [
        entry(1, "x", midnight - 1),
        entry(2, "x", midnight),
        entry(3, "x", midnight + 9),
    ];
    let taken = store.take(&batch, 0, NOON).await.unwrap();
    let spent: Vec<_> = taken
        .spent
        .iter()
        .map(|((at, _), own)| (*at, own.tokens))
        .collect();
    assert_eq!(spent, [(midnight - 3_600, 10), (midnight, 20)]);
    for (resolution, first) in [
        (Resolution::Hour, midnight - 3_600),
        (Resolution::Day, midnight - 86_400),
    ] {
        let query = UsageQuery {
            by: vec![Dimension::Period],
            resolution,
            ..everything()
        };
        let lines = store.lines(&query).await.unwrap();
        let periods: Vec<_> = lines
            .iter()
            .map(|own| (own.period, own.sums.requests))
            .collect();
        assert_eq!(periods, [(Some(first), 1), (Some(midnight), 2)]);
    }
    let december = zone.month(midnight);
    let spent = store.spent(december.0, december.1).await.unwrap();
    assert_eq!(spent[0].1.tokens, 20);
    // What was summed up by another zone's days counts for the month that has most of such a day.
    let berlin = store.in_zone("Europe/Berlin".parse().unwrap());
    let november = berlin.zone().month(midnight - 86_400);
    let spent = berlin.spent(november.0, november.1).await.unwrap();
    assert_eq!(spent[0].1.tokens, 10);
}

#[test]
fn times_fall_into_buckets_of_a_known_width() {
    for milliseconds in [0, 1, 2, 3, 5, 10, 99, 1_000, 86_400_000, i64::MAX / 2] {
        let bucket = Latency::of(milliseconds);
        let upper = Latency::upper_ms(bucket);
        let real = milliseconds.max(1) as f64;
        assert!(real <= upper * 1.000_001, "{milliseconds}: {bucket}");
        assert!(
            real >= Latency::upper_ms(bucket - 1) * 0.999_999,
            "{milliseconds}: {bucket}"
        );
    }
    assert_eq!(
        (
            Latency::of(1),
            Latency::of(2),
            Latency::of(3),
            Latency::of(4)
        ),
        (0, 2, 4, 4)
    );
}
