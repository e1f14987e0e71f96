//! Credentials that are stored by themselves: used by channels, edited in one place, and read from elsewhere.

mod elsewhere;
mod history;
mod tools;

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{SECRET, TestService, channel_with};

const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

fn key(secret: &str) -> Value {
    json!({"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": secret})
}

fn shared(name: &str) -> Value {
    json!({"type": "shared", "name": name})
}

/// A channel with a shared credential.
fn using(channel: &str, credential: &str) -> Value {
    channel_with(channel, &json!({ "credentials": shared(credential) }))
}

impl TestService {
    pub async fn put_credential(&self, name: &str, credentials: &Value) -> crate::common::Reply {
        let body = json!({ "credentials": credentials }).to_string();
        let path = format!("/api/credentials/{name}");
        self.send(Method::PUT, &path, body).await
    }

    /// All credentials, as the API lists them.
    pub async fn credentials(&self) -> Value {
        let reply = self.get("/api/credentials").await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json()
    }
}

#[tokio::test]
async fn channels_share_one_and_it_is_rotated_in_one_place() {
    let service = TestService::start().await;
    let reply = service.put_credential("prod", &key(SECRET)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.header("location"), "/api/credentials/prod");
    assert!(!reply.text.contains(SECRET), "{reply:?}");
    let first = reply.json();
    assert_eq!(first["used_by"], json!([]));
    let one = service.create(&using("one", "prod")).await;
    service.create(&using("two", "prod")).await;
    let view = service.get(&format!("/api/channels/{one}")).await.json();
    assert_eq!(view["credentials"], shared("prod"));

    // What a read shows can be sent back; it changes nothing.
    let again = service.get("/api/credentials/prod").await;
    let reply = service
        .send(Method::PUT, "/api/credentials/prod", again.text.clone())
        .await;
    assert_eq!(
        (reply.status, reply.json()["revision"].as_u64()),
        (StatusCode::OK, Some(1))
    );

    let reply = service.put_credential("prod", &key(OTHER_SECRET)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let rotated = reply.json();
    assert_eq!(rotated["used_by"], json!(["one", "two"]));
    let print = |view: &Value| view["credentials"]["fingerprint"].clone();
    assert_ne!(print(&rotated), print(&first));
    assert_eq!(service.status().await["revision"], 4);

    let history = service.get("/api/credentials/prod/history").await;
    assert!(!history.text.contains(SECRET) && !history.text.contains(OTHER_SECRET));
    let history = history.json();
    let actions: Vec<_> = history["entries"].as_array().unwrap().iter().collect();
    assert_eq!(
        [&actions[0]["action"], &actions[1]["action"]],
        ["update", "create"]
    );
    assert_eq!(actions[0]["changes"][0]["pointer"], "/fingerprint");
    let list = service.credentials().await;
    assert_eq!(list["credentials"][0]["name"], "prod");
}

#[tokio::test]
async fn one_that_is_used_stays_and_one_that_is_unknown_is_refused() {
    let service = TestService::start().await;
    let reply = service.post(&using("one", "nowhere")).await;
    assert_eq!(reply.problem(422), ["/credentials/name unknown_credential"]);
    service.put_credential("prod", &key(SECRET)).await;
    let id = service.create(&using("one", "prod")).await;
    let delete = || service.send(Method::DELETE, "/api/credentials/prod", "");
    let refused = delete().await;
    refused.problem(409);
    assert!(refused.text.contains("one") && refused.text.contains("credential-in-use"));
    let path = format!("/api/channels/{id}");
    assert_eq!(service.send(Method::DELETE, &path, "").await.status, 204);
    assert_eq!(delete().await.status, 204);
    delete().await.problem(404);
    assert_eq!(service.get("/api/credentials/prod").await.status, 404);
    let history = service.get("/api/credentials/prod/history").await.json();
    assert_eq!(history["entries"][0]["action"], "delete");
    service
        .get("/api/credentials/other/history")
        .await
        .problem(404);
}

#[tokio::test]
async fn an_edit_that_a_channel_could_not_bear_is_refused() {
    let service = TestService::start().await;
    service.put_credential("prod", &key(SECRET)).await;
    let mut own = using("one", "prod");
    own["signer"] = json!("envoy");
    service.create(&own).await;
    let api_key = json!({"type": "bedrock_api_key", "api_key": "ABSKQmVkcm9jaw=="});
    let reply = service.put_credential("prod", &api_key).await;
    assert_eq!(reply.problem(422), ["/credentials nothing_to_sign"]);
    assert!(reply.text.contains("channel `one`"), "{reply:?}");
    // A shared credential goes to AWS, not to any host that an editor names.
    let mut elsewhere = using("two", "prod");
    elsewhere["endpoint"] = json!("https://bedrock.example");
    let reply = service.post(&elsewhere).await;
    assert_eq!(reply.problem(422), ["/endpoint untrusted_endpoint"]);
    let nested = json!({"type": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/r",
        "source": shared("prod")});
    let reply = service.put_credential("other", &nested).await;
    assert_eq!(
        reply.problem(422),
        ["/credentials/source unsuitable_source"]
    );
    let stale = service
        .send(
            Method::PUT,
            "/api/credentials/bad%20name",
            r#"{"credentials": {"type": "default_chain"}}"#,
        )
        .await;
    assert_eq!(stale.problem(422), ["/name invalid_name"]);
}

#[tokio::test]
async fn an_edit_based_on_an_old_read_is_refused() {
    let service = TestService::start().await;
    service.put_credential("prod", &key(SECRET)).await;
    service.put_credential("prod", &key(OTHER_SECRET)).await;
    let url = service.url("/api/credentials/prod");
    let body = json!({ "credentials": key(SECRET) }).to_string();
    let request = reqwest::Client::new()
        .put(url)
        .body(body)
        .header("if-match", "\"1\"");
    let reply = crate::common::receive(request.bearer_auth(crate::common::TOKEN)).await;
    assert_eq!(reply.problem(412), [""; 0]);
    assert!(
        reply.text.contains("the credential was edited"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn they_are_sealed_and_survive_a_restart_and_a_change_of_keys() {
    const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(Arc::clone(&dir), &[]).await;
    service.put_credential("prod", &key(SECRET)).await;
    service.create(&using("one", "prod")).await;
    let before = service.get("/api/credentials/prod").await.json();
    service.shutdown().await;
    let read = || std::fs::read(dir.path().join("test.db")).unwrap();
    let contains = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains(SECRET)
    };
    assert!(contains(read()));
    // Sealed at the first start with a key.
    let service = TestService::start_in(Arc::clone(&dir), &["--seal-key", KEY]).await;
    assert_eq!(service.get("/api/credentials/prod").await.json(), before);
    service.shutdown().await;
    assert!(!contains(read()));
    let service = TestService::start_in(Arc::clone(&dir), &["--seal-key", KEY]).await;
    assert_eq!(service.get("/api/credentials/prod").await.json(), before);
}
