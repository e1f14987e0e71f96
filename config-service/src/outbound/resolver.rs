//! Resolves names to addresses, without those that must not be dialled.
//!
//! A name is looked up when it is dialled, and exactly the addresses found are dialled, so a name that led
//! elsewhere when it was configured gains nothing.

use std::net::{IpAddr, SocketAddr};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Reach, address};

/// A host is, or resolves to, an address that must not be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host leads to a link-local address or a metadata service")]
pub struct Forbidden;

/// Looks names up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver(pub(super) Reach);

impl Reach {
    /// Refuses a host that is out of reach as written.
    pub(super) fn admits_host(self, host: &str) -> Result<(), Forbidden> {
        if self == Self::Network && address::is_forbidden_host(host) {
            return Err(Forbidden);
        }
        Ok(())
    }

    fn admits(self, address: IpAddr) -> bool {
        self == Self::Everywhere || !address::is_forbidden(address)
    }
}

impl Resolver {
    /// A name's addresses that may be dialled, with port 0.
    async fn look_up(self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        let found: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
        let admitted: Vec<_> = found
            .iter()
            .copied()
            .filter(|found| self.0.admits(found.ip()))
            .collect();
        if admitted.is_empty() && !found.is_empty() {
            return Err(std::io::Error::other(Forbidden));
        }
        Ok(admitted)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found = resolver.look_up(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = self.look_up(name).await.map_err(ResolveDnsError::new)?;
            Ok(found.into_iter().map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The system's resolver reads these as addresses, so they can play names that somebody else defines.
    const METADATA: [&str; 2] = ["0xa9fea9fe", "2852039166"];

    #[tokio::test]
    async fn names_that_resolve_to_metadata_are_not_dialled() {
        for name in METADATA {
            let error = Resolver(Reach::Network).look_up(name).await.unwrap_err();
            assert!(error.to_string().contains("link-local"), "{error}");
            let found = Resolver(Reach::Everywhere).look_up(name).await.unwrap();
            assert_eq!(found[0].ip(), IpAddr::from([169, 254, 169, 254]));
        }
        let found = Resolver(Reach::Network).look_up("localhost").await.unwrap();
        assert!(found.iter().all(|found| found.ip().is_loopback()));
    }
}
