//! What can be asked.

use super::*;

#[tokio::test]
async fn sums_are_told_apart_by_what_is_asked_for() {
    let own = Fixture::new().await;
    let failed = Entry {
        outcome: "failed".to_owned(),
        cost: None,
        first_token_ms: None,
        ..entry(3, "y", NOON + 3_600)
    };
    own.take(&[entry(1, "x", NOON), entry(2, "y", NOON), failed])
        .await;
    let query = UsageQuery {
        by: vec![Dimension::Period, Dimension::Caller],
        resolution: Resolution::Hour,
        ..everything()
    };
    let lines = own.store.lines(&query).await.unwrap();
    let shown: Vec<_> = lines
        .iter()
        .map(|own| {
            let caller = own.caller.clone().unwrap();
            (
                own.period.unwrap() - NOON,
                caller,
                own.sums.requests,
                own.sums.errors,
                own.sums.unpriced,
            )
        })
        .collect();
    let expected = [(0, "x", 1, 0, 0), (0, "y", 1, 0, 0), (3_600, "y", 1, 1, 1)];
    let expected =
        expected.map(|(at, caller, all, bad, open)| (at, caller.to_owned(), all, bad, open));
    assert_eq!(shown, expected);
    let query = UsageQuery {
        only: vec![
            (Dimension::Caller, "y".to_owned()),
            (Dimension::Outcome, "answered".to_owned()),
        ],
        ..everything()
    };
    let lines = own.store.lines(&query).await.unwrap();
    assert_eq!(lines[0].sums.requests, 1);
    assert_eq!(lines[0].caller, None);
    let nobody = UsageQuery {
        only: vec![(Dimension::Caller, "z".to_owned())],
        ..everything()
    };
    assert!(own.store.lines(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_dimension_selects_sums_and_latencies() {
    let own = Fixture::new().await;
    own.take(&[entry(1, "a", NOON)]).await;
    let by_name = Dimension::ALL
        .into_iter()
        .filter(|own| *own != Dimension::Period);
    for dimension in by_name {
        let other = UsageQuery {
            only: vec![(dimension, "something else".to_owned())],
            ..everything()
        };
        assert!(own.store.lines(&other).await.unwrap().is_empty());
        let latencies = own.store.latencies(&other).await.unwrap();
        assert_eq!(latencies, Latencies::default(), "{dimension:?}");
    }
    let answered = UsageQuery {
        only: vec![(Dimension::Outcome, "answered".to_owned())],
        ..everything()
    };
    let latencies = own.store.latencies(&answered).await.unwrap();
    assert_eq!(
        (latencies.duration.len(), latencies.first_token.len()),
        (1, 1)
    );
    let by_hour = UsageQuery {
        resolution: Resolution::Hour,
        ..answered
    };
    assert_eq!(own.store.latencies(&by_hour).await.unwrap(), latencies);
}

/// A database of an earlier version has only those by hour.
#[tokio::test]
async fn times_by_day_are_made_of_those_by_hour() {
    let own = Fixture::new().await;
    let batch = [
        entry(1, "a", NOON),
        entry(2, "a", NOON + 3_600),
        entry(3, "b", NOON),
        entry(4, "a", NOON + 86_400),
    ];
    own.take(&batch).await;
    let first_day = UsageQuery {
        to: NOON + 3_600,
        only: vec![(Dimension::Caller, "a".to_owned())],
        ..everything()
    };
    let recorded = own.store.latencies(&first_day).await.unwrap();
    assert_eq!(recorded.duration[0].requests, 2);
    let migration = include_str!("../../../../usage-migrations/0014_daily_latencies.sql");
    let again = format!("DROP TABLE daily_latencies; {migration}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(again))
        .execute(&own.store.writer)
        .await
        .unwrap();
    assert_eq!(own.store.latencies(&first_day).await.unwrap(), recorded);
}

#[tokio::test]
async fn lines_come_in_order_and_in_pages() {
    let own = Fixture::new().await;
    let mut batch = vec![
        entry(1, "a", NOON),
        entry(2, "b", NOON),
        entry(3, "c", NOON),
    ];
    batch[1].cost = Some(900);
    own.take(&batch).await;
    let query = |order, limit, offset| UsageQuery {
        by: vec![Dimension::Caller],
        order,
        limit,
        offset,
        ..everything()
    };
    for (order, limit, offset, expected) in [
        (Order::Key, 10, 0, "abc"),
        (Order::Cost, 10, 0, "bac"),
        (Order::Cost, 1, 1, "a"),
        (Order::Tokens, 10, 0, "abc"),
        (Order::Requests, 10, 3, ""),
    ] {
        let lines = own.store.lines(&query(order, limit, offset)).await.unwrap();
        let callers: String = lines.into_iter().filter_map(|own| own.caller).collect();
        assert_eq!(callers, expected, "{order:?} {limit} {offset}");
    }
}
