//! An upstream that sends whatever a test tells it to, byte for byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A running raw upstream, on every address of the machine. It does not check what it receives.
#[derive(Debug)]
pub struct RawUpstream {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    connections: Arc<AtomicUsize>,
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
    /// What this server answers, which is recorded.
    Server(SocketAddr, Arc<Mutex<Vec<u8>>>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and once it may, the rest.
    Halves(Vec<u8>, Vec<u8>, Arc<Semaphore>),
}

/// The second half of an answer, which waits.
#[derive(Debug)]
#[must_use]
pub struct SecondHalf(Arc<Semaphore>);

impl SecondHalf {
    /// Lets it follow.
    pub fn follow(self) {
        self.0.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

/// How a connection ends after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Normally.
    Closed,
    /// By a reset.
    Reset,
    /// Not at all: the next request arrives on the same connection.
    Stays,
    /// By a reset once the next request has arrived, which is not answered.
    ResetsNext,
}

impl RawUpstream {
    /// Listens and forwards to a server, until it is given answers of its own.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = Arc::new(Mutex::new(Answer {
            source: Source::Server(server, Arc::default()),
            end: End::Closed,
        }));
        let shared = Arc::clone(&answer);
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&shared);
                tokio::spawn(async move {
                    // Broken connections are what such an upstream is for.
                    let _ = converse(client, &answer).await;
                });
            }
        });
        Self {
            port,
            answer,
            connections,
            task,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections were made to it so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server behind it has answered since forwarding started, or since the last call.
    pub fn heard(&self) -> Vec<u8> {
        match &self.answer.lock().expect("no panic").source {
            Source::Server(_, heard) => std::mem::take(&mut heard.lock().expect("no panic")),
            Source::Bytes(_) | Source::Halves(..) => Vec::new(),
        }
    }

    /// Answers every request with the first bytes from now on, and is silent until it may send the second.
    pub fn say_in_halves(&self, first: &[u8], second: &[u8]) -> SecondHalf {
        let wait = Arc::new(Semaphore::new(0));
        let source = Source::Halves(first.to_vec(), second.to_vec(), Arc::clone(&wait));
        let end = End::Closed;
        *self.answer.lock().expect("no panic") = Answer { source, end };
        SecondHalf(wait)
    }

    /// Goes on forwarding, but only the first request of each connection.
    pub fn serve_once_each(&self) {
        self.answer.lock().expect("no panic").end = End::ResetsNext;
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
                if end == End::ResetsNext {
                    read_request(&mut client).await?;
                    client.set_zero_linger()?;
                    return Ok(());
                }
            }
            Source::Halves(first, second, wait) => {
                client.write_all(&first).await?;
                // It is never closed.
                let _ = wait.acquire().await;
                client.write_all(&second).await?;
                return Ok(());
            }
            Source::Bytes(bytes) => {
                client.write_all(&bytes).await?;
                if end == End::Reset {
                    // Without lingering, closing a connection resets it.
                    client.set_zero_linger()?;
                }
                if end != End::Stays {
                    return Ok(());
                }
            }
        }
    }
}

/// Everything until the other side has nothing more to send for this request, because it is told
/// to close.
async fn pass_on(
    server: &mut TcpStream,
    client: &mut TcpStream,
    heard: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let (mut piece, mut first) = (vec![0; 64 * 1024], [0]);
    loop {
        let read = tokio::select! {
            read = server.read(&mut piece) => read?,
            // The client has received everything and continues with the next request. That it is `readable` might
            // only mean that it was.
            next = client.peek(&mut first) => { next?; return Ok(()); }
        };
        if read == 0 {
            return Ok(());
        }
        heard.lock().expect("no panic").extend(&piece[..read]);
        client.write_all(&piece[..read]).await?;
    }
}

/// The headers of a request and its body, which has a length.
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
