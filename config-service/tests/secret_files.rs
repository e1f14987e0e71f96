//! Secrets from files: `--admin-token-file`, `BEDROCK_SEAL_KEY_FILE` and so on.

use std::path::Path;
use std::process::Command;

use crate::common::{TOKEN, TestService};
use tempfile::TempDir;

const SEAL_KEY: &str = "k1:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

/// A file with a secret in it, as an editor writes it.
fn file(dir: &TempDir, name: &str, content: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, format!("{content}\n")).unwrap();
    path.display().to_string()
}

/// What a command that fails says.
fn failure(words: &[&str], variables: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_config-service"))
        .args(words)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// What a service that does not start says.
fn refusal(dir: &Path, variables: &[(&str, &str)]) -> String {
    let database = format!("--database={}", dir.join("never.db").display());
    let words = [
        "--wasm-path-in-envoy=/x.wasm",
        "--listen=127.0.0.1:0",
        "--xds-listen=127.0.0.1:0",
        &database,
    ];
    failure(&words, variables)
}

#[tokio::test]
async fn token_and_keys_come_from_files() {
    let dir = TempDir::new().unwrap();
    let (token, key) = (file(&dir, "token", TOKEN), file(&dir, "key", SEAL_KEY));
    let service =
        TestService::start_with_token(&["--admin-token-file", &token, "--seal-key-file", &key])
            .await;
    assert_eq!(service.get("/api/status").await.status, 200);
    service.create(&crate::common::channel("one")).await;
    let exported = service.get("/api/export/plugin-config").await.text;
    assert!(exported.contains("k1"), "{exported}");

    // So they do for commands.
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
    command
        .args(["export", "--token-file", &token])
        .env("BEDROCK_SERVER", service.url(""));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(
        output.status.success() && said.contains("name: one"),
        "{said}"
    );
    let database = service.dir.path().join("test.db");
    let output = Command::new(env!("CARGO_BIN_EXE_config-service"))
        .args(["seal", "rotate", "--database"])
        .arg(database)
        .env("BEDROCK_SEAL_KEY_FILE", &key)
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("sealed with the key k1"), "{said}");
}

#[test]
fn both_at_once_are_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let (token, key) = (file(&dir, "token", TOKEN), file(&dir, "key", SEAL_KEY));
    let own = [("BEDROCK_ADMIN_TOKEN", TOKEN)];
    let both = [
        ("BEDROCK_ADMIN_TOKEN", TOKEN),
        ("BEDROCK_ADMIN_TOKEN_FILE", &*token),
    ];
    let keys = [
        ("BEDROCK_SEAL_KEY", SEAL_KEY),
        ("BEDROCK_SEAL_KEY_FILE", &*key),
    ];
    for said in [refusal(dir.path(), &both), failure(&["export"], &both)] {
        for name in [
            "(BEDROCK_ADMIN_TOKEN)",
            "(BEDROCK_ADMIN_TOKEN_FILE)",
            "both set",
        ] {
            assert!(said.contains(name), "{said}");
        }
        assert!(!said.contains(TOKEN), "{said}");
    }
    let all: Vec<_> = own.into_iter().chain(keys).collect();
    for said in [
        refusal(dir.path(), &all),
        failure(&["seal", "rotate", "--database=/nowhere.db"], &keys),
    ] {
        for name in ["(BEDROCK_SEAL_KEY)", "(BEDROCK_SEAL_KEY_FILE)", "both set"] {
            assert!(said.contains(name), "{said}");
        }
        assert!(!said.contains("QUFB"), "{said}");
    }
}

#[test]
fn a_file_that_is_missing_or_empty_is_named() {
    let dir = TempDir::new().unwrap();
    let empty = file(&dir, "empty", "");
    for (path, reason) in [("/nowhere/token", "No such file"), (&empty, "is empty")] {
        let said = refusal(dir.path(), &[("BEDROCK_ADMIN_TOKEN_FILE", path)]);
        assert!(said.contains(path) && said.contains(reason), "{said}");
        let variables = [
            ("BEDROCK_ADMIN_TOKEN", TOKEN),
            ("BEDROCK_SEAL_KEY_FILE", path),
        ];
        let said = refusal(dir.path(), &variables);
        assert!(said.contains(path) && said.contains(reason), "{said}");
    }
    let said = refusal(dir.path(), &[]);
    assert!(
        said.contains("--admin-token (BEDROCK_ADMIN_TOKEN) is not set"),
        "{said}"
    );
    assert!(!dir.path().join("never.db").exists());
}

#[test]
fn the_content_of_a_file_is_checked_and_never_repeated() {
    let dir = TempDir::new().unwrap();
    let broken = file(&dir, "broken", "two words");
    let said = refusal(dir.path(), &[("BEDROCK_ADMIN_TOKEN_FILE", &broken)]);
    assert!(
        said.contains("visible ASCII") && !said.contains("two words"),
        "{said}"
    );
    let variables = [
        ("BEDROCK_ADMIN_TOKEN", TOKEN),
        ("BEDROCK_SEAL_KEY_FILE", &*broken),
    ];
    let said = refusal(dir.path(), &variables);
    assert!(
        said.contains("seal generate-key") && !said.contains("two words"),
        "{said}"
    );
}
