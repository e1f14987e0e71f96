//! What `deploy/` asks Prometheus for exists: a real Prometheus scrapes a stack, and every query returns something.

use std::fs;
use std::process::Command;

use bedrock_simulator::{Fault, Simulator};
use e2e::{Scratch, Stack, eventually, repository, run};
use reqwest::Client;
use serde_json::{Value, json};
use xtask::ports::free_port;
use xtask::process::Process;

use crate::failover;

/// What needs more than the traffic below: credentials from AWS, and too little memory.
const RARE: [&str; 8] = [
    "config_service_credentials_",
    "bedrock_overloads_total",
    // They take limits, budgets and a database for usage.
    "bedrock_limited_total",
    "config_service_rate_limit_",
    "envoy_cluster_ratelimit_",
    "\"rate-limit\"",
    "config_service_budget_",
    "config_service_usage_",
];

/// A Prometheus that scrapes one stack.
struct Prometheus {
    _process: Process,
    url: String,
}

impl Prometheus {
    fn start(stack: &Stack, config_service: u16, scratch: &Scratch) -> Self {
        let port = free_port().unwrap();
        let rules = repository().join("deploy/prometheus/rules.yml");
        let job = |name: &str, path: &str, port: u16| {
            json!({
                "job_name": name,
                "metrics_path": path,
                "static_configs": [{"targets": [format!("127.0.0.1:{port}")]}],
            })
        };
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules],
            "scrape_configs": [
                job("envoy", "/stats/prometheus", stack.ports.envoy_metrics),
                job("config-service", "/metrics", config_service),
            ],
        });
        let config = scratch.write("prometheus.yml", &config.to_string());
        let server = std::env::var_os("PROMETHEUS").expect("set by `cargo xtask test`");
        let mut command = Command::new(server);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                scratch.join("tsdb").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::spawn("Prometheus", &mut command, &scratch.join("prometheus.log"));
        Self {
            _process: process.expect("Prometheus starts"),
            url: format!("http://127.0.0.1:{port}/api/v1/query"),
        }
    }

    /// Whether a query returns series; `None` while Prometheus does not answer.
    async fn has(&self, query: &str) -> Option<bool> {
        let url = reqwest::Url::parse_with_params(&self.url, [("query", query)]).unwrap();
        let answer: Value = Client::new()
            .get(url)
            .send()
            .await
            .ok()?
            .json()
            .await
            .ok()?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        Some(!answer["data"]["result"].as_array()?.is_empty())
    }
}

/// Requests that succeed, fail, move on, and end for an unknown reason.
async fn traffic(stack: &Stack, [a, b]: [&Simulator; 2]) {
    let body =
        json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "Hi"}]});
    let mut stream = body.clone();
    stream["stream"] = json!(true);
    let odd = json!({
        "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "bored",
        "usage": {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 7},
    });
    for fault in [
        None,
        Some(Fault::throttling()),
        Some(Fault::error(503, "ServiceUnavailableException", "busy")),
        Some(Fault::error(400, "ValidationException", "No.")),
        Some(Fault::raw(200, "application/json", &odd.to_string())),
    ] {
        a.clear();
        if let Some(fault) = fault {
            a.inject(fault);
        }
        stack.envoy.chat(&body).await;
        stack.envoy.chat(&stream).await;
    }
    // Nobody takes over.
    for region in [a, b] {
        region.clear();
        region.inject(Fault::error(503, "ServiceUnavailableException", "busy"));
    }
    stack.envoy.chat(&body).await;
    b.clear();
    stack.envoy.chat(&json!({"model": "unheard-of"})).await;
}

/// The queries of all dashboards, with everything chosen.
fn queries() -> Vec<String> {
    let files = fs::read_dir(repository().join("deploy/grafana")).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|own| own == "json"));
    let dashboards = paths
        .map(|path| -> Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() });
    let exprs = dashboards.flat_map(|dashboard| {
        let panels = dashboard["panels"].as_array().unwrap().clone();
        let targets = panels
            .into_iter()
            .flat_map(|panel| panel["targets"].as_array().unwrap().clone());
        targets
            .map(|target| target["expr"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    });
    let variables = [
        ("$__rate_interval", "1m"),
        ("$__range", "1m"),
        ("$channel", ".*"),
        ("$model", ".*"),
    ];
    exprs
        .map(|expr| {
            variables
                .iter()
                .fold(expr, |expr, (name, value)| expr.replace(name, value))
        })
        .collect()
}

/// What the rules record, and the names of the metrics in alerts.
fn rules() -> Vec<String> {
    let read = |file: &str| -> Value {
        let text = fs::read_to_string(repository().join("deploy/prometheus").join(file)).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    };
    let all = |document: &Value, field: &str| -> Vec<String> {
        let groups = document["groups"].as_array().unwrap().iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
        rules
            .map(|rule| rule[field].as_str().unwrap().to_owned())
            .collect()
    };
    let mut names = all(&read("rules.yml"), "record");
    let exprs = all(&read("alerts.yml"), "expr").join(" ");
    let words = exprs.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')));
    let prefixes = ["bedrock_", "config_service_", "envoy_", "channel", "up"];
    let metrics = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
    names.extend(metrics.filter(|word| *word != "channel").map(str::to_owned));
    names
}

#[test]
fn every_query_of_dashboards_and_rules_returns_series() {
    run(async {
        let metrics = free_port().unwrap();
        let stack = Stack::builder()
            .failover(2)
            .argument(format!("--metrics-listen=127.0.0.1:{metrics}"));
        let stack = stack.start().await;
        let (a, b) = (failover::region("a").await, failover::region("b").await);
        let channels = [failover::channel("a", 0, &a), failover::channel("b", 1, &b)];
        failover::create(&stack, &channels).await;
        let scratch = Scratch::new();
        let prometheus = Prometheus::start(&stack, metrics, &scratch);
        let mut missing: Vec<_> = queries().into_iter().chain(rules()).collect();
        missing.retain(|query| !RARE.iter().any(|rare| query.contains(rare)));
        assert!(missing.len() > 50, "{missing:#?}");
        eventually("every query returns series", async || {
            traffic(&stack, [&a, &b]).await;
            let mut left = Vec::new();
            for query in &missing {
                if !prometheus.has(query).await? {
                    left.push(query.clone());
                }
            }
            missing = left;
            // Shown if this never becomes true.
            fs::write(scratch.join("missing.txt"), missing.join("\n")).unwrap();
            missing.is_empty().then_some(())
        })
        .await;
    });
}
