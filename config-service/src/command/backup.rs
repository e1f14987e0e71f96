//! `config-service backup`.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{open, say};

pub(super) async fn run(database: &Path, file: &Path) -> Result<()> {
    let store = open(database).await?;
    let done = store.back_up(file).await;
    store.close().await;
    done.with_context(|| format!("cannot write the backup {}", file.display()))?;
    say(&format!(
        "{} has a copy of {}; its credentials are as the database has them",
        file.display(),
        database.display()
    ))
}
