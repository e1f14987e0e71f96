//! What is played, and what a right answer to it is.
//!
//! Bodies are those of the load bench, so that its times and these counts speak of the same exchanges.

mod checks;
mod configurations;

use std::iter;

use anyhow::{Context as _, Result};
use load::canned;
use load::load::Load;
use load::variant::Variant;

use self::checks::{completion, models, refusal, stream};
use crate::envoy::{self, Attempt, Played, Request};
use crate::vm::Vm;

/// One thing whose cost is counted.
#[derive(Debug)]
pub struct Exchange {
    /// Its name in the file of figures.
    pub name: String,
    /// The plugin configuration, as JSON.
    pub configuration: Vec<u8>,
    /// What of it is counted.
    pub part: Part,
}

/// What is counted.
#[derive(Debug)]
pub enum Part {
    /// Taking the plugin configuration.
    Configure,
    /// A request and its answer.
    Play(Play),
}

/// A request, what upstreams answer, and what both ends have to see.
#[derive(Debug)]
pub struct Play {
    request: Request,
    attempts: Vec<Attempt>,
    check: fn(&Play, &Played) -> Result<()>,
}

impl Play {
    /// Plays it once.
    ///
    /// # Errors
    ///
    /// As [`envoy::play`].
    pub fn run(&self, vm: &mut Vm) -> Result<Played> {
        envoy::play(vm, &self.request, &self.attempts)
    }

    /// Whether everybody got what they should.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn check(&self, played: &Played) -> Result<()> {
        (self.check)(self, played).with_context(|| {
            let start = played.body.get(..2_000).unwrap_or(&played.body);
            let start = String::from_utf8_lossy(start);
            format!("the client got {}: {start}", played.status)
        })
    }
}

/// Everything that is counted.
#[must_use]
pub fn all() -> Vec<Exchange> {
    let mut all = Vec::new();
    for load in [Load::Chat1k, Load::Chat200k, Load::Image4m] {
        let name = load.name();
        all.push(chat(&format!("{name}-sigv4"), load, Variant::SigV4));
        all.push(chat(&format!("{name}-bearer"), load, Variant::Bearer));
    }
    let frames: Vec<_> = canned::frames().iter().map(|own| own.to_vec()).collect();
    all.extend([
        streamed("stream-200-one-read", vec![frames.concat()]),
        streamed("stream-200-frame-by-frame", frames),
        relayed("failover-chat-1k", Load::Chat1k, &["200"]),
        relayed("failover-chat-200k", Load::Chat200k, &["200"]),
        relayed(
            "failover-chat-1k-second-channel",
            Load::Chat1k,
            &["503", "200"],
        ),
        of_channels("chat-of-1000-channels", 1_000),
        listed(),
        refused(),
        configured("configure-10-channels", 10),
        configured("configure-1000-channels", 1_000),
    ]);
    all
}

fn chat(name: &str, load: Load, variant: Variant) -> Exchange {
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_bench(variant),
        part: Part::Play(Play {
            request: post(load.body(variant).to_vec()),
            attempts: vec![answer(None, "200")],
            check: completion,
        }),
    }
}

fn streamed(name: &str, pieces: Vec<Vec<u8>>) -> Exchange {
    let (load, variant) = (Load::StreamBurst, Variant::SigV4);
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_bench(variant),
        part: Part::Play(Play {
            request: post(load.body(variant).to_vec()),
            attempts: vec![Attempt {
                channel: None,
                status: "200",
                content_type: "application/vnd.amazon.eventstream",
                pieces,
            }],
            check: stream,
        }),
    }
}

/// A chat through both stages, tried on one channel after the other until one answers 200.
fn relayed(name: &str, load: Load, statuses: &[&'static str]) -> Exchange {
    let channels = configurations::RELAYING.iter().copied();
    let attempts = channels.zip(statuses);
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_failover(),
        part: Part::Play(Play {
            request: post(load.body(Variant::TwoStage).to_vec()),
            attempts: attempts
                .map(|(channel, status)| answer(Some(channel), status))
                .collect(),
            check: completion,
        }),
    }
}

fn of_channels(name: &str, channels: usize) -> Exchange {
    let model = configurations::model(channels - 1, 0);
    let body = serde_json::json!({
        "model": model,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 16,
    });
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_channels(channels),
        part: Part::Play(Play {
            request: post(body.to_string().into_bytes()),
            attempts: vec![answer(None, "200")],
            check: completion,
        }),
    }
}

fn listed() -> Exchange {
    Exchange {
        name: "models-of-10-channels".to_owned(),
        configuration: configurations::of_channels(10),
        part: Part::Play(Play {
            request: Request {
                method: "GET",
                path: "/v1/models",
                body: Vec::new(),
            },
            attempts: Vec::new(),
            check: models,
        }),
    }
}

fn refused() -> Exchange {
    let body =
        br#"{"model": "nobody-serves-this", "messages": [{"role": "user", "content": "Hi"}]}"#;
    Exchange {
        name: "refused-unknown-model".to_owned(),
        configuration: configurations::of_channels(10),
        part: Part::Play(Play {
            request: post(body.to_vec()),
            attempts: Vec::new(),
            check: refusal,
        }),
    }
}

fn configured(name: &str, channels: usize) -> Exchange {
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_channels(channels),
        part: Part::Configure,
    }
}

fn post(body: Vec<u8>) -> Request {
    Request {
        method: "POST",
        path: "/v1/chat/completions",
        body,
    }
}

/// An answer to a chat: a whole one, or an error of Bedrock's.
fn answer(channel: Option<&str>, status: &'static str) -> Attempt {
    let body = match status {
        "200" => canned::answer().to_vec(),
        _ => br#"{"message": "Bedrock is unable to process your request."}"#.to_vec(),
    };
    Attempt {
        channel: channel.map(str::to_owned),
        status,
        content_type: "application/json",
        pieces: iter::once(body).collect(),
    }
}
