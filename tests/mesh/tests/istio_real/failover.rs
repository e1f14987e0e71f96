//! Requests move on to another channel.

use bedrock_simulator::{Key, Simulator};
use e2e::run;
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
