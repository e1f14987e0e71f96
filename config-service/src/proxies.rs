//! Who sent a request, if there are proxies in front.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header to which each proxy adds the address of its caller.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A network, or a single address, of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// The shortest prefix that a network of proxies may have, in bits: that of the largest private networks
/// (<https://www.rfc-editor.org/rfc/rfc1918#section-3>,
/// <https://www.rfc-editor.org/rfc/rfc4193#section-3.1>).
const SHORTEST_PREFIX: (u8, u8) = (8, 7);

/// Why a text is not a network of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// It cannot be read as a network.
    #[error("must be an address, or an address with the length of its prefix, such as 10.0.0.0/8")]
    Unreadable,
    /// It is so wide that it contains more than proxies.
    #[error(
        "the network is wider than any private one, so clients in it could give themselves any address with \
         `x-forwarded-for`; name the proxies' own networks, such as 10.0.0.0/8"
    )]
    TooWide,
}

/// Proxies that are trusted to name the client. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[ProxyNetwork]>);

impl FromStr for ProxyNetwork {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        let network = network.map_err(|_| InvalidNetwork::Unreadable)?;
        let shortest = match network {
            IpNet::V4(_) => SHORTEST_PREFIX.0,
            IpNet::V6(_) => SHORTEST_PREFIX.1,
        };
        if network.prefix_len() < shortest {
            return Err(InvalidNetwork::TooWide);
        }
        Ok(Self(network))
    }
}

impl From<Vec<ProxyNetwork>> for TrustedProxies {
    fn from(networks: Vec<ProxyNetwork>) -> Self {
        Self(networks.into())
    }
}

impl TrustedProxies {
    /// Who sent a request that arrived from `peer`: the last address in `x-forwarded-for` that is not itself
    /// a trusted proxy. Anything before it is only the client's claim.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while self.trust(client) {
            let Some(hop) = hops.next().and_then(address) else {
                break;
            };
            client = hop;
        }
        client
    }

    fn trust(&self, address: IpAddr) -> bool {
        let Self(networks) = self;
        networks.iter().any(|network| network.0.contains(&address))
    }
}

/// Parses an address as proxies write it: some add the port, and brackets around IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse().map(|own: SocketAddr| own.ip()));
    address.ok().map(|own: IpAddr| own.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded_for: &[&str]) -> String {
        let networks = trusted.split(',').filter(|text| !text.is_empty());
        let networks: Vec<ProxyNetwork> = networks.map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded_for {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = peer.parse().unwrap();
        TrustedProxies::from(networks)
            .client(peer, &headers)
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_may_name_the_client() {
        assert_eq!(client("", "10.0.0.1", &["203.0.113.7"]), "10.0.0.1");
        let other = client("10.0.0.2,192.0.2.0/24", "10.0.0.1", &["203.0.113.7"]);
        assert_eq!(other, "10.0.0.1");
    }

    #[test]
    fn the_last_address_that_is_not_a_trusted_proxy_counts() {
        let trusted = "10.0.0.0/8,2001:db8::/32";
        for (forwarded_for, expected) in [
            (&[][..], "10.0.0.1"),
            (&["203.0.113.7"], "203.0.113.7"),
            // The client has written the first one itself.
            (&["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
            (&["127.0.0.1", "203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, 10.0.0.9,10.1.1.1"], "203.0.113.7"),
            (&["203.0.113.7", "2001:db8::1, 10.0.0.9"], "203.0.113.7"),
            // All trusted: the first in the chain.
            (&["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
            // With ports, as some proxies write them.
            (&["203.0.113.7:40000"], "203.0.113.7"),
            (&["[2a00::1]:40000"], "2a00::1"),
            (&["[2a00::1]"], "2a00::1"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            // An unreadable entry ends the chain at the proxy that passed it on.
            (&["203.0.113.7, unknown"], "10.0.0.1"),
            (&["203.0.113.7, _hidden, 10.0.0.9"], "10.0.0.9"),
            (&["203.0.113.7, "], "10.0.0.1"),
            (&[""], "10.0.0.1"),
        ] {
            let found = client(trusted, "10.0.0.1", forwarded_for);
            assert_eq!(found, expected, "{forwarded_for:?}");
        }
        assert_eq!(
            client(trusted, "::ffff:10.0.0.1", &["203.0.113.7"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn a_network_is_an_address_with_or_without_a_prefix() {
        for text in ["10.0.0.0/8", "10.0.0.1", "fd00::/8", "::1"] {
            assert!(text.parse::<ProxyNetwork>().is_ok(), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.0/8 "] {
            let refused = Err(InvalidNetwork::Unreadable);
            assert_eq!(text.parse::<ProxyNetwork>(), refused, "{text}");
        }
    }

    #[test]
    fn a_network_of_everybody_is_refused() {
        for text in ["0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/7", "::/0", "2000::/3"] {
            let refused = Err(InvalidNetwork::TooWide);
            assert_eq!(text.parse::<ProxyNetwork>(), refused, "{text}");
        }
        assert!("fc00::/7".parse::<ProxyNetwork>().is_ok());
    }
}
