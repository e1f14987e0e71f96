//! The database of what requests used, in a file of its own: it is written all the time, grows, and may be thrown away
//! without the channels.

mod callers;
mod ingest;
mod prune;
mod query;
mod rename;
mod rows;
mod sums;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::Mutex;

use super::{StoreError, file, private};
use crate::zone::Zone;

pub use ingest::Taken;
pub use prune::{Pruned, Retention};
pub use query::{Dimension, Order, Resolution, UsageQuery};
pub use rows::{Entry, Latencies, Latency, Line, Spent, Subject, Sums, Unserved};

static MIGRATIONS: Migrator = sqlx::migrate!("./usage-migrations");

/// How long a statement waits while another process has the database locked. Envoys wait for twice as long, and then
/// send the same again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections for those who read.
const READERS: u32 = 3;

/// Handle of the database; clones share its connections.
#[derive(Clone, Debug)]
pub struct UsageStore {
    /// SQLite has one writer at a time anyway.
    writer: SqlitePool,
    readers: SqlitePool,
    /// Whose hours and days are summed up.
    zone: Zone,
    /// Ids of the subjects that were seen.
    subjects: Arc<Mutex<HashMap<Subject, i64>>>,
}

impl UsageStore {
    /// Opens the database, and creates it if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is something else.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        file::is_fit(path)?;
        private::create(path)?;
        private::keep(path);
        let options = options(path);
        // A single connection sets the journal mode of a new database.
        options.connect().await?.close().await?;
        let writer = pool(1).connect_with(options.clone()).await?;
        MIGRATIONS.run(&writer).await?;
        let readers = pool(READERS).connect_with(options).await?;
        Ok(Self {
            writer,
            readers,
            zone: Zone::default(),
            subjects: Arc::default(),
        })
    }

    /// The same with the hours and days of a time zone. What is stored already keeps its own.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// Whose hours and days are summed up.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Closes all connections, which also folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // A power failure may take the last batches, but never damages the file; and whoever loses power loses requests
        // too.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(false)
        .busy_timeout(BUSY_TIMEOUT)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
}

#[cfg(test)]
mod tests;
