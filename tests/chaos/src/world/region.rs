//! The Bedrock regions, each with its own channel.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bedrock_simulator::{Fault, Key, Recorded, Simulator};
use e2e::Front;
use serde_json::{Value, json};

use crate::secrets::secret;
use crate::story::{MISTYPED, Name, Story, TIMEOUT};

const REGION: &str = "us-east-1";

/// All regions.
#[derive(Debug)]
pub struct Regions([Region; Name::ALL.len()]);

/// A region that records every request in the story.
#[derive(Debug)]
pub struct Region {
    bedrock: Simulator,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Its channel's endpoint. Earlier ones stay for requests in flight.
    fronts: Vec<Front>,
    /// The id of its channel, while it has one.
    channel: Option<String>,
}

impl Regions {
    /// Starts all of them.
    pub async fn start(story: &Arc<Story>) -> Self {
        Self([
            Region::start(Name::A, story).await,
            Region::start(Name::B, story).await,
            Region::start(Name::C, story).await,
            Region::start(Name::D, story).await,
        ])
    }

    /// One of them.
    pub fn of(&self, name: Name) -> &Region {
        &self.0[name as usize]
    }

    /// A region's channel, as a body for the admin API.
    pub fn channel(&self, name: Name) -> Value {
        let mut body = json!({
            "name": name.channel(),
            "region": REGION,
            "endpoint": self.of(name).url(),
            "priority": name as u32,
            "credentials": credentials(name),
            "first_byte_timeout_seconds": TIMEOUT.as_secs(),
            "request_timeout_seconds": TIMEOUT.as_secs(),
        });
        if name == Name::B {
            body["model_mapping"] = json!({"claude-sonnet-4-5": "nova-pro"});
        }
        body
    }

    /// Ends the faults in all regions.
    pub fn calm(&self) {
        for region in &self.0 {
            region.set_faults([]);
            region.open();
        }
    }
}

impl Region {
    async fn start(name: Name, story: &Arc<Story>) -> Self {
        let story = Arc::clone(story);
        let observer = move |request: &Recorded| {
            if let Err(what) = story.ledger.saw(name, request, story.weather.breaks(name)) {
                story.broken(what);
            }
        };
        let builder = Simulator::builder()
            .credentials(Key::new(key_id(name), secret(name.channel())))
            .region(REGION)
            .observer(observer);
        let bedrock = builder.start().await.expect("a simulator");
        let front = Front::start(bedrock.addr()).await;
        Self {
            bedrock,
            state: Mutex::new(State {
                fronts: vec![front],
                channel: None,
            }),
        }
    }

    /// Injects these faults instead of all others.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.bedrock.replace_faults(faults);
    }

    /// Accepts another key.
    pub fn admit(&self, key: Key) {
        self.bedrock.admit(key);
    }

    /// Where its channel leads.
    pub fn url(&self) -> String {
        let state = self.state();
        state.fronts.last().expect("a front").url()
    }

    /// Moves to another port, and returns the URL there.
    pub async fn relocate(&self) -> String {
        let front = Front::start(self.addr()).await;
        let url = front.url();
        self.state().fronts.push(front);
        url
    }

    /// Resets all connections.
    pub fn reset(&self) {
        self.state().fronts.iter().for_each(Front::reset);
    }

    /// Refuses new connections.
    pub fn close(&self) {
        self.state().fronts.iter().for_each(Front::close);
    }

    /// Accepts connections again.
    pub fn open(&self) {
        self.state().fronts.iter().for_each(Front::open);
    }

    /// Id of its channel.
    pub fn channel(&self) -> Option<String> {
        self.state().channel.clone()
    }

    /// Records the id of its channel.
    pub fn set_channel(&self, id: Option<String>) {
        self.state().channel = id;
    }

    fn addr(&self) -> SocketAddr {
        self.bedrock.addr()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}

/// An access key that belongs to a region, or to none.
pub fn key(id: &str, name: &str) -> Value {
    json!({"type": "static", "access_key_id": id, "secret_access_key": secret(name)})
}

/// Credentials that a region does not know.
pub fn mistyped() -> Value {
    key(MISTYPED, "nobody")
}

/// Credentials of a region's channel.
pub fn credentials(name: Name) -> Value {
    let own = key(&key_id(name), name.channel());
    match name {
        Name::A | Name::C => own,
        Name::B => json!({
            "type": "assume_role",
            "role_arn": "arn:aws:iam::123456789012:role/bedrock",
            "source": own,
        }),
        Name::D => json!({"type": "bedrock_short_term_key", "source": own}),
    }
}

fn key_id(name: Name) -> String {
    format!("AKID{}", name.channel().to_uppercase())
}
