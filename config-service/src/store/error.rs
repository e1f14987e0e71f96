//! Why a database cannot be used, and what to do about it.

use std::path::PathBuf;

use crate::seal::{SealError, StoredSecretError};

/// Why the database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Sqlite(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database file cannot be created.
    #[error("the database file cannot be opened: {0}")]
    File(#[from] std::io::Error),
    /// A stored channel cannot be read. The content is not shown, because it has credentials.
    #[error("the stored channel {id} cannot be read: fault at `{path}`")]
    Corrupt {
        /// The channel's id.
        id: String,
        /// Where in its document the fault is.
        path: String,
    },
    /// A stored secret does not open.
    #[error(transparent)]
    Sealed(#[from] StoredSecretError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file is no whole SQLite database.
    #[error(
        "the database file is damaged and was not touched: {0}; put a backup in its place, see \
         `config-service backup`"
    )]
    Damaged(String),
    /// A later version of the config-service made the file.
    #[error(
        "the database file was made by a later version (schema {stored}, this one knows {known}) and \
         was not touched; start that version, or put a backup in its place"
    )]
    Newer {
        /// Schema version of the file.
        stored: i64,
        /// The latest that is known.
        known: i64,
    },
    /// There is no database, and nobody asked for a new one.
    #[error(
        "there is no database {}; if it should be there, look at --database and at the volume, or put a \
         backup in its place; to begin with a new one, which has no channels, start with --init",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file has nothing in it, and nobody asked for a new database.
    #[error(
        "the database {} is empty, as if it had been cut off; put a backup in its place, or start with \
         --init to make a new one of it, which has no channels",
        .0.display()
    )]
    Empty(PathBuf),
    /// SQLite takes the path for something else.
    #[error(
        "`{}` is no path to SQLite, but a database in memory or a URI; name a file, such as \
         config-service.db",
        .0.display()
    )]
    NoPath(PathBuf),
    /// A folder is where the database should be.
    #[error(
        "{} is a folder, and no database; name a file in it, such as {}",
        .0.display(), .0.join("config-service.db").display()
    )]
    Folder(PathBuf),
    /// A device, a pipe or a socket is where the database should be.
    #[error(
        "{} is no file that can hold a database, but a device, a pipe or a socket; name a file, such as \
         config-service.db",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The file is a SQLite database of something else.
    #[error(
        "{} is a database of another program and was not touched; give the config-service a file of its \
         own with --database",
        .0.display()
    )]
    Foreign(PathBuf),
    /// Another service has the database.
    #[error(
        "the database {} is in use: another config-service serves from it and holds {}; stop that one \
         first, or give this one a file of its own with --database",
        .database.display(), .lock.display()
    )]
    InUse {
        /// The database file.
        database: PathBuf,
        /// The file that is locked.
        lock: PathBuf,
    },
    /// Another process has the database, and nobody the lock.
    #[error(
        "the database {} is in use although {} is not locked: that file was removed, or replaced, under \
         another config-service; stop that one first, and leave the file where it is",
        .database.display(), .lock.display()
    )]
    LockGone {
        /// The database file.
        database: PathBuf,
        /// The file that is not locked.
        lock: PathBuf,
    },
    /// The database file has hard links.
    #[error(
        "the database {} has several names (hard links), under which two services would not see each other; \
         remove the others, or copy the file with `config-service backup`",
        .database.display()
    )]
    SeveralNames {
        /// The database file.
        database: PathBuf,
    },
    /// The file system has no locks, or does not let the service have one.
    #[error(
        "{} cannot be locked: {source}; the database has to be on a file system that has file locks and \
         that the service may write to, which not every network file system is",
        .lock.display()
    )]
    Lock {
        /// The file that was to be locked.
        lock: PathBuf,
        /// Why it was not.
        source: std::io::Error,
    },
    /// A command would have to change the schema under a service that runs.
    #[error(
        "the database is of an earlier version, and a config-service serves from it; restart that one \
         with this version first, or use its own version for the command"
    )]
    Older,
    /// Something else wrote to the database between reading and writing.
    #[error("the database was changed by another process; try again")]
    Conflict,
}
