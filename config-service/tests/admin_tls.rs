//! The admin port over TLS, and what happens without.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::common::authority::Authority;
use crate::common::envoy::{ECDS, Envoy, Service as At, plugin};
use crate::common::process::ServiceProcess;
use crate::common::{TOKEN, TestService, channel, install_cryptography};
use clap::Parser as _;
use config_service::{Args, Service};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const NAME: &str = "config-service.test";

struct Site {
    dir: Arc<TempDir>,
}

impl Site {
    fn new(authority: &Authority) -> Self {
        let site = Self {
            dir: Arc::new(TempDir::new().unwrap()),
        };
        site.issue(authority, NAME);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn issue(&self, authority: &Authority, name: &str) {
        let (certificate, key) = authority.issue(name);
        self.write("server.pem", &certificate);
        self.write("server.key", &key);
        self.write("ca.pem", &authority.pem());
    }

    fn flags(&self) -> [String; 2] {
        [
            format!("--tls-certificate={}", self.path("server.pem").display()),
            format!("--tls-key={}", self.path("server.key").display()),
        ]
    }

    async fn start(&self, extra: &[&str]) -> TestService {
        let flags = self.flags();
        let mut all: Vec<_> = flags.iter().map(String::as_str).collect();
        all.extend(extra);
        TestService::start_in(Arc::clone(&self.dir), &all).await
    }
}

/// A client that trusts one authority and reaches the service by its name.
fn client(service: &TestService, authority: &Authority) -> Client {
    install_cryptography();
    let authority = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([authority])
        .resolve(NAME, service.admin_addr())
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

fn url(service: &TestService, path: &str) -> String {
    format!("https://{NAME}:{}{path}", service.admin_addr().port())
}

async fn is_served(service: &TestService, authority: &Authority) -> bool {
    let request = client(service, authority)
        .get(url(service, "/api/status"))
        .bearer_auth(TOKEN);
    request
        .send()
        .await
        .is_ok_and(|reply| reply.status() == 200)
}

#[tokio::test]
async fn api_page_and_module_are_served_over_https() {
    let authority = Authority::new("ours");
    let site = Site::new(&authority);
    site.write("filter.wasm", "\0asm and so on");
    let module = site.path("filter.wasm").display().to_string();
    let service = site.start(&["--wasm", &module]).await;
    let client = client(&service, &authority);
    let created = client.post(url(&service, "/api/channels"));
    let created = created.bearer_auth(TOKEN).body(channel("one").to_string());
    assert_eq!(created.send().await.unwrap().status(), 201);
    let status = client.get(url(&service, "/api/status")).bearer_auth(TOKEN);
    let status: Value = status.send().await.unwrap().json().await.unwrap();
    let sha256 = status["filter"]["sha256"].as_str().unwrap();
    let module = client.get(url(&service, &format!("/filter/{sha256}.wasm")));
    let module = module.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&module[..], b"\0asm and so on");
    // Browsers must not send the page's cookies in plain text, whatever the client claims.
    let page = client.get(url(&service, "/login"));
    let page = page
        .header("x-forwarded-proto", "http")
        .send()
        .await
        .unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    assert!(!is_served(&service, &Authority::new("another")).await);
}

#[tokio::test]
async fn envoys_get_an_https_url_for_the_module() {
    let site = Site::new(&Authority::new("ours"));
    site.write("filter.wasm", "\0asm and so on");
    let module = site.path("filter.wasm").display().to_string();
    let service = site.start(&["--wasm", &module]).await;
    let mut envoy = Envoy::connect(&service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let plugin = format!("{:?}", plugin(&envoy.receive(ECDS).await));
    let origin = format!("https://{}/filter/", service.admin_addr());
    assert!(plugin.contains(&origin), "{plugin}");
}

#[tokio::test]
async fn new_files_apply_to_the_next_connection_and_invalid_ones_never() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let site = Site::new(&old);
    let service = site.start(&[]).await;
    assert!(is_served(&service, &old).await);
    site.write("server.pem", "half a certif");
    assert!(is_served(&service, &old).await);
    std::fs::remove_file(site.path("server.key")).unwrap();
    assert!(is_served(&service, &old).await);
    site.issue(&new, NAME);
    assert!(is_served(&service, &new).await);
    assert!(!is_served(&service, &old).await);
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let site = Site::new(&Authority::new("ours"));
    let service = site.start(&[]).await;
    let reply = reqwest::get(format!("http://{}/api/status", service.admin_addr()))
        .await
        .unwrap();
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.headers()["content-type"], "application/problem+json");
    let problem: Value = reply.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("use https://"), "{problem}");
    // A long request also gets the answer, not a reset.
    let mut stream = TcpStream::connect(service.admin_addr()).await.unwrap();
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(100_000));
    stream.write_all(long.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
}

#[tokio::test]
async fn handshakes_have_the_time_limit_of_headers() {
    let site = Site::new(&Authority::new("ours"));
    let service = site.start(&["--header-timeout-seconds=1"]).await;
    // Nothing, and the start of a handshake.
    for begun in [&b""[..], &b"\x16\x03\x01"[..]] {
        let mut stream = TcpStream::connect(service.admin_addr()).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut buffer = [0; 16];
        let read = stream.read(&mut buffer);
        let read = tokio::time::timeout(crate::common::DEADLINE, read).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    }
}

/// Runs a command against a service at an address that its certificate names.
async fn run(service: &TestService, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
    let port = service.admin_addr().port();
    command
        .args(words)
        .env("BEDROCK_SERVER", format!("https://localhost:{port}"))
        .env("BEDROCK_ADMIN_TOKEN", TOKEN);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn commands_trust_the_authority_in_a_file() {
    let authority = Authority::new("ours");
    let site = Site::new(&authority);
    site.issue(&authority, "localhost");
    let service = site.start(&[]).await;
    site.write(
        "channels.yaml",
        &json!({"channels": [channel("one")]}).to_string(),
    );
    let [ca, channels] = ["ca.pem", "channels.yaml"].map(|it| site.path(it).display().to_string());
    let (done, said) = run(&service, &["apply", "-f", &channels]).await;
    assert!(!done && said.contains("certificate"), "{said}");
    let (done, said) = run(&service, &["apply", "-f", &channels, "--ca-file", &ca]).await;
    assert!(done && said.starts_with("one: created"), "{said}");
    let (done, said) = run(&service, &["export", "--ca-file", &ca]).await;
    assert!(done && said.contains("name: one"), "{said}");
    let (done, said) = run(&service, &["export", "--ca-file", "/nowhere/ca.pem"]).await;
    assert!(!done && said.contains("/nowhere/ca.pem"), "{said}");
}

#[tokio::test]
async fn invalid_files_are_named() {
    let site = Site::new(&Authority::new("ours"));
    site.write("empty.pem", "");
    let file = |name: &str| site.path(name).display().to_string();
    let args = |flags: &[String]| {
        let fixed = [
            "config-service",
            "--listen=127.0.0.1:0",
            "--xds-listen=127.0.0.1:0",
            "--admin-token=t",
            "--wasm-path-in-envoy=/filter.wasm",
        ];
        let flags = flags.iter().map(String::as_str);
        Args::try_parse_from(fixed.into_iter().chain(flags))
    };
    for (certificate, key, named) in [
        ("missing.pem", "server.key", "missing.pem"),
        (
            "empty.pem",
            "server.key",
            "empty.pem contains no certificate",
        ),
        (
            "server.pem",
            "server.pem",
            "server.pem contains no private key",
        ),
    ] {
        let flags = [
            format!("--tls-certificate={}", file(certificate)),
            format!("--tls-key={}", file(key)),
        ];
        let error = Service::start(args(&flags).unwrap()).await.unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(named) && error.contains("admin API"),
            "{error}"
        );
    }
    for flag in site.flags() {
        assert!(args(&[flag]).is_err());
    }
}

#[test]
fn plain_text_beyond_loopback_is_warned_of() {
    let site = Site::new(&Authority::new("ours"));
    let warns = |extra: &[&str]| {
        let service = ServiceProcess::start(1024, extra);
        service.log().contains("plain text beyond this machine")
    };
    let [certificate, key] = site.flags();
    assert!(warns(&["--listen=0.0.0.0:0"]));
    assert!(!warns(&["--listen=0.0.0.0:0", &certificate, &key]));
    assert!(!warns(&[]));
}
