//! How many bytes of requests are held for another attempt, and whose they are.
//!
//! A client may hold as much as it leaves free: alone it gets to half of all, two of them to a third each, and
//! so on. Whoever comes next finds room, so that one client's long requests leave others their short ones.
//! Known from switches with shared memory as dynamic thresholds: <https://doi.org/10.1109/90.664262>.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::StatusCode;

use super::{Dispatcher, Event, What};
use crate::chat::Error;
use crate::routes::Routes;

/// Seconds after which a client may try again. What is held is given back within them where requests are
/// short; where they are long, another try costs little.
const RETRY_AFTER: u32 = 2;

/// Bits of an IPv6 address that tell one customer from another: whoever has one address of a network has
/// all of it (<https://www.rfc-editor.org/rfc/rfc6177>).
const NETWORK_BITS: u32 = 64;

/// Whose request it is, by the address that Envoy takes for the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(Option<IpAddr>);

impl Client {
    /// The client at an address with its port, as Envoy writes it in `source.address`. Whatever has none,
    /// such as a Unix socket, is one client.
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

/// What the requests of one worker hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    total: Cell<usize>,
    by_client: RefCell<BTreeMap<Client, usize>>,
}

/// Why a request cannot be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    /// Its client holds its share already.
    OfClient,
    /// Others hold too much.
    OfAll,
}

impl Dispatcher {
    /// Makes room for a request of so many bytes, before it is read.
    ///
    /// # Errors
    ///
    /// A 503 when too many are held already, in all or for this client.
    pub fn hold(&self, routes: &Routes, client: Client, bytes: usize) -> Result<Hold, Error> {
        let most = routes.failover().unwrap_or_default().max_held_bytes;
        self.held.take(client, bytes, most).map_err(|full| {
            self.events.borrow_mut().push(Event {
                channel: None,
                what: What::Overload,
                reason: full.reason(),
            });
            full.error()
        })
    }
}

impl Full {
    /// A word for metrics.
    fn reason(self) -> &'static str {
        match self {
            Self::OfClient => "client",
            Self::OfAll => "all",
        }
    }

    /// The client's error.
    fn error(self) -> Error {
        let message = match self {
            Self::OfClient => {
                "The gateway holds as many requests from your address as it can; wait for their answers, then \
                 retry."
            }
            Self::OfAll => "The gateway holds as many requests as it can; please retry.",
        };
        overloaded(message)
    }
}

/// The error of a client whose request there is no room for at the moment.
#[must_use]
pub fn overloaded(message: &str) -> Error {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Error::server(status, "overloaded", message).retry_after(RETRY_AFTER)
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub struct Hold {
    held: Rc<Held>,
    client: Client,
    bytes: usize,
}

impl Held {
    /// Holds bytes for a client, of `most` in all.
    fn take(self: &Rc<Self>, client: Client, bytes: usize, most: usize) -> Result<Hold, Full> {
        let mut by_client = self.by_client.borrow_mut();
        let own = by_client.get(&client).copied().unwrap_or(0);
        let total = self.total.get() + bytes;
        if own + bytes > most.saturating_sub(total) {
            return Err(if own == 0 {
                Full::OfAll
            } else {
                Full::OfClient
            });
        }
        by_client.insert(client, own + bytes);
        self.total.set(total);
        Ok(Hold {
            held: Rc::clone(self),
            client,
            bytes,
        })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.total.get() == 0 && self.by_client.borrow().is_empty()
    }
}

/// What was held is given back.
impl Drop for Hold {
    fn drop(&mut self) {
        let total = &self.held.total;
        total.set(total.get().saturating_sub(self.bytes));
        let mut by_client = self.held.by_client.borrow_mut();
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

    /// Lets a client hold pieces until it gets no more.
    fn fill(held: &Rc<Held>, client: Client, bytes: usize, most: usize) -> (Vec<Hold>, Full) {
        let mut holds = Vec::new();
        loop {
            match held.take(client, bytes, most) {
                Ok(hold) => holds.push(hold),
                Err(full) => return (holds, full),
            }
        }
    }

    #[test]
    fn one_client_gets_half_and_leaves_the_rest_to_others() {
        let held = Rc::new(Held::default());
        let (first, full) = fill(&held, client(1), 1, 1200);
        assert_eq!((first.len(), full), (600, Full::OfClient));
        let (second, full) = fill(&held, client(2), 1, 1200);
        assert_eq!((second.len(), full), (300, Full::OfClient));
        assert_eq!(held.take(client(3), 151, 1200).err(), Some(Full::OfAll));
        assert!(held.take(client(3), 150, 1200).is_ok());
        drop((first, second));
        assert!(held.is_empty());
    }

    #[test]
    fn a_thousand_clients_leave_room_for_one_more() {
        let held = Rc::new(Held::default());
        let most = 256 * 1024 * 1024;
        let holds: Vec<_> = (0..1000)
            .map(|number| fill(&held, client(number), 64 * 1024, most).0)
            .collect();
        assert!(held.take(client(1000), 4096, most).is_ok());
        drop(holds);
        assert!(held.is_empty());
    }

    #[test]
    fn the_longest_request_passes_where_nobody_else_is() {
        let held = Rc::new(Held::default());
        let half = held.take(client(1), 50, 100).unwrap();
        assert_eq!(held.take(client(2), 50, 100).err(), Some(Full::OfAll));
        assert!(held.take(client(2), 25, 100).is_ok());
        drop(half);
        assert!(held.take(client(2), 50, 100).is_ok());
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let held = Rc::new(Held::default());
        let (mut holds, _) = fill(&held, client(1), 10, 100);
        assert_eq!(holds.len(), 5);
        holds.pop();
        assert_eq!(fill(&held, client(1), 10, 100).0.len(), 1);
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
