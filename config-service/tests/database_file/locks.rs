//! Only one service serves from a database.

use std::process::Command;
use std::sync::Arc;

use super::{command, make_older, run_until_started, try_start};
use crate::common::{TestService, channel};

#[tokio::test]
async fn two_services_do_not_share_a_database() {
    let service = TestService::start().await;
    let path = service.dir.path().join("test.db");
    let link = service.dir.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        let error = try_start(&["--database", name.to_str().unwrap()])
            .await
            .unwrap_err();
        for part in [name.to_str().unwrap(), "test.db.lock", "--database"] {
            assert!(error.contains(part), "{error}");
        }
    }
    // The first one does not notice.
    service.create(&channel("one")).await;
    // Commands that work beside a service still do.
    for words in [&["token", "list"][..], &["backup"]] {
        let copy = service.dir.path().join("copy.db");
        let copy = [copy.to_str().unwrap()];
        let file = if words[0] == "backup" { &copy[..] } else { &[] };
        let words: Vec<_> = words.iter().chain(file).copied().collect();
        let (done, error) = command(&words, &path);
        assert!(done, "{error}");
    }
    let service = service.restart().await;
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_removed_lock_file_lets_no_second_service_start() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let path = service.dir.path().join("test.db");
    let lock = service.dir.path().join("test.db.lock");
    // In a separate process, because SQLite's locks belong to a process.
    let second = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
        run_until_started(command.arg("--database").arg(&path)).unwrap_err()
    };
    for replace in [false, true, false] {
        std::fs::remove_file(&lock).unwrap();
        if replace {
            std::fs::write(&lock, "").unwrap();
        }
        let error = second();
        for part in ["test.db is in use", "test.db.lock", "stop that one"] {
            assert!(error.contains(part), "{error}");
        }
    }
    // The first one does not notice, and once it has ended the file is usable.
    service.create(&channel("two")).await;
    make_older(&path).await;
    let (done, error) = command(&["token", "list"], &path);
    assert!(!done && error.contains("restart"), "{error}");
    let service = service.restart().await;
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 2);
    let error = second();
    assert!(error.contains("holds"), "{error}");
}

#[tokio::test]
async fn a_start_without_a_lock_file_waits_for_a_running_command() {
    let service = TestService::start().await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    std::fs::remove_file(dir.path().join("test.db.lock")).unwrap();
    let database = dir.path().join("test.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
    let command = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("SELECT revision FROM meta")
        .fetch_one(&command)
        .await
        .unwrap();
    let (_, service) = tokio::join!(command.close(), TestService::start_in(dir, &[]));
    service.create(&channel("one")).await;
}

#[tokio::test]
async fn a_database_with_a_second_name_is_refused() {
    let service = TestService::start().await;
    let dir = Arc::clone(&service.dir);
    let path = dir.path().join("test.db");
    let other = dir.path().join("other").join("y.db");
    std::fs::create_dir(dir.path().join("other")).unwrap();
    std::fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        let error = try_start(&["--database", name.to_str().unwrap()])
            .await
            .unwrap_err();
        assert!(error.contains("hard links"), "{error}");
    }
    std::fs::remove_file(&other).unwrap();
    service.restart().await;
}
