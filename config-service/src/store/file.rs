//! The database's file: inspecting it before it is touched, and copying it.

use std::io::ErrorKind;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::primary_code;
use super::{MIGRATIONS, Store, StoreError, private};

/// <https://www.sqlite.org/rescode.html>
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

/// What is at the path of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No file.
    Nothing,
    /// An empty file.
    Empty,
    /// A database with this version's schema.
    Current,
    /// A database with an earlier version's schema.
    Older,
}

/// Checks that a path can be that of a database file, which need not exist.
///
/// A path that SQLite reads as something else would be stored nowhere, or would escape the checks of this
/// module: <https://www.sqlite.org/inmemorydb.html>, <https://www.sqlite.org/uri.html>.
pub(super) fn is_fit(path: &Path) -> Result<(), StoreError> {
    let name = path.as_os_str().as_encoded_bytes();
    if name.is_empty() || name == b":memory:" || name.starts_with(b"file:") {
        return Err(StoreError::NoPath(path.to_owned()));
    }
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(StoreError::Folder(path.to_owned())),
        Ok(found) if !found.is_file() => Err(StoreError::NoFile(path.to_owned())),
        // Whether it exists at all is checked elsewhere.
        _ => Ok(()),
    }
}

/// Inspects a file without changing it: what it is, whether it is intact, and whether this version can
/// read it.
pub(super) async fn inspect(path: &Path) -> Result<Found, StoreError> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() > 0 => {}
        // A database's latest edits may all still be in the files beside it, but never its first page.
        Ok(_) => return Ok(Found::Empty),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error.into()),
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = options.connect().await.map_err(unreadable)?;
    let verdict = look(&mut connection, path).await;
    connection.close().await.map_err(unreadable)?;
    verdict
}

/// <https://www.sqlite.org/pragma.html#pragma_quick_check>
async fn look(connection: &mut SqliteConnection, path: &Path) -> Result<Found, StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_all(&mut *connection)
        .await
        .map_err(unreadable)?;
    if found != ["ok"] {
        return Err(StoreError::Damaged(found.join("; ")));
    }
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut *connection)
        .await
        .map_err(unreadable)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if tables.is_empty() {
        return Ok(Found::Empty);
    }
    // A service that was killed while creating the file may have left only the first of them.
    let is_ours = has("_sqlx_migrations")
        && (has("meta") || tables.iter().all(|it| it.contains("_sqlx_migrations")));
    if !is_ours {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    let stored: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(unreadable)?;
    let known = MIGRATIONS.iter().map(|own| own.version).max();
    match (stored, known) {
        (Some(stored), Some(known)) if stored > known => Err(StoreError::Newer { stored, known }),
        (None, _) => Ok(Found::Empty),
        (stored, known) if stored == known => Ok(Found::Current),
        _ => Ok(Found::Older),
    }
}

/// What a failure says about the file: a full disk, for example, says nothing.
fn unreadable(error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StoreError::Damaged(error.to_string()),
        _ => error.into(),
    }
}

impl Store {
    /// Copies the database, as of one moment, to a file that does not exist yet.
    ///
    /// <https://www.sqlite.org/lang_vacuum.html#vacuuminto>
    ///
    /// # Errors
    ///
    /// When the file exists already, or cannot be written.
    pub async fn back_up(&self, file: &Path) -> Result<(), StoreError> {
        is_fit(file)?;
        private::create_new(file)?;
        let copied = sqlx::query("VACUUM INTO ?")
            .bind(file.to_string_lossy())
            .execute(&self.pool)
            .await;
        if copied.is_err() {
            // Half a copy is worthless.
            let _ = std::fs::remove_file(file);
        }
        copied?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_damaged_file_is_called_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("channels.db");
        std::fs::write(
            &file,
            "no database, but long enough to be looked at\n".repeat(20),
        )
        .unwrap();
        let found = inspect(&file).await;
        assert!(matches!(found, Err(StoreError::Damaged(_))), "{found:?}");
        // SQLite reads no folder, which says nothing about a database.
        let found = inspect(folder.path()).await;
        assert!(matches!(found, Err(StoreError::Sqlite(_))), "{found:?}");
    }
}
