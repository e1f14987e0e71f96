//! What tokens cost.
//!
//! The table is data (`prices/table.json`) with the day and the source that it is from; a file of the operator's own can
//! replace entries, because what AWS bills may differ: discounts, other regions, newer prices. What is not in the table
//! has an unknown cost, never none.

mod cost;
mod file;

pub use cost::{Counts, NanoDollars};
pub use file::PricesError;

use std::collections::BTreeMap;

use cost::Rates;

/// Longest id, in bytes.
const MAX_ID: usize = 300;

/// The table that the service comes with.
const TABLE: &str = include_str!("prices/table.json");

/// Prices by what is called.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    origin: Origin,
    rates: BTreeMap<String, Rates>,
}

/// Where prices are from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The day of the table, as `YYYY-MM-DD`.
    pub date: String,
    /// Who says so.
    pub source: String,
}

/// What was called, as far as its price depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Called<'a> {
    /// The AWS region that the request was sent to.
    pub region: &'a str,
    /// The model or profile id, or the last segment of an ARN.
    pub model_id: &'a str,
    /// The base model behind it; empty if that is not known.
    pub base_model: &'a str,
    /// Bedrock's service tier; empty for the usual one.
    pub tier: &'a str,
}

impl Prices {
    /// Where the table is from that the service comes with.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same with other rates for some ids, each in US dollars for a million tokens by name. Those that cannot be
    /// used are left out.
    #[must_use]
    pub fn with<'a>(
        &self,
        others: impl IntoIterator<Item = (&'a str, &'a BTreeMap<String, f64>)>,
    ) -> Self {
        let mut prices = self.clone();
        for (id, rates) in others {
            if let Ok(rates) = file::entry(id, rates) {
                prices.rates.insert(id.to_owned(), rates);
            }
        }
        prices
    }

    /// Says what is wrong with rates that somebody wants to set.
    ///
    /// # Errors
    ///
    /// What is wrong, for whoever set them, and with which rate if it is one.
    pub fn check(id: &str, rates: &BTreeMap<String, f64>) -> Result<(), (Option<String>, String)> {
        if !(1..=MAX_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = format!(
                "the id must be 1 to {MAX_ID} visible ASCII characters: a model, a profile or the last segment of an \
                 ARN, with or without a region and a slash before it"
            );
            return Err((None, reason));
        }
        if rates.is_empty() {
            let reason = "there are no rates; give at least `input` and `output`";
            return Err((None, reason.to_owned()));
        }
        let faulty = rates.iter().find_map(|(name, dollars)| {
            let reason = file::rate(id, name, *dollars).err()?;
            Some((Some(name.clone()), reason))
        });
        faulty.map_or(Ok(()), Err)
    }

    /// The rates of an id, in US dollars for a million tokens by name; `None` if it has none of its own.
    #[must_use]
    pub fn rates_of(&self, id: &str) -> Option<BTreeMap<String, f64>> {
        Some(self.rates.get(id)?.dollars())
    }

    /// Every id that has a price.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rates.keys().map(String::as_str)
    }

    /// The cost of one request; `None` if a price is missing that it needs.
    #[must_use]
    pub fn cost(&self, called: Called<'_>, counts: &Counts) -> Option<NanoDollars> {
        self.rates(called)?.cost(called.tier, counts)
    }

    /// The most exact entry: of the region or of none, of the profile or of the base model. Where a profile has no
    /// price of its own, its base model's applies.
    fn rates(&self, called: Called<'_>) -> Option<&Rates> {
        let Called {
            region,
            model_id,
            base_model,
            ..
        } = called;
        [model_id, base_model]
            .into_iter()
            .filter(|name| !name.is_empty())
            .find_map(|name| {
                let own = self.rates.get(&format!("{region}/{name}"));
                own.or_else(|| self.rates.get(name))
            })
    }
}

#[cfg(test)]
mod tests;
