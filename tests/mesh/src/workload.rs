//! A pod: Istio's agent, and the Envoy that it starts.

mod setup;

use std::path::PathBuf;
use std::process::Command;

use e2e::{PATIENCE, Reply, Scratch, eventually};
use reqwest::header::HOST;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use xtask::process::Process;

use crate::Plane;
use setup::{Ports, address, create_pod, variables, write_secrets};

pub use setup::{Kind, Setup};

const CHAT: &str = "/v1/chat/completions";

/// How much of a log is printed when a test fails.
const SHOWN_LINES: usize = 40;

/// A pod, and a client of its listener.
#[derive(Debug)]
pub struct Workload {
    agent: Option<Process>,
    name: String,
    command: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    kind: Kind,
    port: u16,
    host: Option<&'static str>,
    admin: u16,
    status: u16,
    client: Client,
}

impl Workload {
    /// Creates a pod and starts its agent, without waiting for anything.
    pub async fn start(plane: &Plane, setup: &Setup<'_>, scratch: &Scratch) -> Self {
        let folder = scratch.join(setup.name);
        let address = address();
        create_pod(plane, setup, &address).await;
        write_secrets(plane, setup, &folder).await;
        let ports = Ports::free();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .pool_max_idle_per_host(0);
        let mut workload = Self {
            agent: None,
            name: setup.name.to_owned(),
            command: plane.programs.file("pilot-agent"),
            variables: variables(plane, setup, (&address, &ports), &folder),
            folder,
            kind: setup.kind,
            port: setup.port,
            host: setup.host,
            admin: ports.admin,
            status: ports.status,
            client: client.build().expect("a client"),
        };
        workload.resume();
        workload
    }

    /// Starts the agent of a pod that was stopped.
    pub fn resume(&mut self) {
        let kind = match self.kind {
            Kind::Gateway => "router",
            Kind::Sidecar => "sidecar",
        };
        let mut command = Command::new(&self.command);
        command
            .args(["proxy", kind, "--proxyLogLevel=warning"])
            .current_dir(&self.folder)
            .envs(self.variables.iter().cloned());
        let agent = Process::spawn(&self.name, &mut command, &self.folder.join("agent.log"));
        self.agent = Some(agent.expect("the agent starts"));
    }

    /// Ends the agent and its Envoy.
    pub fn stop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill();
        }
    }

    /// Waits until the agent's readiness probe says so, as Kubernetes does before it sends requests.
    pub async fn wait_ready(&mut self) {
        let url = format!("http://127.0.0.1:{}/healthz/ready", self.status);
        let (client, agent) = (self.client.clone(), &mut self.agent);
        eventually("the pod is ready", async || {
            agent.as_mut()?.check_alive().expect("the agent runs");
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Base URL of its listener, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A request to its listener.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url()));
        match self.host {
            Some(host) => request.header(HOST, host),
            None => request,
        }
    }

    /// The same for another host.
    pub fn request_to(&self, host: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url()));
        request.header(HOST, host)
    }

    /// A chat request that is not sent yet.
    pub fn chat_request(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, CHAT).json(body)
    }

    /// Sends a request; `None` if nothing answers.
    pub async fn send(&self, request: RequestBuilder) -> Option<Reply> {
        Some(Reply::read(request.send().await.ok()?).await)
    }

    /// Sends a chat until it is answered with this status.
    pub async fn chat_until(&self, body: &Value, status: u16) -> Reply {
        let what = format!("a chat is answered with {status}");
        let mut last = None;
        eventually(&what, async || {
            let reply = self.send(self.chat_request(body)).await?;
            if reply.status == status {
                return Some(reply);
            }
            if last.replace(reply.status) != Some(reply.status) {
                eprintln!("not yet, but {reply:?}");
            }
            None
        })
        .await
    }

    /// Text of a page of Envoy's admin interface, if it is up.
    pub async fn admin_page(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.admin);
        self.client.get(url).send().await.ok()?.text().await.ok()
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        if let Some(agent) = self.agent.as_ref().filter(|_| std::thread::panicking()) {
            eprintln!(
                "--- the end of {}:\n{}",
                agent.log().display(),
                agent.log_tail(SHOWN_LINES)
            );
        }
    }
}
