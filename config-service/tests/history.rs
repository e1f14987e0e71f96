//! The history of channels, and rolling back.

use crate::common::{SECRET, TestService, channel};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn every_edit_is_listed_with_its_changes_and_without_secrets() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    service.create(&channel("other")).await;
    let edit = json!({"name": "uno", "inference_profile_arn_map": {"m": "amazon.nova-pro-v1:0"},
        "credentials": {"type": "static", "access_key_id": "AKIDOTHER", "secret_access_key": "changed-secret"}});
    assert_eq!(service.patch(&id, &edit).await.status, StatusCode::OK);
    let path = format!("/api/channels/{id}");
    service.send(Method::DELETE, &path, "").await;

    let reply = service.get(&format!("{path}/history")).await;
    assert!(!reply.text.contains("changed-secret") && !reply.text.contains(SECRET));
    let history = reply.json();
    let entries = history["entries"].as_array().unwrap();
    let summary: Vec<_> = entries
        .iter()
        .map(|own| {
            assert_eq!(own["actor"], "admin");
            format!(
                "{} {} {}",
                own["revision"], own["action"], own["channel_name"]
            )
        })
        .collect();
    assert_eq!(
        summary,
        [
            r#"4 "delete" "uno""#,
            r#"3 "update" "uno""#,
            r#"1 "create" "one""#
        ]
    );
    let changes = entries[1]["changes"].as_array().unwrap();
    let pointers: Vec<_> = changes
        .iter()
        .map(|own| own["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        [
            "/credentials/access_key_id",
            "/credentials/fingerprint",
            "/credentials/has_session_token",
            "/inference_profile_arn_map/m",
            "/name",
        ]
    );
    assert_eq!(
        changes[4],
        json!({"pointer": "/name", "before": "one", "after": "uno"})
    );

    let page = service.get("/api/history?limit=3").await.json();
    assert_eq!(page["entries"].as_array().unwrap().len(), 3);
    let next = page["next_before"].as_u64().unwrap();
    let rest = service
        .get(&format!("/api/history?before={next}"))
        .await
        .json();
    assert_eq!(rest["entries"][0]["revision"], 1);
    assert!(rest.get("next_before").is_none());
    service.get("/api/history?limit=0").await.problem(400);
    service.get("/api/channels/none/history").await.problem(404);
}

#[tokio::test]
async fn a_rollback_restores_a_channel_and_keeps_its_secret() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let path = format!("/api/channels/{id}");
    let edit = json!({"name": "uno", "region": "eu-west-1",
        "credentials": {"type": "static", "access_key_id": "AKIDOTHER", "secret_access_key": "s2"}});
    let edited = service.patch(&id, &edit).await.json();
    let rollback = format!("{path}/rollback");
    let back = |revision: u64| {
        let body = json!({"revision": revision}).to_string();
        service.send(Method::POST, &rollback, body)
    };
    let reply = back(1).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let view = reply.json();
    assert_eq!(
        (&view["name"], &view["region"]),
        (&json!("one"), &json!("us-east-1"))
    );
    assert_eq!(view["credentials"], edited["credentials"]);
    assert_eq!(reply.header("etag"), "\"3\"");
    let history = service.get(&format!("{path}/history")).await.json();
    assert_eq!(history["entries"][0]["restored"], 1);
    // Nothing changes, so there is no new revision.
    assert_eq!(back(3).await.header("etag"), "\"3\"");
    for missing in [0, 4, u64::MAX] {
        let reply = back(missing).await;
        reply.problem(404);
        let told =
            format!("no revision {missing} to go back to; choose one that its history lists");
        assert!(reply.text.contains(&told), "{reply:?}");
    }
    let now = service.get(&path).await;
    assert_eq!(now.header("etag"), "\"3\"");
    // What today's rules refuse is refused, as in any edit.
    service.create(&channel("uno")).await;
    back(2).await.problem(409);
    let body = json!({"revison": 1}).to_string();
    let wrong = service.send(Method::POST, &rollback, body).await;
    wrong.problem(400);
    assert!(wrong.text.contains("revison"), "{wrong:?}");
}
