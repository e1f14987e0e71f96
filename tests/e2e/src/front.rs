//! A proxy in front of a server on loopback that can break its connections or refuse new
//! ones.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running front; its connections end when it is dropped.
#[derive(Debug)]
pub struct Front {
    port: u16,
    state: Arc<watch::Sender<State>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// Counts how often all connections were broken.
    breaks: u64,
    is_closed: bool,
}

impl Front {
    /// Listens on loopback and forwards to a server.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(watch::Sender::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = shared.subscribe();
                tokio::spawn(lead(client, server, state));
            }
        });
        Self { port, state, task }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Resets every connection.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.breaks += 1);
    }

    /// Resets every connection, and every new one until it opens again.
    pub fn close(&self) {
        self.state.send_modify(|state| {
            state.breaks += 1;
            state.is_closed = true;
        });
    }

    /// Accepts clients again.
    pub fn open(&self) {
        self.state.send_modify(|state| state.is_closed = false);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lead(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    let begun = *state.borrow_and_update();
    let _ = client.set_nodelay(true);
    if !begun.is_closed
        && let Ok(mut server) = TcpStream::connect(server).await
    {
        let _ = server.set_nodelay(true);
        let is_broken = |state: &State| state.breaks != begun.breaks;
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = state.wait_for(is_broken) => {}
        }
    }
    // Without lingering, closing a connection resets it.
    let _ = client.set_zero_linger();
}
