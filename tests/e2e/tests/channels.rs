//! Edits through the admin API, and what the next requests see of them.

mod in_flight;

use bedrock_simulator::{Fault, Key, Simulator};
use e2e::{
    ACCESS_KEY_ID, Artefacts, Bootstrap, Channel, Envoy, Reply, SECRET_ACCESS_KEY, Scratch, Shared,
    Stack, eventually, run, shared, simulator,
};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::ports::{Ports, free_port};

use crate::wire::last;

fn arn(profile: &str) -> String {
    format!("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{profile}")
}

fn map_to(arn: &str) -> Value {
    json!({"inference_profile_arn_map": {"claude-sonnet-4-5": arn}})
}

fn cluster_of(bedrock: &Simulator) -> String {
    format!("bedrock|http|127.0.0.1|{}", bedrock.addr().port())
}

async fn expect_gone(stack: &Stack, channel: &Channel) {
    let reply = stack.envoy.chat(&channel.ask("Hi")).await;
    reply.error(404, "invalid_request_error", "model_not_found");
}

#[test]
fn an_edit_of_the_arn_map_changes_the_path_of_the_next_request() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for profile in ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"] {
            let arn = arn(profile);
            stack
                .config
                .patch_and_wait(&channel.id, &map_to(&arn))
                .await;
            stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
            assert_eq!(last(&bedrock).path, Channel::path_for(&arn, "invoke"));
        }
        // An empty map falls back to the catalogue's cross-region profile.
        let change = json!({"inference_profile_arn_map": null});
        stack.config.patch_and_wait(&channel.id, &change).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        let id = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
        assert_eq!(last(&bedrock).path, format!("/model/{id}/invoke"));
    });
}

#[test]
fn every_edit_reaches_envoy() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for edit in 0..20 {
            let arn = arn(&format!("push{edit:08}"));
            stack.config.patch(&channel.id, &map_to(&arn)).await;
            let wanted = Channel::path_for(&arn, "invoke");
            eventually("the new path", async || {
                stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
                (last(&bedrock).path == wanted).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn a_channel_in_a_new_region_works_without_touching_envoy() {
    run(async {
        let stack = shared().await;
        let key = Key::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY).with_regions(["eu-central-1"]);
        let bedrock = Simulator::builder().credentials(key).region("eu-central-1");
        let bedrock = bedrock.start().await.unwrap();
        let cluster = cluster_of(&bedrock);
        assert!(!stack.envoy.has_cluster(&cluster).await);
        let arn = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
        let mut fields = map_to(arn);
        fields["region"] = json!("eu-central-1");
        let channel = stack.channel_with(&bedrock, &fields).await;
        stack
            .envoy
            .chat(&channel.ask("Hallo"))
            .await
            .text_of_answer();
        assert!(stack.envoy.has_cluster(&cluster).await);
        let request = last(&bedrock);
        assert_eq!(request.path, channel.path("invoke"));
        let authorization = request.header("authorization").unwrap();
        assert!(
            authorization.contains("/eu-central-1/bedrock/aws4_request"),
            "{authorization}"
        );
    });
}

#[test]
fn without_channels_the_gateway_is_up_and_knows_no_model() {
    run(async {
        let stack = Stack::start().await;
        let list = stack.envoy.get("/v1/models").await;
        assert_eq!((list.status, &list.json()["data"]), (200, &json!([])));
        let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
        let reply = stack.envoy.chat(&body).await;
        reply.error(404, "invalid_request_error", "model_not_found");
    });
}

#[test]
fn every_connected_envoy_gets_an_edit() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let ports = Ports {
            envoy: free_port().unwrap(),
            envoy_admin: free_port().unwrap(),
            ..stack.ports
        };
        let mut bootstrap = Bootstrap::dynamic(&ports);
        bootstrap.document["node"]["id"] = json!("second");
        let (artefacts, scratch) = (Artefacts::from_environment(), Scratch::new());
        let second = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
        let channel = stack.channel(&bedrock).await;
        let arn = arn("bothbothboth");
        stack
            .config
            .patch_and_wait(&channel.id, &map_to(&arn))
            .await;
        for envoy in [&stack.envoy, &second] {
            bedrock.clear();
            envoy.chat(&channel.ask("Hi")).await.text_of_answer();
            assert_eq!(last(&bedrock).path, Channel::path_for(&arn, "invoke"));
        }
        let status = stack.config.status().await;
        let summary = format!("revision {} is active on 2 of 2 Envoys", status["revision"]);
        assert_eq!(status["summary"], summary);
        let nodes = status["envoys"].as_array().unwrap().iter();
        let nodes: Vec<_> = nodes.map(|envoy| &envoy["node_id"]).collect();
        assert_eq!(nodes, ["envoy", "second"]);
    });
}

#[test]
fn a_deleted_channel_is_model_not_found_and_its_cluster_goes() {
    run(async {
        let stack = Stack::builder().drain_seconds(0).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        stack.config.delete(&channel.id).await;
        expect_gone(&stack, &channel).await;
        let cluster = cluster_of(&bedrock);
        eventually("the cluster is gone", async || {
            (!stack.envoy.has_cluster(&cluster).await).then_some(())
        })
        .await;
        assert_eq!(bedrock.requests().len(), 1);
    });
}

#[test]
fn a_disabled_channel_serves_nothing_until_it_is_enabled() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack
            .channel_with(&bedrock, &json!({"enabled": false}))
            .await;
        expect_gone(&stack, &channel).await;
        let list = stack.envoy.get("/v1/models").await;
        assert!(
            !list.text.contains(&format!("\"{}\"", channel.model)),
            "{list:?}"
        );
        stack
            .config
            .patch_and_wait(&channel.id, &json!({"enabled": true}))
            .await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        stack
            .config
            .patch_and_wait(&channel.id, &json!({"enabled": false}))
            .await;
        expect_gone(&stack, &channel).await;
    });
}

#[test]
fn clients_may_request_and_see_only_what_a_channel_allows() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let body = json!({
            "name": "open",
            "region": "us-east-1",
            "endpoint": bedrock.url(),
            "credentials": {"type": "static", "access_key_id": ACCESS_KEY_ID,
                "secret_access_key": SECRET_ACCESS_KEY},
            "model_mapping": {"house": "claude-sonnet-4-5"},
        });
        let view = stack.config.create(&body).await;
        let id = view["id"].as_str().unwrap();
        let foreign = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123def456";
        let raw = "anthropic.claude-next-9-9";
        let profile = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
        for (allowed, served, refused) in [
            (
                "catalogue",
                &["house", "nova-pro", profile][..],
                &[raw, foreign][..],
            ),
            ("none", &["house"], &["nova-pro", profile, raw, foreign]),
            ("any", &["house", "nova-pro", profile], &[]),
        ] {
            let change = json!({"allow_model_ids": allowed});
            stack.config.patch_and_wait(id, &change).await;
            let mut in_a_row = 0;
            eventually("every worker has the edit", async || {
                let list = stack.envoy.get("/v1/models").await.json();
                let lists_others = list["data"].as_array()?.len() > 1;
                let one = stack.envoy.get(&format!("/v1/models/{raw}")).await;
                let is_new =
                    (lists_others, one.status == 200) == (allowed != "none", allowed == "any");
                in_a_row = if is_new { in_a_row + 1 } else { 0 };
                (in_a_row == 4).then_some(())
            })
            .await;
            let ask = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
            for model in served {
                stack.envoy.chat(&ask(model)).await.text_of_answer();
                let one = stack.envoy.get(&format!("/v1/models/{model}")).await;
                assert_eq!(one.status, 200, "{one:?}");
            }
            bedrock.clear();
            for model in refused {
                for reply in [
                    stack.envoy.chat(&ask(model)).await,
                    stack.envoy.get(&format!("/v1/models/{model}")).await,
                ] {
                    let message = reply.error(404, "invalid_request_error", "model_not_found");
                    assert!(message.contains(model), "{message}");
                    assert!(message.contains("allow_model_ids"), "{message}");
                }
            }
            assert_eq!(bedrock.requests(), []);
        }
        // The id of a custom model reaches Bedrock, which does not know this one.
        let ask = json!({"model": raw, "messages": [{"role": "user", "content": "Hi"}]});
        stack.envoy.chat(&ask).await;
        assert!(last(&bedrock).path.contains(raw), "{:?}", last(&bedrock));
    });
}

#[test]
fn the_next_channel_serves_a_model_when_the_first_is_disabled() {
    run(async {
        let (stack, first, second) = (shared().await, simulator().await, simulator().await);
        let channel = stack.channel(&first).await;
        let fields = json!({
            "models": [channel.model],
            "model_mapping": {&channel.model: "claude-sonnet-4-5"},
        });
        stack.channel_with(&second, &fields).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
        stack
            .config
            .patch_and_wait(&channel.id, &json!({"enabled": false}))
            .await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    });
}

/// Sends an edit as text and expects these faults, as `pointer code`.
async fn expect_refused(stack: &Shared, channel: &Channel, edit: &str, faults: &[&str]) {
    let path = format!("/api/channels/{}", channel.id);
    let reply = stack.config.call_text(Method::PATCH, &path, edit).await;
    assert_eq!(reply.status, 422, "{edit}: {reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem = reply.json();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().unwrap().iter();
    let found: Vec<_> = errors
        .map(|fault| format!("{} {}", text(fault, "pointer"), text(fault, "code")))
        .collect();
    assert_eq!(found, faults, "{edit}: {problem}");
}

#[test]
fn bad_edits_are_refused_with_all_their_faults_and_change_nothing() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let path = format!("/api/channels/{}", channel.id);
        let before = stack
            .config
            .call(Method::GET, &path, &Value::Null)
            .await
            .json();
        let map = "/inference_profile_arn_map";
        for (edit, faults) in [
            (
                r#"{"inference_profile_arn_map": {"": "x", "a": "", "b": 5, "c": "x", "c": "y"}, "region": 7, "cross_region": "mars"}"#,
                vec![
                    format!("{map}/ empty_key"),
                    format!("{map}/a empty_value"),
                    format!("{map}/b not_a_string"),
                    format!("{map}/c duplicate_key"),
                    "/region invalid_type".to_owned(),
                    "/cross_region unknown_value".to_owned(),
                ],
            ),
            (
                r#"{"inference_profile_arn_map": ["a"]}"#,
                vec![format!("{map} not_a_map")],
            ),
            (
                r#"{"inference_profile_arn_map": "{\"a\": {}}"}"#,
                vec![format!("{map}/a not_a_string")],
            ),
            (
                r#"{"endpoint": "ftp://x"}"#,
                vec!["/endpoint invalid_endpoint".to_owned()],
            ),
        ] {
            let faults: Vec<_> = faults.iter().map(String::as_str).collect();
            expect_refused(&stack, &channel, edit, &faults).await;
        }
        let after = stack
            .config
            .call(Method::GET, &path, &Value::Null)
            .await
            .json();
        assert_eq!(after, before);
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert_eq!(last(&bedrock).path, channel.path("invoke"));
    });
}
