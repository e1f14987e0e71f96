//! Keys in files, in AWS Secrets Manager and in the Parameter Store.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{OTHER_SECRET, shared};
use crate::common::{DEADLINE, SECRET, TestService, channel, channel_with};

/// What Secrets Manager or the Parameter Store is asked, and what it stores.
#[derive(Clone, Default)]
struct Vault {
    stored: Arc<Mutex<Option<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Vault {
    /// Listens; returns its URL.
    async fn start(stored: &str) -> (Self, String) {
        let vault = Self::default();
        *vault.stored.lock().unwrap() = Some(stored.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(vault.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (vault, url)
    }
}

/// The JSON protocol of the service.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
async fn answer(State(vault): State<Vault>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (target, signed) = (header("x-amz-target"), header("authorization"));
    let body: Value = serde_json::from_slice(&body).unwrap();
    let scope = signed
        .split('/')
        .skip(2)
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    vault
        .asked
        .lock()
        .unwrap()
        .push(format!("{target} {body} {scope}"));
    let Some(stored) = vault.stored.lock().unwrap().clone() else {
        let refusal = json!({"__type": "AccessDeniedException", "message": "not for you"});
        return (StatusCode::BAD_REQUEST, refusal.to_string()).into_response();
    };
    let answer = match target.as_str() {
        "secretsmanager.GetSecretValue" => json!({"Name": "n", "SecretString": stored}),
        // <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
        "AmazonSSM.GetParameter" => {
            assert_eq!(body["WithDecryption"], true);
            json!({"Parameter": {"Name": "n", "Type": "SecureString", "Value": stored, "Version": 1}})
        }
        other => panic!("{other}"),
    };
    answer.to_string().into_response()
}

/// The status of a channel's credentials, once it satisfies a condition.
async fn status(service: &TestService, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let view = service.get(&format!("/api/channels/{id}")).await.json();
        if wanted(&view["credential_status"]) {
            return view["credential_status"].clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "{view}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn is_ready(status: &Value) -> bool {
    status["state"] == "ready"
}

#[tokio::test]
async fn a_secret_is_read_with_the_identity_that_may_read_them() {
    let kind = ("secrets_manager", "--secrets-manager-endpoint");
    let service_name = ("secretsmanager", "secretsmanager.GetSecretValue");
    check_vault(kind, service_name).await;
}

#[tokio::test]
async fn a_parameter_is_read_with_the_identity_that_may_read_them() {
    let kind = ("parameter_store", "--ssm-endpoint");
    check_vault(kind, ("ssm", "AmazonSSM.GetParameter")).await;
}

/// Reads a key from a vault of this type, with the flag for its endpoint; `service_name` is what signatures call it, and
/// `target` the operation.
async fn check_vault((kind, flag): (&str, &str), (service_name, target): (&str, &str)) {
    let document = json!({"access_key_id": "AKIDSTORED", "secret_access_key": OTHER_SECRET});
    let (vault, url) = Vault::start(&document.to_string()).await;
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &[flag, &url]).await;
    let credentials = json!({"type": kind, "id": "/prod/bedrock", "region": "eu-west-1",
        "source": channel("x")["credentials"]});
    service.put_credential("stored", &credentials).await;
    let shown = service.get("/api/credentials/stored").await;
    assert_eq!(shown.json()["credentials"]["id"], "/prod/bedrock");
    assert!(!shown.text.contains(SECRET), "{shown:?}");
    let body = channel_with("one", &json!({ "credentials": shared("stored") }));
    let id = service.create(&body).await;
    status(&service, &id, is_ready).await;
    let asked = vault.asked.lock().unwrap()[0].clone();
    assert!(
        asked.starts_with(target) && asked.contains("/prod/bedrock"),
        "{asked}"
    );
    assert!(
        asked.ends_with(&format!("eu-west-1 {service_name}")),
        "{asked}"
    );

    // Refused at the next look: what there was stays in use, and the status says why.
    *vault.stored.lock().unwrap() = None;
    let other = channel_with("two", &json!({ "credentials": credentials }));
    let id = service.create(&other).await;
    let failed = status(&service, &id, |own| own["state"] == "unavailable").await;
    let reason = failed["last_error"].as_str().unwrap();
    assert_eq!(reason, "AccessDeniedException: not for you");
}

#[tokio::test]
async fn a_file_is_read_from_its_folder_alone_and_must_have_a_key() {
    let (dir, keys) = (Arc::new(TempDir::new().unwrap()), TempDir::new().unwrap());
    let folder = keys.path().canonicalize().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("api-key", "ABSKQmVkcm9jaw==\n");
    write("passwd", "root:x:0:0:root:/root:/bin/sh\n");
    let flag = ["--credential-file-dirs", folder.to_str().unwrap()];
    let service = TestService::start_in(dir, &flag).await;
    let file = |name: &str| json!({"type": "file", "path": folder.join(name)});
    let body = |name: &str| channel_with(name, &json!({ "credentials": file(name) }));
    let id = service.create(&body("api-key")).await;
    status(&service, &id, is_ready).await;
    let id = service.create(&body("passwd")).await;
    let failed = status(&service, &id, |own| own["state"] == "unavailable").await;
    let reason = failed["last_error"].as_str().unwrap();
    assert!(
        reason.contains("no key in it") && !reason.contains("root"),
        "{reason}"
    );
    let outside = channel_with(
        "outside",
        &json!({"credentials": {"type": "file", "path": "/etc/passwd"}}),
    );
    let reply = service.post(&outside).await;
    assert_eq!(reply.problem(422), ["/credentials/path invalid_path"]);
    // An edit of a channel with a file may not lead its key elsewhere.
    let change = json!({"endpoint": "https://bedrock.example"}).to_string();
    let path = format!("/api/channels/{id}");
    let reply = service.send(Method::PATCH, &path, change).await;
    assert_eq!(reply.problem(422), ["/endpoint untrusted_endpoint"]);
}
