//! A pod: Istio's agent, and the Envoy that it starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use e2e::{PATIENCE, Reply, SEAL_KEY, Scratch, eventually};
use reqwest::header::HOST;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use xtask::ports::free_port;
use xtask::process::Process;

use crate::Plane;
use crate::case::labels;

const CHAT: &str = "/v1/chat/completions";

/// How much of a log is printed when a test fails.
const SHOWN_LINES: usize = 40;

/// The service account of every pod.
const ACCOUNT: &str = "default";

/// What a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A gateway.
    Gateway,
    /// An application whose requests a sidecar takes.
    Sidecar,
}

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

/// What a pod is started with.
#[derive(Debug)]
pub struct Setup<'s> {
    /// Its namespace.
    pub namespace: &'s str,
    /// Its name, which is also the value of its label `app`.
    pub name: &'s str,
    /// What it is.
    pub kind: Kind,
    /// Its Envoy.
    pub envoy: &'s Path,
    /// The port of its listener.
    pub port: u16,
    /// The host that clients ask for, unless it is the address.
    pub host: Option<&'static str>,
    /// What its annotation `sidecar.istio.io/bootstrapOverride` stands for.
    pub bootstrap: Option<&'s str>,
}

impl Workload {
    /// Creates a pod and starts its agent, without waiting for anything.
    pub async fn start(plane: &Plane, setup: &Setup<'_>, scratch: &Scratch) -> Self {
        let Setup {
            namespace,
            name,
            kind,
            envoy,
            port,
            host,
            bootstrap,
        } = *setup;
        let address = address();
        create_pod(plane, setup, &address).await;
        let folder = scratch.join(name);
        let token = plane.kubernetes.token(namespace, ACCOUNT, "istio-ca").await;
        write(&folder.join("var/run/secrets/tokens/istio-token"), &token);
        write(
            &folder.join("var/run/secrets/istio/root-cert.pem"),
            &plane.root_certificate,
        );
        let [admin, status, probes, metrics] = [(); 4].map(|()| free_port().expect("a port"));
        let proxy = json!({
            "discoveryAddress": format!("localhost:{}", plane.discovery),
            "binaryPath": envoy,
            "proxyBootstrapTemplatePath": plane.programs.file("envoy_bootstrap.json"),
            "proxyAdminPort": admin,
            "statusPort": status,
            "concurrency": 2,
            "terminationDrainDuration": "1s",
        });
        let labels = labels(name);
        let mut variables: Vec<_> = [
            ("PROXY_CONFIG", proxy.to_string()),
            ("POD_NAME", name.to_owned()),
            ("POD_NAMESPACE", namespace.to_owned()),
            ("INSTANCE_IP", address),
            ("SERVICE_ACCOUNT", ACCOUNT.to_owned()),
            ("ISTIO_META_CLUSTER_ID", "Kubernetes".to_owned()),
            ("ISTIO_METAJSON_LABELS", labels.to_string()),
            ("ISTIO_META_WORKLOAD_NAME", name.to_owned()),
            ("ENVOY_STATUS_PORT", probes.to_string()),
            ("ENVOY_PROMETHEUS_PORT", metrics.to_string()),
            ("BEDROCK_SEAL_KEY", SEAL_KEY.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        if kind == Kind::Sidecar {
            // Nothing redirects its application's connections.
            variables.push(("ISTIO_META_INTERCEPTION_MODE".to_owned(), "NONE".to_owned()));
        }
        if let Some(text) = bootstrap {
            let file = folder.join("custom_bootstrap.json");
            write(&file, text);
            let variable = "ISTIO_BOOTSTRAP_OVERRIDE".to_owned();
            variables.push((variable, file.display().to_string()));
        }
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .pool_max_idle_per_host(0);
        let mut workload = Self {
            agent: None,
            name: name.to_owned(),
            command: plane.programs.file("pilot-agent"),
            folder,
            variables,
            kind,
            port,
            host,
            admin,
            status,
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

/// An address for a pod. Nothing listens there; `istiod` only tells pods apart by it.
fn address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    format!("10.244.0.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn create_pod(plane: &Plane, setup: &Setup<'_>, address: &str) {
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": ACCOUNT, "namespace": setup.namespace },
    });
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": setup.name,
            "namespace": setup.namespace,
            "labels": labels(setup.name),
        },
        "spec": {
            "serviceAccountName": ACCOUNT,
            "containers": [{ "name": "istio-proxy", "image": "auto" }],
        },
    });
    plane.kubernetes.apply(&[account, pod.clone()]).await;
    let status = json!({
        "phase": "Running",
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "True" }],
    });
    plane.kubernetes.set_status(&pod, &status).await;
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    std::fs::create_dir_all(folder).expect("the scratch folder is writable");
    std::fs::write(path, text).expect("the scratch folder is writable");
}
