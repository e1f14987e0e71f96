//! How much of the latest traffic would be refused if every client needed a key.

use std::collections::BTreeMap;

use super::Ledger;
use crate::caller::LastUses;
use crate::store::StoreError;

/// The word of filters for a request that would be served.
const SERVED: &str = "served";

/// The time that is looked at, in seconds.
const HOUR: i64 = 3_600;

/// What would have become of the requests of the last hour if every client had needed a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// All requests to models.
    pub requests: u64,
    /// Those that would have been refused, by the word for the refusal.
    pub refused: BTreeMap<String, u64>,
    /// Those of which nobody knows: filters look for keys only where there are some.
    pub unknown: u64,
}

impl Forecast {
    /// How many would have been refused.
    #[must_use]
    pub fn all_refused(&self) -> u64 {
        self.refused.values().sum()
    }

    fn of(counts: BTreeMap<String, i64>) -> Self {
        let mut forecast = Self::default();
        for (foreseen, requests) in counts {
            let requests = requests.max(0).unsigned_abs();
            forecast.requests += requests;
            match foreseen.as_str() {
                SERVED => {}
                "" => forecast.unknown += requests,
                _ => {
                    forecast.refused.insert(foreseen, requests);
                }
            }
        }
        forecast
    }
}

impl Ledger {
    /// Looks at the hour before a time, in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn forecast(&self, now: i64) -> Result<Forecast, StoreError> {
        let counts = self.store().foreseen(now.saturating_sub(HOUR)).await?;
        Ok(Forecast::of(counts))
    }

    /// When callers and keys were last used.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn last_uses(&self) -> Result<LastUses, StoreError> {
        self.store().last_uses().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_would_become_of_them() {
        let counts = [
            ("served", 7),
            ("", 2),
            ("missing_api_key", 3),
            ("invalid_api_key", 1),
        ];
        let counts = counts.map(|(word, requests)| (word.to_owned(), requests));
        let forecast = Forecast::of(counts.into());
        assert_eq!(
            (forecast.requests, forecast.all_refused(), forecast.unknown),
            (13, 4, 2)
        );
        assert_eq!(forecast.refused["missing_api_key"], 3);
        assert_eq!(Forecast::of(BTreeMap::new()), Forecast::default());
    }
}
