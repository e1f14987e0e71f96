//! The same limits and the same Envoy configuration, counted by `envoyproxy/ratelimit` with Redis.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use e2e::{Artefacts, ConfigService, Scratch, eventually, installed, run};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::ports::Ports;
use xtask::process::Process;

use super::exact::ask_at_once;
use super::{Setup, minute, start, within_a_minute};

/// A running service and its Redis.
struct Fleet {
    ports: Ports,
    _redis: Process,
    _service: Process,
    scratch: Scratch,
}

/// A rule for a value of a limit, or for all that have none of their own.
fn rule(kind: &str, value: Option<&str>, limit: u32) -> Value {
    let rate_limit = json!({"name": kind, "unit": "minute", "requests_per_unit": limit});
    let mut rule = json!({
        "key": kind,
        "descriptors": [{"key": "caller", "rate_limit": rate_limit}],
    });
    if let Some(value) = value {
        rule["value"] = json!(value);
    }
    rule
}

/// From where the service gets its rules.
enum Source<'s> {
    /// A file with these.
    File(&'s [Value]),
    /// The config-service at this port.
    Xds(u16),
}

impl Fleet {
    /// Starts both with these rules; `None` where the suite may do without them.
    async fn start(rules: &[Value]) -> Option<Self> {
        Self::start_with(Source::File(rules)).await
    }

    async fn start_with(source: Source<'_>) -> Option<Self> {
        let (service, redis) = (installed("RATELIMIT")?, installed("REDIS_SERVER")?);
        let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
        let port = ports.simulator.to_string();
        let mut command = Command::new(redis);
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        let redis = Process::spawn("Redis", &mut command, &scratch.join("redis.log")).unwrap();
        // It ends if Redis is not there yet.
        eventually("Redis listens", async || {
            TcpStream::connect(("127.0.0.1", ports.simulator)).ok()
        })
        .await;
        let mut command = Command::new(service);
        command.envs([
            ("HOST", "127.0.0.1"),
            ("GRPC_HOST", "127.0.0.1"),
            ("DEBUG_HOST", "127.0.0.1"),
            ("PORT", ports.admin_api.to_string().as_str()),
            ("GRPC_PORT", ports.xds.to_string().as_str()),
            ("DEBUG_PORT", ports.envoy_admin.to_string().as_str()),
            ("REDIS_SOCKET_TYPE", "tcp"),
            ("REDIS_URL", format!("127.0.0.1:{port}").as_str()),
            ("DISABLE_STATS", "true"),
            ("HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED", "true"),
            ("REDIS_HEALTH_CHECK_ACTIVE_CONNECTION", "true"),
        ]);
        match source {
            Source::File(rules) => {
                std::fs::create_dir(scratch.join("config")).unwrap();
                let rules = json!({"domain": "bedrock", "descriptors": rules});
                std::fs::write(scratch.join("config/limits.yaml"), rules.to_string()).unwrap();
                command.env("RUNTIME_ROOT", scratch.path());
                command.envs([
                    ("RUNTIME_SUBDIRECTORY", ""),
                    ("RUNTIME_APPDIRECTORY", "config"),
                    ("RUNTIME_WATCH_ROOT", "false"),
                    ("RUNTIME_IGNOREDOTFILES", "true"),
                ]);
            }
            Source::Xds(port) => {
                command.env("CONFIG_GRPC_XDS_SERVER_URL", format!("127.0.0.1:{port}"));
                command.envs([
                    ("CONFIG_TYPE", "GRPC_XDS_SOTW"),
                    ("CONFIG_GRPC_XDS_NODE_ID", "ratelimit"),
                    ("XDS_CLIENT_BACKOFF_INITIAL_INTERVAL", "0.2s"),
                    ("XDS_CLIENT_BACKOFF_MAX_INTERVAL", "1s"),
                ]);
            }
        }
        let log = scratch.join("ratelimit.log");
        let service = Process::spawn("the rate limit service", &mut command, &log).unwrap();
        eventually("the rate limit service listens", async || {
            TcpStream::connect(("127.0.0.1", ports.xds)).ok()
        })
        .await;
        Some(Self {
            ports,
            _redis: redis,
            _service: service,
            scratch,
        })
    }

    /// The file from which the service reads its rules.
    fn rules(&self) -> PathBuf {
        self.scratch.join("config/limits.yaml")
    }
}

#[test]
fn a_fleets_service_counts_the_same() {
    run(async {
        let rules = [
            rule("rpm", Some("100"), 100),
            rule("tpm", Some("4000000"), 4_000_000),
            rule("rpm", None, 2),
            rule("tpm", None, 10),
        ];
        let Some(fleet) = Fleet::start(&rules).await else {
            return;
        };
        let setup = Setup {
            service_port: Some(fleet.ports.xds),
            ..Setup::default()
        };
        let known = json!({"rpm": 100, "tpm": 4_000_000});
        let callers = [("a", known), ("b", json!({"rpm": 101}))];
        let gateway = Arc::new(start(setup, &callers).await);
        let started = minute();
        let passed = ask_at_once(&gateway, "a", 400).await;
        let minutes = usize::try_from(minute() - started).unwrap() + 1;
        assert!((100..=100 * minutes).contains(&passed), "{passed}");
        let reply = gateway.chat("a").await;
        // Both limits are known, and what is left of the nearest.
        assert_eq!(reply.header("x-ratelimit-limit-requests"), "100");
        assert_eq!(reply.header("x-ratelimit-limit-tokens"), "4000000");
        if reply.status == 429 {
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            assert_eq!(reply.header("x-ratelimit-remaining-requests"), "0");
        }
        // A limit without a rule is a small one.
        let mut passed = 0;
        let started = minute();
        for _ in 0..10 {
            passed += u64::from(gateway.chat("b").await.status == 200);
        }
        let minutes = minute() - started + 1;
        assert!((2..=2 * minutes).contains(&passed), "{passed}");
        let unchecked = gateway.stat("ratelimit.failure_mode_allowed").await;
        assert_eq!(unchecked, 0);
    });
}

#[test]
fn a_fleets_service_gets_its_rules_from_the_config_service() {
    run(async {
        let Some(fleet) = Fleet::start(&[rule("rpm", None, 2), rule("tpm", None, 10)]).await else {
            return;
        };
        let setup = Setup {
            service_port: Some(fleet.ports.xds),
            arguments: vec![format!("--ratelimit-rules={}", fleet.rules().display())],
            ..Setup::default()
        };
        let gateway = start(setup, &[("a", json!({"rpm": 5}))]).await;
        let admin = async |method: Method, path: &str, body: Value| {
            let reply = gateway.service.call(method, path, &body).await;
            assert!((200..300).contains(&reply.status), "{reply:?}");
        };
        let caller = json!({"name": "a", "rpm": 5});
        admin(Method::POST, "/api/callers", caller).await;
        let mode = json!({"mode": "required"});
        admin(Method::PATCH, "/api/caller-settings", mode).await;
        // Before that, the value has the default rule, which is another.
        eventually("the rate limit service has the rule", async || {
            let reply = gateway.chat("a").await;
            (reply.header("x-ratelimit-limit-requests") == "5").then_some(())
        })
        .await;
        let passed = within_a_minute(async |_| {
            let mut passed = 0;
            for _ in 0..10 {
                passed += u64::from(gateway.chat("a").await.status == 200);
            }
            passed
        })
        .await;
        assert!(passed <= 5, "{passed}");
    });
}

/// Without a file, and across a restart of the config-service.
#[test]
fn a_fleets_service_asks_the_config_service_for_its_rules() {
    run(async {
        let (artefacts, ports) = (Artefacts::from_environment(), Ports::free().unwrap());
        let scratch = Scratch::new();
        let arguments = ["--wasm-path-in-envoy=/none".to_owned()];
        let options = (arguments.as_slice(), "info");
        let binary = &artefacts.config_service;
        let mut ruling = ConfigService::start(binary, &ports, scratch.path(), options).await;
        let Some(fleet) = Fleet::start_with(Source::Xds(ports.xds)).await else {
            return;
        };
        let setup = Setup {
            service_port: Some(fleet.ports.xds),
            ..Setup::default()
        };
        // Two limits that the fleet does not know yet.
        let callers = [("a", json!({"rpm": 500})), ("b", json!({"rpm": 700}))];
        let gateway = start(setup, &callers).await;
        let limit = async |caller: &str| {
            let reply = gateway.chat(caller).await;
            reply.header("x-ratelimit-limit-requests").to_owned()
        };
        assert_eq!(limit("a").await, "60", "the default rule");
        let edit = async |ruling: &ConfigService, method: Method, path: &str, body: Value| {
            let reply = ruling.call(method, path, &body).await;
            assert!((200..300).contains(&reply.status), "{reply:?}");
        };
        let (callers, mode) = ("/api/callers", json!({"mode": "required"}));
        edit(&ruling, Method::PATCH, "/api/caller-settings", mode).await;
        edit(
            &ruling,
            Method::POST,
            callers,
            json!({"name": "a", "rpm": 500}),
        )
        .await;
        eventually("the rate limit service has the first rule", async || {
            (limit("a").await == "500").then_some(())
        })
        .await;
        ruling.stop();
        assert_eq!(limit("a").await, "500", "rules outlive the config-service");
        ruling.resume().await;
        edit(
            &ruling,
            Method::POST,
            callers,
            json!({"name": "b", "rpm": 700}),
        )
        .await;
        eventually("the rate limit service has the second rule", async || {
            (limit("b").await == "700").then_some(())
        })
        .await;
        assert_eq!(limit("a").await, "500");
    });
}
