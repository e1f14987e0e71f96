//! The exchanges to play, and what their correct answers are.
//!
//! Bodies are those of the load bench, so that its times and these counts are about the same
//! exchanges.

mod checks;
mod configurations;

use std::iter;

use anyhow::{Context as _, Result};
use load::canned;
use load::load::Load;
use load::variant::Variant;

use self::checks::{completion, message, models, refusal, response, stream};
use crate::envoy::{self, Attempt, Played, Request};
use crate::vm::Vm;

/// An exchange whose cost is counted.
#[derive(Debug)]
pub struct Exchange {
    /// Its name in the budget file.
    pub name: String,
    /// The plugin configuration, as JSON.
    pub configuration: Vec<u8>,
    /// Which part of it is counted.
    pub part: Part,
}

/// What is counted.
#[derive(Debug)]
pub enum Part {
    /// Accepting the plugin configuration.
    Configure,
    /// A request and its answer.
    Play(Play),
}

/// A request, the upstreams' answers, and what both ends must see.
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

    /// Checks that both ends got what they should.
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
    for variant in [Variant::SigV4, Variant::Bearer] {
        let native = chat(
            &format!("messages-200k-{}", variant.name()),
            Load::Messages200k,
            variant,
        );
        all.push(native.checked(message));
    }
    all.extend([
        chat("responses-1k-bearer", Load::Responses1k, Variant::Bearer).checked(response),
        translated("messages-1k-translated"),
        recorded("chat-1k-bearer-usage"),
    ]);
    let frames: Vec<_> = canned::frames().iter().map(|own| own.to_vec()).collect();
    all.extend([
        streamed("stream-200-one-read", vec![frames.concat()]),
        streamed("stream-200-frame-by-frame", frames),
        failing_over("failover-chat-1k", Load::Chat1k, &["200"]),
        failing_over("failover-chat-200k", Load::Chat200k, &["200"]),
        failing_over(
            "failover-chat-1k-second-channel",
            Load::Chat1k,
            &["503", "200"],
        ),
        of_channels("chat-of-1000-channels", 1_000),
        of_callers("chat-1k-of-one-caller", 1),
        of_callers("chat-1k-of-10000-callers", 10_000),
        Exchange {
            configuration: configurations::of_local_limits(),
            ..chat("chat-1k-local-limits", Load::Chat1k, Variant::Bearer)
        },
        Exchange {
            configuration: configurations::of_everything_seen(),
            ..chat("chat-1k-everything-seen", Load::Chat1k, Variant::Bearer)
        },
        listed(),
        refused(),
        configured("configure-10-channels", 10),
        configured("configure-1000-channels", 1_000),
        Exchange {
            name: "configure-10000-callers".to_owned(),
            configuration: configurations::of_callers(10_000),
            part: Part::Configure,
        },
    ]);
    all
}

impl Exchange {
    /// The same with another check.
    fn checked(mut self, check: fn(&Play, &Played) -> Result<()>) -> Self {
        if let Part::Play(play) = &mut self.part {
            play.check = check;
        }
        self
    }
}

fn chat(name: &str, load: Load, variant: Variant) -> Exchange {
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_bench(variant),
        part: Part::Play(Play {
            request: Request {
                path: load.path(),
                ..post(load.body(variant).to_vec())
            },
            attempts: vec![answer(None, "200")],
            check: completion,
        }),
    }
}

/// The smallest chat, whose usage is recorded.
fn recorded(name: &str) -> Exchange {
    Exchange {
        configuration: configurations::recording(Variant::Bearer),
        ..chat(name, Load::Chat1k, Variant::Bearer)
    }
}

/// A message for a model that takes other bodies.
fn translated(name: &str) -> Exchange {
    let mut answer = answer(None, "200");
    answer.pieces = vec![configurations::nova_answer()];
    Exchange {
        name: name.to_owned(),
        configuration: configurations::of_nova(),
        part: Part::Play(Play {
            request: Request {
                path: Load::Messages200k.path(),
                ..post(load::load::message(configurations::NOVA).to_vec())
            },
            attempts: vec![answer],
            check: message,
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

/// A chat through both stages, tried on one channel after another until one answers 200.
fn failing_over(name: &str, load: Load, statuses: &[&'static str]) -> Exchange {
    let channels = configurations::FAILING_OVER.iter().copied();
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

/// The chat of 1 KB with a Bedrock API key, from one of many callers.
fn of_callers(name: &str, count: usize) -> Exchange {
    Exchange {
        configuration: configurations::of_callers(count),
        ..chat(name, Load::Chat1k, Variant::Bearer)
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

/// An answer to a chat: a complete one, or an error from Bedrock.
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
