//! How many connections there are, from whom, and which one to close for a new one.
//!
//! A new connection is admitted, and the one whose client has kept the service waiting longest makes room
//! for it. So whoever opens many loses their own, and a probe gets its answer even during a flood. Only if
//! the service is working on every one of them is the new one turned away.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tls::Port;
use super::{Places, Pulse};

/// Bits of an IPv6 address that identify a client; the client can choose the rest
/// (<https://www.rfc-editor.org/rfc/rfc4291#section-2.5.1>).
const IPV6_NETWORK: u128 = !0 << 64;

/// Counts the connections of a port. Clones share one count.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    port: Port,
    places: Places,
    open: Arc<Mutex<Open>>,
    /// One for each file descriptor. A connection that makes room gives its own back a moment later.
    descriptors: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, Connection>,
    /// Connections that were closed or turned away for others.
    pressed_out: u64,
}

#[derive(Debug)]
struct Connection {
    network: IpAddr,
    pulse: Pulse,
}

/// Permission for a connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    id: u64,
    open: Arc<Mutex<Open>>,
    descriptor: Option<OwnedSemaphorePermit>,
}

impl Admission {
    pub(super) fn new(port: Port, places: Places) -> Self {
        Self {
            port,
            descriptors: Arc::new(Semaphore::new(places.all)),
            places,
            open: Arc::default(),
        }
    }

    /// Admits a connection, if there is room for it or room can be made.
    pub(super) async fn admit(&self, peer: IpAddr, pulse: &Pulse) -> Option<Pass> {
        let mut pass = Pass {
            id: self.enter(network(peer), pulse)?,
            open: Arc::clone(&self.open),
            descriptor: None,
        };
        let descriptor = Arc::clone(&self.descriptors).acquire_owned().await;
        pass.descriptor = Some(descriptor.ok()?);
        Some(pass)
    }

    fn enter(&self, network: IpAddr, pulse: &Pulse) -> Option<u64> {
        let mut open = lock(&self.open);
        let own = open.of(network).count();
        let victim = if own >= self.places.per_address {
            Some(open.longest_waiting(|other| *other == network))
        } else if open.connections.len() >= self.places.all {
            let crowd = open.largest_crowd();
            Some(open.longest_waiting(|other| crowd.contains(other)))
        } else {
            None
        };
        if let Some(victim) = victim {
            let outcome = match victim {
                Some(_) => Outcome::MadeRoom,
                None => Outcome::TurnedAway,
            };
            open.note_pressure(self.port, network, outcome);
            let gone = open.connections.remove(&victim?)?;
            gone.pulse.end();
        }
        let id = open.next;
        open.next += 1;
        let pulse = pulse.clone();
        open.connections.insert(id, Connection { network, pulse });
        Some(id)
    }
}

/// What becomes of a connection for which there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Another one is closed for it.
    MadeRoom,
    /// It is closed itself.
    TurnedAway,
}

impl Open {
    fn of(&self, network: IpAddr) -> impl Iterator<Item = &Connection> {
        let connections = self.connections.values();
        connections.filter(move |it| it.network == network)
    }

    /// Among the connections from some networks, the one whose client has kept the service waiting
    /// longest.
    fn longest_waiting(&self, is_meant: impl Fn(&IpAddr) -> bool) -> Option<u64> {
        let meant = self
            .connections
            .iter()
            .filter(|(_, it)| is_meant(&it.network));
        let waiting = meant.filter_map(|(id, it)| Some((it.pulse.waits_since()?, *id)));
        waiting.min().map(|(_, id)| id)
    }

    /// The networks with the most connections whose clients keep the service waiting.
    fn largest_crowd(&self) -> Vec<IpAddr> {
        let mut crowds: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for connection in self.connections.values() {
            if connection.pulse.waits_since().is_some() {
                *crowds.entry(connection.network).or_default() += 1;
            }
        }
        let largest = crowds.values().max().copied();
        crowds.retain(|_, size| Some(*size) == largest);
        crowds.into_keys().collect()
    }

    /// Logs what happens, more and more rarely, so that a flood of connections does not flood the log.
    fn note_pressure(&mut self, port: Port, network: IpAddr, outcome: Outcome) {
        self.pressed_out += 1;
        if self.pressed_out.is_power_of_two() {
            let (open, pressed_out) = (self.connections.len(), self.pressed_out);
            let port = port.name();
            tracing::warn!(
                %network,
                has_room = outcome == Outcome::MadeRoom,
                open,
                pressed_out,
                "too many connections to {port}: idle ones are closed to make room for new ones"
            );
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.open).connections.remove(&self.id);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What counts as one address for the limits.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::listen::Patience;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(86_400),
        body: Duration::from_secs(86_400),
        idle: Duration::from_secs(86_400),
    };

    fn admission(all: usize, per_address: usize) -> Admission {
        Admission::new(Port::Admin, Places { all, per_address })
    }

    /// A connection, and the task that holds it until it must make room.
    async fn open(admission: &Admission, peer: &str) -> Option<Pulse> {
        let pulse = Pulse::new();
        let pass = admission.admit(peer.parse().unwrap(), &pulse).await?;
        let held = pulse.clone();
        tokio::spawn(async move {
            held.ended(&PATIENCE).await;
            drop(pass);
        });
        Some(pulse)
    }

    fn is_open(pulse: &Pulse) -> bool {
        pulse.waits_since().is_some()
    }

    #[tokio::test]
    async fn an_address_at_its_limit_loses_its_longest_waiting_connection() {
        let admission = admission(10, 2);
        let other = open(&admission, "10.0.0.2").await.unwrap();
        let first = open(&admission, "10.0.0.1").await.unwrap();
        let second = open(&admission, "10.0.0.1").await.unwrap();
        first.awaits_delivery();
        first.awaits_request();
        let third = open(&admission, "10.0.0.1").await.unwrap();
        assert_eq!(
            [&other, &first, &second, &third].map(is_open),
            [true, true, false, true]
        );
    }

    #[tokio::test]
    async fn the_address_with_most_connections_makes_room_for_others() {
        let admission = admission(3, 3);
        let single = open(&admission, "10.0.0.2").await.unwrap();
        let first = open(&admission, "10.0.0.1").await.unwrap();
        let second = open(&admission, "10.0.0.1").await.unwrap();
        let new = open(&admission, "10.0.0.3").await.unwrap();
        assert_eq!(
            [&single, &first, &second, &new].map(is_open),
            [true, false, true, true]
        );
    }

    #[tokio::test]
    async fn connections_being_worked_on_stay_and_the_new_one_is_turned_away() {
        for admission in [admission(2, 10), admission(10, 2)] {
            for _ in 0..2 {
                open(&admission, "10.0.0.1").await.unwrap().awaits_answer();
            }
            assert!(open(&admission, "10.0.0.1").await.is_none());
        }
    }

    #[tokio::test]
    async fn a_place_is_free_again_once_the_connection_has_ended() {
        let admission = admission(1, 1);
        for _ in 0..3 {
            let pulse = Pulse::new();
            pulse.awaits_answer();
            let pass = admission.admit([10, 0, 0, 1].into(), &pulse).await;
            drop(pass.unwrap());
        }
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let same = |one: &str, other: &str| {
            network(one.parse().unwrap()) == network(other.parse().unwrap())
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(!same("10.0.0.1", "10.0.0.2"));
    }
}
