//! The executable: flags, the line it prints, Ctrl-C.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::client::{HAIKU, body, http};

#[tokio::test]
async fn the_executable_prints_its_address_and_ends_at_ctrl_c() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-simulator"))
        .args(["--listen", "127.0.0.1:0", "--region", "eu-west-1"])
        .args(["--access-key-id", "AKIDEXAMPLE", "--session-token", "token"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("bedrock-simulator listens on ").unwrap();
    let client = http().build().unwrap();
    let recorded = client.get(format!("{url}/_simulator/requests"));
    assert_eq!(recorded.send().await.unwrap().text().await.unwrap(), "[]");
    let pid = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.await.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait());
    assert!(ended.await.unwrap().unwrap().success());
    assert_eq!(lines.next_line().await.unwrap(), None, "one line only");
}

#[tokio::test]
async fn a_key_comes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "bedrock-api-key-EXAMPLE\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-simulator"))
        .args(["--listen", "127.0.0.1:0"])
        .env("SIMULATOR_BEARER_KEY_FILE", &file)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("bedrock-simulator listens on ").unwrap();
    let url = format!("{url}/model/{HAIKU}/invoke");
    for (key, status) in [("bedrock-api-key-EXAMPLE", 200), ("another", 403)] {
        let request = http().build().unwrap().post(&url).bearer_auth(key);
        let answer = request.body(body("Hi").to_string()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{key}");
    }
}

#[tokio::test]
async fn a_secret_and_its_file_at_once_are_named() {
    for (variable, flag) in [
        ("SIMULATOR_SECRET_ACCESS_KEY", "--secret-access-key"),
        ("SIMULATOR_SESSION_TOKEN", "--session-token"),
        ("SIMULATOR_BEARER_KEY", "--bearer-key"),
    ] {
        let of_file = format!("{variable}_FILE");
        let output = Command::new(env!("CARGO_BIN_EXE_bedrock-simulator"))
            .args(["--listen", "127.0.0.1:0"])
            .env(variable, "s3cret")
            .env(&of_file, "/run/secrets/key")
            .output();
        let output = output.await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        let expected = format!("{flag} ({variable}) and {flag}-file ({of_file}) are both set");
        assert!(said.contains(&expected), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}
