//! Roles that are assumed with a token from a file.

use bedrock_simulator::sts::{Sts, secret};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HOUR, ROLE, dir, is_served, start, wait_published, wait_status};
use crate::common::{TestService, channel_with};

/// `{"alg":"RS256"}`, `{"sub":"x"}` and a signature.
const WEB_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

#[tokio::test]
async fn a_web_identity_needs_no_other_credentials_and_its_token_is_read_again_each_time() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let token_file = dir.path().join("tokens/token");
    std::fs::create_dir(dir.path().join("tokens")).unwrap();
    let credentials = json!({"credentials": {
        "type": "web_identity", "role_arn": ROLE, "token_file": token_file}});
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &credentials)).await;
    let failed = |status: &Value| status["state"] == "unavailable";
    let status = wait_status(&service, &id, failed).await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.starts_with("cannot read "), "{reason}");
    std::fs::write(&token_file, "SECRET=hush").unwrap();
    let no_token = |status: &Value| {
        let reason = status["last_error"].as_str().unwrap_or_default();
        assert!(!reason.contains("hush"), "{reason}");
        reason.contains("contains no token")
    };
    wait_status(&service, &id, no_token).await;
    assert!(sts.calls().is_empty(), "nothing but a token is sent");
    std::fs::write(&token_file, format!("{WEB_TOKEN}\n")).unwrap();
    let config = wait_published(&service, is_served).await;
    assert_eq!(
        config["channels"][0]["credentials"]["secret_access_key"],
        secret(1)
    );
    let call = sts.calls().remove(0);
    assert_eq!(call.parameters["Action"], "AssumeRoleWithWebIdentity");
    assert_eq!(call.parameters["WebIdentityToken"], WEB_TOKEN);
    assert_eq!(call.parameters["RoleSessionName"], "bedrock-filter");
    assert_eq!(call.authorization, None);
}

#[tokio::test]
async fn a_token_file_is_in_a_folder_that_the_operator_names() {
    let service = TestService::start().await;
    let ask = async |token_file: &str| {
        let credentials = json!({"type": "web_identity", "role_arn": ROLE,
            "token_file": token_file});
        let source = json!({"type": "bedrock_short_term_key", "source": credentials});
        let fields = json!({"enabled": false, "credentials": source});
        service.post(&channel_with("one", &fields)).await
    };
    for path in [
        "/proc/self/environ",
        "/etc/passwd",
        "/var/run/secrets/kubernetes.io/serviceaccount/../../../../../proc/self/environ",
        "/var/run/secrets/kubernetes.io/serviceaccount",
        "token",
    ] {
        let reply = ask(path).await;
        let fault = "/credentials/source/token_file invalid_path";
        assert_eq!(reply.problem(422), [fault], "{path}");
    }
    let refusal = ask("/etc/passwd").await.text;
    assert!(refusal.contains("--token-file-dirs"), "{refusal}");
    for path in [
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    ] {
        let reply = ask(path).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/channels/{id}");
        let gone = service.send(Method::DELETE, &path, "").await;
        assert_eq!(gone.status, 204);
    }
}

#[tokio::test]
async fn a_channel_whose_token_file_is_no_longer_allowed_says_so() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    std::fs::create_dir(dir.path().join("tokens")).unwrap();
    let token_file = dir.path().join("tokens/token");
    std::fs::write(&token_file, WEB_TOKEN).unwrap();
    let credentials = json!({"credentials": {
        "type": "web_identity", "role_arn": ROLE, "token_file": token_file}});
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &credentials)).await;
    wait_published(&service, is_served).await;
    // Stored by hand, as it could be in a backup, where nothing checks it.
    service.shutdown().await;
    let url = format!("sqlite://{}", dir.path().join("test.db").display());
    let store = sqlx::SqlitePool::connect(&url).await.unwrap();
    let update = "UPDATE channels SET document = \
                  json_replace(document, '$.credentials.token_file', '/proc/self/environ')";
    sqlx::query(update).execute(&store).await.unwrap();
    sqlx::query("DELETE FROM issued_credentials")
        .execute(&store)
        .await
        .unwrap();
    store.close().await;
    let service = start(&dir, &sts, &[]).await;
    let status = wait_status(&service, &id, |it| it["state"] == "unavailable").await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.contains("--token-file-dirs"), "{reason}");
    assert_eq!(sts.calls().len(), 1);
}
