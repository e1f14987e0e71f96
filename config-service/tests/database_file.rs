//! Backups, and files that cannot be used.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::common::{TestService, channel};
use config_service::seal::Sealer;
use config_service::store::{Store, StoreError};
use tempfile::TempDir;

fn back_up(database: &Path, file: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_config-service"))
        .arg("backup")
        .arg(file)
        .arg("--database")
        .arg(database)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), error)
}

#[tokio::test]
async fn a_backup_of_a_running_service_is_a_whole_database() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let copies = Arc::new(TempDir::new().unwrap());
    let file = copies.path().join("test.db");
    let database = service.dir.path().join("test.db");
    let (done, error) = back_up(&database, &file);
    assert!(done, "{error}");
    service.create(&channel("two")).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (done, error) = back_up(&database, &file);
    assert!(!done && error.contains("exists"), "{error}");
    let restored = TestService::start_in(copies, &[]).await;
    let list = restored.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 1);
}

async fn open(path: &Path) -> StoreError {
    Store::open(path, Sealer::default()).await.err().unwrap()
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_alone() {
    let dir = Arc::new(TempDir::new().unwrap());
    let path = dir.path().join("test.db");
    let service = TestService::start_in(Arc::clone(&dir), &[]).await;
    for number in 0..50 {
        service.create(&channel(&format!("c{number}"))).await;
    }
    service.shutdown().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    // Not the first page, so that only a look at all of them finds it.
    for byte in &mut damaged[4096..] {
        *byte ^= 0x5a;
    }
    let text = b"this is no database".repeat(100);
    for bytes in [damaged, text] {
        std::fs::write(&path, &bytes).unwrap();
        let error = open(&path).await;
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert!(error.to_string().contains("backup"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_named_and_left_alone() {
    let dir = Arc::new(TempDir::new().unwrap());
    let path = dir.path().join("test.db");
    TestService::start_in(Arc::clone(&dir), &[])
        .await
        .shutdown()
        .await;
    let url = format!("sqlite://{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (9999, 'of the future', TRUE, x'00', 0)";
    sqlx::query(insert).execute(&pool).await.unwrap();
    pool.close().await;
    let bytes = std::fs::read(&path).unwrap();
    let error = open(&path).await;
    assert!(
        matches!(error, StoreError::Newer { stored: 9999, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
