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
    /// A stored channel cannot be read. The content is not shown, because it contains
    /// credentials.
    #[error("the stored channel {id} cannot be read: fault at `{path}`")]
    Corrupt {
        /// The channel's id.
        id: String,
        /// Where in its document the fault is.
        path: String,
    },
    /// A stored caller cannot be read.
    #[error("the stored caller {id} cannot be read: fault at `{path}`")]
    CorruptCaller {
        /// The caller's id.
        id: String,
        /// Where in it the fault is.
        path: String,
    },
    /// A stored credential cannot be read. The content is not shown.
    #[error("the stored credential {name} cannot be read: fault at `{path}`")]
    CorruptCredential {
        /// Its name.
        name: String,
        /// Where in its document the fault is.
        path: String,
    },
    /// A stored name that chooses cannot be read.
    #[error("the stored model choice {name} cannot be read: fault at `{path}`")]
    CorruptChoice {
        /// The name.
        name: String,
        /// Where in its document the fault is.
        path: String,
    },
    /// A stored secret cannot be opened.
    #[error(transparent)]
    Sealed(#[from] StoredSecretError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file is not an intact SQLite database.
    #[error(
        "the database file is damaged and was not touched: {0}; replace it with a backup made by \
         `config-service backup`"
    )]
    Damaged(String),
    /// A later version of the config-service made the file.
    #[error(
        "the database file was made by a later version (schema {stored}; this version knows \
         {known}) and was not touched; start that version, or replace the file with a backup"
    )]
    Newer {
        /// Schema version of the file.
        stored: i64,
        /// The latest that is known.
        known: i64,
    },
    /// There is no database, and a new one was not requested.
    #[error(
        "there is no database {}; if there should be one, check --database and the volume, or \
         restore a backup; to create a new one, without channels, start with --init",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file is empty, and a new database was not requested.
    #[error(
        "the database {} is empty, as if it had been cut off; replace it with a backup, or start \
         with --init to create a new one in it, without channels",
        .0.display()
    )]
    Empty(PathBuf),
    /// SQLite would not read the path as a file's.
    #[error(
        "SQLite would read `{}` as a database in memory or a URI, not as a path; name a file, such \
         as config-service.db",
        .0.display()
    )]
    NoPath(PathBuf),
    /// A folder is where the database should be.
    #[error(
        "{} is a folder, not a database; name a file in it, such as {}",
        .0.display(), .0.join("config-service.db").display()
    )]
    Folder(PathBuf),
    /// A device, a pipe or a socket is where the database should be.
    #[error(
        "{} is a device, a pipe or a socket, which cannot hold a database; name a file, such as \
         config-service.db",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The file is another program's SQLite database.
    #[error(
        "{} is another program's database and was not touched; give the config-service its own \
         file with --database",
        .0.display()
    )]
    Foreign(PathBuf),
    /// Another service has the database.
    #[error(
        "the database {} is in use: another config-service serves from it and holds {}; stop that \
         one first, or give this one its own file with --database",
        .database.display(), .lock.display()
    )]
    InUse {
        /// The database file.
        database: PathBuf,
        /// The file that is locked.
        lock: PathBuf,
    },
    /// Another process uses the database, but none has the lock.
    #[error(
        "the database {} is in use although {} is not locked: that file was removed or replaced \
         while another config-service was running; stop that one first, and leave the file where \
         it is",
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
        "the database {} has several names (hard links), so two services could use it without \
         noticing each other; remove the other names, or copy the file with `config-service \
         backup`",
        .database.display()
    )]
    SeveralNames {
        /// The database file.
        database: PathBuf,
    },
    /// The file system has no locks, or does not let the service have one.
    #[error(
        "{} cannot be locked: {source}; put the database on a file system that supports file locks \
         and that the service may write to (not every network file system does)",
        .lock.display()
    )]
    Lock {
        /// The file to be locked.
        lock: PathBuf,
        /// Why it could not be.
        source: std::io::Error,
    },
    /// A command would have to change the schema while a service runs.
    #[error(
        "the database has an earlier version's schema, and a config-service serves from it; \
         restart that one with this version first, or run the command with its version"
    )]
    Older,
    /// Something else wrote to the database between reading and writing.
    #[error("the database was changed by another process; try again")]
    Conflict,
}

/// SQLite's code of an error, without what extended codes add (<https://www.sqlite.org/rescode.html>).
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<i32>().ok()? & 0xff)
}
