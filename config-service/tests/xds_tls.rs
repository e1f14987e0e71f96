//! xDS over TLS and mutual TLS, and what happens without.

use std::path::PathBuf;
use std::sync::Arc;

use crate::common::TestService;
use crate::common::authority::Authority;
use crate::common::envoy::{ECDS, Envoy, Service as At};
use clap::Parser as _;
use config_service::{Args, Service};
use tempfile::TempDir;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

const NAME: &str = "config-service.test";

/// The files of a server.
struct Files {
    dir: Arc<TempDir>,
}

impl Files {
    fn new() -> Self {
        let dir = Arc::new(TempDir::new().unwrap());
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn issue(&self, authority: &Authority) {
        let (certificate, key) = authority.issue(NAME);
        self.write("server.pem", &certificate);
        self.write("server.key", &key);
    }

    async fn start(&self, with_client_ca: bool) -> TestService {
        self.start_for(with_client_ca, "").await
    }

    /// The same, only for clients with these names if there are any.
    async fn start_for(&self, with_client_ca: bool, names: &str) -> TestService {
        let [certificate, key, ca] =
            ["server.pem", "server.key", "ca.pem"].map(|it| self.path(it).display().to_string());
        let mut extra = vec!["--xds-tls-certificate", &certificate, "--xds-tls-key", &key];
        if with_client_ca {
            extra.extend(["--xds-tls-client-ca", &ca]);
        }
        if !names.is_empty() {
            extra.extend(["--xds-tls-client-names", names]);
        }
        TestService::start_in(Arc::clone(&self.dir), &extra).await
    }
}

/// A server's files, its authority, and that of its clients.
fn mutual() -> (Files, Authority, Authority) {
    let (files, ours, clients) = (
        Files::new(),
        Authority::new("ours"),
        Authority::new("clients"),
    );
    files.issue(&ours);
    files.write("ca.pem", &clients.pem());
    (files, ours, clients)
}

/// Subscribes over TLS like an Envoy that trusts `authority`.
async fn subscribe(
    service: &TestService,
    authority: &Authority,
    identity: Option<(String, String)>,
) -> Result<(), String> {
    let mut tls = ClientTlsConfig::new()
        .domain_name(NAME)
        .ca_certificate(Certificate::from_pem(authority.pem()));
    if let Some((certificate, key)) = identity {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    let endpoint: Endpoint = Channel::from_shared(format!("https://{}", service.xds_addr()))
        .unwrap()
        .tls_config(tls)
        .unwrap();
    let channel = endpoint.connect().await.map_err(|it| format!("{it:?}"))?;
    let envoy = Envoy::connect_over(channel, "tls", At::Extensions).await;
    let mut envoy = envoy.map_err(|it| it.to_string())?;
    envoy.subscribe(ECDS, "").await;
    envoy.receive(ECDS).await;
    let status = service.status().await;
    let peer = status.pointer("/envoys/0/peers/0").unwrap();
    assert!(peer.to_string().contains("127.0.0.1:"), "{status}");
    Ok(())
}

#[tokio::test]
async fn envoys_that_trust_the_certificate_are_served() {
    let (files, authority) = (Files::new(), Authority::new("ours"));
    files.issue(&authority);
    let service = files.start(false).await;
    subscribe(&service, &authority, None).await.unwrap();
    let stranger = Authority::new("another");
    assert!(subscribe(&service, &stranger, None).await.is_err());
    // Plain text is not accepted.
    let uri = format!("http://{}", service.xds_addr());
    let plain = Channel::from_shared(uri).unwrap().connect().await;
    if let Ok(channel) = plain {
        let opened = Envoy::connect_over(channel, "plain", At::Extensions).await;
        assert!(opened.is_err());
    }
}

#[tokio::test]
async fn mutual_tls_serves_only_envoys_with_a_certificate() {
    let (files, ours, clients) = mutual();
    let service = files.start(true).await;
    let client = |authority: &Authority| Some(authority.issue("envoy"));
    subscribe(&service, &ours, client(&clients)).await.unwrap();
    assert!(subscribe(&service, &ours, None).await.is_err());
    assert!(subscribe(&service, &ours, client(&ours)).await.is_err());
}

#[tokio::test]
async fn mutual_tls_may_be_limited_to_some_names() {
    let (files, ours, clients) = mutual();
    let identity = "spiffe://cluster.local/ns/istio-system/sa/gateway";
    let names = format!("envoy.test,{identity}");
    let service = files.start_for(true, &names).await;
    for name in ["envoy.test", identity] {
        let client = Some(clients.issue(name));
        subscribe(&service, &ours, client).await.unwrap();
    }
    for name in ["other.test", "spiffe://cluster.local/ns/other/sa/gateway"] {
        let client = Some(clients.issue(name));
        assert!(subscribe(&service, &ours, client).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn new_files_apply_to_the_next_connection_and_invalid_ones_never() {
    let (files, old, new) = (Files::new(), Authority::new("old"), Authority::new("new"));
    files.issue(&old);
    files.write("ca.pem", &old.pem());
    let service = files.start(true).await;
    let client = |authority: &Authority| Some(authority.issue("envoy"));
    subscribe(&service, &old, client(&old)).await.unwrap();
    files.write("server.pem", "half a certif");
    subscribe(&service, &old, client(&old)).await.unwrap();
    std::fs::remove_file(files.path("server.key")).unwrap();
    subscribe(&service, &old, client(&old)).await.unwrap();
    files.issue(&new);
    files.write("ca.pem", &new.pem());
    subscribe(&service, &new, client(&new)).await.unwrap();
    assert!(subscribe(&service, &old, client(&old)).await.is_err());
    assert!(subscribe(&service, &new, client(&old)).await.is_err());
}

fn args(extra: &[&str]) -> Result<Args, clap::Error> {
    let fixed = [
        "config-service",
        "--listen=127.0.0.1:0",
        "--admin-token=t",
        "--wasm-path-in-envoy=/filter.wasm",
    ];
    Args::try_parse_from(fixed.iter().chain(extra))
}

#[tokio::test]
async fn plain_text_is_for_loopback_unless_requested() {
    let dir = TempDir::new().unwrap();
    let database = format!("--database={}", dir.path().join("test.db").display());
    let open = "--xds-listen=0.0.0.0:0";
    let refused = Service::start(args(&[open, &database, "--init"]).unwrap()).await;
    let reason = refused.unwrap_err().to_string();
    assert!(reason.contains("--xds-tls-certificate"), "{reason}");
    let allowed = args(&[open, &database, "--init", "--xds-allow-plaintext"]).unwrap();
    Service::start(allowed).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn invalid_files_are_named() {
    let (files, authority) = (Files::new(), Authority::new("ours"));
    files.issue(&authority);
    files.write("empty.pem", "");
    let file = |name: &str| files.path(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    for (certificate, key, named) in [
        (&file("missing.pem"), &key, "missing.pem"),
        (
            &file("empty.pem"),
            &key,
            "empty.pem contains no certificate",
        ),
        (
            &certificate,
            &certificate,
            "server.pem contains no private key",
        ),
    ] {
        let extra = [
            "--xds-listen=127.0.0.1:0",
            "--xds-tls-certificate",
            certificate,
            "--xds-tls-key",
            key,
        ];
        let error = Service::start(args(&extra).unwrap()).await.unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    // One without the other is not enough for TLS.
    assert!(args(&["--xds-tls-certificate", &certificate]).is_err());
    assert!(args(&["--xds-tls-key", &key]).is_err());
    assert!(args(&["--xds-tls-client-ca", &certificate]).is_err());
    assert!(args(&["--xds-tls-client-names", "envoy.test"]).is_err());
}
