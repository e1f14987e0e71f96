//! Reading prices.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::cost::Rates;
use super::{Origin, Prices, TABLE};

/// Names of rates, besides those of steps (`input_over_200k`).
const NAMES: [&str; 11] = [
    "input",
    "output",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "input_batch",
    "output_batch",
    "input_flex",
    "output_flex",
    "input_priority",
    "output_priority",
];

/// Most dollars for a million tokens.
const MAX_DOLLARS: f64 = 1_000_000.0;

/// A file of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not there, or may not be read.
    #[error("cannot read --prices {path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("--prices {path} does not contain prices: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A table of prices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    date: String,
    #[serde(default)]
    source: String,
    /// US dollars for a million tokens, by id and name of the rate.
    prices: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Prices {
    /// The table that the service comes with, with an operator's own entries in place of its own.
    ///
    /// # Errors
    ///
    /// See [`PricesError`].
    pub async fn read(path: Option<&Path>) -> Result<Self, PricesError> {
        let mut prices = Self::built_in();
        let Some(path) = path else {
            return Ok(prices);
        };
        let text = tokio::fs::read(path).await;
        let text = text.map_err(|source| PricesError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let own = parse(&text).map_err(|reason| PricesError::Malformed {
            path: path.to_owned(),
            reason,
        })?;
        prices.rates.extend(own);
        Ok(prices)
    }

    /// The table that the service comes with.
    #[must_use]
    pub fn built_in() -> Self {
        let document: Option<Document> = serde_json::from_str(TABLE).ok();
        let Some(document) = document else {
            return Self::default();
        };
        Self {
            origin: Origin {
                date: document.date,
                source: document.source,
            },
            rates: rates(document.prices).unwrap_or_default(),
        }
    }
}

fn parse(text: &[u8]) -> Result<BTreeMap<String, Rates>, String> {
    let own: Document = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    rates(own.prices)
}

fn rates(
    prices: BTreeMap<String, BTreeMap<String, f64>>,
) -> Result<BTreeMap<String, Rates>, String> {
    let entries = prices.into_iter().map(|(id, own)| {
        let own = entry(&id, &own)?;
        Ok((id, own))
    });
    entries.collect()
}

/// The rates of an id.
pub(super) fn entry(id: &str, own: &BTreeMap<String, f64>) -> Result<Rates, String> {
    let own = own.iter().map(|(name, dollars)| {
        let millionths = rate(id, name, *dollars)?;
        Ok((name.clone(), millionths))
    });
    let own = own.collect::<Result<_, String>>()?;
    Ok(Rates::new(own))
}

/// A rate in millionths of a dollar. What is more than nothing does not become nothing.
pub(super) fn rate(id: &str, name: &str, dollars: f64) -> Result<u64, String> {
    if !NAMES.contains(&name) && !is_step(name) {
        let names = NAMES.join(", ");
        return Err(format!(
            "`{id}` has a rate `{name}`; use {names}, or input_over_200k and output_over_200k for long prompts"
        ));
    }
    if !(0.0..=MAX_DOLLARS).contains(&dollars) {
        return Err(format!(
            "`{name}` of `{id}` is {dollars}; it must be US dollars for a million tokens, 0 to {MAX_DOLLARS}"
        ));
    }
    let millionths = (dollars * 1e6).round();
    if dollars > 0.0 && millionths < 1.0 {
        return Err(format!(
            "`{name}` of `{id}` is less than a millionth of a US dollar for a million tokens"
        ));
    }
    Ok(millionths as u64)
}

/// Whether it is the name of a rate for prompts of more than so many thousands of tokens.
fn is_step(name: &str) -> bool {
    let rest = name
        .strip_prefix("input_")
        .or_else(|| name.strip_prefix("output_"));
    let number = rest.and_then(|rest| rest.strip_prefix("over_")?.strip_suffix('k'));
    number.is_some_and(|own| own.parse::<u32>().is_ok_and(|thousands| thousands > 0))
}
