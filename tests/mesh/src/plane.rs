//! The control plane: etcd, a Kubernetes API server without nodes, and `istiod`.

use std::path::Path;
use std::process::Command;

use e2e::istio::documents;
use e2e::{Authority, Scratch, eventually};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use xtask::http;
use xtask::ports::free_port;
use xtask::process::Process;

use crate::Kubernetes;
use crate::programs::Programs;

/// The namespace of `istiod`.
pub(crate) const ROOT: &str = "istio-system";

const TOKEN: &str = "mesh-token";

/// The running control plane.
#[derive(Debug)]
pub struct Plane {
    /// The API that manifests are applied to.
    pub kubernetes: Kubernetes,
    pub(crate) programs: Programs,
    /// Where agents reach `istiod`.
    pub(crate) discovery: u16,
    /// What they trust it by.
    pub(crate) root_certificate: String,
    _scratch: Scratch,
    // In the order in which they are stopped.
    _istiod: Process,
    _api: Process,
    _etcd: Process,
}

/// The control plane that all tests share. It ends with their process.
pub async fn plane() -> &'static Plane {
    static PLANE: OnceCell<Plane> = OnceCell::const_new();
    PLANE.get_or_init(Plane::start).await
}

impl Plane {
    async fn start() -> Self {
        let programs = Programs::from_environment();
        let scratch = Scratch::new();
        let (etcd, store) = start_etcd(&programs, &scratch);
        let (mut api, kubernetes, port) = start_api(&programs, &scratch, store);
        eventually("the Kubernetes API is ready", async || {
            api.check_alive().expect("the Kubernetes API runs");
            kubernetes.is_ready().await.then_some(())
        })
        .await;
        prepare(&kubernetes, &programs).await;
        let (mut istiod, discovery) = start_istiod(&programs, &scratch, port, &kubernetes).await;
        let root_certificate = eventually("istiod has a root certificate", async || {
            istiod.check_alive().expect("istiod runs");
            let path = format!("/api/v1/namespaces/{ROOT}/configmaps/istio-ca-root-cert");
            let map = kubernetes.get(&path).await?;
            map["data"]["root-cert.pem"].as_str().map(str::to_owned)
        })
        .await;
        eventually("istiod validates", async || validates(&kubernetes).await).await;
        Self {
            kubernetes,
            programs,
            discovery,
            root_certificate,
            _scratch: scratch,
            _istiod: istiod,
            _api: api,
            _etcd: etcd,
        }
    }
}

fn port() -> u16 {
    free_port().expect("a free port")
}

/// Returns also where it listens.
fn start_etcd(programs: &Programs, scratch: &Scratch) -> (Process, String) {
    let [clients, peers] = [port(), port()].map(|port| format!("http://127.0.0.1:{port}"));
    let mut command = Command::new(&programs.etcd);
    command
        .arg(format!("--data-dir={}", scratch.join("etcd").display()))
        .args([
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ]);
    let process = Process::spawn("etcd", &mut command, &scratch.join("etcd.log"));
    (process.expect("etcd starts"), clients)
}

fn start_api(programs: &Programs, scratch: &Scratch, store: String) -> (Process, Kubernetes, u16) {
    let authority = Authority::new();
    let (certificate, key) = authority.issue_for(&["localhost", "127.0.0.1"]);
    let [certificate, key] = [("api.crt", &certificate), ("api.key", &key)]
        .map(|(name, text)| scratch.write(name, text).display().to_string());
    scratch.write("authority.crt", &authority.pem());
    let tokens = scratch.write("tokens.csv", &format!("{TOKEN},mesh,mesh,system:masters\n"));
    let port = port();
    let mut command = Command::new(programs.file("kube-apiserver"));
    command.args([
        format!("--etcd-servers={store}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", scratch.join("api").display()),
        format!("--tls-cert-file={certificate}"),
        format!("--tls-private-key-file={key}"),
        format!("--token-auth-file={}", tokens.display()),
        "--authorization-mode=AlwaysAllow".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={certificate}"),
        format!("--service-account-signing-key-file={key}"),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        // Pods here have no tokens of their own.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ]);
    let process = Process::spawn("kube-apiserver", &mut command, &scratch.join("api.log"));
    let kubernetes = Kubernetes::new(port, &authority.pem(), TOKEN);
    (process.expect("kube-apiserver starts"), kubernetes, port)
}

/// What `helm install` of Istio's charts leaves in a cluster, as far as `istiod` needs it.
async fn prepare(kubernetes: &Kubernetes, programs: &Programs) {
    for file in ["crd-all.gen.yaml", "gateway-api-crd.yaml"] {
        let all = documents(&programs.text(file));
        kubernetes.apply(&all).await;
    }
    kubernetes.apply(&[namespace(ROOT)]).await;
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

/// Returns also where agents reach it.
async fn start_istiod(
    programs: &Programs,
    scratch: &Scratch,
    api: u16,
    kubernetes: &Kubernetes,
) -> (Process, u16) {
    let [discovery, webhook, http, plain, monitoring] = [port(), port(), port(), port(), port()];
    kubernetes.apply(&[validator(webhook)]).await;
    let config = scratch.write(
        "kubeconfig.json",
        &kubeconfig(scratch.path(), api).to_string(),
    );
    let mesh = scratch.write("mesh.json", &mesh().to_string());
    let folder = scratch.join("istiod");
    std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
    let mut command = Command::new(programs.file("pilot-discovery"));
    command
        .arg("discovery")
        .args([
            format!("--kubeconfig={}", config.display()),
            format!("--meshConfig={}", mesh.display()),
            format!("--secureGRPCAddr=127.0.0.1:{discovery}"),
            format!("--httpsAddr=127.0.0.1:{webhook}"),
            format!("--httpAddr=127.0.0.1:{http}"),
            format!("--grpcAddr=127.0.0.1:{plain}"),
            format!("--monitoringAddr=127.0.0.1:{monitoring}"),
            "--ctrlz_port=0".to_owned(),
        ])
        .current_dir(&folder)
        .env("POD_NAMESPACE", ROOT)
        .env("POD_NAME", "istiod")
        .env("REVISION", "default")
        .env("CLUSTER_ID", "Kubernetes")
        // The name that agents and the API server know it by.
        .env("ISTIOD_CUSTOM_HOST", "localhost")
        .env("INJECTION_WEBHOOK_CONFIG_NAME", "")
        // Filters that only Istio's own build of Envoy has.
        .env("PILOT_ENABLE_METADATA_EXCHANGE", "false")
        .env("PILOT_ENABLE_ALPN_FILTER", "false");
    let process = Process::spawn("istiod", &mut command, &scratch.join("istiod.log"));
    let mut process = process.expect("istiod starts");
    let ready = format!("http://127.0.0.1:{http}/ready");
    eventually("istiod is ready", async || {
        process.check_alive().expect("istiod runs");
        http::is_ok(&ready).then_some(())
    })
    .await;
    (process, discovery)
}

fn kubeconfig(folder: &Path, port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "mesh",
        "contexts": [{ "name": "mesh", "context": { "cluster": "mesh", "user": "mesh" } }],
        "clusters": [{ "name": "mesh", "cluster": {
            "server": format!("https://localhost:{port}"),
            "certificate-authority": folder.join("authority.crt"),
        } }],
        "users": [{ "name": "mesh", "user": { "token": TOKEN } }],
    })
}

/// Without the metrics filter, which only Istio's own build of Envoy has.
fn mesh() -> Value {
    json!({
        "rootNamespace": ROOT,
        "accessLogFile": "/dev/stdout",
        "defaultProviders": {},
        "enablePrometheusMerge": false,
    })
}

/// The webhook of Istio's chart. `istiod` gives it its certificate, and lets it refuse once it answers.
fn validator(port: u16) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {
            "name": "istio-validator-istio-system",
            "labels": { "app": "istiod", "istio": "istiod", "istio.io/rev": "default" },
        },
        "webhooks": [{
            "name": "rev.validation.istio.io",
            "clientConfig": { "url": format!("https://localhost:{port}/validate") },
            "rules": [{
                "operations": ["CREATE", "UPDATE"],
                "apiGroups": [
                    "security.istio.io",
                    "networking.istio.io",
                    "telemetry.istio.io",
                    "extensions.istio.io",
                ],
                "apiVersions": ["*"],
                "resources": ["*"],
            }],
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    })
}

/// Whether the webhook refuses what it does not understand, and not only what the API server refuses by itself.
async fn validates(kubernetes: &Kubernetes) -> Option<()> {
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/istio-validator-istio-system";
    let own = kubernetes.get(path).await?;
    (own["webhooks"][0]["failurePolicy"] == "Fail").then_some(())
}
