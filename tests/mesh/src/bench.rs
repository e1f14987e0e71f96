//! What a test has for itself: a namespace, a config-service, and a gateway in the namespace.

use bedrock_simulator::Simulator;
use e2e::istio::{CONFIG_SERVICE, documents};
use e2e::{Artefacts, ConfigService, Scratch};
use reqwest::Method;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use xtask::ports::{Ports, free_port};

use crate::plane::namespace;
use crate::{Case, Plane, Setup, Workload, plane};

/// A test's own part of the mesh.
#[derive(Debug)]
pub struct Bench {
    /// The control plane.
    pub plane: &'static Plane,
    /// The namespace.
    pub namespace: String,
    /// The pod, and the `Gateway` that selects it. `Gateway`s select in all namespaces, so each has a name of its own.
    pub pod: String,
    /// Where channels are.
    pub config: ConfigService,
    /// Where the config-service listens.
    pub ports: Ports,
    /// The port of the pod's listener.
    pub port: u16,
    /// Programs under test.
    pub artefacts: Artefacts,
    scratch: Scratch,
}

impl Bench {
    /// A namespace and a config-service with these flags; no pod yet.
    pub async fn start(flags: &[&str]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let plane = plane().await;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let namespace_name = format!("team-{number}");
        plane.kubernetes.apply(&[namespace(&namespace_name)]).await;
        let (artefacts, scratch) = (Artefacts::from_environment(), Scratch::new());
        let ports = Ports::free().expect("free ports");
        let module = format!("--wasm-path-in-envoy={}", artefacts.module.display());
        let flags = flags.iter().map(|&flag| flag.to_owned()).chain([module]);
        let flags: Vec<_> = flags.collect();
        let service = &artefacts.config_service;
        let options = (flags.as_slice(), "info");
        let config = ConfigService::start(service, &ports, scratch.path(), options).await;
        Self {
            plane,
            namespace: namespace_name,
            pod: format!("llm-{number}"),
            config,
            ports,
            port: free_port().expect("a free port"),
            artefacts,
            scratch,
        }
    }

    /// A simulator's origin with a name of this test's own, as Istio's routes need one: names without a dot would be
    /// completed with the namespace, and one that is known in two namespaces belongs to the first. Envoy's resolver
    /// knows by itself that those below `localhost` are loopback.
    pub fn endpoint(&self, bedrock: &Simulator) -> String {
        format!(
            "http://{}.localhost:{}",
            self.namespace,
            bedrock.addr().port()
        )
    }

    /// The manifest for the pod, with these parameters.
    pub async fn manifest(&self, case: Case, query: &str) -> Vec<Value> {
        let workload = case.workload(self);
        let path = format!("/api/export/istio?{workload}&{query}");
        let exported = self.config.call(Method::GET, &path, &Value::Null).await;
        assert_eq!(exported.status, 200, "{exported:?}");
        documents(&exported.text)
    }

    /// The parameters of a live manifest.
    pub fn live(&self) -> String {
        format!("mode=live&xds={CONFIG_SERVICE}:{}", self.ports.xds)
    }

    /// Exports and applies the manifest for the pod, and returns it.
    pub async fn apply_manifest(&self, case: Case, query: &str) -> Vec<Value> {
        let manifest = self.manifest(case, query).await;
        self.apply(&manifest).await;
        manifest
    }

    /// Applies documents.
    pub async fn apply(&self, documents: &[Value]) {
        self.plane.kubernetes.apply(documents).await;
    }

    /// Applies what the team has and the manifest with these parameters, and starts the pod.
    pub async fn serve(&self, case: Case, query: &str) -> Workload {
        self.apply(&case.documents(self)).await;
        let manifest = self.apply_manifest(case, query).await;
        let mut pod = self.start_pod(case, &manifest).await;
        pod.wait_ready().await;
        pod
    }

    /// Starts the pod with what its manifest says for its bootstrap, without waiting for anything.
    pub async fn start_pod(&self, case: Case, manifest: &[Value]) -> Workload {
        let mut maps = manifest.iter().filter(|own| own["kind"] == "ConfigMap");
        let bootstrap = maps.find_map(|own| own["data"]["custom_bootstrap.json"].as_str());
        let setup = Setup {
            namespace: &self.namespace,
            name: &self.pod,
            kind: case.kind(),
            envoy: &self.artefacts.envoy,
            port: self.port,
            host: case.host(),
            bootstrap,
        };
        Workload::start(self.plane, &setup, &self.scratch).await
    }
}
