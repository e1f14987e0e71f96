//! The executable as an operator sees it: what it logs, how it stops, and which hosts it
//! calls.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bedrock_simulator::sts::Sts;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::common::envoy::{ECDS, Envoy, Service as At};
use crate::common::{SECRET, TOKEN, channel, channel_with, install_cryptography};

/// A generous limit for what takes milliseconds, or the ten seconds that open requests
/// get.
const DEADLINE: Duration = Duration::from_secs(60);

const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A service in its own process, on free ports.
struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
    client: Client,
    admin: String,
    xds: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts on the database in `dir`, with these additional arguments and variables.
    async fn start(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        install_cryptography();
        let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
        for variable in ["RUST_LOG", "BEDROCK_SEAL_KEY", "NO_PROXY", "no_proxy"] {
            command.env_remove(variable);
        }
        let mut child = command
            .args(["--listen=127.0.0.1:0", "--xds-listen=127.0.0.1:0"])
            .args(["--wasm-path-in-envoy=/x.wasm", "--init", "--database"])
            .arg(dir.join("test.db"))
            .args(arguments)
            .env("BEDROCK_ADMIN_TOKEN", TOKEN)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = written.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut program = Self {
            child,
            log,
            client: Client::builder().no_proxy().build().unwrap(),
            admin: String::new(),
            xds: String::new(),
        };
        program.wait_log("config-service started").await;
        let log = program.log();
        program.admin = address(&log, "admin");
        program.xds = address(&log, "xds");
        program
    }

    fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.clone()
    }

    /// Waits for a line in the log that contains this.
    async fn wait_log(&self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no `{text}` in {log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("http://{}{path}", self.admin);
        let request = self.client.request(method, url).bearer_auth(TOKEN);
        let reply = request.body(body.to_string()).send().await.unwrap();
        let status = reply.status();
        (status, reply.json().await.unwrap_or_default())
    }

    async fn create(&self, body: &Value) -> String {
        let (status, view) = self.send(Method::POST, "/api/channels", body).await;
        assert_eq!(status, StatusCode::CREATED, "{view}");
        view["id"].as_str().unwrap().to_owned()
    }

    /// Sends the process a signal, such as `TERM`.
    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &line]).status().unwrap();
        assert!(status.success());
    }

    async fn wait_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it is still running: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The address in a field of the first line about the start, in either format.
fn address(log: &str, field: &str) -> String {
    let (_, line) = log.split_once("config-service started").unwrap();
    let (_, rest) = line.split_once(field).unwrap();
    let rest = rest.trim_start_matches(['"', ':', '=']);
    let end = rest.find(['"', ' ', '\n']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

#[tokio::test]
async fn insecure_settings_are_logged_at_every_start() {
    let dir = TempDir::new().unwrap();
    let trusting = ["--trusted-endpoints=http://simulator:9000"];
    let program = Program::start(dir.path(), &trusting, &[]).await;
    assert!(
        !program.log().contains("STS is called"),
        "{}",
        program.log()
    );
    let any = json!({"allow_model_ids": "any"});
    program.create(&channel_with("open", &any)).await;
    let mut plain = channel_with("plain", &json!({"endpoint": "http://simulator:9000"}));
    plain["credentials"]
        .as_object_mut()
        .unwrap()
        .remove("session_token");
    program.create(&plain).await;
    drop(program);
    for _ in 0..2 {
        let sts = ["--sts-endpoint=http://sts.internal"];
        let program = Program::start(dir.path(), &sts, &[]).await;
        program.wait_log("STS is called in plain text").await;
        let unsealed = program.wait_log("CREDENTIALS ARE NOT SEALED").await;
        assert!(unsealed.contains("BEDROCK_SEAL_KEY"), "{unsealed}");
        let open = program.wait_log("every model in the account").await;
        assert!(open.contains("channels=\"open\""), "{open}");
        let plain = program.wait_log("no longer accepted").await;
        assert!(plain.contains("plain"), "{plain}");
    }
    let program = Program::start(dir.path(), &trusting, &[("BEDROCK_SEAL_KEY", KEY)]).await;
    let log = program.log();
    assert!(log.contains("credentials are sealed"), "{log}");
    for absent in ["NOT SEALED", "no longer accepted", KEY, SECRET, TOKEN] {
        assert!(!log.contains(absent), "{absent} is in {log}");
    }
}

/// Connects as an Envoy that accepts what it gets.
async fn acknowledge(program: &Program) {
    let uri = format!("http://{}", program.xds);
    let channel = tonic::transport::Channel::from_shared(uri).unwrap();
    let channel = channel.connect().await.unwrap();
    let envoy = Envoy::connect_over(channel, "node-1", At::Extensions).await;
    let mut envoy = envoy.unwrap();
    envoy.subscribe(ECDS, "").await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let (_, status) = program.send(Method::GET, "/api/status", &json!(null)).await;
        if status["envoys"][0]["state"] == "active" {
            return;
        }
        assert!(Instant::now() < deadline, "{status}");
    }
}

#[tokio::test]
async fn edits_requests_and_envoys_are_logged_and_acknowledgements_on_request() {
    let dir = TempDir::new().unwrap();
    let program = Program::start(dir.path(), &[], &[]).await;
    program.create(&channel("one")).await;
    let edited = program.wait_log("channel edited").await;
    assert!(
        edited.contains("revision=1") && edited.contains("one"),
        "{edited}"
    );
    let request = program.wait_log(" request ").await;
    for part in ["method=POST", "path=\"/api/channels\"", "status=201"] {
        assert!(request.contains(part), "{request}");
    }
    acknowledge(&program).await;
    program.wait_log("Envoy connected").await;
    program.wait_log("Envoy disconnected").await;
    assert!(!program.log().contains("DEBUG"), "{}", program.log());
    drop(program);
    let more = [("RUST_LOG", "config_service=debug")];
    let program = Program::start(dir.path(), &[], &more).await;
    acknowledge(&program).await;
    let line = program.wait_log("DEBUG").await;
    assert!(line.contains("config_service"), "{line}");
    program.wait_log("active node.id=\"node-1\"").await;
}

#[tokio::test]
async fn the_log_is_text_or_json_and_a_flag_overrides_its_variable() {
    let dir = TempDir::new().unwrap();
    let json = [("BEDROCK_LOG_FORMAT", "json")];
    for (arguments, is_json) in [(&[][..], true), (&["--log-format=text"], false)] {
        let mut program = Program::start(dir.path(), arguments, &json).await;
        program.signal("TERM");
        program.wait_end().await;
        let last = program.wait_log("config-service stopped").await;
        assert!(last.contains("INFO"), "{last}");
        for line in program.log().lines() {
            let read = serde_json::from_str::<Value>(line);
            assert_eq!(read.is_ok(), is_json, "{line}");
        }
    }
}

/// A request whose headers have arrived, and which waits for its body.
async fn half_a_request(program: &Program, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&program.admin).await.unwrap();
    let head = format!(
        "POST /api/channels HTTP/1.1\r\nhost: admin\r\nauthorization: Bearer {TOKEN}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 64];
    let count = stream.read(&mut told).await.unwrap();
    let told = String::from_utf8_lossy(&told[..count]);
    assert!(told.starts_with("HTTP/1.1 100"), "{told}");
    stream
}

/// Waits until nothing listens any more.
async fn closed(address: &str) {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(address).await.is_ok() {
        assert!(Instant::now() < deadline, "{address} is still open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn open_requests_are_answered_before_it_stops() {
    let dir = TempDir::new().unwrap();
    for (name, signal) in [("one", "TERM"), ("two", "INT")] {
        let mut program = Program::start(dir.path(), &[], &[]).await;
        let body = channel(name).to_string();
        let mut open = half_a_request(&program, &body).await;
        program.signal(signal);
        closed(&program.admin).await;
        open.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        open.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{signal}: {answer}");
        assert!(program.wait_end().await.success(), "{signal}");
        program.wait_log("config-service stopped").await;
    }
    let program = Program::start(dir.path(), &[], &[]).await;
    let (_, list) = program
        .send(Method::GET, "/api/channels", &json!(null))
        .await;
    assert_eq!(list["revision"], 2);
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_it_from_stopping() {
    let dir = TempDir::new().unwrap();
    let mut program = Program::start(dir.path(), &[], &[]).await;
    let _open = half_a_request(&program, "{}").await;
    program.signal("TERM");
    assert!(program.wait_end().await.success());
    program.wait_log("still open after the grace period").await;
}

/// Counts connections, and gives each an empty answer.
async fn counting() -> (String, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *counted.lock().unwrap() += 1;
            let _ = stream.read(&mut [0; 4096]).await;
            let nothing = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(nothing).await;
        }
    });
    (url, count)
}

#[tokio::test]
async fn it_connects_directly_and_not_through_a_proxy() {
    let dir = TempDir::new().unwrap();
    let ((proxy, through_proxy), (bedrock, tested)) = (counting().await, counting().await);
    let sts = Sts::start(Duration::from_secs(3600)).await.unwrap();
    let variables = [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ];
    let variables = variables.map(|name| (name, proxy.as_str()));
    let arguments = [
        format!("--sts-endpoint={}", sts.url()),
        format!("--trusted-endpoints={bedrock}"),
    ];
    let arguments = arguments.each_ref().map(String::as_str);
    let program = Program::start(dir.path(), &arguments, &variables).await;
    let role = json!({"credentials": {
        "type": "assume_role",
        "role_arn": "arn:aws:iam::123456789012:role/r",
        "source": channel("x")["credentials"],
    }});
    program.create(&channel_with("role", &role)).await;
    program.wait_log("credentials renewed").await;
    let fields = json!({"endpoint": bedrock, "credentials": {
        "type": "static", "access_key_id": "AKID", "secret_access_key": SECRET}});
    let id = program.create(&channel_with("key", &fields)).await;
    let plan = json!({"models": ["nova-pro"], "stream": false});
    let path = format!("/api/channels/{id}/test");
    let (status, report) = program.send(Method::POST, &path, &plan).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    assert_eq!(sts.calls().len(), 1);
    assert_eq!(*tested.lock().unwrap(), 1, "{report}");
    assert_eq!(*through_proxy.lock().unwrap(), 0);
}
