//! Backups, and files that cannot be used.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::Parser as _;
use config_service::seal::Sealer;
use config_service::store::{Store, StoreError};
use config_service::{Args, Service};
use tempfile::TempDir;

use crate::common::envoy::{ECDS, Envoy, Service as At, plugin_json, revision};
use crate::common::{TestService, channel};

/// Starts a service with these arguments, besides those that each needs; fails with what it says.
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

/// Makes a database that of a version that knew no tokens.
async fn make_older(database: &Path) {
    let statements = [
        "DROP TABLE published_clusters",
        "DROP TABLE tokens",
        "DELETE FROM _sqlx_migrations WHERE version > 3",
    ];
    execute(database, &statements).await;
}

fn back_up(database: &Path, file: &Path) -> (bool, String) {
    command(&["backup", file.to_str().unwrap()], database)
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

/// Names of a folder's files that others than their owner may use.
fn open_to_others(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let open = files.filter(|path| mode(path) != 0o600);
    open.map(|path| format!("{} {:o}", path.display(), mode(&path)))
        .collect()
}

#[tokio::test]
async fn a_database_that_was_put_back_is_its_owners_alone() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let copies = Arc::new(TempDir::new().unwrap());
    // As a copy of a service that was killed: with what it had not moved into the database yet.
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
async fn a_backup_that_is_put_in_place_is_what_envoys_get() {
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
        assert!(error.contains("of another program"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

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
    // What works beside a service still does.
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
async fn a_lock_file_that_is_gone_lets_no_second_service_in() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let path = service.dir.path().join("test.db");
    let lock = service.dir.path().join("test.db.lock");
    // In a process of its own, because SQLite's locks are a process's.
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
    make_older(&path).await;
    let (done, error) = command(&["token", "list"], &path);
    assert!(!done && error.contains("restart"), "{error}");
    // The first one does not notice, and when it has ended the file is as good as ever.
    service.create(&channel("two")).await;
    let service = service.restart().await;
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 2);
    let error = second();
    assert!(error.contains("holds"), "{error}");
}

#[tokio::test]
async fn a_command_beside_a_start_without_a_lock_file_is_waited_for() {
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
async fn what_is_no_file_is_not_taken_for_a_damaged_one() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap();
    for (name, said) in [
        (
            folder,
            "is a folder, and no database; name a file in it, such as",
        ),
        (":memory:", "a database in memory"),
        ("file:test.db", "a URI"),
        ("/dev/null", "is no file that can hold a database"),
    ] {
        for more in [&["--init"][..], &[]] {
            let all: Vec<_> = ["--database", name].iter().chain(more).copied().collect();
            let error = try_start(&all).await.unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
        let (done, error) = command(&["token", "list"], Path::new(name));
        assert!(!done && error.contains(said), "{name}: {error}");
    }
    // Nor is a backup written where nobody finds it.
    let service = TestService::start().await;
    let database = service.dir.path().join("test.db");
    for name in [":memory:", "file:copy.db"] {
        let (done, error) = back_up(&database, Path::new(name));
        assert!(!done && error.contains("is no path"), "{name}: {error}");
    }
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

#[tokio::test]
async fn a_command_does_not_change_the_schema_under_a_service() {
    let service = TestService::start().await;
    let path = service.dir.path().join("test.db");
    make_older(&path).await;
    let (done, error) = command(&["token", "list"], &path);
    assert!(!done && error.contains("restart"), "{error}");
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    // A backup is the database as it is, so that the earlier version can read it.
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
async fn a_database_that_is_named_and_missing_or_empty_is_made_only_when_asked_for() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("channels.db");
    let database = ["--database", path.to_str().unwrap()];
    let error = try_start(&database).await.unwrap_err();
    for part in [path.to_str().unwrap(), "--init", "backup"] {
        assert!(error.contains(part), "{error}");
    }
    // Nothing is left that would look like a database, or like one that was there.
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
    // Once it is there, nothing has to be asked for.
    try_start(&database).await.unwrap().shutdown().await;
}

/// Runs the executable in a folder without naming a database, until it has started or ended.
fn run_in(folder: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
    run_until_started(command.current_dir(folder))
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
            // SIGKILL: what is left is what a crash leaves.
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

#[test]
fn a_database_that_nobody_names_is_made_if_there_never_was_one() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config-service.db");
    assert_eq!(run_in(dir.path()), Ok(()));
    assert!(path.exists());
    // No lock is left by a process that was killed.
    assert_eq!(run_in(dir.path()), Ok(()));
    std::fs::remove_file(&path).unwrap();
    let error = run_in(dir.path()).unwrap_err();
    assert!(error.contains("there is no database"), "{error}");
    assert!(!path.exists());
}

#[test]
fn what_is_left_of_a_database_tells_that_there_was_one() {
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
