//! What the VMs of an Envoy count together.

use std::time::Duration;

use super::{Bucket, BucketLimit, Verdict};
use crate::chat::LimitKind;

/// Values that all workers of an Envoy share.
pub trait Counters {
    /// Replaces a value by what `change` makes of it, in one step: if another worker has replaced it meanwhile, once more.
    fn update(&self, key: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Vec<u8>);
}

/// Seconds' worth of a limit that a caller may use at once.
const BURST_SECONDS: u32 = 60;

/// Counts so many hits of a caller; `now` is the time since the epoch.
pub(super) fn take(
    counters: &dyn Counters,
    caller: &str,
    (kind, per_minute): (LimitKind, u32),
    hits: u64,
    now: Duration,
) -> Verdict {
    let limit = BucketLimit {
        kind,
        per_minute,
        burst_seconds: BURST_SECONDS,
    };
    let mut verdict = Bucket::default().take(&limit, 0, now);
    counters.update(&key(kind.unit(), caller), &mut |value| {
        let mut bucket = Bucket::of_bytes(value.unwrap_or_default());
        verdict = bucket.take(&limit, hits, now);
        bucket.to_bytes().to_vec()
    });
    verdict
}

/// The key of a value, with the version of its layout: values outlive the module that wrote them.
pub(super) fn key(what: &str, caller: &str) -> String {
    format!("bedrock.limits.1.{what}.{caller}")
}
