//! What callers are known by besides their keys.

use super::{create, post, pushed};
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
async fn identities_and_where_they_come_from_are_pushed() {
    let service = TestService::start().await;
    let identities = json!(["jwt:sub=team-a/*", "certificate:spiffe://a", "header:a"]);
    create(&service, &json!({"name": "a", "identities": identities})).await;
    let settings = json!({"mode": "required"});
    set(&service, &settings).await;
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(callers["entries"][0]["identities"], identities);
    assert!(
        callers.get("identities").is_none(),
        "nothing counts unasked"
    );
    let settings = json!({
        "jwt_claims": ["sub", "/a/b"],
        "jwt_payload": "p",
        "client_certificate": "uri_san",
        "identity_header": "x-bedrock-caller",
    });
    let reply = set(&service, &settings).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(
        callers["identities"],
        json!({
            "jwt": {"payload": "p", "claims": ["sub", "/a/b"]},
            "certificate": "uri_san",
            "header": "x-bedrock-caller",
        })
    );
    let none = json!({"jwt_claims": [], "client_certificate": null, "identity_header": ""});
    assert_eq!(set(&service, &none).await.status, StatusCode::OK);
    let callers = pushed(&service).await["callers"].clone();
    assert!(callers.get("identities").is_none(), "{callers}");
}

#[tokio::test]
async fn faults_of_identities_are_reported_where_they_are() {
    let service = TestService::start().await;
    create(&service, &json!({"name": "a", "identities": ["header:a"]})).await;
    let body = json!({"name": "b", "identities": ["header:a", "team-b", "header:b", "header:b"]});
    let mut faults = post(&service, "/api/callers", &body).await.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/identities/0 duplicate_identity",
            "/identities/1 invalid_identity",
            "/identities/3 duplicate_identity",
        ]
    );
    let settings = json!({
        "jwt_claims": ["ok", "a=b"],
        "client_certificate": "email",
        "identity_header": "x-user",
    });
    let mut faults = set(&service, &settings).await.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/client_certificate unknown_value",
            "/identity_header invalid_header",
            "/jwt_claims/1 invalid_claim",
        ]
    );
}
