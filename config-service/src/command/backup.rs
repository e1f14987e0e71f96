//! `config-service backup`.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::say;
use crate::store::Store;

pub(super) async fn run(database: &Path, file: &Path) -> Result<()> {
    // As it is: a backup is made before an upgrade, so it must not be one.
    let store = Store::read(database).await?;
    let done = store.back_up(file).await;
    store.close().await;
    done.with_context(|| format!("cannot write the backup {}", file.display()))?;
    say(&format!(
        "{} has a copy of {}; its credentials are as the database has them",
        file.display(),
        database.display()
    ))
}
