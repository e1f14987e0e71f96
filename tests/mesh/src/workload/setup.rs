//! What Kubernetes would do before it starts a pod's container.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use e2e::SEAL_KEY;
use serde_json::{Value, json};
use xtask::ports::free_port;

use crate::Plane;
use crate::case::labels;

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

/// Ports that are the same in every pod, but for that here all share the machine's.
#[derive(Debug)]
pub(super) struct Ports {
    /// Envoy's admin interface.
    pub(super) admin: u16,
    /// The agent's probes.
    pub(super) status: u16,
    /// Envoy's probes.
    probes: u16,
    metrics: u16,
}

impl Ports {
    pub(super) fn free() -> Self {
        let port = || free_port().expect("a free port");
        Self {
            admin: port(),
            status: port(),
            probes: port(),
            metrics: port(),
        }
    }
}

/// An address for a pod. Nothing listens there; `istiod` only tells pods apart by it.
pub(super) fn address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    format!("10.244.0.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(super) async fn create_pod(plane: &Plane, setup: &Setup<'_>, address: &str) {
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

/// Writes what is mounted into a pod: its token, and what it trusts `istiod` by.
pub(super) async fn write_secrets(plane: &Plane, setup: &Setup<'_>, folder: &Path) {
    let kubernetes = &plane.kubernetes;
    let token = kubernetes.token(setup.namespace, ACCOUNT, "istio-ca").await;
    let secrets = folder.join("var/run/secrets");
    write(&secrets.join("tokens/istio-token"), &token);
    write(
        &secrets.join("istio/root-cert.pem"),
        &plane.root_certificate,
    );
}

/// The variables of the container `istio-proxy`.
pub(super) fn variables(
    plane: &Plane,
    setup: &Setup<'_>,
    (address, ports): (&str, &Ports),
    folder: &Path,
) -> Vec<(String, String)> {
    let name = setup.name.to_owned();
    let mut variables = vec![
        (
            "PROXY_CONFIG",
            proxy_config(plane, setup, ports).to_string(),
        ),
        ("POD_NAME", name.clone()),
        ("POD_NAMESPACE", setup.namespace.to_owned()),
        ("INSTANCE_IP", address.to_owned()),
        ("SERVICE_ACCOUNT", ACCOUNT.to_owned()),
        ("ISTIO_META_CLUSTER_ID", "Kubernetes".to_owned()),
        ("ISTIO_METAJSON_LABELS", labels(setup.name).to_string()),
        ("ISTIO_META_WORKLOAD_NAME", name),
        ("ENVOY_STATUS_PORT", ports.probes.to_string()),
        ("ENVOY_PROMETHEUS_PORT", ports.metrics.to_string()),
        ("BEDROCK_SEAL_KEY", SEAL_KEY.to_owned()),
    ];
    if setup.kind == Kind::Sidecar {
        // Nothing redirects its application's connections.
        variables.push(("ISTIO_META_INTERCEPTION_MODE", "NONE".to_owned()));
    }
    if let Some(text) = setup.bootstrap {
        let file = folder.join("custom_bootstrap.json");
        write(&file, text);
        variables.push(("ISTIO_BOOTSTRAP_OVERRIDE", file.display().to_string()));
    }
    let owned = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    owned.collect()
}

fn proxy_config(plane: &Plane, setup: &Setup<'_>, ports: &Ports) -> Value {
    json!({
        "discoveryAddress": format!("localhost:{}", plane.discovery),
        "binaryPath": setup.envoy,
        "proxyBootstrapTemplatePath": plane.programs.file("envoy_bootstrap.json"),
        "proxyAdminPort": ports.admin,
        "statusPort": ports.status,
        "concurrency": 2,
        "terminationDrainDuration": "1s",
    })
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    std::fs::create_dir_all(folder).expect("the scratch folder is writable");
    std::fs::write(path, text).expect("the scratch folder is writable");
}
