//! What a real OpenTelemetry collector receives, by the settings of `docs/METRICS.md`.

mod received;

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use bedrock_simulator::Simulator;
use e2e::{
    Bootstrap, Channel, Reply, Scratch, Stack, eventually, example, installed, run, simulator,
};
use serde_json::{Value, json};
use xtask::ports::free_port;
use xtask::process::Process;

use received::{Span, documented_metrics, logs, metrics, spans};

/// Where the collector listens.
static PORT: LazyLock<u16> = LazyLock::new(|| free_port().expect("a free port"));

/// The trace of which a client's request is a part.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The collector's executable. It is built for `--matrix`, and for a run of these tests by name.
fn executable() -> Option<PathBuf> {
    let names = ["COLLECTOR", "COLLECTOR_MISSING"];
    if names.iter().all(|name| std::env::var_os(name).is_none()) {
        eprintln!("NOT TESTED: `cargo xtask test --matrix` brings a collector");
        return None;
    }
    installed("COLLECTOR")
}

/// A collector that writes what it receives to files, one for each kind.
struct Collector {
    _process: Process,
    scratch: Scratch,
}

impl Collector {
    async fn start(executable: PathBuf) -> Self {
        let scratch = Scratch::new();
        let kinds = ["logs", "metrics", "traces"];
        let exporter = |kind: &str| json!({"path": scratch.join(kind), "flush_interval": "100ms"});
        let pipeline = |kind: &str| {
            json!({
                "receivers": ["otlp"],
                "exporters": [format!("file/{kind}")],
            })
        };
        let exporters = kinds.map(|kind| (format!("file/{kind}"), exporter(kind)));
        let pipelines = kinds.map(|kind| (kind.to_owned(), pipeline(kind)));
        let map = |own: [(String, Value); 3]| Value::Object(own.into_iter().collect());
        let config = json!({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": format!("127.0.0.1:{}", *PORT)}}}},
            "exporters": map(exporters),
            "service": {
                "pipelines": map(pipelines),
                "telemetry": {"metrics": {"level": "none"}},
            },
        });
        let config = scratch.write("collector.yaml", &config.to_string());
        let mut command = Command::new(executable);
        command.arg(format!("--config={}", config.display()));
        let log = scratch.join("collector.log");
        let process = Process::spawn("the collector", &mut command, &log);
        let own = Self {
            _process: process.expect("it starts"),
            scratch,
        };
        eventually("the collector listens", async || {
            // Shown if this never becomes true.
            eprintln!("{}", std::fs::read_to_string(&log).unwrap_or_default());
            TcpStream::connect(("127.0.0.1", *PORT)).ok()
        })
        .await;
        own
    }

    /// What has arrived of a kind, a message in each line; the last one may not be there as a whole yet.
    fn received(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.scratch.join(kind)).unwrap_or_default();
        let messages = text.lines().map(serde_json::from_str);
        messages.map_while(Result::ok).collect()
    }
}

/// The minor version of the Envoy that runs.
fn envoy_minor() -> u32 {
    let envoy = std::env::var_os("ENVOY_BIN").expect("set by `cargo xtask test`");
    let output = Command::new(envoy).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let minor = text
        .split("/1.")
        .nth(1)
        .and_then(|own| own.split('.').next());
    minor.and_then(|own| own.parse().ok()).expect("a version")
}

/// The first example under a heading of the page.
fn of_the_page(heading: &str) -> Value {
    serde_saphyr::from_str(&example("docs/METRICS.md", heading, "yaml")).expect("valid YAML")
}

/// Everything that the page says, without what this Envoy does not know.
fn export(bootstrap: &mut Bootstrap) {
    let mut traces = of_the_page("## Traces");
    let tracing = &mut traces["tracing"];
    let minor = envoy_minor();
    let fields = tracing.as_object_mut().expect("fields");
    if minor < 38 {
        fields.remove("no_context_propagation");
    }
    if minor < 37 {
        fields.remove("operation");
        let tags = fields["custom_tags"].as_array_mut().expect("tags");
        tags.retain(|tag| tag["value"].is_null());
    }
    let log = of_the_page("### To a collector");
    let manager = bootstrap.connection_manager();
    for (name, value) in traces.as_object().expect("fields") {
        manager[name] = value.clone();
    }
    let logs = manager["access_log"].as_array_mut();
    logs.expect("an access log").push(log);
    let sinks = of_the_page("## Metrics to a collector");
    for (name, value) in sinks.as_object().expect("fields") {
        bootstrap.document[name] = value.clone();
    }
    bootstrap.add_http2_cluster("otel", *PORT);
}

/// Asks as part of a trace, with an id of the client's or without; Bedrock must notice neither.
async fn ask(stack: &Stack, bedrock: &Simulator, body: &Value, id: Option<&str>) -> Reply {
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let mut request = stack.envoy.chat_request(body);
    request = request
        .header("traceparent", parent)
        .header("tracestate", "a=b");
    if let Some(id) = id {
        request = request.header("x-request-id", id);
    }
    let reply = stack.envoy.send(request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let sent = bedrock.requests().pop().unwrap();
    assert!(sent.was_valid(), "{sent:?}");
    for name in ["traceparent", "tracestate", "x-request-id"] {
        assert_eq!(sent.header(name), None, "{sent:?}");
    }
    reply
}

/// The name of the attribute with the id in spans; Envoys that cannot have it there have the trace in the records alone.
const ID: &str = "request_id";

/// The span and the record of a request, by the id that its answer has.
async fn check_request(collector: &Collector, channel: &Channel, id: &str) {
    let record = eventually("its record arrives", async || {
        let records = logs(&collector.received("logs"));
        records.into_iter().find(|own| own.attribute(ID) == id)
    })
    .await;
    let span = eventually("its span arrives", async || {
        let mut spans = spans(&collector.received("traces")).into_iter();
        spans.find(|own| own.span == record.span)
    })
    .await;
    for own in [&span, &record] {
        assert_eq!(own.service, "bedrock-gateway");
        assert_eq!(own.trace, TRACE, "the client's trace goes on");
    }
    let is_number =
        |own: &Span, name: &str| own.attribute(name).parse::<u64>().is_ok_and(|own| own > 0);
    let tokens = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];
    let mut told = vec![&record];
    assert_eq!(span.attribute("gen_ai.operation.name"), "chat");
    assert_eq!(span.attribute("gen_ai.provider.name"), "aws.bedrock");
    if envoy_minor() >= 37 {
        assert_eq!(span.name, format!("chat {}", channel.model));
        assert_eq!(span.attribute(ID), id);
        told.push(&span);
    }
    for own in told {
        assert_eq!(own.attribute("gen_ai.request.model"), channel.model);
        assert!(
            own.attribute("bedrock.channel").starts_with("channel-"),
            "{own:?}"
        );
        assert!(tokens.iter().all(|name| is_number(own, name)), "{own:?}");
    }
}

/// Metrics have the names, kinds and labels of the page's table.
async fn check_metrics(collector: &Collector, channel: &Channel) {
    let documented = documented_metrics();
    let expected = [
        "bedrock_attempts_total",
        "bedrock_memory_bytes",
        "bedrock_requests_total",
        "bedrock_tokens_total",
        "gen_ai_client_token_usage",
        "gen_ai_server_request_duration_milliseconds",
        "gen_ai_server_time_per_output_token_milliseconds",
        "gen_ai_server_time_to_first_token_milliseconds",
    ];
    let found = eventually("all metrics arrive", async || {
        let found = metrics(&collector.received("metrics"));
        let has = |name: &&str| found.iter().any(|own| own.exported() == *name);
        let is_whole = expected.iter().all(has);
        is_whole.then_some(found)
    })
    .await;
    for own in &found {
        let row = documented.iter().find(|row| row.name == own.exported());
        let row = row.unwrap_or_else(|| panic!("{own:?} is not on the page"));
        assert_eq!(own.kind, row.kind, "{own:?}");
        for (label, value) in &own.labels {
            let is_documented = row.labels.contains(&label.replace('.', "_"));
            // What older versions add to all of them; see the page.
            let is_added = ["envoy.cluster_name", "filter_scope"].contains(&label.as_str());
            assert!(is_documented || is_added, "{own:?}");
            assert!(!value.contains("._"), "{own:?}");
        }
    }
    let count = |name: &str, label: &str, value: &str| {
        let own = found.iter().filter(|own| own.name == name);
        own.filter(|own| own.labels.get(label).is_some_and(|own| own == value))
            .count()
    };
    for name in [
        "gen_ai.client.token.usage",
        "gen_ai.server.request.duration_milliseconds",
        "gen_ai.server.time_to_first_token_milliseconds",
    ] {
        let own = count(name, "gen_ai.request.model", &channel.model);
        assert!(own > 0, "{name}: {found:?}");
    }
    for kind in ["input", "output"] {
        let own = count("gen_ai.client.token.usage", "gen_ai.token.type", kind);
        assert!(own > 0, "{kind}: {found:?}");
    }
}

#[test]
fn a_collector_receives_traces_logs_and_metrics_as_documented() {
    run(async {
        let Some(executable) = executable() else {
            return;
        };
        let collector = Collector::start(executable).await;
        let stack = Stack::builder().change_bootstrap(export).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        for (body, id) in [
            (channel.ask("Hi"), Some("of-the-client-1")),
            (channel.ask_stream("Hi"), Some("of-the-client-2")),
            (channel.ask_stream("Hi"), None),
        ] {
            let reply = ask(&stack, &bedrock, &body, id).await;
            let answered = reply.header("x-request-id");
            assert!(id.is_none_or(|own| own == answered), "{reply:?}");
            check_request(&collector, &channel, answered).await;
        }
        check_metrics(&collector, &channel).await;
    });
}
