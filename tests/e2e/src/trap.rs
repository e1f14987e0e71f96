//! A proxy that lets nothing through and remembers which hosts were asked for.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy for clients that are to stay on this machine.
#[derive(Debug)]
pub struct Trap {
    url: String,
    caught: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Trap {
    /// Starts it on a port of loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let caught = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&caught);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(refuse(connection, Arc::clone(&seen)));
            }
        });
        Self { url, caught, task }
    }

    /// What to set as a proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first lines of the requests so far, such as `CONNECT example.com:443 HTTP/1.1`.
    pub fn caught(&self) -> Vec<String> {
        self.caught.lock().expect("no panic").clone()
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn refuse(connection: TcpStream, caught: Arc<Mutex<Vec<String>>>) {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    let _ = connection.read_line(&mut line).await;
    caught
        .lock()
        .expect("no panic")
        .push(line.trim_end().to_owned());
    let answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let _ = connection.write_all(answer).await;
}
