//! What a fault of a VM leaves of the usage, alone and together with everything else that may happen.

use std::process::Command;

use bedrock_simulator::Simulator;
use bytes::Bytes;
use e2e::{Channel, Load, Module, Stack, eventually, run, simulator};
use serde_json::json;

use super::{CLIENTS, check_final_bill};

/// Stops a process, or lets it go on.
fn signal(stack: &Stack, name: &str) {
    let pid = stack.config.pid().expect("it runs").to_string();
    let done = Command::new("kill").args([name, &pid]).status();
    assert!(done.unwrap().success());
}

/// Requests that trap. Each has a connection of its own, so that together they reach every worker.
const TRAPS: usize = 12;

/// Makes the VMs of the workers trap, and waits until there are others in their place.
async fn trap(stack: &Stack, channel: &Channel) {
    let body = Bytes::from(channel.ask("Hi").to_string());
    for _ in 0..TRAPS {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-end", "1".parse().expect("a value"));
        let (port, path) = (stack.envoy.port(), "/v1/chat/completions");
        let pieces = vec![body.clone()];
        let (status, _) = e2e::h2_post_with_trailers(port, path, pieces, trailers).await;
        assert_eq!(status, 503, "the VM has ended");
    }
    let log = stack.envoy.log();
    assert!(log.contains("proxy_on_request_trailers"), "no VM trapped");
    let path = format!("/v1/models/{}", channel.model);
    stack
        .wait_for_workers(&path, |answer| answer.status == 200)
        .await;
}

/// Asks until so many more requests are answered, and all of them to their end.
async fn ask(stack: &Stack, channel: &Channel, requests: usize) -> usize {
    let load = Load::start(stack, &channel.model, CLIENTS);
    load.answered(requests).await;
    let outcome = load.stop().await;
    outcome.nothing_is_lost();
    outcome.answered
}

/// The config-service takes reports and does not answer while the VMs end: some records are in the queue then, and some
/// under way.
async fn trap_in_the_middle(stack: &Stack, channel: &Channel, requests: usize) -> usize {
    signal(stack, "-STOP");
    let answered = ask(stack, channel, requests).await;
    eventually("reports are not acknowledged", async || {
        let log = stack.envoy.log();
        log.contains("does not acknowledge usage reports")
            .then_some(())
    })
    .await;
    trap(stack, channel).await;
    signal(stack, "-CONT");
    answered
}

#[test]
fn nothing_is_lost_or_counted_twice_when_vms_trap() {
    run(async {
        let builder = Stack::builder().usage().module(Module::Trapping);
        let stack = builder.start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let before = ask(&stack, &channel, 50).await;
        let during = trap_in_the_middle(&stack, &channel, 200).await;
        let after = ask(&stack, &channel, 50).await;
        check_final_bill(&stack, &bedrock, &channel, before + during + after).await;
    });
}

/// Envoy gives up on the answers and sends the same again; what it gave up on is stored nevertheless, before or after.
#[test]
fn an_acknowledgement_that_takes_seconds_repeats_a_batch_and_counts_it_once() {
    run(async {
        let stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        signal(&stack, "-STOP");
        let before = ask(&stack, &channel, 200).await;
        eventually("reports are not acknowledged", async || {
            let log = stack.envoy.log();
            log.contains("does not acknowledge usage reports")
                .then_some(())
        })
        .await;
        signal(&stack, "-CONT");
        let after = ask(&stack, &channel, 50).await;
        check_final_bill(&stack, &bedrock, &channel, before + after).await;
    });
}

/// An outage, a restart, updates of the configuration, faults of the VMs, and an upgrade of the module with its rollback, a
/// sixth of the requests in each.
async fn through_everything(requests: usize) {
    let builder = Stack::builder().usage().failover(2);
    let mut stack = builder.module(Module::Trapping).start().await;
    let bedrock: Simulator = simulator().await;
    let channel = stack.channel(&bedrock).await;
    let part = requests / 6;
    let load = Load::start(&stack, &channel.model, CLIENTS);
    load.answered(part).await;
    stack.config.stop();
    load.answered(part).await;
    stack.config.resume().await;
    load.answered(part / 2).await;
    stack.config.kill();
    stack.config.resume().await;
    load.answered(part / 2).await;
    for round in 0..3 {
        let change = json!({"request_timeout_seconds": 100 + round});
        stack.config.patch_and_wait(&channel.id, &change).await;
        load.answered(part / 3).await;
    }
    let outcome = load.stop().await;
    outcome.nothing_is_lost();
    // What is being served when a VM ends fails, and Bedrock may have billed it: so nothing is.
    let mut answered = outcome.answered;
    answered += trap_in_the_middle(&stack, &channel, part).await;
    let load = Load::start(&stack, &channel.model, CLIENTS);
    load.answered(part / 2).await;
    stack.serve_edition(1).await;
    load.answered(part / 2).await;
    stack.serve_edition(0).await;
    load.answered(part / 2).await;
    let outcome = load.stop().await;
    outcome.nothing_is_lost();
    answered += outcome.answered;
    assert!(answered >= requests, "{answered}");
    check_final_bill(&stack, &bedrock, &channel, answered).await;
}

#[test]
fn nothing_is_lost_or_counted_twice_through_everything() {
    run(through_everything(600));
}

/// `cargo xtask test usage::traps::sixty_six_thousand -- --ignored`
#[test]
#[ignore = "takes minutes; the same with fewer requests runs in the suite"]
fn sixty_six_thousand_requests_are_counted_once_through_everything() {
    run(through_everything(66_000));
}
