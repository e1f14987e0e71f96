//! Requests move on to another channel.

use bedrock_simulator::{Key, Simulator};
use e2e::{Load, channel_body, eventually, run, simulator};
use mesh::{Bench, Case};
use serde_json::{Value, json};

use super::check_valid;

/// A simulator of an account, and a channel to it.
async fn account(name: &str, priority: u32) -> (Simulator, Value) {
    let (id, secret) = (
        format!("AKID{}", name.to_uppercase()),
        format!("secret-of-{name}"),
    );
    let key = Key::new(id.clone(), secret.clone());
    let builder = Simulator::builder().credentials(key).region("us-east-1");
    let bedrock = builder.start().await.expect("a simulator");
    let channel = json!({
        "name": name,
        "region": "us-east-1",
        "endpoint": bedrock.url(),
        "priority": priority,
        "credentials": {
            "type": "static",
            "access_key_id": id,
            "secret_access_key": secret,
        },
    });
    (bedrock, channel)
}

fn ask(stream: bool) -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "stream": stream,
        "messages": [{"role": "user", "content": "Hi"}],
    })
}

async fn check(query: impl Fn(&Bench) -> String) {
    for case in Case::ALL {
        eprintln!("{case:?}");
        let bench = Bench::start(&["--failover"]).await;
        let (first, channel) = account("a", 0).await;
        bench.config.create(&channel).await;
        let (second, channel) = account("b", 1).await;
        bench.config.create(&channel).await;
        let pod = bench.serve(case, &query(&bench)).await;
        let reply = pod.chat_until(&ask(false), 200).await;
        assert_eq!(reply.header("x-bedrock-channel"), "a");
        check_valid(&first);
        drop(first);
        for stream in [false, true, false, true] {
            let reply = pod.send(pod.chat_request(&ask(stream))).await.unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.header("x-bedrock-channel"), "b");
        }
        check_valid(&second);
    }
}

#[test]
#[ignore = "needs a real Istio"]
fn a_copy_fails_over() {
    run(check(|_| String::new()));
}

#[test]
#[ignore = "needs a real Istio"]
fn live_channels_fail_over() {
    run(check(Bench::live));
}

#[test]
#[ignore = "needs a real Istio"]
fn a_copy_that_fails_over_loses_no_chat_when_it_is_applied_again() {
    run(async {
        let bench = Bench::start(&["--failover"]).await;
        let bedrocks = [simulator().await, simulator().await, simulator().await];
        let [one, other, third] = &bedrocks;
        let first = channel_body(one);
        let mut second = first.clone();
        second["name"] = json!("second");
        second["endpoint"] = json!(other.url());
        second["priority"] = json!(1);
        let mut ids = Vec::new();
        for channel in [&first, &second] {
            ids.push(bench.config.create(channel).await["id"].clone());
        }
        let [first_id, second_id] = [&ids[0], &ids[1]].map(|id| id.as_str().unwrap());
        let pod = bench.serve(Case::Own, "").await;
        let model = first["models"][0].as_str().unwrap();
        let request = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
        pod.chat_until(&request, 200).await;
        let load = Load::start_at(&pod.url(), model, 4);
        load.answered(10).await;

        let moved = |bedrock: &Simulator| json!({"endpoint": bedrock.url(), "credentials": first["credentials"]});
        let steps = [
            ("another order", first_id, json!({"priority": 2}), other),
            ("another endpoint", second_id, moved(third), third),
            ("a pool less", second_id, json!({"enabled": false}), one),
        ];
        for (what, id, change, bedrock) in steps {
            eprintln!("{what}");
            bench.config.patch(id, &change).await;
            let before = bedrock.requests().len();
            bench.apply_manifest(Case::Own, "").await;
            eventually("the edit is in force", async || {
                (bedrock.requests().len() > before).then_some(())
            })
            .await;
            load.answered(20).await;
        }
        load.stop().await.nothing_is_lost();
        for bedrock in &bedrocks {
            check_valid(bedrock);
        }
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn edits_of_live_channels_that_fail_over_lose_no_chat() {
    run(async {
        let bench = Bench::start(&["--failover"]).await;
        let bedrocks = [simulator().await, simulator().await, simulator().await];
        let [one, other, third] = &bedrocks;
        let first = channel_body(one);
        let mut ids = Vec::new();
        for (name, bedrock, priority) in [("a", one, 0), ("b", other, 1), ("c", third, 2)] {
            let mut channel = first.clone();
            channel["name"] = json!(name);
            channel["endpoint"] = json!(bedrock.url());
            channel["priority"] = json!(priority);
            let created = bench.config.create(&channel).await;
            ids.push(created["id"].as_str().unwrap().to_owned());
        }
        let pod = bench.serve(Case::Own, &bench.live()).await;
        let model = first["models"][0].as_str().unwrap();
        let request = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
        pod.chat_until(&request, 200).await;
        let load = Load::start_at(&pod.url(), model, 4);
        load.answered(10).await;
        // The manifest has pools for none of these.
        let steps = [
            (&ids[1], json!({"enabled": false}), one),
            (&ids[0], json!({"priority": 3}), third),
            (&ids[1], json!({"enabled": true}), other),
            (&ids[1], json!({"priority": 4}), third),
        ];
        for (id, change, bedrock) in steps {
            eprintln!("{change}");
            bench.config.patch_and_wait(id, &change).await;
            let before = bedrock.requests().len();
            eventually("the edit is in force", async || {
                (bedrock.requests().len() > before).then_some(())
            })
            .await;
            load.answered(20).await;
        }
        bench.config.delete(&ids[2]).await;
        load.answered(50).await;
        // With a new manifest requests fail over again.
        bench.apply_manifest(Case::Own, &bench.live()).await;
        load.answered(20).await;
        load.stop().await.nothing_is_lost();
        for bedrock in &bedrocks {
            check_valid(bedrock);
        }
    });
}
