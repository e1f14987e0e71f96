//! The database's file: looked at before it is touched, and copied.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{MIGRATIONS, Store, StoreError};

/// Checks a file that is there already, without changing it: whether it is whole, and whether this
/// version can read it.
pub(super) async fn inspect(path: &Path) -> Result<(), StoreError> {
    let is_there = std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    if !is_there {
        return Ok(());
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = options.connect().await.map_err(|error| damaged(&error))?;
    let verdict = look(&mut connection).await;
    connection.close().await.map_err(|error| damaged(&error))?;
    verdict
}

/// <https://www.sqlite.org/pragma.html#pragma_quick_check>
async fn look(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| damaged(&error))?;
    if found != ["ok"] {
        return Err(StoreError::Damaged(found.join("; ")));
    }
    let is_ours: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(|error| damaged(&error))?;
    if !is_ours {
        return Ok(());
    }
    let stored: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| damaged(&error))?;
    let known = MIGRATIONS.iter().map(|own| own.version).max();
    match (stored, known) {
        (Some(stored), Some(known)) if stored > known => Err(StoreError::Newer { stored, known }),
        _ => Ok(()),
    }
}

fn damaged(error: &sqlx::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}

impl Store {
    /// Copies the database, as it is at one moment, to a file that does not exist yet.
    ///
    /// <https://www.sqlite.org/lang_vacuum.html#vacuuminto>
    ///
    /// # Errors
    ///
    /// When there is such a file already, or it cannot be written.
    pub async fn back_up(&self, file: &Path) -> Result<(), StoreError> {
        super::create_private(file, true)?;
        let copied = sqlx::query("VACUUM INTO ?")
            .bind(file.to_string_lossy())
            .execute(&self.pool)
            .await;
        if copied.is_err() {
            // Half a copy is none.
            let _ = std::fs::remove_file(file);
        }
        copied?;
        Ok(())
    }
}
