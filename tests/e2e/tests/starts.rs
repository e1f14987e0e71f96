//! Envoys that start while something else happens, or without what they need.

use std::time::Duration;

use e2e::{Stack, eventually, run};
use serde_json::json;

use crate::failover::{channel, create, region};

/// Waits until Envoy has fetched the module this many times.
async fn fetched(stack: &Stack, times: usize) {
    eventually("the module is fetched", async || {
        let log = stack.config.log();
        let fetches = log.lines().filter(|line| line.contains(".wasm"));
        (fetches.count() >= times).then_some(())
    })
    .await;
}

#[test]
fn edits_while_an_envoy_compiles_the_module_are_not_lost() {
    run(async {
        let mut stack = Stack::builder()
            .config_log("debug")
            .failover(3)
            .start()
            .await;
        let a = region("a").await;
        create(&stack, &[channel("a", 0, &a)]).await;
        let mut others = 0;
        // Compiling takes about a second, or more on a busy machine.
        for first in [0, 300, 700, 1200, 2000] {
            let fetches = stack.config.log().matches(".wasm").count();
            stack.envoy.restart_unready();
            fetched(&stack, fetches + 1).await;
            tokio::time::sleep(Duration::from_millis(first)).await;
            let mut revision = 0;
            for _ in 0..2 {
                // Each channel changes the pools of all others.
                others += 1;
                let mut other = channel(&format!("other-{others}"), others, &a);
                other["credentials"] = channel("a", 0, &a)["credentials"].clone();
                let view = stack.config.create(&other).await;
                revision = view["revision"].as_u64().expect("a revision");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            stack.envoy.wait_ready().await;
            stack.config.wait_active(revision).await;
            let status = stack.config.status().await;
            assert_eq!(status["envoys"][0]["state"], "active", "{status}");
            stack.wait_served("claude-sonnet-4-5").await;
            let body = json!({
                "model": "claude-sonnet-4-5",
                "messages": [{"role": "user", "content": "Hi"}],
            });
            let reply = stack.envoy.chat(&body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    });
}
