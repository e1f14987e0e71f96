//! The system under test: two Envoys, one of which is killed from time to time, a config-service, and the
//! regions and the STS that they call.

mod region;
mod runs;

pub use region::{Regions, credentials, key, mistyped};

use std::sync::Arc;
use std::time::{Duration, Instant};

use bedrock_simulator::sts::Sts;
use e2e::{Artefacts, Bootstrap, Envoy, Module, Reply, SEAL_KEY, Scratch, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use xtask::envoy::Launch;
use xtask::ports::Ports;

use crate::load::{Doors, wait_failover};
use crate::secrets;
use crate::story::{ENVOYS, Name, Story};
use crate::wait::{DEADLINE, ready};

/// The most attempts of a request: one on every channel that can exist.
const ATTEMPTS: usize = Name::ALL.len();

/// How long to keep clusters that are no longer needed: as long as a request can use them.
const DRAIN_SECONDS: u32 = 40;

/// Longest request body, in bytes.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// How long keys from STS are valid: so short that they are renewed all the time.
const KEY_LIFE: Duration = Duration::from_secs(40);

/// The result of a step of the control plane, or why it could not be taken.
pub type Outcome = Result<(), String>;

/// Everything that runs.
#[derive(Debug)]
pub struct World {
    /// What happens to it.
    pub story: Arc<Story>,
    /// The Envoy that lives for the whole run, and the config-service.
    pub stack: Stack,
    /// The Envoy that is killed.
    pub mortal: Envoy,
    /// How clients reach it.
    pub doors: Arc<Doors>,
    /// Where chats go.
    pub regions: Arc<Regions>,
    /// Where credentials come from.
    pub sts: Sts,
    /// How many editions of the module there have been.
    pub editions: u8,
    /// A counter for things that must differ from earlier ones.
    pub serial: u32,
    /// Folder of the mortal Envoy.
    pub scratch: Scratch,
}

impl World {
    /// Starts everything, with three channels.
    pub async fn start() -> Self {
        let story = Arc::new(Story::default());
        let regions = Arc::new(Regions::start(&story).await);
        let b = Arc::clone(&regions);
        let sts = Sts::start_with(KEY_LIFE, move |key| b.of(Name::B).admit(key)).await;
        let sts = sts.expect("an STS");
        let stack = Stack::builder()
            .module(Module::ServedCopy)
            .delay_xds()
            .failover(ATTEMPTS)
            .drain_seconds(DRAIN_SECONDS)
            .max_request_bytes(MAX_REQUEST_BYTES)
            .argument(format!("--sts-endpoint={}", sts.url()))
            .envoy_log("info")
            .start()
            .await;
        let scratch = Scratch::new();
        let (mortal, port) = another_envoy(&stack, "mortal", &scratch);
        let doors = Doors::new([stack.envoy.port(), port], stack.ports.admin_api);
        let world = Self {
            story,
            stack,
            mortal,
            doors: Arc::new(doors),
            regions,
            sts,
            editions: 0,
            serial: 0,
            scratch,
        };
        ready(&world.mortal).await.expect("an Envoy");
        for name in [Name::A, Name::B, Name::C] {
            let body = world.regions.channel(name);
            world.create(name, &body).await.expect("a channel");
        }
        world.converge().await.expect("a beginning");
        world.open().await.expect("failover");
        world
    }

    /// Lets clients in once both Envoys serve the model with failover.
    async fn open(&self) -> Outcome {
        for envoy in 0..ENVOYS {
            wait_failover(&self.story, self.doors.port(envoy)).await?;
            self.doors.open(envoy);
        }
        Ok(())
    }

    /// Creates the channel of a region.
    pub async fn create(&self, name: Name, body: &Value) -> Outcome {
        let view = self.call(Method::POST, "/api/channels", body, 201).await?;
        self.regions
            .of(name)
            .set_channel(view["id"].as_str().map(str::to_owned));
        Ok(())
    }

    /// Changes the channel of a region, if it has one.
    pub async fn patch(&self, name: Name, change: &Value) -> Outcome {
        let Some(id) = self.regions.of(name).channel() else {
            return Ok(());
        };
        let path = format!("/api/channels/{id}");
        self.call(Method::PATCH, &path, change, 200).await.map(drop)
    }

    /// Calls the admin API, which must answer with this status and without a secret.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        status: u16,
    ) -> Result<Value, String> {
        let reply = self.ask(method.clone(), path, body).await?;
        if reply.status != status {
            return Err(format!("{method} {path}: not {status}, but {reply:?}"));
        }
        Ok(serde_json::from_str(&reply.text).unwrap_or_default())
    }

    /// The same with any status.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Reply, String> {
        let reply = self.stack.config.call(method.clone(), path, body).await;
        secrets::check(&reply.text, &format!("the answer to {method} {path}"))?;
        Ok(reply)
    }

    /// Waits until both Envoys, and no others, run what is published, according to the config-service and to
    /// themselves.
    pub async fn converge(&self) -> Outcome {
        let began = Instant::now();
        loop {
            let status = self
                .call(Method::GET, "/api/status", &json!(null), 200)
                .await?;
            let mut shown = Vec::new();
            for envoy in [&self.stack.envoy, &self.mortal] {
                shown.push(runs::revision_of(envoy).await);
            }
            let is_shown = |own: &Option<u64>| own.is_some() && *own == status["revision"].as_u64();
            if runs::as_published(&status, &["envoy", "mortal"]) && shown.iter().all(is_shown) {
                return Ok(());
            }
            if began.elapsed() > DEADLINE {
                return Err(format!(
                    "not every Envoy runs what is published: {status:#}, and they show {shown:?}"
                ));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Another Envoy of the same config-service, which gets no requests yet.
    pub fn fresh(&self, scratch: &Scratch) -> (Envoy, u16) {
        another_envoy(&self.stack, "fresh", scratch)
    }
}

/// Starts an Envoy besides a stack's own; also returns its listener's port.
fn another_envoy(stack: &Stack, node: &str, scratch: &Scratch) -> (Envoy, u16) {
    let artefacts = Artefacts::from_environment();
    let own = Ports::free().expect("free ports");
    let ports = Ports {
        admin_api: stack.ports.admin_api,
        xds: stack.ports.xds,
        ..own
    };
    let mut bootstrap = Bootstrap::dynamic(&ports);
    bootstrap.document["node"]["id"] = json!(node);
    if let Some(proxy) = &stack.proxy {
        bootstrap.set_xds_port(proxy.port());
    }
    let launch = Launch {
        seal_key: SEAL_KEY,
        log_level: "info",
    };
    let envoy = Envoy::start_unready_with(&artefacts.envoy, (&bootstrap, launch), &ports, scratch);
    (envoy, ports.envoy)
}
