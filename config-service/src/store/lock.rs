//! One service for one database file.
//!
//! Two services on one file would each publish what they know and miss the other's edits. The lock is the
//! kernel's (`flock` on Unix), on a file beside the database: it ends with the process that holds it,
//! however that ends, so it is never stale, although the file stays. It is not on the database itself,
//! because SQLite has locks of its own there, with which it would collide on some file systems:
//! <https://www.sqlite.org/lockingv3.html>.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::StoreError;
use super::private::{LOCK, SIDES, beside};

/// A database that this process alone serves from.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Locks a database file that is there.
    ///
    /// # Errors
    ///
    /// When another process has the lock, or there can be none.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        // By whichever name or link the database is known, there is one lock file.
        let real = std::fs::canonicalize(database)?;
        let lock = beside(&real, LOCK);
        let failed = |source| StoreError::Lock {
            lock: lock.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                database: database.to_owned(),
                lock,
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Lets another process have the database.
    pub(super) fn release(&self) {
        // Should it fail, the end of the process does it.
        let _ = self.0.unlock();
    }
}

/// Refuses a file that has further names, as hard links: under another name it would have another lock file, and
/// SQLite would keep another log beside it (<https://www.sqlite.org/howtocorrupt.html>, section 2.5). That would make
/// it look damaged, so this comes before anything reads it.
#[cfg(unix)]
pub(super) fn only_name(database: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    match std::fs::metadata(database) {
        Ok(metadata) if metadata.nlink() > 1 => Err(StoreError::SeveralNames {
            database: database.to_owned(),
        }),
        // Whether it is there at all is another's question.
        _ => Ok(()),
    }
}

/// Elsewhere nobody tells how many names a file has.
#[cfg(not(unix))]
pub(super) fn only_name(_database: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Whether something beside the path of a database tells that there was one.
pub(super) fn was_used(database: &Path) -> bool {
    // A link that leads nowhere led somewhere once.
    database.is_symlink() || SIDES.iter().any(|side| beside(database, side).exists())
}
