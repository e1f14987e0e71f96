//! The rate limit service is away.

use e2e::{eventually, run};
use serde_json::json;

use super::{Setup, buckets, start};

#[test]
fn requests_pass_unchecked_and_are_counted() {
    run(async {
        let setup = Setup {
            arguments: buckets(),
            ..Setup::default()
        };
        let mut gateway = start(setup, &[("a", json!({"rpm": 1}))]).await;
        assert_eq!(gateway.chat("a").await.status, 200);
        assert_eq!(gateway.chat("a").await.status, 429);
        gateway.service.kill();
        let unchecked = gateway.chat("a").await;
        assert_eq!(unchecked.text_of_answer(), "You said: Hi");
        assert_eq!(unchecked.header("x-ratelimit-limit-requests"), "");
        assert!(gateway.stat("ratelimit.failure_mode_allowed").await >= 1);
        // The health check takes it out, and in again: without what it had counted.
        eventually("the service is out", async || {
            let healthy = gateway.stat("cluster.rate-limit.membership_healthy").await;
            (healthy == 0).then_some(())
        })
        .await;
        assert_eq!(gateway.chat("a").await.status, 200);
        gateway.service.resume().await;
        eventually("limits are back", async || {
            (gateway.chat("a").await.status == 429).then_some(())
        })
        .await;
    });
}

#[test]
fn where_it_is_set_what_cannot_be_checked_is_refused() {
    run(async {
        let setup = Setup {
            fails_closed: true,
            ..Setup::default()
        };
        let mut gateway = start(setup, &[("a", json!({"rpm": 100})), ("free", json!({}))]).await;
        assert_eq!(gateway.chat("a").await.status, 200);
        gateway.service.kill();
        let sent = gateway.bedrock.requests().len();
        let reply = gateway.chat("a").await;
        let message = reply.error(503, "server_error", "limits_unavailable");
        assert!(message.contains("cannot check the limits"), "{message}");
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(gateway.bedrock.requests().len(), sent);
        // The channel has nothing to do with it, and neither has a caller without limits.
        assert_eq!(gateway.chat("free").await.status, 200);
        assert_eq!(gateway.stat("bedrock_limited_total_r.unknown._").await, 1);
    });
}
