//! An upstream that says whatever a test tells it to, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running one. What it was sent is not judged.
#[derive(Debug)]
pub struct RawUpstream {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    task: JoinHandle<()>,
}

/// What every request gets.
#[derive(Clone, Debug)]
struct Answer {
    source: Source,
    end: End,
}

#[derive(Clone, Debug)]
enum Source {
    /// What this server answers, which is written down.
    Server(SocketAddr, Arc<Mutex<Vec<u8>>>),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// How a connection ends after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In good order.
    Closed,
    /// By a reset.
    Reset,
    /// Not at all: the next request comes on the same connection.
    Stays,
}

impl RawUpstream {
    /// Listens on loopback and leads to a server, until it is told what to say itself.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = Arc::new(Mutex::new(Answer {
            source: Source::Server(server, Arc::default()),
            end: End::Closed,
        }));
        let shared = Arc::clone(&answer);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let answer = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A connection that breaks is what such an upstream is for.
                    let _ = converse(client, &answer).await;
                });
            }
        });
        Self { port, answer, task }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server behind has answered since it was led to, or asked this the last time.
    pub fn heard(&self) -> Vec<u8> {
        match &self.answer.lock().expect("no panic").source {
            Source::Server(_, heard) => std::mem::take(&mut heard.lock().expect("no panic")),
            Source::Bytes(_) => Vec::new(),
        }
    }

    /// Answers every request with these bytes from now on.
    pub fn say(&self, bytes: impl Into<Vec<u8>>, end: End) {
        let source = Source::Bytes(bytes.into());
        *self.answer.lock().expect("no panic") = Answer { source, end };
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut client: TcpStream, answer: &Mutex<Answer>) -> std::io::Result<()> {
    let _ = client.set_nodelay(true);
    loop {
        let request = read_request(&mut client).await?;
        let Answer { source, end } = answer.lock().expect("no panic").clone();
        match source {
            Source::Server(address, heard) => {
                let mut server = TcpStream::connect(address).await?;
                server.write_all(&request).await?;
                pass_on(&mut server, &mut client, &heard).await?;
            }
            Source::Bytes(bytes) => {
                client.write_all(&bytes).await?;
                if end == End::Reset {
                    // Without lingering the end of a connection is a reset.
                    client.set_zero_linger()?;
                }
                if end != End::Stays {
                    return Ok(());
                }
            }
        }
    }
}

/// Everything until the other side has nothing more to say for this request: it is told to close.
async fn pass_on(
    server: &mut TcpStream,
    client: &mut TcpStream,
    heard: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            read = server.read(&mut piece) => read?,
            // The client has all of it and goes on to the next request.
            ready = client.readable() => { ready?; return Ok(()); }
        };
        if read == 0 {
            return Ok(());
        }
        heard.lock().expect("no panic").extend(&piece[..read]);
        client.write_all(&piece[..read]).await?;
    }
}

/// The head of a request and its body, which has a length.
async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        if let Some(head) = request.windows(4).position(|own| own == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a length"));
            if request.len() >= head + 4 + length {
                return Ok(request);
            }
        }
        let read = client.read(&mut piece).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        request.extend(&piece[..read]);
    }
}
