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

#[tokio::test]
async fn what_cannot_be_a_budget_is_refused_with_its_place() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let put = |path: &str, body: &str| {
        let (service, path, body) = (&service, path.to_owned(), body.to_owned());
        async move { service.send(Method::PUT, &path, &body).await }
    };
    for (path, body, fault) in [
        ("ann", "[1]", " not_an_object"),
        ("ann", "{}", " required"),
        ("ann", r#"{"usd": null}"#, " required"),
        ("ann", r#"{"usd": 1e-10}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": -1}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": 1e99}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": "5"}"#, "/usd invalid_type"),
        (
            "ann",
            r#"{"tokens": 9223372036854775808}"#,
            "/tokens out_of_range",
        ),
        ("ann", r#"{"tokens": 1.5}"#, "/tokens out_of_range"),
        ("ann", r#"{"token": 1}"#, "/token unknown_field"),
        ("a%0Ab", r#"{"tokens": 1}"#, " invalid_name"),
        ("%20", r#"{"tokens": 1}"#, " invalid_name"),
        ("-a", r#"{"tokens": 1}"#, " invalid_name"),
    ] {
        let reply = put(&format!("/api/budgets/{path}"), body).await;
        assert_eq!(faults(&reply), [fault], "{path} {body}");
    }
    let long = format!("/api/budgets/{}", "a".repeat(65));
    assert_eq!(
        faults(&put(&long, r#"{"usd": 0}"#).await),
        [" invalid_name"]
    );
    put("/api/budgets/ann", "{").await.problem(400);
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"], json!([]));
    // A budget of nothing is one, and so is one for a caller that is yet to come.
    let reply = put(
        "/api/budgets/ann",
        r#"{"usd": 0, "tokens": 9223372036854775807}"#,
    )
    .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
}

#[tokio::test]
async fn a_caller_keeps_its_budget_and_what_it_used_under_another_name() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let body = json!({"name": "ann"}).to_string();
    let id = service
        .send(Method::POST, "/api/callers", &body)
        .await
        .json()["id"]
        .clone();
    let path = format!("/api/callers/{}", id.as_str().unwrap());
    let budget = json!({"tokens": 3_000, "usd": 1}).to_string();
    service.send(Method::PUT, "/api/budgets/ann", &budget).await;
    // What is there under the later name joins it; of two budgets the smaller counts.
    let budget = json!({"tokens": 9_000}).to_string();
    service.send(Method::PUT, "/api/budgets/eve", &budget).await;
    report(
        &service,
        &[chat(1, "ann"), chat(2, "eve"), chat(3, "bob")],
        0,
    )
    .await
    .unwrap();
    let renamed = service
        .send(Method::PATCH, &path, &json!({"name": "eve"}).to_string())
        .await;
    assert_eq!(renamed.status, StatusCode::OK, "{renamed:?}");
    let shown = || async {
        let list = service.get("/api/budgets").await.json();
        let all = list["budgets"].as_array().unwrap().iter();
        let shown = all.map(|own| {
            json!([
                own["caller"],
                own["tokens"],
                own["usd"],
                own["used_tokens"],
                own["used_nano_usd"]
            ])
        });
        shown.collect::<Vec<_>>()
    };
    // An edit of a budget waits for it.
    let budget = json!({"usd": 7}).to_string();
    service.send(Method::PUT, "/api/budgets/bob", &budget).await;
    let expected = [
        json!(["bob", null, 7.0, 1_500, 2_400_000]),
        json!(["eve", 3_000, 1.0, 3_000, 4_800_000]),
    ];
    assert_eq!(shown().await, expected);
    let lines = usage(&service, "?by=caller").await;
    let lines = lines["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|own| {
            (
                own["caller"].as_str().unwrap().to_owned(),
                own["requests"].as_i64(),
            )
        })
        .collect();
    let expected_lines = [("bob".to_owned(), Some(1)), ("eve".to_owned(), Some(2))];
    assert_eq!(lines, expected_lines);
    // What comes again is still known, and the figures go on; also after a restart.
    let ack = report(&service, &[chat(1, "ann"), chat(4, "bob")], 0)
        .await
        .unwrap();
    let exhausted: Vec<_> = ack.exhausted.iter().map(|own| &*own.caller).collect();
    assert_eq!(exhausted, ["eve"]);
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(5, "eve")], 0).await.unwrap();
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][1]["used_tokens"], 4_500, "{list}");
}
