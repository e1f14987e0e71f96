//! What is stored of a record, and what it cost.

use super::messages::Record;
use crate::prices::{Called, Counts, Prices};
use crate::store::{Entry, Subject};

/// The error with which the filter answers for a model that nothing serves.
const NOT_SERVED: &str = "model_not_found";

/// The endpoints that only count tokens, for which AWS charges nothing.
pub(super) const COUNTERS: [&str; 2] = ["anthropic_count_tokens", "openai_input_tokens"];

/// By how much an Envoy's clock may be ahead, in milliseconds. Later records count now: a wrong clock must not fill
/// periods that are yet to come.
const AHEAD_MS: i64 = 3_600_000;

/// By how much a record may be late, in milliseconds: as long as an Envoy may be without the config-service. Older ones
/// count now.
const BEHIND_MS: i64 = 14 * 86_400_000;

/// Most of whatever a record counts: tokens, calls, milliseconds. What answers and Envoys say is not to be trusted, and one
/// number that nothing can have used must not spoil the sums.
pub(super) const MOST: u64 = 1_000_000_000;

/// Most that one request costs, in billionths of a US dollar: a million dollars.
const MOST_NANO_USD: u64 = 1_000_000_000_000_000;

/// What is stored of a record.
pub(super) fn entry(record: Record, prices: &Prices, now_ms: i64) -> Entry {
    let cost = cost(&record, prices);
    // Bedrock's own refusals have the same code.
    let is_served = record.code != NOT_SERVED || !record.channel.is_empty();
    let unserved = (!is_served && !record.model.is_empty()).then(|| record.model.clone());
    // Clients choose this name; it would be a subject of its own each time.
    let model = if is_served {
        record.model
    } else {
        String::new()
    };
    Entry {
        id: record.id,
        at_ms: plausible(record.at_ms, now_ms),
        subject: Subject {
            caller: record.caller,
            key: record.key,
            channel: record.channel,
            region: record.region,
            model,
            model_id: record.model_id,
            base_model: record.base_model,
            endpoint: record.endpoint,
            tier: record.tier,
        },
        request_id: record.request_id,
        outcome: record.outcome,
        status: u16::try_from(record.status).unwrap_or(0),
        code: record.code,
        foreseen: record.foreseen,
        unserved,
        input: count(record.input),
        output: count(record.output),
        cache_read: count(record.cache_read),
        cache_write: count(record.cache_write),
        reasoning: count(record.reasoning),
        attempts: count(record.attempts),
        duration_ms: count(record.duration_ms),
        first_token_ms: (record.first_token_ms > 0).then(|| count(record.first_token_ms - 1)),
        cost,
    }
}

/// What a request cost. What was refused cost nothing, whatever the price; what broke off cost something of which at most
/// an estimate is known.
fn cost(record: &Record, prices: &Prices) -> Option<i64> {
    let counts = Counts {
        input: record.input,
        output: record.output,
        cache_read: record.cache_read,
        cache_write_5m: record.cache_write.saturating_sub(record.cache_write_1h),
        cache_write_1h: record.cache_write_1h,
    };
    if counts == Counts::default() {
        let is_open = matches!(&*record.outcome, "answered" | "broken" | "cancelled");
        let is_free = record.attempts == 0 || !is_open || COUNTERS.contains(&&*record.endpoint);
        return is_free.then_some(0);
    }
    // Of an answer that broke off, most models have not said how long the prompt was.
    let is_estimate = matches!(&*record.outcome, "broken" | "cancelled");
    let has_prompt = counts.input > 0 || counts.cache_read > 0 || record.cache_write > 0;
    if is_estimate && !has_prompt {
        return None;
    }
    let called = Called {
        region: &record.region,
        model_id: &record.model_id,
        base_model: &record.base_model,
        tier: &record.tier,
    };
    let cost = prices.cost(called, &counts)?;
    Some(count(cost.0.min(MOST_NANO_USD)))
}

/// A time that a record can have.
fn plausible(at_ms: u64, now_ms: i64) -> i64 {
    let at = i64::try_from(at_ms).unwrap_or(i64::MAX);
    let range = now_ms.saturating_sub(BEHIND_MS)..=now_ms.saturating_add(AHEAD_MS);
    if range.contains(&at) { at } else { now_ms }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A record as far as it can be true, and whether that is all of it.
pub(super) fn capped(record: Record) -> (Record, bool) {
    let all = |own: &Record| {
        [
            own.input,
            own.output,
            own.cache_read,
            own.cache_write,
            own.cache_write_1h,
            own.reasoning,
            own.attempts,
            own.duration_ms,
            own.first_token_ms,
        ]
    };
    if all(&record).iter().all(|own| *own < MOST) {
        return (record, true);
    }
    let capped = Record {
        input: record.input.min(MOST),
        output: record.output.min(MOST),
        cache_read: record.cache_read.min(MOST),
        cache_write: record.cache_write.min(MOST),
        cache_write_1h: record.cache_write_1h.min(MOST),
        reasoning: record.reasoning.min(MOST),
        attempts: record.attempts.min(MOST),
        duration_ms: record.duration_ms.min(MOST),
        first_token_ms: record.first_token_ms.min(MOST),
        ..record
    };
    (capped, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_040_000_000;

    #[test]
    fn a_wrong_clock_does_not_reach_far() {
        assert_eq!(plausible(NOW.unsigned_abs() - 5, NOW), NOW - 5);
        for wrong in [0, u64::MAX, NOW.unsigned_abs() + 7_200_000] {
            assert_eq!(plausible(wrong, NOW), NOW);
        }
    }
}
