//! What Envoy's statistics say after requests that end in every way, with and without failover.

use std::collections::BTreeMap;

use bedrock_simulator::{Fault, Pace, Simulator};
use e2e::{Stack, eventually, run, simulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::failover;

/// What a scrape has of our metrics.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// The page of the listener for Prometheus.
    async fn of(stack: &Stack) -> Self {
        let url = format!(
            "http://127.0.0.1:{}/stats/prometheus",
            stack.ports.envoy_metrics
        );
        let page = Client::new()
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let series = page
            .lines()
            .filter(|line| line.starts_with("bedrock_") || line.starts_with("gen_ai_"));
        let series = series.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(series.collect())
    }

    /// The sum of a metric's series that have all of these labels.
    fn sum(&self, metric: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |name: &str, (label, value): &(&str, &str)| {
            name.contains(&format!("{label}=\"{value}\""))
        };
        let own = self.0.iter().filter(|(name, _)| {
            let base = name.split('{').next();
            base == Some(metric) && labels.iter().all(|label| has(name, label))
        });
        own.map(|(_, value)| value).sum()
    }
}

/// Chats that end in most ways.
async fn chat_in_all_ways(stack: &Stack, bedrock: &Simulator, model: &str) {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    let mut stream = body.clone();
    stream["stream"] = json!(true);
    for body in [&body, &stream, &stream] {
        assert_eq!(stack.envoy.chat(body).await.status, 200);
    }
    for (fault, body) in [
        (Fault::throttling().times(2), &body),
        (Fault::error(400, "ValidationException", "No."), &body),
        (
            Fault::exception(4, "modelStreamErrorException", "No."),
            &stream,
        ),
    ] {
        bedrock.inject(fault);
        stack.envoy.chat(body).await;
        bedrock.clear();
    }
    stack
        .envoy
        .chat(&json!({"model": "unheard-of", "messages": []}))
        .await;
    // A client that does not wait.
    bedrock.inject(Fault::paced(Pace {
        between_events_ms: 2_000,
        ..Pace::default()
    }));
    let request = stack.envoy.chat_request(&stream);
    let mut answer = request.send().await.unwrap();
    answer.chunk().await.unwrap();
    drop(answer);
}

async fn check(stack: &Stack, channel: &str, model: &str) {
    let pair = [("channel", channel), ("gen_ai_request_model", model)];
    let of_model = [("gen_ai_request_model", model)];
    let with = |name, value| [pair[0], pair[1], (name, value)];
    let counted = eventually("all requests are counted", async || {
        let scrape = Scrape::of(stack).await;
        let ended = |outcome| scrape.sum("bedrock_requests_total", &with("outcome", outcome));
        let all = ["answered", "throttled", "refused", "broken", "cancelled"].map(ended);
        let streams = scrape.sum(
            "gen_ai_server_time_to_first_token_milliseconds_count",
            &pair,
        );
        (all == [3.0, 1.0, 1.0, 1.0, 1.0] && streams >= 3.0).then_some(scrape)
    });
    let scrape = counted.await;
    let nowhere = [("outcome", "refused"), ("protocol", "openai_chat")];
    assert_eq!(scrape.sum("bedrock_requests_total", &nowhere), 2.0);
    let tokens = |kind| scrape.sum("bedrock_tokens_total", &with("gen_ai_token_type", kind));
    assert!(tokens("input") > 0.0 && tokens("output") > 0.0);
    let usage = scrape.sum("gen_ai_client_token_usage_count", &of_model);
    assert_eq!(usage, 6.0, "input and output of three answers");
    let durations = "gen_ai_server_request_duration_milliseconds";
    assert!(scrape.sum(&format!("{durations}_count"), &pair) >= 6.0);
    let buckets = scrape
        .0
        .keys()
        .filter(|name| name.starts_with(&format!("{durations}_bucket")));
    assert!(
        buckets.clone().any(|name| name.contains("le=\"655360\"")),
        "our own buckets"
    );
    let answered = [("channel", channel), ("reason", "answered")];
    assert!(scrape.sum("bedrock_attempts_total", &answered) >= 3.0);
    let others: Vec<_> = scrape.0.keys().filter(|name| name.contains("._")).collect();
    assert!(others.is_empty(), "a label stayed in its name: {others:?}");
}

#[test]
fn requests_are_counted_and_measured_without_failover() {
    run(async {
        let stack = Stack::start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        chat_in_all_ways(&stack, &bedrock, &channel.model).await;
        let path = format!("/api/channels/{}", channel.id);
        let view = stack
            .config
            .call(Method::GET, &path, &Value::Null)
            .await
            .json();
        check(&stack, view["name"].as_str().unwrap(), &channel.model).await;
    });
}

#[test]
fn requests_are_counted_and_measured_with_failover() {
    run(async {
        let stack = Stack::builder().failover(2).start().await;
        let a = failover::region("a").await;
        failover::create(&stack, &[failover::channel("a", 0, &a)]).await;
        chat_in_all_ways(&stack, &a, "claude-sonnet-4-5").await;
        check(&stack, "a", "claude-sonnet-4-5").await;
    });
}

/// Asks with a key, each time over a connection of its own, so that every worker gets some of the requests.
async fn ask_as(stack: &Stack, key: &str, body: &Value, times: usize) {
    for _ in 0..times {
        let request = Client::new()
            .post(format!("{}/v1/chat/completions", stack.envoy.url()))
            .header("x-api-key", key)
            .json(body);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

#[test]
fn callers_are_counted_up_to_so_many_and_the_others_together() {
    run(async {
        for attempts in [None, Some(2)] {
            let builder = Stack::builder().argument("--caller-metrics=1");
            let stack = builder.attempts(attempts).start().await;
            let a = failover::region("a").await;
            let mut keys = Vec::new();
            for name in ["first", "second", "third"] {
                let path = "/api/callers";
                let body = json!({ "name": name });
                let own = stack.config.call(Method::POST, path, &body).await.json();
                let path = format!("/api/callers/{}/keys", own["id"].as_str().unwrap());
                let made = stack.config.call(Method::POST, &path, &json!({})).await;
                keys.push(made.json()["key"].as_str().unwrap().to_owned());
            }
            let path = "/api/caller-settings";
            let body = json!({"mode": "optional"});
            stack.config.call(Method::PATCH, path, &body).await;
            failover::create(&stack, &[failover::channel("a", 0, &a)]).await;
            let ask = json!({
                "model": "claude-sonnet-4-5",
                "messages": [{"role": "user", "content": "Hi"}],
            });
            assert_eq!(stack.envoy.chat(&ask).await.status, 200);
            for key in &keys {
                ask_as(&stack, key, &ask, 30).await;
            }
            let by = |scrape: &Scrape, metric: &str, caller: &str| {
                scrape.sum(metric, &[("caller", caller)])
            };
            let scrape = eventually("every request of a caller is counted", async || {
                let scrape = Scrape::of(&stack).await;
                let all = scrape.sum("bedrock_caller_requests_total", &[]);
                (all == 90.0).then_some(scrape)
            })
            .await;
            let requests = |caller: &str| by(&scrape, "bedrock_caller_requests_total", caller);
            assert_eq!((requests("first"), requests("other")), (30.0, 60.0));
            let tokens = |caller: &str| by(&scrape, "bedrock_caller_tokens_total", caller);
            assert!(tokens("first") > 0.0);
            assert_eq!(tokens("other"), 2.0 * tokens("first"));
            let named: Vec<_> = scrape
                .0
                .keys()
                .filter(|own| own.contains("\"second\""))
                .collect();
            assert!(named.is_empty(), "{named:?}");
        }
    });
}

#[test]
fn the_port_for_prometheus_shows_nothing_else() {
    run(async {
        let stack = Stack::start().await;
        let ask = async |method: Method, path: &str| {
            let url = format!("http://127.0.0.1:{}{path}", stack.ports.envoy_metrics);
            Client::new()
                .request(method, url)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(ask(Method::GET, "/stats/prometheus").await, 200);
        assert_eq!(
            ask(Method::GET, "/stats/prometheus?filter=wasmcustom").await,
            200
        );
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/stats"),
            (Method::GET, "/config_dump"),
            (Method::GET, "/stats/prometheus/../../config_dump"),
            (Method::POST, "/quitquitquit"),
            (Method::POST, "/stats/prometheus"),
        ] {
            assert_eq!(ask(method, path).await, 404, "{path}");
        }
    });
}

/// The log has what the metrics have.
#[test]
fn the_access_log_says_what_was_asked_and_used() {
    run(async {
        for attempts in [None, Some(2)] {
            let builder = Stack::builder();
            let mut stack = match attempts {
                Some(attempts) => builder.failover(attempts).start().await,
                None => builder.start().await,
            };
            let bedrock = simulator().await;
            let channel = stack.channel(&bedrock).await;
            let reply = stack.envoy.chat(&channel.ask("Hi")).await;
            let usage = reply.json()["usage"].clone();
            stack.envoy.chat(&channel.ask_stream("Hi")).await;
            stack.envoy.stop();
            let log = stack.envoy.log();
            let lines = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let lines: Vec<_> = lines.filter(|line| line["method"] == "POST").collect();
            let [whole, stream] = &lines[..] else {
                panic!("{log}");
            };
            for line in &lines {
                assert_eq!(line["protocol"], "openai_chat", "{line}");
                assert_eq!(line["model"], *channel.model, "{line}");
                assert!(line["channel"].is_string(), "{line}");
                assert_eq!(
                    line["profile"].as_str(),
                    channel.arn.rsplit('/').next(),
                    "{line}"
                );
                assert_eq!(line["attempts"], 1, "{line}");
            }
            let tokens = |name: &str| json!(usage[name].to_string());
            assert_eq!(whole["input_tokens"], tokens("prompt_tokens"), "{whole}");
            assert_eq!(
                whole["output_tokens"],
                tokens("completion_tokens"),
                "{whole}"
            );
            assert_eq!(whole["first_token_ms"], Value::Null, "{whole}");
            assert!(stream["first_token_ms"].is_string(), "{stream}");
        }
    });
}
