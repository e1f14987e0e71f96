//! Wrong tokens are limited by address, and do not affect right ones.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{DEADLINE, Reply, TOKEN, TestService, install_cryptography, receive};
use crate::web::{log_in, send_log_in};
use futures::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

/// A guess that looks like a token, so that it must be looked up.
fn guess(number: usize) -> String {
    format!("bedrock-admin-{number:043}")
}

async fn list(service: &TestService, token: &str) -> Reply {
    let request = Client::new().get(service.url("/api/channels"));
    receive(request.bearer_auth(token)).await
}

#[tokio::test]
async fn a_right_token_works_whatever_wrong_ones_its_address_sends() {
    let service = TestService::start().await;
    let body = json!({"name": "ci", "role": "viewer"}).to_string();
    let made = service.send(Method::POST, "/api/tokens", body).await.json();
    let named = made["token"].as_str().unwrap();
    let mut guesses: Vec<_> = (0..20).map(guess).collect();
    guesses.extend(["wrong".to_owned(), format!("{named}x"), String::new()]);
    for reply in join_all(guesses.iter().map(|guess| list(&service, guess))).await {
        reply.problem(401);
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
    }
    for token in [TOKEN, named] {
        let reply = list(&service, token).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
}

#[tokio::test]
async fn the_same_is_true_of_the_page() {
    let service = TestService::start().await;
    let guesses: Vec<_> = (0..20).map(guess).collect();
    for reply in join_all(guesses.iter().map(|guess| send_log_in(&service, guess, ""))).await {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{reply:?}");
        assert!(
            reply.text.contains("This is not a valid token"),
            "{reply:?}"
        );
    }
    log_in(&service, TOKEN).await;
}

#[tokio::test]
async fn wrong_tokens_beyond_the_quota_are_answered_late() {
    let service = TestService::start().await;
    let guesses: Vec<_> = (0..40).map(guess).collect();
    let start = Instant::now();
    for reply in join_all(guesses.iter().map(|guess| list(&service, guess))).await {
        reply.problem(401);
    }
    assert!(start.elapsed() >= Duration::from_secs(1));
}

/// A service in its own process, whose log is read.
struct Program {
    child: Child,
    admin: String,
    log: Arc<Mutex<Vec<String>>>,
    _dir: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_config-service"))
            .args(["--listen=127.0.0.1:0", "--xds-listen=127.0.0.1:0", "--init"])
            .args(["--admin-token=t", "--wasm-path-in-envoy=/x.wasm"])
            .arg("--database")
            .arg(dir.path().join("test.db"))
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("config-service started"))
            .unwrap();
        let (_, rest) = started.split_once("admin=").unwrap();
        let admin = rest.split_whitespace().next().unwrap().to_owned();
        let log = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                own.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            admin,
            log,
            _dir: dir,
        }
    }

    /// Sends a wrong token for a client behind a proxy.
    async fn guess(&self, client: &str) {
        let request = Client::new()
            .get(format!("http://{}/api/channels", self.admin))
            .header("x-forwarded-for", client)
            .bearer_auth("wrong");
        receive(request).await.problem(401);
    }

    fn refusals(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let refused = log.iter().filter(|line| line.contains("refused"));
        refused.cloned().collect()
    }
}

/// How many refusals some log lines report.
fn counted(refusals: &[String]) -> usize {
    let unlogged = refusals.iter().map(|line| {
        let (_, count) = line.rsplit_once("unlogged=").unwrap();
        count.trim().parse::<usize>().unwrap()
    });
    unlogged.sum::<usize>() + refusals.len()
}

#[tokio::test]
async fn the_log_names_the_client_behind_a_proxy_and_does_not_grow_with_every_guess() {
    install_cryptography();
    let program = Program::start(&["--trusted-proxies=127.0.0.0/8"]);
    let start = Instant::now();
    join_all((0..40).map(|_| program.guess("192.0.2.1, 203.0.113.1"))).await;
    let others = ["203.0.113.2", "203.0.113.3", "203.0.113.4"];
    join_all(others.map(|client| program.guess(client))).await;
    // None is lost: each line says how many were not logged since the previous one. The others have their
    // own quota, unless one shares it by chance, so a line of theirs may report the first client's.
    let deadline = Instant::now() + DEADLINE;
    while counted(&program.refusals()) < 40 {
        assert!(Instant::now() < deadline, "{:?}", program.refusals());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refusals = program.refusals();
    let all = counted(&refusals);
    assert!(all <= 43, "{all}: {refusals:?}");
    let is_of_others = |line: &String| others.iter().any(|own| line.contains(own));
    assert!(refusals.iter().any(is_of_others), "{refusals:?}");
    let of_first = refusals
        .iter()
        .filter(|line| line.contains("client=203.0.113.1 "));
    let most = 10 + 1 + start.elapsed().as_secs() / 6;
    assert!(of_first.count() as u64 <= most, "{refusals:?}");
    let log = program.log.lock().unwrap();
    assert!(
        !log.iter().any(|line| line.contains("status=401")),
        "{log:?}"
    );
}
