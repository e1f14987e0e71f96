//! Limits of callers: counted by a rate limit service behind Envoy's own filter, or by Envoy itself.
//!
//! Channels and callers are in `envoy/static.yaml`, and the config-service is only asked about limits, so that a test may
//! do to it what it likes.

mod exact;
mod fleet;
mod gone;
mod settled;

use std::time::SystemTime;

use bedrock_simulator::Simulator;
use e2e::{
    Artefacts, Bootstrap, ConfigService, Envoy, Reply, Scratch, eventually, run, simulator_builder,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use xtask::ports::Ports;

/// An Envoy whose callers have limits, and the service that it asks.
pub(crate) struct Gateway {
    pub(crate) envoy: Envoy,
    pub(crate) service: ConfigService,
    pub(crate) bedrock: Simulator,
    _scratch: Scratch,
}

/// How limits are enforced in a test.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// `off`, `local` or, if empty, the default.
    pub(crate) mode: &'static str,
    /// Arguments of the config-service.
    pub(crate) arguments: Vec<String>,
    /// Whether what cannot be checked is refused.
    pub(crate) fails_closed: bool,
    /// Port of the service, if it is not the config-service.
    pub(crate) service_port: Option<u16>,
}

/// The key of a caller.
fn key(caller: &str) -> String {
    format!("sk-bedrock-{caller}")
}

fn caller(name: &str, limits: &Value) -> Value {
    let digest = Sha256::digest(key(name));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"name": name, "keys": [{"sha256": digest}], "limits": limits})
}

/// Starts a gateway with these callers.
pub(crate) async fn start(setup: Setup, callers: &[(&str, Value)]) -> Gateway {
    let artefacts = Artefacts::from_environment();
    let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
    let address = format!("127.0.0.1:{}", ports.simulator).parse().unwrap();
    let bedrock = simulator_builder().listen(address).start().await.unwrap();
    let mut arguments = setup.arguments.clone();
    arguments.push("--wasm-path-in-envoy=/none".to_owned());
    let options = (arguments.as_slice(), "info");
    let binary = &artefacts.config_service;
    let service = ConfigService::start(binary, &ports, scratch.path(), options).await;
    let mut bootstrap = Bootstrap::of_static_yaml(&ports, &artefacts);
    bootstrap.set_rate_limit_service(setup.service_port.unwrap_or(ports.xds), "20s");
    bootstrap.rate_limiter()["failure_mode_deny"] = json!(setup.fails_closed);
    let entries: Vec<_> = callers
        .iter()
        .map(|(name, limits)| caller(name, limits))
        .collect();
    bootstrap.change_plugin_config(|config| {
        config["anthropic_messages"] = json!(true);
        config["callers"] = json!({"mode": "required", "entries": entries});
        if !setup.mode.is_empty() {
            config["callers"]["limit_mode"] = json!(setup.mode);
        }
    });
    let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
    let gateway = Gateway {
        envoy,
        service,
        bedrock,
        _scratch: scratch,
    };
    eventually("the service is healthy", async || {
        let healthy = gateway.stat("cluster.rate-limit.membership_healthy").await;
        (healthy == 1).then_some(())
    })
    .await;
    gateway
}

impl Gateway {
    /// Sends a request of a caller.
    pub(crate) async fn ask(&self, caller: &str, path: &str, body: &Value) -> Reply {
        let request = self.envoy.request(Method::POST, path).json(body);
        let request = request.bearer_auth(key(caller));
        self.envoy.send(request).await
    }

    /// Sends a short chat of a caller.
    pub(crate) async fn chat(&self, caller: &str) -> Reply {
        self.ask(caller, CHAT, &chat()).await
    }

    /// A statistic of Envoy's; 0 if there is none.
    pub(crate) async fn stat(&self, name: &str) -> u64 {
        let page = self
            .envoy
            .admin_page(&format!("/stats?filter={name}"))
            .await;
        let values = page.lines().filter_map(|line| line.split_once(": "));
        let values = values.filter(|(own, _)| own.ends_with(name));
        values
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum()
    }
}

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const RESPONSES: &str = "/v1/responses";

/// A body that all three APIs take.
pub(crate) fn chat() -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
}

/// The minute of the clock, which a limit begins with anew.
pub(crate) fn minute() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() / 60
}

/// Runs a round again until it has run within one minute.
pub(crate) async fn within_a_minute<T>(mut round: impl AsyncFnMut(u32) -> T) -> T {
    for number in 0.. {
        let started = minute();
        let result = round(number).await;
        if minute() == started {
            return result;
        }
    }
    unreachable!("the rounds have no end")
}

/// Buckets of a minute's worth, which nothing but time fills.
pub(crate) fn buckets() -> Vec<String> {
    ["--rpm-burst-seconds=60", "--tpm-burst-seconds=60"]
        .map(str::to_owned)
        .into()
}

#[test]
fn a_loop_runs_into_the_limit() {
    run(async {
        let setup = Setup {
            arguments: buckets(),
            ..Setup::default()
        };
        let gateway = start(setup, &[("loop", json!({"rpm": 3})), ("free", json!({}))]).await;
        for left in ["2", "1", "0"] {
            let reply = gateway.chat("loop").await;
            assert_eq!(reply.text_of_answer(), "You said: Hi");
            assert_eq!(reply.header("x-ratelimit-limit-requests"), "3");
            assert_eq!(reply.header("x-ratelimit-remaining-requests"), left);
            // Envoy's own are in another format.
            assert_eq!(reply.header("x-ratelimit-limit"), "");
        }
        let sent = gateway.bedrock.requests().len();
        let reply = gateway.chat("loop").await;
        let message = reply.error(429, "rate_limit_error", "rate_limit_exceeded");
        assert!(message.contains("3 requests per minute"), "{message}");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert_eq!(reply.header("x-ratelimit-remaining-requests"), "0");
        assert_eq!(reply.header("x-envoy-ratelimited"), "");
        assert_eq!(gateway.bedrock.requests().len(), sent);
        assert_eq!(gateway.stat("bedrock_limited_total_r.shared._").await, 1);
        // Nobody is asked about a caller without limits.
        let asked = gateway.stat("cluster.rate-limit.upstream_rq_total").await;
        let free = gateway.chat("free").await;
        assert_eq!(free.text_of_answer(), "You said: Hi");
        assert_eq!(free.header("x-ratelimit-limit-requests"), "");
        let still = gateway.stat("cluster.rate-limit.upstream_rq_total").await;
        assert_eq!(still, asked);
    });
}

#[test]
fn each_api_says_it_in_its_own_words() {
    run(async {
        let setup = Setup {
            arguments: buckets(),
            ..Setup::default()
        };
        let limits = json!({"rpm": 1, "tpm": 1000});
        let gateway = start(setup, &[("a", limits)]).await;
        let mut messages = chat();
        messages["max_tokens"] = json!(10);
        let reply = gateway.ask("a", MESSAGES, &messages).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("anthropic-ratelimit-tokens-limit"), "1000");
        assert_eq!(reply.header("anthropic-ratelimit-requests-remaining"), "0");
        let reply = gateway.ask("a", MESSAGES, &messages).await;
        assert_eq!(reply.status, 429, "{reply:?}");
        let body = reply.json();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "rate_limit_error");
        assert!(!reply.header("retry-after").is_empty());
        assert_eq!(reply.header("anthropic-ratelimit-requests-limit"), "1");
        let reset = reply.header("anthropic-ratelimit-requests-reset");
        assert!(reset.ends_with('Z'), "{reset}");
        assert_eq!(reply.header("x-ratelimit-limit-requests"), "");
        let input = json!({"model": "gpt-4o", "input": "Hi"});
        let reply = gateway.ask("a", RESPONSES, &input).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
    });
}

#[test]
fn what_is_denied_takes_nothing_more_and_leaves_no_warning() {
    run(async {
        let setup = Setup {
            arguments: buckets(),
            ..Setup::default()
        };
        let limits = json!({"rpm": 1, "tpm": 1000});
        let gateway = start(setup, &[("a", limits)]).await;
        assert_eq!(gateway.chat("a").await.status, 200);
        for _ in 0..3 {
            assert_eq!(gateway.chat("a").await.status, 429);
        }
        // A check and a settlement each.
        eventually("everything is settled", async || {
            let answered = gateway
                .stat("cluster.rate-limit.upstream_rq_completed")
                .await;
            (answered == 8).then_some(())
        })
        .await;
        let log = gateway.envoy.log();
        assert!(!log.contains("hits_addend"), "{log}");
    });
}
