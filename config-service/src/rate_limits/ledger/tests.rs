use std::time::Duration;

use proptest::prelude::*;

use super::*;

const START: Duration = Duration::from_secs(60 * 1_000);

/// One request that wants to pass.
const ASK: (Charge, u64) = (Charge::Asked, 1);

fn limit(kind: LimitKind, per_minute: u32, caller: &str) -> Limit<'_> {
    Limit {
        kind,
        per_minute,
        caller,
    }
}

fn ledger(pace: Pace, most: usize) -> Ledger {
    Ledger::new(pace, most)
}

#[test]
fn callers_and_kinds_are_counted_separately() {
    let limits = RateLimits::new(Paces::default());
    let ask = |kind, caller| {
        let verdicts = limits.take(&[(limit(kind, 2, caller), 2)], START);
        verdicts[0].remaining
    };
    assert_eq!(ask(LimitKind::Requests, "a"), 0);
    assert_eq!(ask(LimitKind::Requests, "b"), 0);
    assert_eq!(ask(LimitKind::Tokens, "a"), 0);
    let again = limits.take(&[(limit(LimitKind::Requests, 2, "a"), 1)], START);
    assert!(again[0].is_over());
}

#[test]
fn a_changed_limit_goes_on_from_the_same_count() {
    let limits = RateLimits::new(Paces::default());
    let mut remaining = Vec::new();
    for per_minute in [10, 20, 5] {
        let asked = [(limit(LimitKind::Requests, per_minute, "a"), 3)];
        remaining.push(limits.take(&asked, START)[0].remaining);
    }
    assert_eq!(remaining, [7, 14, 0]);
}

#[test]
fn what_is_denied_takes_nothing_from_buckets() {
    let pace = Pace::Bucket { burst_seconds: 60 };
    let limits = RateLimits::new(Paces {
        requests: pace,
        tokens: pace,
    });
    let before = |tokens| {
        let requests = (limit(LimitKind::Requests, 10, "a"), 1);
        let verdicts = limits.take(
            &[requests, (limit(LimitKind::Tokens, 100, "a"), tokens)],
            START,
        );
        verdicts
            .iter()
            .map(|own| (own.is_over(), own.remaining))
            .collect::<Vec<_>>()
    };
    let after = |tokens| {
        let verdicts = limits.take(&[(limit(LimitKind::Tokens, 100, "a"), tokens)], START);
        verdicts[0].remaining
    };
    assert_eq!(before(60), [(false, 9), (false, 40)]);
    for tokens in [60, 60, 1_000] {
        assert_eq!(before(tokens), [(false, 9), (true, 40)]);
    }
    // What has been used counts, even if it was not left.
    assert_eq!(after(30), 10);
    assert_eq!(after(60), 0);
    assert_eq!(before(0), [(false, 9), (true, 0)]);
}

#[test]
fn no_more_callers_are_remembered_than_there_is_room_for() {
    let mut ledger = ledger(Pace::Minute, 100);
    for number in 0..10_000 {
        let caller = format!("c{number}");
        let _ = ledger.take(&limit(LimitKind::Requests, 1, &caller), ASK, START);
        assert!(ledger.counts.len() <= 100);
    }
    assert!(ledger.counts.len() > 80);
}

#[test]
fn whoever_asked_least_recently_is_forgotten_first() {
    let pace = Pace::Bucket { burst_seconds: 60 };
    let mut ledger = ledger(pace, 100);
    for number in 0..101 {
        let caller = format!("c{number}");
        let now = START + Duration::from_millis(number);
        let _ = ledger.take(&limit(LimitKind::Requests, 1, &caller), ASK, now);
    }
    assert!(!ledger.counts.contains_key("c0"));
    assert!(!ledger.counts.contains_key("c12"));
    assert!(ledger.counts.contains_key("c13"));
    assert_eq!(ledger.counts.len(), 88);
}

#[test]
fn a_busy_service_forgets_what_makes_no_difference() {
    let mut ledger = ledger(Pace::Minute, MAX_CALLERS);
    for number in 0..20 * FEW {
        let caller = format!("c{number}");
        let minute = Duration::from_secs(60 * (number / FEW) as u64);
        let _ = ledger.take(&limit(LimitKind::Requests, 1, &caller), ASK, START + minute);
    }
    assert!(ledger.counts.len() <= 3 * FEW, "{}", ledger.counts.len());
}

/// Milliseconds until a question, and what it asks for.
fn questions() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..20_000_u64, 0..50_u64), 1..100)
}

fn ask(
    ledger: &mut Ledger,
    limit: &Limit<'_>,
    questions: &[(u64, u64)],
) -> Vec<(u64, u64, Verdict)> {
    let mut at = 0;
    let answers = questions.iter().map(|(pause, hits)| {
        at += pause;
        let now = START + Duration::from_millis(at);
        (at, *hits, ledger.take(limit, (Charge::Asked, *hits), now))
    });
    answers.collect()
}

proptest! {
    /// The rule of `envoyproxy/ratelimit`: over when the count after the question is above the limit.
    #[test]
    fn a_minute_counts_like_envoys_own_service(per_minute in 0..200_u32, questions in questions()) {
        let limit = limit(LimitKind::Tokens, per_minute, "a");
        let mut used = std::collections::BTreeMap::new();
        for (at, hits, verdict) in ask(&mut ledger(Pace::Minute, 10), &limit, &questions) {
            let used: &mut u64 = used.entry(at / 60_000).or_default();
            *used += hits;
            let allowed = u64::from(per_minute);
            prop_assert_eq!(verdict.is_over(), *used > allowed);
            prop_assert_eq!(u64::from(verdict.remaining), allowed.saturating_sub(*used));
        }
    }

    /// Between any two questions, no more passes than the burst and what the rate gives back.
    #[test]
    fn a_bucket_never_passes_more_than_burst_and_rate(
        per_minute in 1..200_u32,
        burst_seconds in 1..=60_u32,
        questions in questions(),
    ) {
        let limit = limit(LimitKind::Requests, per_minute, "a");
        let mut ledger = ledger(Pace::Bucket { burst_seconds }, 10);
        let answers = ask(&mut ledger, &limit, &questions);
        let rate = f64::from(per_minute) / 60_000.0;
        let burst = (rate * f64::from(burst_seconds) * 1_000.0).max(1.0);
        for (index, (start, ..)) in answers.iter().enumerate() {
            let mut passed = 0;
            for (at, hits, verdict) in &answers[index..] {
                if !verdict.is_over() {
                    passed += hits;
                }
                let allowed = burst + rate * (at - start) as f64;
                prop_assert!(passed as f64 <= allowed + 1e-6, "{} of {}", passed, allowed);
            }
        }
    }

    /// Whoever waits as long as it is told to gets what it asked for, if a whole bucket has room for that.
    #[test]
    fn waiting_as_told_is_enough(
        per_minute in 1..200_u32,
        burst_seconds in 1..=60_u32,
        questions in questions(),
    ) {
        for kind in [LimitKind::Requests, LimitKind::Tokens] {
            let limit = limit(kind, per_minute, "a");
            let mut ledger = ledger(Pace::Bucket { burst_seconds }, 10);
            let mut at = START;
            for (pause, hits) in &questions {
                at += Duration::from_millis(*pause);
                let verdict = ledger.take(&limit, (Charge::Asked, *hits), at);
                prop_assert!(verdict.reset <= Duration::from_secs(120));
                let Some(wait) = verdict.retry_after else { continue };
                prop_assert!(wait <= Duration::from_secs(120));
                let mut later = ledger.counts.values().copied().next().unwrap();
                let whole = Count::new(Pace::Bucket { burst_seconds }).take(&limit, (Charge::Asked, *hits), at);
                let again = later.take(&limit, (Charge::Asked, *hits), at + wait);
                prop_assert!(!again.is_over() || whole.is_over());
            }
        }
    }
}
