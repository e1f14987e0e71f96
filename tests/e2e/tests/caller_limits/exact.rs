//! Exactly what a limit allows passes, however many ask at once.

use std::sync::Arc;
use std::time::Instant;

use e2e::run;
use serde_json::json;
use tokio::task::JoinSet;

use super::{Gateway, Setup, minute, start};

/// Sends `count` requests of a caller, 40 at a time; returns how many pass.
pub(super) async fn ask_at_once(gateway: &Arc<Gateway>, caller: &str, count: usize) -> usize {
    let mut tasks = JoinSet::new();
    for _ in 0..40 {
        let (gateway, caller) = (Arc::clone(gateway), caller.to_owned());
        tasks.spawn(async move {
            let mut passed = 0;
            for _ in 0..count / 40 {
                let reply = gateway.chat(&caller).await;
                assert!(matches!(reply.status, 200 | 429), "{reply:?}");
                passed += usize::from(reply.status == 200);
            }
            passed
        });
    }
    tasks.join_all().await.into_iter().sum()
}

#[test]
fn exactly_the_limit_passes_of_many_at_once() {
    run(async {
        let gateway = start(Setup::default(), &[("a", json!({"rpm": 100}))]).await;
        let gateway = Arc::new(gateway);
        let started = minute();
        let passed = ask_at_once(&gateway, "a", 5_000).await;
        // Each minute of the clock allows as much again.
        let minutes = usize::try_from(minute() - started).unwrap() + 1;
        assert!((100..=100 * minutes).contains(&passed), "{passed}");
        let unchecked = gateway.stat("ratelimit.failure_mode_allowed").await;
        assert_eq!(unchecked, 0);
    });
}

#[test]
fn one_envoy_counts_exactly_by_itself() {
    run(async {
        let setup = Setup {
            mode: "local",
            ..Setup::default()
        };
        let gateway = start(setup, &[("a", json!({"rpm": 60}))]).await;
        let gateway = Arc::new(gateway);
        let asked = gateway.stat("cluster.rate-limit.upstream_rq_total").await;
        let started = Instant::now();
        let passed = ask_at_once(&gateway, "a", 2_000).await;
        // A bucket gives one back each second.
        let back = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
        assert!((60..=60 + back).contains(&passed), "{passed}");
        let still = gateway.stat("cluster.rate-limit.upstream_rq_total").await;
        assert_eq!(still, asked);
    });
}

#[test]
fn no_more_requests_run_at_once_than_a_caller_may_have() {
    run(async {
        let limits = json!({"concurrent_requests": 1});
        let gateway = Arc::new(start(Setup::default(), &[("a", limits)]).await);
        // Whatever ran together, none is left: what was taken has been given back.
        for _ in 0..3 {
            ask_at_once(&gateway, "a", 80).await;
            assert_eq!(gateway.chat("a").await.status, 200);
        }
    });
}
