//! What the gateway says about itself and its channels on the client's port.

use bedrock_simulator::{Effect, Fault, Simulator};
use e2e::{Channel, Reply, Stack, eventually, run, simulator};
use reqwest::Method;
use serde_json::{Value, json};

/// How often to ask: each time on a new connection, so that every worker is asked.
const TIMES: usize = 12;

/// The standing of a model's only channel, which every worker has to know.
async fn standing(stack: &Stack, model: &str) -> (&'static str, Value) {
    let mut found: Vec<(&'static str, Value)> = Vec::new();
    for _ in 0..TIMES {
        let reply = stack.envoy.get(&format!("/health?model={model}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("content-type"), "application/json");
        let text = &reply.text;
        assert!(
            !text.contains("arn:") && !text.contains("123456789012"),
            "{text}"
        );
        let told = reply.json();
        let counts = ["healthy", "unhealthy", "unknown"].into_iter();
        let counts = counts.filter(|name| told[format!("{name}_count")] == json!(1));
        let names: Vec<_> = counts.collect();
        assert_eq!(names.len(), 1, "{told}");
        let endpoint = told[format!("{}_endpoints", names[0])][0].clone();
        assert_eq!(endpoint["model"], json!(model), "{told}");
        found.push((names[0], endpoint));
    }
    for own in &found {
        assert_eq!(own, &found[0], "the workers do not agree");
    }
    found.swap_remove(0)
}

/// Streams whose beginning is fine: the model fails, the stream ends too early, the connection breaks.
async fn check_broken_answers(stack: &Stack, bedrock: &Simulator, channel: &Channel) {
    let standing = async || standing(stack, &channel.model).await;
    let exception = Effect::Exception {
        after_events: 4,
        name: "modelStreamErrorException".to_owned(),
        message: "gone".to_owned(),
    };
    let truncated = Effect::Truncate { after_events: 4 };
    let cut = Effect::Cut { after_events: 4 };
    for effect in [exception, truncated, cut] {
        bedrock.inject(Fault::new(effect.clone()));
        let reply = stack.envoy.chat(&channel.ask_stream("Hi")).await;
        assert!(
            reply.status == 200 && !reply.is_done(),
            "{effect:?} {reply:?}"
        );
        let (name, endpoint) = standing().await;
        let expected = ("unhealthy", &json!("unavailable"));
        assert_eq!((name, &endpoint["reason"]), expected, "{effect:?}");
        let reply = stack.envoy.chat(&channel.ask_stream("Hi")).await;
        assert!(reply.is_done(), "{reply:?}");
        assert_eq!(standing().await.0, "healthy");
    }
    // A client that leaves says nothing about the channel.
    let request = stack.envoy.chat_request(&channel.ask_stream("Hi"));
    bedrock.inject(Fault::held(3));
    let mut answer = request.send().await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    drop(answer);
    eventually("Envoy gives the answer up", async || {
        let stats = stack
            .envoy
            .admin_page("/stats?filter=upstream_rq_active")
            .await;
        let mut active = stats.lines().filter(|line| !line.ends_with(": 0"));
        active
            .all(|line| line.contains("config-service"))
            .then_some(())
    })
    .await;
    assert_eq!(standing().await.0, "healthy");
}

#[test]
fn what_requests_show_of_a_channel_is_known_to_every_worker() {
    run(async {
        for attempts in [None, Some(2)] {
            let builder = Stack::builder().attempts(attempts);
            let (stack, bedrock) = (builder.start().await, simulator().await);
            let channel = stack.channel(&bedrock).await;
            let standing = async || standing(&stack, &channel.model).await;
            let (name, endpoint) = standing().await;
            assert_eq!(
                (name, &endpoint["last_answered"]),
                ("unknown", &Value::Null)
            );

            let reply = stack.envoy.chat(&channel.ask("Hi")).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let (name, endpoint) = standing().await;
            assert_eq!(name, "healthy", "{endpoint}");
            assert!(endpoint["last_answered"].is_u64(), "{endpoint}");

            for (fault, status, reason) in [
                (Fault::throttling(), 429, "throttled"),
                // The request is sent again once.
                (Fault::new(Effect::Close).times(2), 503, "unavailable"),
            ] {
                bedrock.inject(fault);
                let reply = stack.envoy.chat(&channel.ask("Hi")).await;
                assert_eq!(reply.status, status, "{reply:?}");
                let (name, endpoint) = standing().await;
                assert_eq!((name, &endpoint["reason"]), ("unhealthy", &json!(reason)));
                assert!(endpoint["error"].is_string(), "{endpoint}");
                // So does an answered stream.
                let reply = stack.envoy.chat(&channel.ask_stream("Hi")).await;
                assert!(reply.is_done(), "{reply:?}");
                assert_eq!(standing().await.0, "healthy");
            }
            check_broken_answers(&stack, &bedrock, &channel).await;
            let wrong = channel.ask_with("Hi", &json!({"temperature": 9}));
            assert_eq!(stack.envoy.chat(&wrong).await.status, 400);
            assert_eq!(standing().await.0, "healthy");

            let reply = stack.envoy.get("/health?model=no-such-model").await;
            reply.error(404, "invalid_request_error", "model_not_found");
            let all = stack.envoy.get("/health").await.json();
            let healthy = all["healthy_endpoints"].as_array().unwrap();
            assert!(
                healthy
                    .iter()
                    .any(|own| own["model"] == json!(channel.model)),
                "{all}"
            );
        }
    });
}

#[test]
fn load_balancers_are_told_whether_the_filter_serves() {
    run(async {
        let stack = e2e::shared().await;
        for path in ["/health/liveliness", "/health/liveness"] {
            let reply = stack.envoy.get(path).await;
            assert_eq!(
                (reply.status, &*reply.text),
                (200, "\"I'm alive!\""),
                "{path}"
            );
        }
        let reply = stack.envoy.get("/health/readiness").await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (200, &json!("healthy"))
        );
        for path in ["/health", "/health/liveliness", "/health/readiness"] {
            let request = stack.envoy.request(Method::HEAD, path);
            let reply = Reply::read(request.send().await.unwrap()).await;
            assert_eq!((reply.status, &*reply.text), (200, ""), "{path}");
        }
    });
}

#[test]
fn an_envoy_whose_filter_does_not_serve_is_neither_alive_nor_ready() {
    run(async {
        let stack = Stack::builder().envoy_seal_key("").start_unready().await;
        e2e::eventually("the status says so", async || {
            let status = stack.config.status().await;
            (status["envoys"][0]["state"] == "rejected").then_some(())
        })
        .await;
        for path in ["/health", "/health/liveliness", "/health/readiness"] {
            let reply = e2e::eventually("the listener answers", async || {
                let request = stack.envoy.request(Method::GET, path);
                Some(Reply::read(request.send().await.ok()?).await)
            })
            .await;
            assert_eq!(reply.status, 503, "{path}: {reply:?}");
        }
    });
}
