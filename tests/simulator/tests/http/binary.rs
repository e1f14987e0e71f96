//! The executable: flags, the line it prints, Ctrl-C.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::client::http;

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
