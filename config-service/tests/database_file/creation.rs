//! When a missing database is created.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{command, run_until_started, try_start};

#[tokio::test]
async fn a_named_database_that_is_missing_or_empty_is_created_only_on_request() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("channels.db");
    let database = ["--database", path.to_str().unwrap()];
    let error = try_start(&database).await.unwrap_err();
    for part in [path.to_str().unwrap(), "--init", "backup"] {
        assert!(error.contains(part), "{error}");
    }
    // Nothing is left that looks like a database or the traces of one.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    for words in [&["token", "list"][..], &["backup", "copy.db"]] {
        let (done, error) = command(words, &path);
        assert!(!done && error.contains("there is no database"), "{error}");
    }
    std::fs::write(&path, "").unwrap();
    let error = try_start(&database).await.unwrap_err();
    assert!(
        error.contains("is empty") && error.contains("--init"),
        "{error}"
    );
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    let arguments = [&database[..], &["--init"]].concat();
    try_start(&arguments).await.unwrap().shutdown().await;
    // Once it exists, no flag is needed.
    try_start(&database).await.unwrap().shutdown().await;
}

/// Runs the executable in a folder, without naming a database, until it has started or ended.
fn run_in(folder: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
    run_until_started(command.current_dir(folder))
}

#[test]
fn the_default_database_is_created_if_there_never_was_one() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config-service.db");
    assert_eq!(run_in(dir.path()), Ok(()));
    assert!(path.exists());
    // A killed process leaves no lock.
    assert_eq!(run_in(dir.path()), Ok(()));
    std::fs::remove_file(&path).unwrap();
    let error = run_in(dir.path()).unwrap_err();
    assert!(error.contains("there is no database"), "{error}");
    assert!(!path.exists());
}

#[test]
fn traces_of_a_database_show_that_there_was_one() {
    for side in [".lock", "-wal", "-shm", "-journal"] {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join(format!("config-service.db{side}")), "").unwrap();
        let error = run_in(dir.path()).unwrap_err();
        assert!(error.contains("there is no database"), "{side}: {error}");
    }
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config-service.db");
    std::os::unix::fs::symlink("/nowhere/volume.db", &path).unwrap();
    let error = run_in(dir.path()).unwrap_err();
    assert!(error.contains("there is no database"), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    let error = run_in(dir.path()).unwrap_err();
    assert!(error.contains("is empty"), "{error}");
}
