//! `config-service usage`.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::channels::Api;
use super::say;
use crate::args::{Remote, UsageCommand, UsageRetention};
use crate::store::UsageStore;

/// Lines of one answer of the API.
const PAGE: usize = 10_000;

pub(super) async fn run(command: UsageCommand) -> Result<()> {
    match command {
        UsageCommand::Export {
            from,
            to,
            by,
            caller,
            key,
            resolution,
            format,
            remote,
        } => {
            let asked = [
                ("from", from),
                ("to", to.unwrap_or_default()),
                ("by", by),
                ("caller", caller.unwrap_or_default()),
                ("key", key.unwrap_or_default()),
                ("resolution", resolution),
                ("format", format),
            ];
            export(&remote, &asked).await
        }
        UsageCommand::Prune {
            usage_database,
            retention,
        } => prune(&usage_database, retention).await,
    }
}

/// Writes every page of an answer.
async fn export(remote: &Remote, asked: &[(&str, String)]) -> Result<()> {
    let format = asked.iter().find(|(name, _)| *name == "format");
    let format = format.map_or("", |(_, format)| format);
    ensure!(
        matches!(format, "csv" | "jsonl"),
        "the format is `{format}`; it must be `csv` or `jsonl`"
    );
    let api = Api::new(remote)?;
    let asked: String = asked
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    let mut token = String::new();
    loop {
        let path = format!("/api/usage?limit={PAGE}{asked}{token}");
        let (page, next) = api.text(&path, "x-next-page-token").await?;
        let is_first = token.is_empty();
        // Every page has a line of names.
        let lines = match page.split_once('\n') {
            Some((_, rest)) if format == "csv" && !is_first => rest,
            _ => &page,
        };
        let written = std::io::stdout().write_all(lines.as_bytes());
        written.context("cannot write the result")?;
        match next {
            Some(next) => token = format!("&page_token={next}"),
            None => return Ok(()),
        }
    }
}

async fn prune(database: &Path, retention: UsageRetention) -> Result<()> {
    ensure!(
        database.is_file(),
        "there is no database {}",
        database.display()
    );
    let store = UsageStore::open(database).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let pruned = store.prune(retention.terms(), i64::try_from(now)?).await;
    store.close().await;
    let pruned = pruned?;
    say(&format!(
        "deleted {} records, {} sums by hour and {} by day",
        pruned.records, pruned.hourly, pruned.daily
    ))
}
