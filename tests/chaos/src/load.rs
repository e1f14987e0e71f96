//! Clients that send requests without a pause, each with unique words, and judge every answer.

mod doors;
mod probe;

pub use doors::Doors;
pub use probe::{wait_failover, wait_model};

use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::Reply;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::secrets::{self, SECRET_MARK};
use crate::settings::Tempo;
use crate::story::{Case, ENVOYS, End, Story, TIMEOUT, words};

/// The model name that clients request.
pub const MODEL: &str = "claude-sonnet-4-5";

/// How long a client waits for an answer, far longer than the gateway may take for all attempts.
const PATIENCE: Duration = Duration::from_secs(180);

/// Running clients.
#[derive(Debug)]
pub struct Load(Vec<JoinHandle<()>>);

impl Load {
    /// Lets clients send requests to both Envoys until the run is over.
    pub fn start(story: &Arc<Story>, doors: &Arc<Doors>, tempo: Tempo) -> Self {
        let clients =
            (0..ENVOYS).flat_map(|envoy| (0..tempo.clients()).map(move |own| (envoy, own)));
        let clients = clients.map(|(envoy, own)| {
            let (story, doors) = (Arc::clone(story), Arc::clone(doors));
            tokio::spawn(
                async move { ask_until_over(&story, &doors, (envoy, own), tempo.rest()).await },
            )
        });
        Self(clients.collect())
    }

    /// Waits until every client has got its last answer.
    pub async fn end(self) {
        for client in self.0 {
            client.await.expect("a client");
        }
    }
}

async fn ask_until_over(
    story: &Story,
    doors: &Doors,
    (envoy, own): (usize, usize),
    rest: Duration,
) {
    // Connections to a killed Envoy end with it.
    let (mut life, mut client) = (0, client(own));
    loop {
        let now = doors.wait_open(envoy, story).await;
        if story.is_over() {
            return;
        }
        if now != life {
            (life, client) = (now, self::client(own));
        }
        let _ = ask(story, (&client, &doors.chat(envoy)), envoy, 0).await;
        sleep(rest).await;
    }
}

/// A client with persistent connections; every third one speaks HTTP/2.
pub fn client(number: usize) -> Client {
    let builder = Client::builder().timeout(PATIENCE);
    let builder = match number % 3 {
        0 => builder.http2_prior_knowledge(),
        _ => builder,
    };
    builder.build().expect("a client")
}

/// Sends one request, with this many bytes besides its words, and judges the answer.
pub async fn ask(
    story: &Story,
    (client, url): (&Client, &str),
    envoy: usize,
    padding: usize,
) -> Option<End> {
    let number = story.number();
    let streams = number.is_multiple_of(3);
    let look = story.weather.look(envoy);
    story.ledger.open(number);
    let began = Instant::now();
    let request = client.post(url).json(&body(number, streams, padding));
    let got = match request
        .bearer_auth(format!("sk-{SECRET_MARK}of-a-client"))
        .send()
        .await
    {
        Ok(response) => Ok(Reply::read(response).await),
        Err(error) => Err(format!("{error:?}")),
    };
    let (took, felt) = (began.elapsed(), story.weather.since(&look));
    let late = felt.dead || felt.unreachable || took >= TIMEOUT;
    let attempts = story.ledger.close(number, late);
    let case = Case {
        words: &words(number),
        streams,
        attempts: &attempts,
        felt: &felt,
        took,
    };
    let end = case.judge(&got).and_then(|end| {
        let text = got.as_ref().map_or("", |reply| reply.text.as_str());
        secrets::check(text, "an answer to a client").map(|()| end)
    });
    match end {
        Ok(end) => {
            story.tally.count(format!("{end:?}"));
            story.answered();
            Some(end)
        }
        Err(what) => {
            story.broken(what);
            None
        }
    }
}

/// A chat request. Only its words are echoed.
pub fn body(number: u64, streams: bool, padding: usize) -> Value {
    let mut messages = vec![json!({"role": "user", "content": words(number)})];
    if padding > 0 {
        messages.insert(
            0,
            json!({"role": "system", "content": "long ".repeat(padding / 5)}),
        );
    }
    json!({"model": MODEL, "stream": streams, "messages": messages})
}
