//! Envoy and the config-service come and go; the configuration stays.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use e2e::{Channel, ECDS, Module, Stack, eventually, run, simulator};
use serde_json::{Value, json};

use crate::failover;
use crate::wire::last;

/// Checks that the stack serves the channel's model under its ARN.
async fn check_served(stack: &Stack, bedrock: &bedrock_simulator::Simulator, channel: &Channel) {
    stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
    assert_eq!(last(bedrock).path, channel.path("invoke"));
}

/// The only Envoy in `/api/status`, once it runs the current revision.
async fn active_envoy(stack: &Stack) -> Value {
    let revision = stack.config.status().await["revision"].as_u64().unwrap();
    let status = eventually("the Envoy runs what is published", async || {
        let status = stack.config.status().await;
        (status["envoys"][0]["state"] == "active").then_some(status)
    })
    .await;
    assert_eq!(status["envoys"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(
        status["summary"],
        format!("revision {revision} is active on 1 of 1 Envoys")
    );
    assert_eq!(status["envoys"][0]["state"], "active", "{status}");
    status["envoys"][0].clone()
}

#[test]
fn a_restarted_envoy_has_the_same_configuration() {
    run(async {
        let (mut stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        check_served(&stack, &bedrock, &channel).await;
        stack.envoy.restart().await;
        check_served(&stack, &bedrock, &channel).await;
        assert_eq!(active_envoy(&stack).await["node_id"], "envoy");
    });
}

#[test]
fn a_restarted_config_service_keeps_its_configuration_and_is_not_missed_meanwhile() {
    run(async {
        let (mut stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let before = stack.config.status().await;
        let channels = stack
            .config
            .call(reqwest::Method::GET, "/api/channels", &Value::Null)
            .await;
        stack.config.stop();
        for _ in 0..5 {
            check_served(&stack, &bedrock, &channel).await;
        }
        stack.config.resume().await;
        assert_eq!(active_envoy(&stack).await["node_id"], "envoy");
        let after = stack.config.status().await;
        assert_eq!(after["revision"], before["revision"]);
        let same = stack
            .config
            .call(reqwest::Method::GET, "/api/channels", &Value::Null)
            .await;
        assert_eq!(same.json(), channels.json());
        check_served(&stack, &bedrock, &channel).await;
        // And it accepts edits again.
        let arn =
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/afterwards00";
        let change = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": arn}});
        stack.config.patch_and_wait(&channel.id, &change).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert_eq!(last(&bedrock).path, Channel::path_for(arn, "invoke"));
    });
}

/// Moves the database and the files beside it to another folder.
fn move_database(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["channels.db", "channels.db-wal", "channels.db-shm"] {
        // The last two exist only after a crash.
        let _ = std::fs::rename(from.join(name), to.join(name));
    }
}

#[test]
fn a_lost_database_does_not_empty_a_running_envoy() {
    run(async {
        let (mut stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let folder = stack.scratch.path().to_owned();
        let elsewhere = folder.join("elsewhere");
        stack.config.stop();
        move_database(&folder, &elsewhere);
        stack.config.resume().await;
        eventually("the Envoy is held", async || {
            let status = stack.config.status().await;
            (status["envoys"][0]["state"] == "held").then_some(())
        })
        .await;
        assert_eq!(stack.config.status().await["channels"], 0);
        check_served(&stack, &bedrock, &channel).await;
        assert!(stack.config.log().contains("Envoy keeps its channels"));
        // The database turns up again.
        stack.config.stop();
        move_database(&elsewhere, &folder);
        stack.config.resume().await;
        active_envoy(&stack).await;
        check_served(&stack, &bedrock, &channel).await;
    });
}

#[test]
fn an_envoy_that_starts_before_the_config_service_waits_for_it() {
    run(async {
        let (mut stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        stack.config.stop();
        stack.envoy.restart_unready();
        eventually("Envoy's admin answers", async || {
            stack.envoy.try_admin_page("/server_info").await
        })
        .await;
        // The listener is closed, because no answer is better than an unfiltered one.
        assert!(
            stack
                .envoy
                .request(reqwest::Method::GET, "/v1/models")
                .send()
                .await
                .is_err()
        );
        stack.config.resume().await;
        stack.envoy.wait_ready().await;
        stack.wait_served(&channel.model).await;
        check_served(&stack, &bedrock, &channel).await;
    });
}

#[test]
fn a_module_in_envoys_file_system_also_works() {
    run(async {
        let (stack, bedrock) = (
            Stack::builder().module(Module::InEnvoy).start().await,
            simulator().await,
        );
        let channel = stack.channel(&bedrock).await;
        check_served(&stack, &bedrock, &channel).await;
        let status = stack.config.status().await;
        let path = status["filter"]["path"].as_str().unwrap();
        assert!(path.ends_with(".wasm"), "{status}");
    });
}

#[test]
fn a_new_module_replaces_the_old_one_without_losing_a_request() {
    run(async {
        let builder = Stack::builder().module(Module::ServedCopy);
        let (mut stack, bedrock) = (builder.start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let before = stack.config.status().await["filter"].clone();
        // An empty custom section makes it another module that does the same.
        let file = stack.scratch.path().join("filter.wasm");
        let mut module = std::fs::read(&file).unwrap();
        module.extend(b"\x00\x05\x04next");
        std::fs::write(&file, module).unwrap();
        stack.config.stop();
        stack.config.resume().await;
        eventually("Envoy runs the new module", async || {
            check_served(&stack, &bedrock, &channel).await;
            let status = stack.config.status().await;
            (status["envoys"][0]["state"] == "active").then_some(())
        })
        .await;
        assert_ne!(stack.config.status().await["filter"], before);
        check_served(&stack, &bedrock, &channel).await;
    });
}

/// The names with this prefix among what Envoy has or asks for.
fn names<'a>(text: &'a str, beginning: &str) -> BTreeSet<&'a str> {
    let rest = text.split(beginning).skip(1);
    rest.filter_map(|rest| rest.get(..16)).collect()
}

/// An Envoy had a module's filter, dropped it with its clusters, and needs it again, when the stream breaks
/// before it arrives. The version that it reports is an old one.
async fn comes_back_while_it_waits_for_a_filter(next_edition: u8) {
    let builder = Stack::builder().module(Module::ServedCopy).failover(3);
    let builder = builder.drain_seconds(1).delay_xds();
    let mut stack = builder.start().await;
    let region = failover::region("a").await;
    let channel = failover::channel("a", 0, &region);
    failover::create(&stack, std::slice::from_ref(&channel)).await;
    stack.serve_edition(1).await;
    eventually("the clusters of the first module are gone", async || {
        let clusters = stack.envoy.admin_page("/config_dump").await;
        (names(&clusters, "bedrock|filter|").len() == 1).then_some(())
    })
    .await;
    let proxy = stack.proxy.as_ref().expect("a proxy");
    proxy.delay(ECDS, Duration::from_secs(3600));
    let seen = proxy.messages().len();
    stack.write_edition(0);
    stack.config.restart_with(|_| ()).await;
    let proxy = stack.proxy.as_ref().expect("a proxy");
    eventually(
        "Envoy waits for the filter of the first module",
        async || {
            let mut messages = proxy.messages().split_off(seen).into_iter();
            let waits = |message: &String| names(message, "bedrock-upstream-").len() == 2;
            messages.any(|message| waits(&message)).then_some(())
        },
    )
    .await;
    stack.config.stop();
    proxy.delay(ECDS, Duration::ZERO);
    stack.write_edition(next_edition);
    stack.config.resume().await;
    let mut other = failover::channel("b", 1, &region);
    other["credentials"] = channel["credentials"].clone();
    let view = stack.config.create(&other).await;
    let revision = view["revision"].as_u64().expect("a revision");
    stack.config.wait_active(revision).await;
    active_envoy(&stack).await;
    stack.wait_served("claude-sonnet-4-5").await;
    let body = json!({
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": "Hi"}],
    });
    stack.envoy.chat(&body).await.text_of_answer();
}

#[test]
fn an_envoy_that_reconnects_while_waiting_for_a_filter_gets_it() {
    run(comes_back_while_it_waits_for_a_filter(0));
}

#[test]
fn an_envoy_that_reconnects_while_waiting_for_an_earlier_modules_filter_continues_without() {
    run(comes_back_while_it_waits_for_a_filter(1));
}
