//! What a pool's cluster does for a channel, in a number.

use sha2::{Digest as _, Sha256};

use crate::config::SignedBy;
use crate::endpoint::Endpoint;

/// Where a cluster sends what it gets for a channel, and whether it signs that: with another one, it is another cluster.
///
/// Not the credentials, which may change every hour. Where the filter signs, the request has them already; and where
/// Envoy signs, they come with the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination(u64);

impl Destination {
    /// The destination of a channel of this endpoint.
    #[must_use]
    pub fn new(endpoint: &Endpoint, region: &str, signer: SignedBy) -> Self {
        let host = (endpoint.bare_host(), endpoint.port());
        Self::of(endpoint.is_tls(), host, region, signer)
    }

    /// The same from its parts; an IPv6 address has no brackets.
    #[must_use]
    pub fn of(is_tls: bool, (host, port): (&str, u16), region: &str, signer: SignedBy) -> Self {
        let transport = if is_tls { "tls" } else { "plain" };
        let signer = match signer {
            SignedBy::Filter => "filter",
            SignedBy::Envoy => "envoy",
        };
        let whole = format!("{transport}|{host}|{port}|{region}|{signer}");
        let bytes = Sha256::digest(whole).into_iter().take(8);
        Self(bytes.fold(0, |number, byte| number << 8 | u64::from(byte)))
    }

    /// One number for several, in their order.
    pub(super) fn joined(all: impl IntoIterator<Item = Self>) -> u32 {
        // They are digests already, so it is enough that none cancels another. The upper half depends on all bits.
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let joined = all.into_iter().fold(0_u64, |joined, Self(own)| {
            (joined.rotate_left(23) ^ own).wrapping_mul(ODD)
        });
        u32::try_from(joined >> 32).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: &str, region: &str, signer: SignedBy) -> Destination {
        Destination::new(&Endpoint::parse(endpoint).unwrap(), region, signer)
    }

    #[test]
    fn whatever_a_cluster_does_makes_another_destination() {
        let all = [
            of("https://a.example", "us-east-1", SignedBy::Filter),
            of("http://a.example:443", "us-east-1", SignedBy::Filter),
            of("https://b.example", "us-east-1", SignedBy::Filter),
            of("https://a.example:8443", "us-east-1", SignedBy::Filter),
            of("https://a.example", "us-west-2", SignedBy::Filter),
            of("https://a.example", "us-east-1", SignedBy::Envoy),
        ];
        for (index, own) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != own), "{index}");
        }
        let same = of("HTTPS://A.example:443/", "us-east-1", SignedBy::Filter);
        assert_eq!(same, all[0]);
    }

    #[test]
    fn the_parts_of_an_address_are_the_same() {
        let parts = Destination::of(false, ("::1", 8080), "us-east-1", SignedBy::Filter);
        let whole = of("http://[::1]:8080", "us-east-1", SignedBy::Filter);
        assert_eq!(parts, whole);
    }

    #[test]
    fn the_order_counts() {
        let [one, other] = [1, 2].map(Destination);
        let joined = |all: &[Destination]| Destination::joined(all.iter().copied());
        assert_ne!(joined(&[one, other]), joined(&[other, one]));
        assert_ne!(joined(&[one, one]), joined(&[other, other]));
        assert_ne!(joined(&[one]), joined(&[one, one]));
    }
}
