//! What a database that fails leaves.

use super::*;

#[tokio::test]
async fn a_batch_that_cannot_be_stored_leaves_nothing_and_can_come_again() {
    let own = Fixture::new().await;
    own.take(&[entry(1, "x", NOON)]).await;
    // As on a full disk.
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&own.store.writer)
        .await
        .unwrap();
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit(pages + 1))
        .execute(&own.store.writer)
        .await
        .unwrap();
    let batch: Vec<_> = (10..1_010)
        .map(|number| entry(number, "new", NOON))
        .collect();
    own.store.take(&batch, 3, NOON).await.unwrap_err();
    assert_eq!(own.sums().await.requests, 1);
    assert_eq!(own.store.dropped().await.unwrap(), 0);
    sqlx::query(limit(1_000_000))
        .execute(&own.store.writer)
        .await
        .unwrap();
    assert_eq!(own.take(&batch).await.new, 1_000);
    assert_eq!(own.sums().await.requests, 1_001);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_leaves_nothing_and_can_be_written_again() {
    let own = Fixture::new().await;
    own.take(&[entry(1, "x", NOON)]).await;
    // The error is that of a file system that has become read-only.
    let only_read = |on: &'static str| sqlx::query(on).execute(&own.store.writer);
    only_read("PRAGMA query_only = ON").await.unwrap();
    let batch = [entry(2, "x", NOON)];
    let error = own.store.take(&batch, 3, NOON).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
    assert_eq!(own.sums().await.requests, 1);
    only_read("PRAGMA query_only = OFF").await.unwrap();
    assert_eq!(own.take(&batch).await.new, 1);
    assert_eq!(own.store.dropped().await.unwrap(), 0);
}
