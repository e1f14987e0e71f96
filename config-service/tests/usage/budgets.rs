//! Budgets: enforced by the answers to reports, and shown to administrators and callers.

use super::*;

#[tokio::test]
async fn a_budget_is_enforced_by_the_answer_and_shown() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let set = |path: &'static str, body: Value| {
        let (service, body) = (&service, body.to_string());
        async move { service.send(Method::PUT, path, &body).await }
    };
    let spent = |ack: Ack| {
        ack.exhausted
            .into_iter()
            .map(|own| (own.caller, own.budget))
    };
    for (path, body) in [
        ("/api/budgets/ann", json!({"tokens": 3_000})),
        ("/api/budgets/*", json!({"usd": 0.006})),
    ] {
        assert_eq!(set(path, body).await.status, StatusCode::NO_CONTENT);
    }
    let ack = report(&service, &[chat(1, "ann"), chat(2, "bob")], 0)
        .await
        .unwrap();
    assert_eq!(spent(ack).count(), 0);
    let ack = report(&service, &[chat(3, "ann")], 0).await.unwrap();
    let told: Vec<_> = spent(ack).collect();
    assert_eq!(told, [(String::new(), 1), ("ann".to_owned(), 0)]);
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][0]["caller"], "*");
    assert_eq!(list["budgets"][0]["used_nano_usd"], 7_200_000);
    assert_eq!(list["budgets"][1]["used_tokens"], 3_000);
    assert_eq!(list["budgets"][1]["used"], 1.0);
    let metrics = service.get("/metrics").await.text;
    assert!(
        metrics.contains("config_service_budget_used_ratio{caller=\"ann\"} 1.0"),
        "{metrics}"
    );
    // A restart forgets neither the budgets nor what was used.
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    let ack = report(&service, &[], 0).await.unwrap();
    assert_eq!(spent(ack).count(), 2);
    let reply = service.send(Method::DELETE, "/api/budgets/*", "").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    service
        .send(Method::DELETE, "/api/budgets/*", "")
        .await
        .problem(404);
    let told: Vec<_> = spent(report(&service, &[], 0).await.unwrap()).collect();
    assert_eq!(told, [("ann".to_owned(), 0)]);
    for body in [json!({}), json!({"usd": -1}), json!({"tokens": "many"})] {
        let reply = service
            .send(Method::PUT, "/api/budgets/ann", &body.to_string())
            .await;
        assert!(reply.status.is_client_error(), "{body}: {reply:?}");
    }
}

#[tokio::test]
async fn a_caller_learns_what_it_used_and_nothing_of_others() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &["--time-zone=Europe/Berlin"]).await;
    let put = |path: &'static str, body: Value| {
        let (service, body) = (&service, body.to_string());
        async move { service.send(Method::PUT, path, &body).await }
    };
    put("/api/budgets/ann", json!({"tokens": 10_000, "usd": 0.01})).await;
    put("/api/budgets/bob", json!({"usd": 1})).await;
    let other = Record {
        model: "claude".to_owned(),
        ..chat(3, "ann")
    };
    let batch = [chat(1, "ann"), chat(2, "ann"), other, chat(4, "bob")];
    report(&service, &batch, 0).await.unwrap();
    let own = figures(&service, "ann").await;
    assert_eq!(own["object"], "usage");
    assert_eq!(
        (&own["caller"], &own["time_zone"]),
        (&json!("ann"), &json!("Europe/Berlin"))
    );
    assert_eq!(
        (
            &own["requests"],
            &own["input_tokens"],
            &own["output_tokens"]
        ),
        (&json!(3), &json!(3_000), &json!(1_500))
    );
    assert_eq!(own["cost_usd"], 0.0072);
    let budget = &own["budget"];
    let tokens = json!({"limit": 10_000, "used": 4_500, "remaining": 5_500});
    assert_eq!(budget["tokens"], tokens, "{own}");
    let usd = json!({"limit": 0.01, "used": 0.0072, "remaining": 0.0028});
    assert_eq!(budget["usd"], usd, "{own}");
    // The budget begins anew when the month ends, at midnight in Berlin.
    assert_eq!(budget["resets_at"], own["to"]);
    let to = own["to"].as_str().unwrap();
    assert!(to.contains("-01T00:00:00+0"), "{to}");
    assert_eq!(own["exhausted"], false);
    let models: Vec<_> = own["by_model"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["model"])
        .collect();
    assert_eq!(models, ["nova-pro", "claude"], "the most expensive first");
    let days = own["by_day"].as_array().unwrap();
    assert_eq!(
        days.iter()
            .filter_map(|own| own["requests"].as_i64())
            .sum::<i64>(),
        3
    );
    for hidden in ["bob", "team-a", "us-east-1", "amazon.nova"] {
        assert!(!own.to_string().contains(hidden), "{hidden}: {own}");
    }
    // Whoever has used nothing, or does not exist.
    let none = figures(&service, "eve").await;
    assert_eq!(
        (&none["requests"], &none["budget"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        (&none["by_model"], &none["by_day"]),
        (&json!([]), &json!([]))
    );
    // The budget of everybody together is used up; how much it was is not told.
    put("/api/budgets/*", json!({"tokens": 1})).await;
    let bob = figures(&service, "bob").await;
    assert_eq!(
        (&bob["exhausted"], &bob["budget"]["tokens"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn the_budget_that_a_caller_has_as_a_field_is_enforced() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let body = json!({"name": "ann", "monthly_tokens": 2_000}).to_string();
    let created = service.send(Method::POST, "/api/callers", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let path = format!("/api/callers/{}", created.json()["id"].as_str().unwrap());
    let batch = [chat(1, "ann"), chat(2, "ann"), chat(3, "bob")];
    report(&service, &batch, 0).await.unwrap();
    // Edits of callers take effect a moment later.
    let spent = async |expected: &[&str]| {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let ack = report(&service, &[], 0).await.unwrap();
            let told: Vec<_> = ack.exhausted.into_iter().map(|own| own.caller).collect();
            if told == expected {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{told:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    spent(&["ann"]).await;
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][0]["tokens"], 2_000);
    let more = json!({"monthly_tokens": 4_000}).to_string();
    service.send(Method::PATCH, &path, &more).await;
    spent(&[]).await;
    // Of the two budgets of a caller the smaller one counts.
    let set = json!({"tokens": 3_000}).to_string();
    service.send(Method::PUT, "/api/budgets/ann", &set).await;
    spent(&["ann"]).await;
    service.send(Method::DELETE, "/api/budgets/ann", "").await;
    spent(&[]).await;
    let problem = service.send(Method::DELETE, "/api/budgets/ann", "").await;
    problem.problem(404);
    assert!(problem.text.contains("monthly_tokens"), "{problem:?}");
    let list = service.get("/api/budgets").await.json();
    let history: Vec<_> = list["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["tokens"])
        .collect();
    assert_eq!(history, [&Value::Null, &json!(3_000)], "{list}");
}
