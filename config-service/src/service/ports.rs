//! The addresses that the service listens on.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::StartError;
use crate::args::Args;

/// An address that is being listened on.
pub(super) struct Bound {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

/// Everything that the service listens on.
pub(super) struct Ports {
    pub(super) admin: Bound,
    pub(super) metrics: Option<Bound>,
    pub(super) xds: Bound,
}

impl Bound {
    async fn to(address: SocketAddr) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

impl Ports {
    pub(super) async fn bind(args: &Args) -> Result<Self, StartError> {
        Ok(Self {
            admin: Bound::to(args.listen).await?,
            metrics: match args.metrics_listen {
                Some(address) => Some(Bound::to(address).await?),
                None => None,
            },
            xds: Bound::to(args.xds.address()).await?,
        })
    }
}
