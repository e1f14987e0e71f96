//! How long requests took, from how many fell into which bucket.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::Latency;

/// Times below which so many percent of the requests stayed, in milliseconds, too high by a fifth at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Percentiles {
    /// Half of them
    pub p50: f64,
    /// 95 %
    pub p95: f64,
    /// 99 %
    pub p99: f64,
}

impl Percentiles {
    /// Those of buckets in ascending order; `None` if there is nothing in them.
    #[must_use]
    pub fn of(buckets: &[Latency]) -> Option<Self> {
        let all: i64 = buckets.iter().map(|own| own.requests).sum();
        let below = |percent: i64| {
            let mut seen = 0;
            let found = buckets.iter().find(|own| {
                seen += own.requests;
                // At least so many percent of all.
                seen.saturating_mul(100) >= all.saturating_mul(percent)
            });
            found.map_or(0.0, |own| Latency::upper_ms(own.bucket).round())
        };
        (all > 0).then(|| Self {
            p50: below(50),
            p95: below(95),
            p99: below(99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_ends_of_buckets() {
        let bucket = |bucket, requests| Latency { bucket, requests };
        assert_eq!(Percentiles::of(&[]), None);
        // 2^(20/2) = 1,024 ms and 2^(24/2) = 4,096 ms
        let own = Percentiles::of(&[bucket(20, 96), bucket(24, 4)]).unwrap();
        assert_eq!((own.p50, own.p95, own.p99), (1_024.0, 1_024.0, 4_096.0));
    }
}
