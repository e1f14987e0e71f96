//! What requests use arrives at the config-service, all of it and once, whatever comes and goes.

mod figures;
mod traps;

use bedrock_simulator::Simulator;
use e2e::{Channel, Load, Module, Stack, eventually, run, simulator};
use reqwest::Method;
use serde_json::{Value, json};

/// Clients in a load.
const CLIENTS: usize = 12;

/// The sums of all requests that ended with an answer.
async fn answered(stack: &Stack) -> Value {
    let path = "/api/usage?outcome=answered";
    let reply = stack.config.call(Method::GET, path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["lines"][0].clone()
}

/// Waits until so many answered requests are known, and checks that their tokens are those that Bedrock billed.
async fn check_bill(stack: &Stack, bedrock: &Simulator, requests: usize) {
    let sums = eventually("all usage is reported", async || {
        let sums = answered(stack).await;
        let known = sums["requests"].as_u64().unwrap_or(0);
        assert!(known <= requests as u64, "{known} of {requests}");
        (known == requests as u64).then_some(sums)
    })
    .await;
    let bill = bedrock.billed();
    assert_eq!(bill.answers, requests as u64);
    assert_eq!(sums["input_tokens"], bill.input_tokens, "{sums}");
    assert_eq!(sums["output_tokens"], bill.output_tokens, "{sums}");
    assert_eq!(sums["unpriced"], 0, "{sums}");
    assert!(sums["cost_nano_usd"].as_u64() > Some(0), "{sums}");
}

/// The same, and that nothing of it comes again: the next reports change nothing but for their own request.
async fn check_final_bill(stack: &Stack, bedrock: &Simulator, channel: &Channel, requests: usize) {
    check_bill(stack, bedrock, requests).await;
    stack
        .envoy
        .chat(&channel.ask("The last"))
        .await
        .text_of_answer();
    check_bill(stack, bedrock, requests + 1).await;
}

#[test]
fn nothing_is_lost_or_counted_twice_while_the_config_service_is_away() {
    run(async {
        let mut stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let load = Load::start(&stack, &channel.model, CLIENTS);
        load.answered(100).await;
        stack.config.stop();
        load.answered(200).await;
        stack.config.resume().await;
        load.answered(100).await;
        stack.config.kill();
        load.answered(100).await;
        stack.config.resume().await;
        load.answered(50).await;
        let outcome = load.stop().await;
        outcome.nothing_is_lost();
        check_final_bill(&stack, &bedrock, &channel, outcome.answered).await;
    });
}

#[test]
fn nothing_is_lost_or_counted_twice_while_channels_are_edited() {
    run(async {
        let stack = Stack::builder().usage().failover(2).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let load = Load::start(&stack, &channel.model, CLIENTS);
        for round in 0..4 {
            load.answered(50).await;
            let change = json!({"request_timeout_seconds": 100 + round});
            stack.config.patch_and_wait(&channel.id, &change).await;
        }
        load.answered(50).await;
        let outcome = load.stop().await;
        outcome.nothing_is_lost();
        check_final_bill(&stack, &bedrock, &channel, outcome.answered).await;
    });
}

#[test]
fn nothing_is_lost_or_counted_twice_by_an_upgrade_and_a_rollback() {
    run(async {
        let builder = Stack::builder().usage().failover(2);
        let mut stack = builder.module(Module::ServedCopy).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let load = Load::start(&stack, &channel.model, CLIENTS);
        load.answered(100).await;
        stack.serve_edition(1).await;
        load.answered(100).await;
        stack.serve_edition(0).await;
        load.answered(100).await;
        let outcome = load.stop().await;
        outcome.nothing_is_lost();
        check_final_bill(&stack, &bedrock, &channel, outcome.answered).await;
    });
}

#[test]
fn a_record_says_where_a_request_went_and_how_it_ended() {
    run(async {
        let stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        let lost = json!({"model": "gpt-99", "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(stack.envoy.chat(&lost).await.status, 404);
        let path =
            "/api/usage?by=channel,region,model,model_id,base_model,endpoint,outcome&order=cost";
        let lines = eventually("both requests are reported", async || {
            let reply = stack
                .config
                .call(Method::GET, path, &Value::Null)
                .await
                .json();
            let lines = reply["lines"].as_array()?.clone();
            (lines.len() == 2).then_some(lines)
        })
        .await;
        let profile = channel.arn.rsplit('/').next().unwrap();
        for (name, expected) in [
            ("region", "us-east-1"),
            ("model", &*channel.model),
            ("model_id", profile),
            ("base_model", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("endpoint", "openai_chat"),
            ("outcome", "answered"),
        ] {
            assert_eq!(lines[0][name], expected, "{name}");
        }
        assert_eq!(lines[1]["outcome"], "refused");
        assert_eq!(lines[1]["cost_nano_usd"], 0);
        let unserved = stack
            .config
            .call(Method::GET, "/api/usage/unserved", &Value::Null)
            .await;
        assert_eq!(unserved.json()["models"][0]["model"], "gpt-99");
    });
}

#[test]
fn a_cluster_that_does_not_exist_harms_nothing_but_the_reports() {
    run(async {
        let builder = Stack::builder().usage();
        let stack = builder.argument("--usage-cluster=nowhere").start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        for _ in 0..20 {
            stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        }
        eventually("Envoy's log says why", async || {
            let log = stack.envoy.log();
            log.contains("does not acknowledge usage reports over the cluster nowhere")
                .then_some(())
        })
        .await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert!(answered(&stack).await.is_null());
    });
}

#[test]
fn a_budget_that_is_used_up_ends_the_asking_and_a_larger_one_lets_it_go_on() {
    run(async {
        let stack = Stack::builder().usage().start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let set = async |tokens: u64| {
            let budget = json!({"tokens": tokens});
            let reply = stack
                .config
                .call(Method::PUT, "/api/budgets/*", &budget)
                .await;
            assert_eq!(reply.status, 204, "{reply:?}");
        };
        set(10).await;
        let refused = eventually("the budget is used up", async || {
            let reply = stack.envoy.chat(&channel.ask("Hi")).await;
            (reply.status == 429).then_some(reply)
        })
        .await;
        let error = refused.json();
        assert_eq!(error["error"]["code"], "insufficient_quota", "{error}");
        assert!(
            refused.header("retry-after").parse::<u64>().unwrap() > 0,
            "{refused:?}"
        );
        // The other worker knows it too, within a tick; models can still be listed.
        let asked = bedrock.requests().len();
        let models = stack.envoy.get("/v1/models").await;
        assert_eq!(models.status, 200);
        set(1_000_000_000).await;
        eventually("there is a budget again", async || {
            let reply = stack.envoy.chat(&channel.ask("Hi")).await;
            (reply.status == 200).then_some(())
        })
        .await;
        assert!(bedrock.requests().len() > asked);
    });
}
