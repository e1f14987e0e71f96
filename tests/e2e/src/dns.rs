//! A small DNS server, for one machine with many addresses.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::eventually;

/// Type and class of a question for an IPv4 address (RFC 1035, section 3.2).
const ADDRESS: [u8; 4] = [0, 1, 0, 1];

/// Length of a message's header.
const HEADER: usize = 12;

/// A running one.
#[derive(Debug)]
pub struct Dns {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    lookup: Mutex<Lookup>,
    asked: AtomicUsize,
}

/// What every name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// To this machine.
    Found,
    /// To this machine, by another address with every answer.
    Rotating,
    /// Nowhere: there is no such name.
    NoSuchName,
    /// Nowhere: the name has no address.
    NoAddress,
    /// The server fails.
    Fails,
    /// No answer comes.
    Silent,
}

impl Dns {
    /// Answers like this at first.
    pub async fn start(lookup: Lookup) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            lookup: Mutex::new(lookup),
            asked: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut question).await {
                if let Some(answer) = own.answer(&question[..length]) {
                    let _ = socket.send_to(&answer, peer).await;
                }
            }
        });
        Self { port, shared, task }
    }

    /// Port that it listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Answers like this from now on, and waits until an Envoy with one name has acted on it: it asks again then.
    pub async fn becomes(&self, lookup: Lookup) {
        self.becomes_for(lookup, 1).await;
    }

    /// The same for an Envoy in which so many clusters have a name. Each asks on its own, all equally often.
    pub async fn becomes_for(&self, lookup: Lookup, clusters: usize) {
        *self.shared.lookup.lock().expect("no panic") = lookup;
        // One look-up of each may be under way, and one more may be early.
        let enough = self.shared.asked.load(Ordering::SeqCst) + 3 * clusters - 1;
        eventually("Envoy has looked its names up", async || {
            (self.shared.asked.load(Ordering::SeqCst) >= enough).then_some(())
        })
        .await;
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let end = HEADER + question[HEADER..].iter().position(|byte| *byte == 0)? + 1;
        let kind: [u8; 4] = question.get(end..end + 4)?.try_into().ok()?;
        let lookup = *self.lookup.lock().expect("no panic");
        let mut addresses = Vec::new();
        if kind == ADDRESS {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            match lookup {
                Lookup::Found => addresses.push(Ipv4Addr::LOCALHOST),
                Lookup::Rotating => {
                    let last = u8::try_from(2 + asked % 200).expect("a byte");
                    addresses.push(Ipv4Addr::new(127, 0, 0, last));
                }
                _ => {}
            }
        }
        let code = match lookup {
            Lookup::Silent => return None,
            Lookup::NoSuchName => 3,
            Lookup::Fails => 2,
            Lookup::Found | Lookup::Rotating | Lookup::NoAddress => 0,
        };
        let mut answer = question[..2].to_vec();
        // A response, recursion was desired and is available.
        answer.extend([0x81, 0x80 | code, 0, 1, 0]);
        answer.push(u8::try_from(addresses.len()).expect("few addresses"));
        answer.extend([0, 0, 0, 0]);
        answer.extend(&question[HEADER..end + 4]);
        for address in addresses {
            // The name of the question, and a minute to live.
            answer.extend([0xc0, 0x0c]);
            answer.extend(ADDRESS);
            answer.extend([0, 0, 0, 60, 0, 4]);
            answer.extend(address.octets());
        }
        Some(answer)
    }
}
