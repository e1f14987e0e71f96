//! How many bytes of requests are kept for another attempt, and whose they are.
//!
//! A client may take up as much as it leaves free: half of everything when it is alone, a third each when there
//! are two, and so on. There is always room for one more client, so one client's long requests leave others their
//! short ones. Switches with shared memory call this dynamic thresholds: <https://doi.org/10.1109/90.664262>.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::StatusCode;

use crate::chat::Error;

/// Seconds after which a client may try again. Short requests give their memory back within that time; where
/// requests are long, another try costs little.
const RETRY_AFTER: u32 = 2;

/// Bits of an IPv6 address that identify a customer, who has the whole network and not only one address (<https://www.rfc-editor.org/rfc/rfc6177>).
const NETWORK_BITS: u32 = 64;

/// Whose request it is, by the address that Envoy takes for the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(Option<IpAddr>);

impl Client {
    /// The client at an address with its port, as Envoy writes it in `source.address`. Everything without
    /// one, such as a Unix socket, is one client.
    #[must_use]
    pub fn at(address: &[u8]) -> Self {
        let text = std::str::from_utf8(address).ok();
        let address = text.and_then(|text| text.parse::<SocketAddr>().ok());
        Self(address.map(|address| match address.ip().to_canonical() {
            IpAddr::V6(ip) => {
                let network = u128::MAX << (u128::BITS - NETWORK_BITS);
                IpAddr::V6((u128::from(ip) & network).into())
            }
            ip => ip,
        }))
    }
}

/// The memory that the requests of one worker take up.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    total: Cell<usize>,
    by_client: RefCell<BTreeMap<Client, usize>>,
}

/// Why there is no room for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its client takes up its whole share already.
    ForClient,
    /// Other clients take up too much.
    ForAll,
}

impl Full {
    /// Its label in metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::ForClient => "client",
            Self::ForAll => "all",
        }
    }

    /// The client's error.
    pub(super) fn error(self) -> Error {
        let message = match self {
            Self::ForClient => {
                "The gateway is handling as many requests from your address as it can; wait for their \
                 answers, then retry."
            }
            Self::ForAll => "The gateway is handling as many requests as it can; please retry.",
        };
        overloaded(message)
    }
}

/// The error for a request that there is no room for at the moment.
#[must_use]
pub fn overloaded(message: &str) -> Error {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Error::server(status, "overloaded", message).retry_after(RETRY_AFTER)
}

/// Memory that is taken until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    buffer: Rc<Buffer>,
    client: Client,
    bytes: usize,
}

impl Buffer {
    /// Reserves bytes for a client, of `limit` for all clients.
    pub(super) fn reserve(
        self: &Rc<Self>,
        client: Client,
        bytes: usize,
        limit: usize,
    ) -> Result<Reservation, Full> {
        let mut by_client = self.by_client.borrow_mut();
        let own = by_client.get(&client).copied().unwrap_or(0);
        let total = self.total.get() + bytes;
        if own + bytes > limit.saturating_sub(total) {
            return Err(if own == 0 {
                Full::ForAll
            } else {
                Full::ForClient
            });
        }
        by_client.insert(client, own + bytes);
        self.total.set(total);
        Ok(Reservation {
            buffer: Rc::clone(self),
            client,
            bytes,
        })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.total.get() == 0 && self.by_client.borrow().is_empty()
    }
}

/// Gives the memory back.
impl Drop for Reservation {
    fn drop(&mut self) {
        let total = &self.buffer.total;
        total.set(total.get().saturating_sub(self.bytes));
        let mut by_client = self.buffer.by_client.borrow_mut();
        let left = by_client
            .get(&self.client)
            .map_or(0, |own| own.saturating_sub(self.bytes));
        if left == 0 {
            by_client.remove(&self.client);
        } else {
            by_client.insert(self.client, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: usize) -> Client {
        Client::at(format!("10.0.{}.{}:40000", number / 256, number % 256).as_bytes())
    }

    /// Reserves pieces for a client until it gets no more.
    fn fill(
        buffer: &Rc<Buffer>,
        client: Client,
        bytes: usize,
        limit: usize,
    ) -> (Vec<Reservation>, Full) {
        let mut reservations = Vec::new();
        loop {
            match buffer.reserve(client, bytes, limit) {
                Ok(reservation) => reservations.push(reservation),
                Err(full) => return (reservations, full),
            }
        }
    }

    #[test]
    fn one_client_gets_half_and_leaves_the_rest_to_others() {
        let buffer = Rc::new(Buffer::default());
        let (first, full) = fill(&buffer, client(1), 1, 1200);
        assert_eq!((first.len(), full), (600, Full::ForClient));
        let (second, full) = fill(&buffer, client(2), 1, 1200);
        assert_eq!((second.len(), full), (300, Full::ForClient));
        assert_eq!(
            buffer.reserve(client(3), 151, 1200).err(),
            Some(Full::ForAll)
        );
        assert!(buffer.reserve(client(3), 150, 1200).is_ok());
        drop((first, second));
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_thousand_clients_leave_room_for_one_more() {
        let buffer = Rc::new(Buffer::default());
        let limit = 256 * 1024 * 1024;
        let reservations: Vec<_> = (0..1000)
            .map(|number| fill(&buffer, client(number), 64 * 1024, limit).0)
            .collect();
        assert!(buffer.reserve(client(1000), 4096, limit).is_ok());
        drop(reservations);
        assert!(buffer.is_empty());
    }

    #[test]
    fn the_longest_request_passes_when_it_is_alone() {
        let buffer = Rc::new(Buffer::default());
        let half = buffer.reserve(client(1), 50, 100).unwrap();
        assert_eq!(buffer.reserve(client(2), 50, 100).err(), Some(Full::ForAll));
        assert!(buffer.reserve(client(2), 25, 100).is_ok());
        drop(half);
        assert!(buffer.reserve(client(2), 50, 100).is_ok());
    }

    #[test]
    fn freed_memory_can_be_reserved_again() {
        let buffer = Rc::new(Buffer::default());
        let (mut reservations, _) = fill(&buffer, client(1), 10, 100);
        assert_eq!(reservations.len(), 5);
        reservations.pop();
        assert_eq!(fill(&buffer, client(1), 10, 100).0.len(), 1);
    }

    #[test]
    fn a_client_is_an_address_without_its_port_or_a_network() {
        let same =
            |one: &str, other: &str| Client::at(one.as_bytes()) == Client::at(other.as_bytes());
        assert!(same("10.0.0.1:1", "10.0.0.1:2"));
        assert!(!same("10.0.0.1:1", "10.0.0.2:1"));
        assert!(same("10.0.0.1:1", "[::ffff:10.0.0.1]:1"));
        assert!(same("[2001:db8::1]:1", "[2001:db8::ffff:1]:2"));
        assert!(!same("[2001:db8::1]:1", "[2001:db8:0:1::1]:1"));
        assert!(same("/run/envoy.sock", "@abstract"));
        assert_eq!(Client::at(b"\xff"), Client::default());
    }
}
