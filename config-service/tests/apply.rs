//! Channels as a file: `config-service export` and `apply`.

use std::process::Command;

use crate::common::{SECRET, SESSION_TOKEN, TOKEN, TestService, channel};
use serde_json::{Value, json};

/// Runs a subcommand; returns whether it succeeded, and its output.
pub async fn run(service: &TestService, words: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
    command
        .args(words)
        .env("BEDROCK_SERVER", service.url(""))
        .env("BEDROCK_ADMIN_TOKEN", TOKEN);
    // The service runs in this process, so its thread must not block.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn what_is_exported_can_be_applied_again_and_again() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (done, exported, error) = run(&service, &["export"]).await;
    assert!(done, "{error}");
    assert!(!exported.contains(SECRET) && !exported.contains(SESSION_TOKEN));
    let file = service.dir.path().join("channels.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &exported).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(done, "{error}");
    assert_eq!(said, "one: as it was\n");

    let mut edited: Value = serde_saphyr::from_str(&exported).unwrap();
    edited["channels"][0]["region"] = json!("eu-west-1");
    // What the file does not mention stays: credentials, and a channel.
    let credentials = edited["channels"][0].as_object_mut().unwrap();
    credentials.remove("credentials").unwrap();
    service.create(&channel("not-in-the-file")).await;
    let two =
        json!({"name": "two", "region": "us-east-1", "credentials": {"type": "default_chain"}});
    edited["channels"].as_array_mut().unwrap().push(two);
    std::fs::write(&file, edited.to_string()).unwrap();
    let (_, said, _) = run(&service, &["apply", "--dry-run", "-f", path]).await;
    assert_eq!(said, "one: would change in region\ntwo: would be created\n");
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["region"], "us-east-1");
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(done, "{error}");
    assert_eq!(
        said,
        "one: changed by revision 3\ntwo: created by revision 4\n"
    );
    let credentials = view["credentials"].clone();
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["region"], "eu-west-1");
    assert_eq!(view["credentials"], credentials);
    let list = service.get("/api/channels").await.json();
    let names = list["channels"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|own| &own["name"]).collect();
    assert_eq!(names, ["one", "not-in-the-file", "two"]);
    // A flag may name another service.
    let elsewhere = ["export", "--server", "http://127.0.0.1:1"];
    assert!(!run(&service, &elsewhere).await.0);
}

#[tokio::test]
async fn a_refusal_names_channel_and_field() {
    let service = TestService::start().await;
    let file = service.dir.path().join("channels.yaml");
    let path = file.to_str().unwrap();
    let mut wrong = channel("wrong");
    wrong["region"] = json!("moon");
    let document = json!({"channels": [wrong, channel("right")]});
    std::fs::write(&file, document.to_string()).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done);
    assert!(
        said.contains("wrong: refused: 422") && said.contains("/region"),
        "{said}"
    );
    assert!(said.contains("right: created"), "{said}");
    assert!(!said.contains(SECRET) && !error.contains(SECRET), "{error}");
    std::fs::write(&file, format!("channels: [\n  {SECRET}")).unwrap();
    let (done, _, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done && error.contains("neither YAML nor JSON"), "{error}");
    assert!(!error.contains(SECRET));
}

#[tokio::test]
async fn what_is_in_a_file_twice_is_refused_before_anything_changes() {
    let service = TestService::start().await;
    let file = service.dir.path().join("twice.yaml");
    let path = file.to_str().unwrap();
    let callers = json!([{"name": "a", "rpm": 1}, {"name": "a", "rpm": 2}]);
    let document = json!({"channels": [channel("one")], "callers": callers});
    std::fs::write(&file, document.to_string()).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done && said.is_empty(), "{said}");
    assert!(
        error.contains("the caller `a` is in the file twice"),
        "{error}"
    );
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"], json!([]));
}

#[tokio::test]
async fn model_choices_are_stored_before_those_that_name_them() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let file = service.dir.path().join("choices.yaml");
    let path = file.to_str().unwrap();
    let rules = json!({"rules": [{"when": {"tools": true}, "use": "fast"}], "else": "slow"});
    let list = json!(["claude-sonnet-4-5", "nova-lite"]);
    let choices = json!([
        {"name": "auto", "choice": rules},
        {"name": "fast", "choice": list},
        {"name": "slow", "choice": list},
    ]);
    let document = json!({ "model_choices": choices });
    std::fs::write(&file, document.to_string()).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(done, "{said}{error}");
    let names: Vec<_> = said
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(names, ["fast", "slow", "auto"]);
}
