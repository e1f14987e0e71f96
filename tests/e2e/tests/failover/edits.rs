//! Edits of channels while they serve.

use std::cell::Cell;

use super::*;

const EDITS: usize = 12;

#[test]
fn an_edit_of_the_endpoint_loses_no_request() {
    run(async {
        let stack = stack().await;
        let regions = [region("a").await, region("b").await];
        let [a, _] = &regions;
        let created = stack.config.create(&channel("a", 0, a)).await;
        let id = created["id"].as_str().unwrap();
        stack.wait_served("claude-sonnet-4-5").await;
        let is_over = Cell::new(false);
        let edits = async {
            for number in 1..=EDITS {
                let name = ["a", "b"][number % 2];
                let other = channel(name, 0, &regions[number % 2]);
                let edit =
                    json!({"endpoint": other["endpoint"], "credentials": other["credentials"]});
                stack.config.patch_and_wait(id, &edit).await;
            }
            is_over.set(true);
        };
        let chats = async {
            let mut served = 0;
            while !is_over.get() {
                let reply = stack.envoy.chat(&ask(false)).await;
                served_by(&reply, "a", "1");
                served += 1;
            }
            served
        };
        let ((), served) = tokio::join!(edits, chats);
        assert!(served > EDITS, "{served}");
        for bedrock in regions {
            let seen = bedrock.requests();
            assert!(!seen.is_empty());
            // Neither the key nor the signature of the other one's.
            assert!(seen.iter().all(|own| own.was_valid()), "{seen:?}");
        }
    });
}
