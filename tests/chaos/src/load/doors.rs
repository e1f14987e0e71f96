//! How clients reach the Envoys, and when.

use tokio::sync::watch;

use crate::story::{ENVOYS, Story};

/// The listeners of the Envoys, and the admin address.
#[derive(Debug)]
pub struct Doors {
    ports: [u16; ENVOYS],
    admin: u16,
    /// Counts the lives of an Envoy; odd while clients may use it.
    lives: [watch::Sender<u64>; ENVOYS],
}

impl Doors {
    /// Doors that are closed.
    pub fn new(ports: [u16; ENVOYS], admin: u16) -> Self {
        Self {
            ports,
            admin,
            lives: [(); ENVOYS].map(|()| watch::Sender::new(0)),
        }
    }

    /// Port of an Envoy's listener.
    pub fn port(&self, envoy: usize) -> u16 {
        self.ports[envoy]
    }

    /// An Envoy's URL for chats.
    pub fn chat(&self, envoy: usize) -> String {
        format!("http://127.0.0.1:{}/v1/chat/completions", self.ports[envoy])
    }

    /// Port of the admin API.
    pub fn admin_port(&self) -> u16 {
        self.admin
    }

    /// URL of a path of the admin API.
    pub fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin)
    }

    /// Lets clients in.
    pub fn open(&self, envoy: usize) {
        self.lives[envoy].send_modify(|life| *life |= 1);
    }

    /// Lets none in.
    pub fn close(&self, envoy: usize) {
        self.lives[envoy].send_modify(|life| *life += *life % 2);
    }

    /// Releases clients that wait at a closed door, once the run is over.
    pub fn wake(&self) {
        self.lives.iter().for_each(|life| life.send_modify(|_| ()));
    }

    /// Waits until an Envoy's door is open or the run is over; returns the number of its
    /// life.
    pub async fn wait_open(&self, envoy: usize, story: &Story) -> u64 {
        let mut life = self.lives[envoy].subscribe();
        let may_go = |life: &u64| life % 2 == 1 || story.is_over();
        let found = life.wait_for(may_go).await.map(|life| *life);
        found.unwrap_or_default()
    }
}
