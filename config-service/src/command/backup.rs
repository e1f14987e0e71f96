//! `config-service backup`.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::say;
use crate::store::Store;

pub(super) async fn run(database: &Path, file: &Path) -> Result<()> {
    // Opened without upgrading it: a backup is made before an upgrade, so it must not
    // cause one.
    let store = Store::read(database).await?;
    let done = store.back_up(file).await;
    store.close().await;
    done.with_context(|| format!("cannot write the backup {}", file.display()))?;
    say(&format!(
        "{} is a copy of {}; credentials in it are as in the database, sealed or not",
        file.display(),
        database.display()
    ))
}
