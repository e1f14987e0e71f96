use super::*;
use crate::limits::testing::Memory;

const NOW: Duration = Duration::from_secs(1_000_000);

fn limits(rpm: Option<u32>, tpm: Option<u32>, concurrent_requests: Option<u32>) -> CallerLimits {
    CallerLimits {
        rpm,
        tpm,
        concurrent_requests,
    }
}

fn account() -> Arc<Account> {
    Arc::new(Account::new("a"))
}

fn meter(limits: CallerLimits, mode: LimitMode) -> Meter {
    Meter::new(&account(), limits, mode).unwrap()
}

fn text(claims: &[(&'static str, String)]) -> String {
    let claims = claims.iter().map(|(name, value)| format!("{name}={value}"));
    claims.collect::<Vec<_>>().join(" ")
}

#[test]
fn without_limits_there_is_nothing_to_count() {
    let all = limits(Some(1), Some(1), Some(1));
    assert!(Meter::new(&account(), all, LimitMode::Off).is_none());
    for mode in [LimitMode::Local, LimitMode::Shared] {
        assert!(Meter::new(&account(), CallerLimits::default(), mode).is_none());
        assert!(Meter::new(&account(), all, mode).is_some());
    }
}

#[test]
fn the_limiter_is_told_about_the_limits_there_are() {
    let cases = [
        (Some(600), None, "rl.rpm=600 rl.caller=a"),
        (None, Some(9), "rl.tpm=9 rl.reserve=25 rl.caller=a"),
        (
            Some(0),
            Some(9),
            "rl.rpm=0 rl.tpm=9 rl.reserve=25 rl.caller=a",
        ),
        (None, None, ""),
    ];
    for (rpm, tpm, expected) in cases {
        let mut meter = meter(limits(rpm, tpm, Some(9)), LimitMode::Shared);
        meter.set_text(103);
        assert_eq!(text(&meter.claims()), "", "nothing is taken yet");
        let memory = Memory::default();
        meter.admit(&memory, NOW).unwrap();
        assert_eq!(text(&meter.claims()), expected);
        assert_eq!(meter.is_asking(), !expected.is_empty());
    }
}

#[test]
fn what_was_used_is_settled_once() {
    let rest = |tally: &Tally| {
        let memory = Memory::default();
        let mut meter = meter(limits(None, Some(9), None), LimitMode::Shared);
        meter.set_text(100);
        meter.admit(&memory, NOW).unwrap();
        let rest = meter.settle(tally, &memory, NOW).map(|(_, rest)| rest);
        assert_eq!(meter.settle(tally, &memory, NOW), None);
        rest.unwrap()
    };
    let tally = Tally::default();
    // An error, or a client that hung up before anything came.
    assert_eq!(rest(&tally), "0");
    tally.streamed(7);
    assert_eq!(rest(&tally), "7");
    tally.used(150);
    assert_eq!(rest(&tally), "125");
    // Less than what was reserved.
    tally.used(10);
    assert_eq!(rest(&tally), "0");
    // More than Envoy's filter counts: it would leave out the limit.
    tally.used(u64::MAX);
    assert_eq!(rest(&tally), "1000000000");
}

#[test]
fn a_prompt_of_any_length_is_reserved_within_what_envoy_counts() {
    let mut meter = meter(limits(None, Some(9), None), LimitMode::Shared);
    meter.set_text(usize::MAX);
    meter.admit(&Memory::default(), NOW).unwrap();
    assert_eq!(
        text(&meter.claims()),
        "rl.tpm=9 rl.reserve=1000000000 rl.caller=a"
    );
}

#[test]
fn nothing_is_settled_for_a_request_that_was_denied() {
    let memory = Memory::default();
    let mut meter = meter(limits(Some(1), Some(9), None), LimitMode::Shared);
    assert_eq!(meter.settle(&Tally::default(), &memory, NOW), None);
    meter = self::meter(limits(Some(1), Some(9), None), LimitMode::Shared);
    meter.admit(&memory, NOW).unwrap();
    let wait = Some(Duration::from_secs(17));
    assert_eq!(meter.refused(b"via_upstream", wait), None);
    let denial = meter.refused(b"request_rate_limited", wait).unwrap();
    let error = denial.error();
    assert_eq!(error.status, 429);
    assert_eq!(error.retry_after, Some(17));
    assert_eq!(
        error.message,
        "Rate limit reached: this API key may use 1 requests and 9 tokens per minute. Please try again in 17s."
    );
    // Envoy's filter wants a number all the same.
    let tally = Tally::default();
    tally.used(100);
    let nothing = Some(("rl.rest", "0".to_owned()));
    assert_eq!(meter.settle(&tally, &memory, NOW), nothing);
    assert_eq!(meter.settle(&tally, &memory, NOW), None);
}

#[test]
fn a_limiter_without_an_answer_is_no_fault_of_the_client() {
    let mut meter = meter(limits(Some(1), None, None), LimitMode::Shared);
    meter.admit(&Memory::default(), NOW).unwrap();
    let error = meter.refused(b"rate_limiter_error", None).unwrap().error();
    assert_eq!(
        (error.status.as_u16(), error.code),
        (503, Some("limits_unavailable"))
    );
}

#[test]
fn an_envoy_counts_requests_by_itself() {
    let memory = Memory::default();
    let ask = || {
        let mut meter = meter(limits(Some(2), None, None), LimitMode::Local);
        let result = meter.admit(&memory, NOW);
        assert!(meter.claims().is_empty() && !meter.is_asking());
        let remaining = meter.standings()[0].remaining;
        result.map(|()| remaining)
    };
    assert_eq!(ask(), Ok(Some(1)));
    assert_eq!(ask(), Ok(Some(0)));
    let error = ask().unwrap_err().error();
    assert_eq!(error.retry_after, Some(30));
    assert!(error.message.contains("2 requests per minute"), "{error}");
}

#[test]
fn an_envoy_counts_tokens_at_the_start_and_at_the_end() {
    let memory = Memory::default();
    let ask = |used| {
        let mut meter = meter(limits(None, Some(100), None), LimitMode::Local);
        meter.set_text(40);
        meter
            .admit(&memory, NOW)
            .map_err(|denial| denial.reason())?;
        let tally = Tally::default();
        tally.used(used);
        assert_eq!(meter.settle(&tally, &memory, NOW), None);
        Ok(meter.standings()[0].remaining)
    };
    assert_eq!(ask(60), Ok(Some(90)));
    // The last one may exceed the limit.
    assert_eq!(ask(80), Ok(Some(30)));
    assert_eq!(ask(1), Err("tokens"));
}

#[test]
fn a_caller_has_no_more_requests_at_once_than_it_may() {
    for mode in [LimitMode::Local, LimitMode::Shared] {
        let memory = Memory::default();
        let start = |now| {
            let mut meter = meter(limits(None, None, Some(2)), mode);
            meter.admit(&memory, now).map(|()| meter)
        };
        let mut first = start(NOW).unwrap();
        let _second = start(NOW).unwrap();
        let error = start(NOW).unwrap_err().error();
        assert_eq!(error.status, 429);
        assert_eq!(error.code, Some("concurrency_limit_exceeded"));
        first.settle(&Tally::default(), &memory, NOW);
        assert!(start(NOW).is_ok());
        assert!(start(NOW).is_err());
        // Those of a VM that died end by themselves.
        assert!(start(NOW + Duration::from_secs(600)).is_ok());
    }
}

#[test]
fn a_request_that_another_limit_denies_does_not_run() {
    let memory = Memory::default();
    let start = |rpm| {
        let mut meter = meter(limits(Some(rpm), None, Some(1)), LimitMode::Local);
        meter.admit(&memory, NOW).map_err(|denial| denial.reason())
    };
    assert_eq!(start(0), Err("requests"));
    assert_eq!(start(1), Ok(()));
}

#[test]
fn what_is_denied_takes_nothing_and_cannot_lock_its_caller_out() {
    let memory = Memory::default();
    let ask = |bytes, now| {
        let mut meter = meter(limits(Some(10), Some(100), None), LimitMode::Local);
        meter.set_text(bytes);
        let result = meter.admit(&memory, now).map_err(|denial| denial.error());
        let left: Vec<_> = meter
            .standings()
            .iter()
            .map(|own| own.remaining.unwrap())
            .collect();
        (result.map_err(|error| error.retry_after), left)
    };
    assert_eq!(ask(240, NOW), (Ok(()), vec![9, 40]));
    for _ in 0..3 {
        assert_eq!(ask(240, NOW), (Err(Some(12)), vec![9, 40]));
    }
    assert_eq!(ask(240, NOW + Duration::from_secs(12)).0, Ok(()));
}

#[test]
fn a_prompt_longer_than_the_whole_limit_is_not_to_be_tried_again() {
    let memory = Memory::default();
    let denied = |mode| {
        let mut meter = meter(limits(Some(10), Some(100), None), mode);
        meter.set_text(4_000);
        match meter.admit(&memory, NOW) {
            Err(denial) => denial.error(),
            Ok(()) => meter
                .refused(b"request_rate_limited", None)
                .unwrap()
                .error(),
        }
    };
    for mode in [LimitMode::Local, LimitMode::Shared] {
        let error = denied(mode);
        let told = (error.status.as_u16(), error.code, error.retry_after);
        assert_eq!(told, (429, Some("prompt_exceeds_limit"), None));
        assert!(
            error.message.contains("1000 tokens")
                && error.message.contains("100 tokens per minute"),
            "{error}"
        );
    }
    let mut short = meter(limits(Some(1), Some(100), None), LimitMode::Local);
    short.set_text(400);
    assert_eq!(short.admit(&memory, NOW), Ok(()), "nothing was taken");
}
