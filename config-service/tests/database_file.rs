//! Backups, and files that cannot be used.

mod creation;
mod locks;

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bedrock_filter::config::KeyDigest;
use clap::Parser as _;
use config_service::seal::Sealer;
use config_service::store::{Store, StoreError};
use config_service::{Args, Service};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::common::envoy::{ECDS, Envoy, Service as At, plugin_json, revision};
use crate::common::{TestService, channel};

/// Starts a service with these arguments, besides those that every one needs; fails with what it
/// says.
async fn try_start(arguments: &[&str]) -> Result<Service, String> {
    let fixed = [
        "config-service",
        "--listen=127.0.0.1:0",
        "--xds-listen=127.0.0.1:0",
        "--admin-token=t",
        "--wasm-path-in-envoy=/x.wasm",
    ];
    let args = Args::parse_from(fixed.iter().chain(arguments));
    Service::start(args)
        .await
        .map_err(|error| error.to_string())
}

fn command(words: &[&str], database: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_config-service"))
        .args(words)
        .arg("--database")
        .arg(database)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), error)
}

async fn execute(database: &Path, statements: &[&'static str]) {
    let url = format!("sqlite://{}?mode=rwc", database.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// Turns a database into that of a version without tokens.
async fn make_older(database: &Path) {
    let statements = [
        "DROP TABLE model_choice_audit",
        "DROP TABLE model_choices",
        "DROP TABLE credential_audit",
        "DROP TABLE credentials",
        "DROP TABLE prices",
        "DROP TABLE caller_renames",
        "DROP TABLE budget_edits",
        "DROP TABLE budgets",
        "DROP TABLE revoked_keys",
        "DROP TABLE callers",
        "DROP TABLE caller_keys",
        "DROP TABLE caller_policy",
        "DROP TABLE caller_audit",
        "ALTER TABLE meta DROP COLUMN callers_revision",
        "DROP TABLE discoveries",
        "DROP TABLE published_limits",
        "DROP TABLE published_clusters",
        "DROP TABLE tokens",
        "DELETE FROM _sqlx_migrations WHERE version > 3",
    ];
    execute(database, &statements).await;
}

fn back_up(database: &Path, file: &Path) -> (bool, String) {
    command(&["backup", file.to_str().unwrap()], database)
}

/// Runs the executable until it has started or ended.
fn run_until_started(command: &mut Command) -> Result<(), String> {
    let mut child = command
        .args(["--listen=127.0.0.1:0", "--xds-listen=127.0.0.1:0"])
        .args(["--admin-token=t", "--wasm-path-in-envoy=/x.wasm"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines.map_while(Result::ok) {
        said.push_str(&line);
        if line.contains("config-service started") {
            // SIGKILL leaves what a crash leaves.
            child.kill().unwrap();
            break;
        }
    }
    let ended = child.wait().unwrap();
    if ended.code().is_some() {
        return Err(said);
    }
    Ok(())
}

#[tokio::test]
async fn a_backup_of_a_running_service_is_a_complete_database() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let copies = Arc::new(TempDir::new().unwrap());
    let file = copies.path().join("test.db");
    let database = service.dir.path().join("test.db");
    let (done, error) = back_up(&database, &file);
    assert!(done, "{error}");
    service.create(&channel("two")).await;
    assert_eq!(mode(&file), 0o600);
    let (done, error) = back_up(&database, &file);
    assert!(!done && error.contains("exists"), "{error}");
    let restored = TestService::start_in(copies, &[]).await;
    let list = restored.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 1);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Names of the files in a folder that not only their owner may use.
fn open_to_others(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let open = files.filter(|path| mode(path) != 0o600);
    open.map(|path| format!("{} {:o}", path.display(), mode(&path)))
        .collect()
}

#[tokio::test]
async fn a_restored_database_is_readable_only_by_its_owner() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let copies = Arc::new(TempDir::new().unwrap());
    // Like a copy from a service that was killed: with edits that are not in the database file
    // yet.
    for side in ["", "-wal", "-shm"] {
        let (from, to) = (service.dir.path(), copies.path());
        let name = format!("test.db{side}");
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
    std::fs::write(copies.path().join("test.db.lock"), "").unwrap();
    for file in std::fs::read_dir(copies.path()).unwrap() {
        let everybodys = Permissions::from_mode(0o666);
        std::fs::set_permissions(file.unwrap().path(), everybodys).unwrap();
    }
    let restored = TestService::start_in(Arc::clone(&copies), &[]).await;
    restored.create(&channel("two")).await;
    let list = restored.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 2);
    assert!(copies.path().join("test.db-wal").exists());
    assert_eq!(open_to_others(copies.path()), [""; 0]);
    restored.shutdown().await;
    // The commands do the same.
    let path = copies.path().join("test.db");
    for words in [&["token", "list"][..], &["backup"]] {
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let copy = copies.path().join("copy.db");
        let copy = [copy.to_str().unwrap()];
        let file = if words[0] == "backup" { &copy[..] } else { &[] };
        let words: Vec<_> = words.iter().chain(file).copied().collect();
        let (done, error) = command(&words, &path);
        assert!(done, "{error}");
        assert_eq!(open_to_others(copies.path()), [""; 0], "{words:?}");
    }
}

#[test]
fn the_umask_does_not_matter() {
    for umask in ["000", "022", "777"] {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("test.db");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "umask \"$0\" && exec \"$@\"", umask])
            .arg(env!("CARGO_BIN_EXE_config-service"));
        run_until_started(shell.arg("--init").arg("--database").arg(&path)).unwrap();
        assert_eq!(open_to_others(dir.path()), [""; 0], "{umask}");
        let copy = dir.path().join("copy.db");
        let done = Command::new("sh")
            .args(["-c", "umask \"$0\" && exec \"$@\"", umask])
            .args([env!("CARGO_BIN_EXE_config-service"), "backup"])
            .arg(&copy)
            .arg("--database")
            .arg(&path)
            .status()
            .unwrap();
        assert!(done.success(), "{umask}");
        assert_eq!(open_to_others(dir.path()), [""; 0], "{umask}");
    }
}

#[tokio::test]
async fn envoys_get_a_restored_backup() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let database = service.dir.path().join("test.db");
    let copy = service.dir.path().join("copy.db");
    let (done, error) = back_up(&database, &copy);
    assert!(done, "{error}");
    service.create(&channel("two")).await;
    let mut envoy = Envoy::connect(&service, "e1", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let later = envoy.receive(ECDS).await;
    assert_eq!(revision(&later), "2");
    envoy.ack(&later).await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;

    std::fs::rename(&copy, &database).unwrap();
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.path().join(format!("test.db{side}")));
    }
    let service = TestService::start_in(dir, &[]).await;
    let mut envoy = Envoy::connect(&service, "e1", At::Extensions).await;
    envoy.subscribe(ECDS, &later.version_info).await;
    let restored = envoy.receive(ECDS).await;
    assert_eq!(revision(&restored), "1");
    let channels = &plugin_json(&restored)["channels"];
    assert_eq!(channels.as_array().unwrap().len(), 1);
    assert_eq!(channels[0]["name"], "one");
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
    // Not the first page, so that only checking all of them finds it.
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
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (9999, 'of the future', TRUE, x'00', 0)";
    execute(&path, &[insert]).await;
    let bytes = std::fs::read(&path).unwrap();
    let error = open(&path).await;
    assert!(
        matches!(error, StoreError::Newer { stored: 9999, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_of_another_program_is_named_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("other.db");
    execute(&path, &["CREATE TABLE accounts (id INTEGER)"]).await;
    let bytes = std::fs::read(&path).unwrap();
    for arguments in [&["--init"][..], &[]] {
        let database = ["--database", path.to_str().unwrap()];
        let all: Vec<_> = arguments.iter().copied().chain(database).collect();
        let error = try_start(&all).await.unwrap_err();
        assert!(error.contains("another program's database"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn what_is_not_a_file_is_not_reported_as_damaged() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap();
    for (name, said) in [
        (
            folder,
            "is a folder, not a database; name a file in it, such as",
        ),
        (":memory:", "a database in memory"),
        ("file:test.db", "a URI"),
        ("/dev/null", "cannot hold a database"),
    ] {
        for more in [&["--init"][..], &[]] {
            let all: Vec<_> = ["--database", name].iter().chain(more).copied().collect();
            let error = try_start(&all).await.unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
        let (done, error) = command(&["token", "list"], Path::new(name));
        assert!(!done && error.contains(said), "{name}: {error}");
    }
    // Nor is a backup written where nobody would find it.
    let service = TestService::start().await;
    let database = service.dir.path().join("test.db");
    for name in [":memory:", "file:copy.db"] {
        let (done, error) = back_up(&database, Path::new(name));
        assert!(!done && error.contains("not as a path"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_command_does_not_change_the_schema_of_a_running_service() {
    let service = TestService::start().await;
    let path = service.dir.path().join("test.db");
    make_older(&path).await;
    let (done, error) = command(&["token", "list"], &path);
    assert!(!done && error.contains("restart"), "{error}");
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    // A backup keeps the database as it is, so that the earlier version can read it.
    let copy = dir.path().join("copy.db");
    let (done, error) = back_up(&path, &copy);
    assert!(done, "{error}");
    let (done, error) = command(&["token", "list"], &path);
    assert!(done, "{error}");
    for (database, tables) in [(&path, 1), (&copy, 0)] {
        let url = format!("sqlite://{}", database.display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let query = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'tokens'";
        let found: i64 = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
        assert_eq!(found, tables, "{}", database.display());
    }
}

#[tokio::test]
async fn keys_that_an_earlier_version_revoked_are_known_by_the_history() {
    let service = TestService::start().await;
    let caller = crate::callers::create(&service, &json!({"name": "a"})).await;
    let (old, path) = crate::callers::new_key(&service, &caller, &json!({})).await;
    let (kept, _) = crate::callers::new_key(&service, &caller, &json!({})).await;
    service.send(Method::DELETE, &path, "").await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    let statements = [
        "DROP TABLE caller_renames",
        "DROP TABLE revoked_keys",
        "ALTER TABLE caller_keys DROP COLUMN rotated",
        "DELETE FROM _sqlx_migrations WHERE version >= 18",
    ];
    execute(&dir.path().join("test.db"), &statements).await;
    let service = TestService::start_in(dir, &[]).await;
    let tokens = [old, kept].map(|key| KeyDigest::of(key.as_bytes()).to_string());
    let export = tokens.map(|token| json!({ "token": token }));
    let path = "/api/callers/import?from=litellm";
    let report = service
        .send(Method::POST, path, json!(export).to_string())
        .await;
    let report = report.json();
    let counts = (&report["known"], &report["revoked"]);
    assert_eq!(counts, (&json!(1), &json!(1)), "{report}");
}
