//! `config-service caller` and `config-service key`, in a terminal.

use crate::apply::run;
use crate::common::{TestService, channel};
use serde_json::json;

/// The output of a command that has to succeed.
async fn done(service: &TestService, words: &[&str]) -> String {
    let (done, said, error) = run(service, words).await;
    assert!(done, "{words:?}: {error}");
    said.trim_end().to_owned()
}

/// The error of a command that has to fail.
async fn refused(service: &TestService, words: &[&str]) -> String {
    let (done, said, error) = run(service, words).await;
    assert!(!done, "{words:?}: {said}");
    error
}

#[tokio::test]
async fn callers_are_made_listed_and_removed() {
    let service = TestService::start().await;
    service.create(&channel("us")).await;
    assert_eq!(done(&service, &["callers", "list"]).await, "");
    let words = [
        "caller",
        "create",
        "team-a",
        "--models=nova-*,claude-sonnet-4-5",
        "--channels=us",
        "--rpm=600",
        "--tpm=50000",
    ];
    let key = done(&service, &words).await;
    assert!(
        key.starts_with("sk-bf-") && !key.contains(char::is_whitespace),
        "{key}"
    );
    let view = service.get("/api/callers").await.json()["callers"][0].clone();
    assert_eq!(view["models"], json!(["nova-*", "claude-sonnet-4-5"]));
    assert_eq!((&view["rpm"], &view["tpm"]), (&json!(600), &json!(50_000)));
    let id = view["id"].as_str().unwrap();
    assert_eq!(
        done(&service, &["caller", "list"]).await,
        format!("{id}  1 keys  enabled  team-a")
    );
    let taken = refused(&service, &["caller", "create", "team-a"]).await;
    assert!(taken.contains("has the name `team-a`"), "{taken}");
    let faulty = refused(
        &service,
        &["caller", "create", "two words", "--channels=none"],
    )
    .await;
    assert!(
        faulty.contains("/name") && faulty.contains("/channels/0"),
        "{faulty}"
    );
    assert_eq!(
        done(&service, &["caller", "delete", "team-a"]).await,
        "deleted"
    );
    let unknown = refused(&service, &["caller", "delete", "team-a"]).await;
    assert!(unknown.contains("there is no caller `team-a`"), "{unknown}");
}

#[tokio::test]
async fn keys_are_made_brought_rotated_and_revoked() {
    let service = TestService::start().await;
    let first = done(&service, &["caller", "create", "ann"]).await;
    let words = [
        "key",
        "create",
        "ann",
        "--name=laptop",
        "--expires-at=2030-01-31",
    ];
    let second = done(&service, &words).await;
    assert_ne!(first, second);
    let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
    let words = ["key", "create", "ann", "--key-hash", hash];
    assert_eq!(done(&service, &words).await, "sha256:2c70e12b…");
    let listed = done(&service, &["key", "list", "ann"]).await;
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(
        lines[1].ends_with("2030-01-31T00:00:00Z  laptop"),
        "{listed}"
    );
    assert!(!listed.contains(&first) && !listed.contains(&second));
    let id = lines[1].split(' ').next().unwrap();
    let words = ["key", "rotate", "ann", id, "--overlap-seconds=60"];
    let third = done(&service, &words).await;
    assert!(third.starts_with("sk-bf-") && third != second, "{third}");
    assert_eq!(
        done(&service, &["key", "list", "ann"])
            .await
            .lines()
            .count(),
        4
    );
    assert_eq!(
        done(&service, &["key", "revoke", "ann", id]).await,
        "revoked"
    );
    let gone = refused(&service, &["key", "revoke", "ann", id]).await;
    assert!(gone.contains("no key with the id"), "{gone}");
    assert_eq!(
        done(&service, &["key", "list", "ann"])
            .await
            .lines()
            .count(),
        3
    );
    let wrong = refused(&service, &["key", "create", "ann", "--key-hash=sk-hush"]).await;
    assert!(
        wrong.contains("/key_hash") && !wrong.contains("hush"),
        "{wrong}"
    );
}

#[tokio::test]
async fn the_mode_is_told_and_changed() {
    let service = TestService::start().await;
    assert_eq!(done(&service, &["caller", "mode"]).await, "off");
    assert_eq!(
        done(&service, &["caller", "mode", "required"]).await,
        "required"
    );
    let settings = service.get("/api/caller-settings").await.json();
    assert_eq!(settings["mode"], "required");
    refused(&service, &["caller", "mode", "sometimes"]).await;
    let unknown = refused(&service, &["caller", "forecast"]).await;
    assert!(unknown.contains("usage is not recorded"), "{unknown}");
}
