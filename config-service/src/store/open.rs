//! The three ways to open a database: to serve from it, to work on it beside a running service, and to
//! read it.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use sqlx::{ConnectOptions as _, Connection as _};

use super::callers::Cache;
use super::file::{self, Found};
use super::lock::{Lock, only_name, was_used};
use super::{BUSY_TIMEOUT, MIGRATIONS, Store, StoreError, private};
use crate::seal::Sealer;

/// When to create a missing database.
///
/// A new database has no channels. If the file is missing for another reason, such as a volume that is
/// not mounted, creating a new one would hide that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// Always: it was requested.
    Asked,
    /// If nothing beside its path shows that there was one before. For the default path.
    IfNeverUsed,
    /// Never: a path that was given must be that of an existing database.
    Never,
}

impl Store {
    /// Opens the database as the one service that serves from it, until the store is closed or the
    /// process ends. Upgrades its schema; secrets in clear text are sealed if there is a key.
    ///
    /// # Errors
    ///
    /// When another service has it, it is missing and must not be created, or it is not a
    /// config-service database.
    pub async fn serve(path: &Path, sealer: Sealer, create: Creation) -> Result<Self, StoreError> {
        file::is_fit(path)?;
        only_name(path)?;
        let found = file::inspect(path).await?;
        may_create(path, found, create)?;
        if found == Found::Nothing {
            tracing::warn!(database = %path.display(), "creating a new database, without channels");
        }
        private::create(path)?;
        let lock = Lock::take(path).await?;
        let pool = connect(path).await?;
        MIGRATIONS.run(&pool).await?;
        Self::ready(pool, sealer, Some(Arc::new(lock))).await
    }

    /// Opens an existing database for a command, while a service may serve from it. Secrets in clear
    /// text are sealed if there is a key.
    ///
    /// # Errors
    ///
    /// When there is none, it is not a config-service database, or it has an earlier version's schema
    /// and a service uses it.
    pub async fn open(path: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        let schema = existing(path).await?;
        let pool = if schema == Found::Older {
            // Not while a service runs that does not know the new schema.
            let lock = Lock::take(path).await.map_err(|error| match error {
                StoreError::InUse { .. } | StoreError::LockGone { .. } => StoreError::Older,
                other => other,
            })?;
            let pool = connect(path).await?;
            MIGRATIONS.run(&pool).await?;
            lock.release();
            pool
        } else {
            connect(path).await?
        };
        Self::ready(pool, sealer, None).await
    }

    /// Opens an existing database read-only, as it is, from this or any earlier version.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not a config-service database.
    pub(crate) async fn read(path: &Path) -> Result<Self, StoreError> {
        existing(path).await?;
        Ok(Self {
            pool: connect(path).await?,
            sealer: Sealer::default(),
            callers: Cache::default(),
            lock: None,
        })
    }

    async fn ready(
        pool: SqlitePool,
        sealer: Sealer,
        lock: Option<Arc<Lock>>,
    ) -> Result<Self, StoreError> {
        let store = Self {
            pool,
            sealer,
            callers: Cache::default(),
            lock,
        };
        if let Err(error) = store.seal_what_is_clear().await {
            store.close().await;
            return Err(error);
        }
        Ok(store)
    }
}

/// Whether there is a database, or a new one may be created.
fn may_create(path: &Path, found: Found, create: Creation) -> Result<(), StoreError> {
    let allowed = match create {
        Creation::Asked => true,
        Creation::IfNeverUsed => found == Found::Nothing && !was_used(path),
        Creation::Never => false,
    };
    match found {
        Found::Current | Found::Older => Ok(()),
        _ if allowed => Ok(()),
        Found::Nothing => Err(StoreError::Missing(path.to_owned())),
        Found::Empty => Err(StoreError::Empty(path.to_owned())),
    }
}

async fn existing(path: &Path) -> Result<Found, StoreError> {
    file::is_fit(path)?;
    let found = file::inspect(path).await?;
    may_create(path, found, Creation::Never)?;
    Ok(found)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // An edit that was acknowledged survives a power failure.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Deleted and replaced credentials must not stay in free pages.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT)
}

async fn connect(path: &Path) -> Result<SqlitePool, StoreError> {
    private::keep(path);
    // A single connection sets the journal mode of a new database. The pool may open two, and two that
    // set it at the same time refuse each other without waiting for the busy timeout.
    options(path).connect().await?.close().await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        // One is always open, so that SQLite's locks show others that the database is in use.
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    Ok(pool.connect_with(options(path)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_new_database_opens_every_time() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..60 {
            let path = folder.path().join(format!("{number}.db"));
            let store = Store::serve(&path, Sealer::default(), Creation::Asked).await;
            store.unwrap().close().await;
        }
    }
}
