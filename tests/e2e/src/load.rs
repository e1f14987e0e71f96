//! Clients that send requests without a pause, while something else happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{PATIENCE, Reply, Stack, eventually};

/// Failed requests are shown, but not thousands of them.
const SHOWN: usize = 20;

/// How many requests any machine answers within [`PATIENCE`].
const STEP: usize = 1_000;

/// Running clients.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

/// What the clients saw.
#[derive(Debug)]
pub struct Outcome {
    /// Requests that were answered completely.
    pub answered: usize,
    /// What happened to the others.
    pub failed: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    model: String,
    /// What clients say that they are, if anything.
    key: Option<String>,
    stopped: AtomicBool,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Load {
    /// Makes `clients` clients request `model`, each on its own persistent connection; every third
    /// request is a stream.
    pub fn start(stack: &Stack, model: &str, clients: usize) -> Self {
        Self::start_as(stack, model, (clients, None))
    }

    /// The same for clients with a key.
    pub fn start_as(stack: &Stack, model: &str, clients: (usize, Option<&str>)) -> Self {
        Self::start_with(&stack.envoy.url(), model, clients)
    }

    /// The same for clients of any gateway, by its base URL.
    pub fn start_at(url: &str, model: &str, clients: usize) -> Self {
        Self::start_with(url, model, (clients, None))
    }

    fn start_with(url: &str, model: &str, (clients, key): (usize, Option<&str>)) -> Self {
        let shared = Arc::new(Shared {
            url: format!("{url}/v1/chat/completions"),
            model: model.to_owned(),
            key: key.map(str::to_owned),
            stopped: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let client = |_| tokio::spawn(Arc::clone(&shared).ask_until_stopped());
        Self {
            clients: (0..clients).map(client).collect(),
            shared,
        }
    }

    /// Waits until this many more requests have been answered, as long as some are.
    pub async fn answered(&self, more: usize) {
        let (started, mut left) = (self.so_far(), more);
        while left > 0 {
            left = left.saturating_sub(STEP);
            eventually("the load is served", async || {
                (self.so_far() >= started + more - left).then_some(())
            })
            .await;
        }
    }

    /// Requests answered so far.
    pub fn so_far(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Lets every client finish its request, and returns what they saw.
    pub async fn stop(self) -> Outcome {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.clients {
            failed.extend(client.await.expect("a client"));
        }
        Outcome {
            answered: self.shared.answered.load(Ordering::Relaxed),
            failed,
        }
    }
}

impl Outcome {
    /// Fails if a single request was not answered.
    #[track_caller]
    pub fn nothing_is_lost(&self) {
        let shown = &self.failed[..self.failed.len().min(SHOWN)];
        assert!(
            self.failed.is_empty(),
            "{} requests failed, {} were answered: {shown:#?}",
            self.failed.len(),
            self.answered
        );
    }
}

impl Shared {
    async fn ask_until_stopped(self: Arc<Self>) -> Vec<String> {
        let client = Client::builder().timeout(PATIENCE).build();
        let client = client.expect("a client");
        let mut failed = Vec::new();
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            match self.ask(&client, number).await {
                Ok(()) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(fault) => {
                    failed.push(fault);
                    // What fails, fails at once; thousands of failures would reveal nothing more.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        failed
    }

    /// One request, which must get its own words back.
    async fn ask(&self, client: &Client, number: usize) -> Result<(), String> {
        let (stream, word) = (number.is_multiple_of(3), format!("word-{number}-of-mine"));
        let body: Value = json!({
            "model": self.model,
            "stream": stream,
            "messages": [{"role": "user", "content": word}],
        });
        let mut request = client.post(&self.url).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let sent = request.send().await;
        let reply = Reply::read(sent.map_err(|error| format!("{word}: {error:?}"))?).await;
        let is_whole = !reply.is_cut && (!stream || reply.is_done());
        if reply.status != 200 || !is_whole || !says(&reply, stream, &word) {
            return Err(format!("{word}: {reply:?}"));
        }
        Ok(())
    }
}

fn says(reply: &Reply, stream: bool, word: &str) -> bool {
    let text = if stream {
        reply.streamed_text()
    } else {
        reply.text_of_answer()
    };
    text.contains(word)
}
