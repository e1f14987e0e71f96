//! Envoy and config-service together, for one test or shared by many.

use std::ops::Deref;
use std::thread;

use reqwest::Client;
use serde_json::json;
use tokio::sync::OnceCell;
use xtask::envoy::Launch;
use xtask::ports::Ports;

use crate::{
    Artefacts, Bootstrap, ConfigService, Envoy, Reply, SEAL_KEY, Scratch, XdsProxy, eventually,
};

/// How much of a log is printed when a test fails.
const SHOWN_LINES: usize = 40;

/// Parts of uninteresting lines: the harness's own polling, and a warning from Envoy.
const NOISE: [&str; 3] = ["/api/status", "/readyz", "code fetch is unstable"];

/// Envoy with `envoy/envoy.yaml` and its config-service.
///
/// Dropping it stops both, Envoy first.
#[derive(Debug)]
pub struct Stack {
    /// Envoy.
    pub envoy: Envoy,
    /// The config-service.
    pub config: ConfigService,
    /// The proxy between the two, if requested.
    pub proxy: Option<XdsProxy>,
    /// Where both listen.
    pub ports: Ports,
    /// Folder with the database, the bootstrap and the logs.
    pub scratch: Scratch,
    /// Whether every edition of the module traps on trailers.
    pub(crate) traps: bool,
}

/// How Envoy gets the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// The config-service serves it: `--wasm`.
    Served,
    /// The config-service serves a copy, `filter.wasm` in the scratch folder, that a test may change.
    ServedCopy,
    /// Likewise, but the copy traps at the end of a request with trailers.
    Trapping,
    /// It is already in Envoy's file system: `--wasm-path-in-envoy`.
    InEnvoy,
}

/// Builds a [`Stack`].
#[must_use]
#[derive(Debug)]
pub struct Builder {
    scratch: Scratch,
    module: Module,
    arguments: Vec<String>,
    config_log: &'static str,
    envoy: Launch<'static>,
    config_variables: Vec<(&'static str, String)>,
    delays_xds: bool,
    heap_limit: Option<u64>,
    resolver: Option<u16>,
    stall_seconds: Option<u32>,
    change: Option<fn(&mut Bootstrap)>,
}

impl Builder {
    /// Chooses how Envoy gets the module; [`Module::Served`] by default.
    pub fn module(mut self, module: Module) -> Self {
        self.module = module;
        self
    }

    /// Lets requests fail over, to at most this many channels.
    pub fn failover(mut self, attempts: usize) -> Self {
        self.arguments.push("--failover".to_owned());
        self.arguments.push(format!("--max-attempts={attempts}"));
        self
    }

    /// Records what requests use, in the scratch folder.
    pub fn usage(mut self) -> Self {
        let file = self.scratch.path().join("usage.db");
        self.arguments
            .push(format!("--usage-database={}", file.display()));
        self
    }

    /// Does so, or does not where there is no number.
    pub fn attempts(self, attempts: Option<usize>) -> Self {
        match attempts {
            Some(attempts) => self.failover(attempts),
            None => self,
        }
    }

    /// Sets how long to keep clusters that no configuration names any more.
    pub fn drain_seconds(mut self, seconds: u32) -> Self {
        self.arguments.push(format!("--drain-seconds={seconds}"));
        self
    }

    /// Leaves out the headers that say which channel served an answer.
    pub fn hide_answer_headers(mut self) -> Self {
        self.arguments.push("--hide-answer-headers".to_owned());
        self
    }

    /// Puts a proxy between Envoy and the config-service that can hold back xDS responses.
    pub fn delay_xds(mut self) -> Self {
        self.delays_xds = true;
        self
    }

    /// Limits request bodies.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.arguments.push(format!("--max-request-bytes={bytes}"));
        self
    }

    /// Limits what each worker holds of requests that may be retried.
    pub fn max_held_bytes(mut self, bytes: usize) -> Self {
        self.arguments.push(format!("--max-held-bytes={bytes}"));
        self
    }

    /// Limits Envoy's heap.
    pub fn heap_limit(mut self, bytes: u64) -> Self {
        self.heap_limit = Some(bytes);
        self
    }

    /// Lets Envoy wait so long for a client that stops sending in the middle of its request.
    pub fn stall_seconds(mut self, seconds: u32) -> Self {
        self.stall_seconds = Some(seconds);
        self
    }

    /// Changes Envoy's bootstrap.
    pub fn change_bootstrap(mut self, change: fn(&mut Bootstrap)) -> Self {
        self.change = Some(change);
        self
    }

    /// Lets Envoy look names up at this port of loopback.
    pub fn resolver(mut self, port: u16) -> Self {
        self.resolver = Some(port);
        self
    }

    /// Makes Envoy trust only these certificates (PEM) for TLS endpoints.
    pub fn upstream_ca(mut self, pem: &str) -> Self {
        let file = self.scratch.write("upstream-ca.pem", pem);
        self.arguments
            .push(format!("--upstream-ca-file={}", file.display()));
        self
    }

    /// Sets the config-service's log level; `info` by default.
    pub fn config_log(mut self, level: &'static str) -> Self {
        self.config_log = level;
        self
    }

    /// Sets a variable in the config-service's environment.
    pub fn config_variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.config_variables.push((name, value.into()));
        self
    }

    /// Gives Envoy seal keys that differ from the config-service's.
    pub fn envoy_seal_key(mut self, key: &'static str) -> Self {
        self.envoy.seal_key = key;
        self
    }

    /// Sets Envoy's log level; `warning` by default.
    pub fn envoy_log(mut self, level: &'static str) -> Self {
        self.envoy.log_level = level;
        self
    }

    /// Adds an argument to the config-service's command line.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts both and waits until Envoy serves the config-service's first revision.
    pub async fn start(self) -> Stack {
        let mut stack = self.start_unready().await;
        stack.envoy.wait_ready().await;
        stack.config.wait_active(0).await;
        stack
    }

    /// Starts both and does not wait for Envoy.
    pub async fn start_unready(mut self) -> Stack {
        let artefacts = Artefacts::from_environment();
        let ports = Ports::free().expect("free ports");
        let module = artefacts.module.display();
        self.arguments.push(match self.module {
            Module::Served => format!("--wasm={module}"),
            Module::ServedCopy => {
                let copy = self.scratch.path().join("filter.wasm");
                std::fs::copy(&artefacts.module, &copy).expect("the module is copied");
                format!("--wasm={}", copy.display())
            }
            Module::Trapping => {
                let copy = self.scratch.path().join("filter.wasm");
                let module = std::fs::read(&artefacts.module).expect("the module");
                std::fs::write(&copy, crate::module::trapping(&module)).expect("a copy");
                format!("--wasm={}", copy.display())
            }
            Module::InEnvoy => format!("--wasm-path-in-envoy={module}"),
        });
        let folder = self.scratch.path();
        let options = (self.arguments.as_slice(), self.config_log);
        let config = ConfigService::start_with_variables(
            &artefacts.config_service,
            &ports,
            folder,
            options,
            self.config_variables,
        )
        .await;
        let mut bootstrap = Bootstrap::dynamic(&ports);
        if let Some(bytes) = self.heap_limit {
            bootstrap.set_heap_limit(bytes);
        }
        if let Some(seconds) = self.stall_seconds {
            let manager = bootstrap.connection_manager();
            manager["stream_idle_timeout"] = json!(format!("{seconds}s"));
        }
        if let Some(port) = self.resolver {
            bootstrap.set_resolver(port);
        }
        if let Some(change) = self.change {
            change(&mut bootstrap);
        }
        let mut proxy = None;
        if self.delays_xds {
            let started = XdsProxy::start(ports.xds).await;
            bootstrap.set_xds_port(started.port());
            proxy = Some(started);
        }
        let launch = (&bootstrap, self.envoy);
        let envoy = Envoy::start_unready_with(&artefacts.envoy, launch, &ports, &self.scratch);
        Stack {
            envoy,
            config,
            proxy,
            ports,
            scratch: self.scratch,
            traps: self.module == Module::Trapping,
        }
    }
}

impl Stack {
    /// A stack with all defaults, without channels.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A builder with all defaults.
    pub fn builder() -> Builder {
        Builder {
            scratch: Scratch::new(),
            module: Module::Served,
            arguments: Vec::new(),
            config_log: "info",
            envoy: Launch {
                seal_key: SEAL_KEY,
                ..Launch::default()
            },
            config_variables: Vec::new(),
            delays_xds: false,
            heap_limit: None,
            resolver: None,
            stall_seconds: None,
            change: None,
        }
    }

    /// Waits until every Envoy worker serves a model.
    pub async fn wait_served(&self, model: &str) {
        let path = format!("/v1/models/{model}");
        self.wait_for_workers(&path, |answer| answer.status == 200)
            .await;
    }

    /// Waits until every Envoy worker answers a GET as expected: each takes a new configuration on
    /// its own, a moment after Envoy acknowledged it.
    pub async fn wait_for_workers(&self, path: &str, is_right: impl Fn(&Reply) -> bool) {
        let url = format!("{}{path}", self.envoy.url());
        let mut in_a_row = 0;
        eventually("every worker answers as expected", async || {
            // A new connection may reach another worker.
            let answer = Reply::read(Client::new().get(&url).send().await.ok()?).await;
            in_a_row = if is_right(&answer) { in_a_row + 1 } else { 0 };
            (in_a_row == 6).then_some(())
        })
        .await;
    }

    fn print_logs(&self) {
        for (name, log) in [
            ("Envoy", self.envoy.log()),
            ("config-service", self.config.log()),
        ] {
            let is_noise = |line: &&str| NOISE.iter().any(|noise| line.contains(noise));
            let lines: Vec<_> = log.lines().filter(|line| !is_noise(line)).collect();
            let tail = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("--- the end of {name}'s log\n{}", tail.join("\n"));
        }
        for message in self.proxy.iter().flat_map(XdsProxy::messages) {
            eprintln!("--- {message}");
        }
        eprintln!("--- more in {}", self.scratch.path().display());
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if thread::panicking() {
            self.print_logs();
        }
    }
}

/// A stack that the tests in a program share; it starts with the first of them and ends with the
/// program.
#[derive(Debug)]
pub struct SharedStack {
    cell: OnceCell<Stack>,
    build: fn() -> Builder,
}

/// A test's hold on a shared stack: prints the logs when the test fails.
#[derive(Debug)]
pub struct Shared(&'static Stack);

impl SharedStack {
    /// A stack as described by `build`.
    pub const fn new(build: fn() -> Builder) -> Self {
        Self {
            cell: OnceCell::const_new(),
            build,
        }
    }

    /// The stack, running.
    pub async fn get(&'static self) -> Shared {
        let start = || async { (self.build)().start().await };
        Shared(self.cell.get_or_init(start).await)
    }
}

/// The stack with all defaults that most tests share.
pub async fn shared() -> Shared {
    static STACK: SharedStack = SharedStack::new(Stack::builder);
    STACK.get().await
}

impl Deref for Shared {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if thread::panicking() {
            self.print_logs();
        }
    }
}
