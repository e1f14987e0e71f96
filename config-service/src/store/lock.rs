//! Ensures that only one service serves from a database file.
//!
//! Two services on one file would each publish what they know and miss the other's edits. The lock is the
//! kernel's (`flock` on Unix), on a file beside the database. It ends with the process that holds it, however
//! that ends, so it is never stale, although the file stays. It is not on the database itself, because SQLite
//! has its own locks there, with which it would collide on some file systems:
//! <https://www.sqlite.org/lockingv3.html>.
//!
//! If the file of a running service is removed, its lock protects nothing. So a service leaves a
//! note in it; if the note is missing, SQLite's own locks show whether the database is in use.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::primary_code;
use super::private::{LOCK, SIDES, beside};
use super::{BUSY_TIMEOUT, StoreError};

/// <https://www.sqlite.org/rescode.html#busy>
const SQLITE_BUSY: i32 = 5;

/// The note in a lock file.
const NOTE: &str = "\
The config-service locks this file while it serves from the database beside it. Do not remove it.
";

/// A database from which only this process serves.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Locks an existing database file.
    ///
    /// # Errors
    ///
    /// When another process has the lock, or uses the database although the lock is free; or when the file
    /// cannot be locked.
    pub(super) async fn take(database: &Path) -> Result<Self, StoreError> {
        // There is one lock file, whichever link the database is reached by.
        let real = std::fs::canonicalize(database)?;
        let lock = beside(&real, LOCK);
        let own = Self::take_file(database, &lock)?;
        let failed = |source| StoreError::Lock {
            lock: lock.clone(),
            source,
        };
        if own.0.metadata().map_err(failed)?.len() == 0 {
            if !is_alone(&real).await? {
                return Err(StoreError::LockGone {
                    database: database.to_owned(),
                    lock,
                });
            }
            (&own.0).write_all(NOTE.as_bytes()).map_err(failed)?;
        }
        Ok(own)
    }

    fn take_file(database: &Path, lock: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Lock {
            lock: lock.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                database: database.to_owned(),
                lock: lock.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Releases the database for another process.
    pub(super) fn release(&self) {
        // If this fails, the end of the process releases it.
        let _ = self.0.unlock();
    }
}

/// Whether no other process has a database open, according to SQLite's own locks: each connection in WAL mode
/// holds a lock on the file as long as it lasts, and only a sole connection can lock all of it
/// (<https://www.sqlite.org/wal.html#noshm>).
async fn is_alone(path: &Path) -> Result<bool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await?;
    let read = sqlx::query("SELECT name FROM sqlite_schema")
        .fetch_optional(&mut connection)
        .await;
    connection.close().await?;
    match read {
        Ok(_) => Ok(true),
        Err(error) if is_busy(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(SQLITE_BUSY)
}

/// Refuses a file that has further names (hard links): under another name it would have another lock file, and
/// SQLite would keep another log beside it (<https://www.sqlite.org/howtocorrupt.html>, section 2.5). That would
/// make it look damaged, so this is checked before anything reads it.
#[cfg(unix)]
pub(super) fn only_name(database: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    match std::fs::metadata(database) {
        Ok(metadata) if metadata.nlink() > 1 => Err(StoreError::SeveralNames {
            database: database.to_owned(),
        }),
        // Whether it exists at all is checked elsewhere.
        _ => Ok(()),
    }
}

/// Other systems do not report how many names a file has.
#[cfg(not(unix))]
pub(super) fn only_name(_database: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Whether something beside the path of a database shows that there was one.
pub(super) fn was_used(database: &Path) -> bool {
    // A dangling link led somewhere once.
    database.is_symlink() || SIDES.iter().any(|side| beside(database, side).exists())
}
