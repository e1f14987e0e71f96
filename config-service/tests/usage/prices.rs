//! What requests cost: prices of a file, and those that administrators set.

use super::*;

#[tokio::test]
async fn prices_of_a_file_apply() {
    let dir = Arc::new(TempDir::new().unwrap());
    let prices = dir.path().join("prices.json");
    std::fs::write(
        &prices,
        r#"{"prices": {"amazon.nova-pro-v1:0": {"input": 1, "output": 1}}}"#,
    )
    .unwrap();
    let flag = format!("--prices={}", prices.display());
    let service = recording(&dir, &[&flag]).await;
    report(&service, &[chat(1, "ann")], 0).await.unwrap();
    let all = usage(&service, "").await;
    assert_eq!(all["lines"][0]["cost_nano_usd"], 1_500_000);
}

#[tokio::test]
async fn a_price_that_is_set_applies_from_then_on_and_is_remembered() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let path = "/api/prices/amazon.nova-pro-v1:0";
    report(&service, &[chat(1, "built-in")], 0).await.unwrap();
    let rates = json!({"input": 1, "output": 2}).to_string();
    let reply = service.send(Method::PUT, path, &rates).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
    report(&service, &[chat(2, "set")], 0).await.unwrap();
    // A region's own comes first.
    let regional = "/api/prices/us-east-1%2Famazon.nova-pro-v1:0";
    let rates = json!({"input": 10, "output": 20}).to_string();
    service.send(Method::PUT, regional, &rates).await;
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(3, "regional")], 0).await.unwrap();
    for path in [path, regional] {
        let reply = service.send(Method::DELETE, path, "").await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
        service.send(Method::DELETE, path, "").await.problem(404);
    }
    report(&service, &[chat(4, "again")], 0).await.unwrap();
    let all = usage(&service, "?by=caller").await;
    let lines = all["lines"].as_array().unwrap().iter();
    let costs: Vec<_> = lines
        .map(|own| {
            (
                own["caller"].as_str().unwrap(),
                own["cost_nano_usd"].as_i64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("again", 2_400_000),
        ("built-in", 2_400_000),
        ("regional", 20_000_000),
        ("set", 2_000_000),
    ];
    assert_eq!(costs, expected);
    let list = service.get("/api/prices").await.json();
    assert_eq!(list["prices"], json!([]));
    let history = list["history"].as_array().unwrap().iter();
    let history: Vec<_> = history.map(|own| own["rates"]["input"].as_f64()).collect();
    assert_eq!(history, [None, None, Some(10.0), Some(1.0)], "{list}");
    for (wrong, fault) in [
        (json!({}), " invalid_value"),
        (json!({"inputs": 1}), "/inputs invalid_value"),
        (json!({"input": -1}), "/input invalid_value"),
        (json!({"input": 1e-10}), "/input invalid_value"),
        (json!({"input": "1"}), "/input invalid_type"),
        (json!([1]), " not_an_object"),
    ] {
        let reply = service.send(Method::PUT, path, &wrong.to_string()).await;
        assert_eq!(faults(&reply), [fault], "{wrong}");
    }
}
