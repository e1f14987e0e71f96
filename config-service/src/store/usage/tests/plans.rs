//! Which indexes queries use: without the right one they are slow only once there is much to read.

use super::super::query;
use super::*;

/// How SQLite goes about a query, step by step.
async fn plan(store: &UsageStore, statement: &str) -> String {
    let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let steps: Vec<_> = steps.into_iter().map(|own| own.3).collect();
    steps.join("\n")
}

fn of_caller(resolution: Resolution) -> UsageQuery {
    UsageQuery {
        resolution,
        by: vec![Dimension::Period],
        only: vec![(Dimension::Caller, "x".to_owned())],
        ..everything()
    }
}

#[tokio::test]
async fn a_callers_sums_are_found_by_an_index() {
    let own = Fixture::new().await;
    for (resolution, table) in [(Resolution::Hour, "hourly"), (Resolution::Day, "daily")] {
        let query = query::statement(&of_caller(resolution));
        let plan = plan(&own.store, query.sql().as_str()).await;
        let by_subject = format!(
            "SEARCH {table} USING INDEX {table}_subject (subject=? AND period>? AND period<?)"
        );
        assert!(plan.contains(&by_subject), "{plan}");
        assert!(plan.contains("(caller=?)"), "{plan}");
    }
}

#[tokio::test]
async fn everybodys_sums_are_found_by_time() {
    let own = Fixture::new().await;
    let everybodys = UsageQuery {
        only: Vec::new(),
        ..of_caller(Resolution::Hour)
    };
    let query = query::statement(&everybodys);
    let plan = plan(&own.store, query.sql().as_str()).await;
    let by_time = "SEARCH hourly USING PRIMARY KEY (period>? AND period<?)";
    assert!(plan.contains(by_time), "{plan}");
}
