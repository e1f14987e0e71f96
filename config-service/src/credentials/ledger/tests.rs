use super::*;
use bedrock_filter::secret::Secret;
use proptest::prelude::*;
use serde_json::json;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn channel(id: &str, role: &str, enabled: bool) -> StoredChannel {
    let channel = json!({"name": id, "region": "us-east-1", "enabled": enabled, "credentials": {
        "type": "assume_role", "role_arn": role, "source": {"type": "default_chain"}}});
    StoredChannel {
        id: id.to_owned(),
        channel: serde_json::from_value(channel).unwrap(),
        revision: 7,
        created_at: String::new(),
        updated_at: String::new(),
        discovery: None,
    }
}

fn key(text: &str, expires_at: Option<u64>) -> Fetched {
    Fetched {
        credentials: Issued::BedrockApiKey {
            api_key: Secret::new(text),
            expires_at: None,
        },
        expires_at: expires_at.map(at),
    }
}

fn ledger(channels: &[StoredChannel]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.sync(channels, at(0));
    ledger
}

/// One channel whose first job ended at 0 with `outcome`.
fn after_first(outcome: Result<Fetched, FetchError>) -> (Ledger, Job) {
    let mut ledger = ledger(&[channel("a", "one", true)]);
    let job = ledger.due(at(0)).remove(0);
    ledger.record(&job, outcome, at(0));
    (ledger, job)
}

fn held(ledger: &Ledger) -> Vec<String> {
    let issued = ledger.issued().into_values();
    issued
        .map(|it| it.secrets().next().unwrap().expose().to_owned())
        .collect()
}

#[track_caller]
fn check_renewal(life: Option<u64>, renewed_after: u64, retired_after: Option<u64>) {
    let (mut ledger, _) = after_first(Ok(key("k", life)));
    assert!(ledger.due(at(renewed_after - 1)).is_empty());
    assert_eq!(ledger.next_event(), Some(at(renewed_after)));
    assert_eq!(ledger.due(at(renewed_after)).len(), 1);
    if let Some(retired_after) = retired_after {
        assert!(!ledger.retire(at(retired_after - 1)));
        assert_eq!(ledger.next_event(), Some(at(retired_after)));
        assert!(ledger.retire(at(retired_after)));
    }
    assert_eq!(held(&ledger).is_empty(), retired_after.is_some());
}

#[test]
fn credentials_are_renewed_in_time_and_retired_before_they_expire() {
    check_renewal(Some(12 * HOUR), 6 * HOUR, Some(12 * HOUR - 10));
    check_renewal(Some(HOUR), 30 * MINUTE, Some(HOUR - 10));
    check_renewal(Some(15 * MINUTE), 450, Some(15 * MINUTE - 10));
    check_renewal(Some(30), 15, Some(27));
    check_renewal(None, 5 * MINUTE, None);
}

#[test]
fn failures_keep_the_last_good_ones_and_are_spaced_out() {
    let (mut ledger, job) = after_first(Ok(key("good", Some(HOUR))));
    let mut now = 30 * MINUTE;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(ledger.due(at(now)).len(), 1);
        assert!(!ledger.record(
            &job,
            Err(FetchError::Aws("AccessDenied: no".to_owned())),
            at(now)
        ));
        assert_eq!(held(&ledger), ["good"]);
        assert!(ledger.due(at(now + pause - 1)).is_empty());
        now += pause;
    }
    let status = &ledger.status()["a"];
    assert_eq!(status.state, CredentialState::Ready);
    assert_eq!(status.last_error.as_deref(), Some("AccessDenied: no"));
    assert_eq!((status.refreshes, status.failures), (1, 8));
    ledger.due(at(now));
    assert!(ledger.record(&job, Ok(key("new", Some(2 * HOUR))), at(now)));
    assert_eq!(held(&ledger), ["new"]);
    assert_eq!(ledger.status()["a"].last_error, None);
}

#[test]
fn a_source_without_credentials_is_not_served_and_says_why() {
    let ledger_before = ledger(&[channel("a", "one", true)]);
    assert_eq!(ledger_before.status()["a"].state, CredentialState::Pending);
    assert!(!ledger_before.is_settled());
    for outcome in [Err(FetchError::TimedOut), Ok(key("late", Some(0)))] {
        let (ledger, _) = after_first(outcome);
        assert_eq!(ledger.status()["a"].state, CredentialState::Unavailable);
        assert!(ledger.is_settled());
        assert!(held(&ledger).is_empty());
    }
}

#[test]
fn the_same_credentials_again_are_no_change() {
    let (mut ledger, job) = after_first(Ok(key("k", Some(HOUR))));
    assert!(!ledger.record(&job, Ok(key("k", Some(HOUR))), at(30 * MINUTE)));
    // Half of what is left.
    assert_eq!(ledger.next_event(), Some(at(45 * MINUTE)));
    // With another expiry they are a change, because the filter must know.
    assert!(ledger.record(&job, Ok(key("k", Some(2 * HOUR))), at(45 * MINUTE)));
}

#[test]
fn the_filter_is_told_until_when_it_may_use_them() {
    let until = |ledger: &Ledger| ledger.issued()["a"].expires_at();
    let (mut ledger, job) = after_first(Ok(key("k", Some(60))));
    assert_eq!(until(&ledger), Some(1_000_054));
    assert_eq!(ledger.next_event(), Some(at(30)));
    // What is not published again is not used for longer here than there.
    ledger.due(at(30));
    assert!(!ledger.record(&job, Ok(key("k", Some(60))), at(30)));
    assert_eq!(until(&ledger), Some(1_000_054));
    assert!(ledger.retire(at(54)));
    let (ledger, _) = after_first(Ok(key("k", Some(HOUR))));
    assert_eq!(until(&ledger), Some(1_000_000 + HOUR - 10));
    let (ledger, _) = after_first(Ok(key("k", None)));
    assert_eq!(until(&ledger), None);
}

#[test]
fn a_changed_source_stays_in_use_until_the_new_one_answers() {
    for (outcome, after) in [
        (Ok(key("new", None)), vec!["new"]),
        (Err(FetchError::TimedOut), vec![]),
    ] {
        let (mut ledger, old_job) = after_first(Ok(key("old", Some(HOUR))));
        ledger.sync(&[channel("a", "two", true)], at(1));
        assert_eq!(held(&ledger), ["old"]);
        assert!(ledger.saved().is_empty());
        let job = ledger.due(at(1)).remove(0);
        // An answer to the outdated request changes nothing.
        assert!(!ledger.record(&old_job, Ok(key("stray", None)), at(2)));
        assert!(ledger.record(&job, outcome, at(3)));
        assert_eq!(held(&ledger), after);
    }
}

#[test]
fn deleted_and_disabled_channels_are_not_renewed() {
    let mut ledger = ledger(&[channel("a", "one", true), channel("b", "one", false)]);
    assert_eq!(ledger.due(at(0)).len(), 1);
    ledger.sync(&[channel("b", "one", false)], at(0));
    assert!(ledger.status().is_empty());
    assert_eq!(ledger.next_event(), None);
}

#[test]
fn saved_credentials_are_restored_while_they_match_and_are_valid() {
    let (first, _) = after_first(Ok(key("k", Some(HOUR))));
    let restore = |role: &str, revision: u64, now: u64| {
        let mut stored = channel("a", role, true);
        stored.revision = revision;
        let mut ledger = Ledger::default();
        ledger.sync(&[stored], at(now));
        ledger.restore(first.saved(), at(now));
        held(&ledger)
    };
    assert_eq!(restore("one", 7, 10), ["k"]);
    assert!(restore("one", 8, 10).is_empty());
    assert!(restore("one", 7, 2 * HOUR).is_empty());
}

proptest! {
    /// Whatever AWS answers and whenever, no credentials are used at or after their
    /// expiry.
    #[test]
    fn nothing_is_used_past_its_expiry(
        steps in proptest::collection::vec((0_u64..400, proptest::option::of(1_u64..900)), 1..60),
    ) {
        let mut ledger = ledger(&[channel("a", "one", true)]);
        let mut now = 0;
        for (number, (wait, life)) in steps.into_iter().enumerate() {
            now += wait;
            ledger.retire(at(now));
            for job in ledger.due(at(now)) {
                let outcome = life.map(|life| key(&number.to_string(), Some(now + life)));
                ledger.record(&job, outcome.ok_or(FetchError::TimedOut), at(now));
            }
            if let Some(held) = ledger.entries["a"].held.as_ref() {
                prop_assert!(held.fetched.expires_at.unwrap() > at(now));
                prop_assert!(held.retire_at.unwrap() > at(now));
            }
            // The task that drives the ledger always has a time at which to wake up.
            prop_assert!(ledger.next_event().is_some());
        }
    }
}
