//! `envoy/entrypoint.sh` gives Envoy its keys, from the environment or from a file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::root;
use tempfile::TempDir;

/// Starts a fake Envoy that only prints which keys it got.
fn start(folder: &TempDir, variables: &[(&str, &str)]) -> Output {
    run(folder, "echo \"keys: ${BEDROCK_SEAL_KEY-none}\"", variables)
}

/// Starts a script as Envoy.
fn run(folder: &TempDir, script: &str, variables: &[(&str, &str)]) -> Output {
    let envoy = folder.path().join("envoy");
    std::fs::write(&envoy, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&envoy, PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new(root().join("envoy/entrypoint.sh"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("TMPDIR", folder.path())
        .env("ENVOY_TEMPLATE", root().join("envoy/envoy.yaml"))
        .env_remove("BEDROCK_SEAL_KEY")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn file(folder: &Path, content: &str) -> String {
    let file = folder.join("keys");
    std::fs::write(&file, content).unwrap();
    file.display().to_string()
}

#[test]
fn keys_come_from_the_environment_or_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "k1:a2V5\n");
    for (variables, keys) in [
        (vec![], "none"),
        (vec![("BEDROCK_SEAL_KEY", "k0:a2V5")], "k0:a2V5"),
        (vec![("BEDROCK_SEAL_KEY_FILE", &*file)], "k1:a2V5"),
        (
            vec![("BEDROCK_SEAL_KEY", ""), ("BEDROCK_SEAL_KEY_FILE", &*file)],
            "k1:a2V5",
        ),
    ] {
        let output = start(&folder, &variables);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("keys: {keys}\n"), "{variables:?}");
    }
}

#[test]
fn a_byte_order_mark_is_not_part_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "\u{feff}k1:a2V5\n");
    let output = start(&folder, &[("BEDROCK_SEAL_KEY_FILE", &*file)]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains(&file) && said.contains("byte order mark"),
        "{said}"
    );
    assert!(!said.contains("k1:"), "{said}");
}

#[test]
fn both_at_once_and_a_missing_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "k1:a2V5");
    let both = [
        ("BEDROCK_SEAL_KEY", "k0:a2V5"),
        ("BEDROCK_SEAL_KEY_FILE", &*file),
    ];
    let missing = [("BEDROCK_SEAL_KEY_FILE", "/nowhere/keys")];
    for (variables, named) in [
        (
            &both[..],
            "BEDROCK_SEAL_KEY and BEDROCK_SEAL_KEY_FILE are both set",
        ),
        (&missing[..], "/nowhere/keys"),
    ] {
        let output = start(&folder, variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(named), "{said}");
        assert!(!said.contains("k0:") && !said.contains("k1:"), "{said}");
    }
}

/// Whoever restarts containers goes by it.
#[test]
fn the_status_is_envoys() {
    let folder = tempfile::tempdir().unwrap();
    for (script, status) in [("exit 3", 3), ("kill -s SEGV $$", 139), ("exit 0", 0)] {
        let output = run(&folder, script, &[]);
        assert_eq!(output.status.code(), Some(status), "{script}");
    }
}

#[test]
fn a_time_to_stop_is_a_number() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["2m", "-1", " "] {
        let output = start(&folder, &[("BEDROCK_ENVOY_STOP_SECONDS", wrong)]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{wrong}");
        assert!(said.contains("BEDROCK_ENVOY_STOP_SECONDS"), "{said}");
        assert!(output.stdout.is_empty(), "{wrong}");
    }
}
