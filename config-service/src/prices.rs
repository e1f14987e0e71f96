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
