//! What is set for callers' requests, and what they may not use.

use super::{create, post, pushed, set_mode};
use crate::common::{Reply, TestService};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn set(service: &TestService, settings: &Value) -> Reply {
    let path = "/api/caller-settings";
    service
        .send(Method::PATCH, path, settings.to_string())
        .await
}

#[tokio::test]
async fn a_callers_rules_are_stored_shown_and_pushed_with_the_defaults() {
    let service = TestService::start().await;
    let own = json!({
        "name": "a",
        "guardrail": {"identifier": "gr1", "version": "2"},
        "request_metadata": {"team": "a"},
        "tools": "refused",
        "documents": "allowed",
    });
    let path = create(&service, &own).await;
    let view = service.get(&path).await.json();
    for (field, value) in own.as_object().unwrap() {
        assert_eq!(view[field], *value, "{field}");
    }
    assert_eq!(
        (&view["service_tier"], &view["thinking"]),
        (&json!(null), &json!(null))
    );
    let same = service.send(Method::PUT, &path, view.to_string()).await;
    assert_eq!(same.header("etag"), "\"1\"");
    let defaults = json!({
        "mode": "required",
        "default_guardrail": {"identifier": "all", "version": "1"},
        "default_service_tier": "flex",
        "default_request_metadata": {"env": "prod", "team": "none"},
        "default_documents": "refused",
        "default_thinking": "refused",
    });
    let reply = set(&service, &defaults).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.json()["default_service_tier"], "flex");
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(
        callers["entries"][0]["rules"],
        json!({
            "guardrail": {"identifier": "gr1", "version": "2"},
            "service_tier": "flex",
            "request_metadata": {"env": "prod", "team": "a"},
            "refused": ["tools", "thinking"],
        })
    );
    let nobody = json!({
        "guardrail": {"identifier": "all", "version": "1"},
        "service_tier": "flex",
        "request_metadata": {"env": "prod", "team": "none"},
        "refused": ["thinking", "documents"],
    });
    assert_eq!(callers["nobody"], nobody);
    // What goes for everybody goes where nobody is asked too.
    set_mode(&service, "off").await;
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(
        callers,
        json!({"mode": "off", "nobody": nobody, "entries": []})
    );
}

#[tokio::test]
async fn every_fault_of_rules_is_reported_where_it_is() {
    let service = TestService::start().await;
    let faulty = |start: &str| {
        let field = |name: &str| format!("{start}{name}");
        json!({
            field("guardrail"): {"identifier": "G!", "version": "1"},
            field("service_tier"): "fast",
            field("request_metadata"): {"ok": "ä"},
            field("tools"): "no",
        })
    };
    let mut body = faulty("");
    body["name"] = json!("a");
    let mut faults = post(&service, "/api/callers", &body).await.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/guardrail/identifier invalid_guardrail",
            "/request_metadata/ok invalid_label",
            "/service_tier unknown_value",
            "/tools unknown_value",
        ]
    );
    let mut faults = set(&service, &faulty("default_")).await.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/default_guardrail/identifier invalid_guardrail",
            "/default_request_metadata/ok invalid_label",
            "/default_service_tier unknown_value",
            "/default_tools unknown_value",
        ]
    );
}

#[tokio::test]
async fn labels_for_all_leave_room_for_every_callers_own() {
    let labels = |start: &str, count: usize| -> Value {
        let all = (0..count).map(|index| (format!("{start}{index}"), json!("x")));
        Value::Object(all.collect())
    };
    let service = TestService::start().await;
    let body = json!({"name": "a", "request_metadata": labels("own", 10)});
    create(&service, &body).await;
    let reply = set(
        &service,
        &json!({"default_request_metadata": labels("all", 7)}),
    )
    .await;
    let told = reply.json()["errors"][0]["message"].clone();
    assert!(told.as_str().unwrap().contains("`a`"), "{told}");
    assert_eq!(
        reply.problem(422),
        ["/default_request_metadata too_many_labels"]
    );
    let reply = set(
        &service,
        &json!({"default_request_metadata": labels("all", 6)}),
    )
    .await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let body = json!({"name": "b", "request_metadata": labels("own", 11)});
    let reply = post(&service, "/api/callers", &body).await;
    assert_eq!(reply.problem(422), ["/request_metadata too_many_labels"]);
}
