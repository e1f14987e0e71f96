//! TLS for the ports.

use std::sync::Arc;

use super::StartError;
use crate::args::{Args, XdsServing};
use crate::listen::tls::{Port, Tls};

/// TLS for the xDS server; plain text is for loopback only, unless requested.
pub(super) async fn xds_tls(xds: &XdsServing) -> Result<Option<Arc<Tls>>, StartError> {
    let address = xds.address();
    match xds.tls() {
        Some(files) => {
            let tls = Tls::load(Port::Xds, files).await;
            Ok(Some(Arc::new(tls.map_err(StartError::XdsTls)?)))
        }
        None if address.ip().is_loopback() => Ok(None),
        None if xds.allows_plaintext() => {
            tracing::warn!(
                %address,
                "xDS is served in plain text to everybody who can reach the address"
            );
            Ok(None)
        }
        None => Err(StartError::PlaintextXds(address)),
    }
}

/// TLS for the admin port. Plain text is allowed everywhere, because a proxy or a mesh
/// may do TLS in front of it.
pub(super) async fn admin_tls(args: &Args) -> Result<Option<Arc<Tls>>, StartError> {
    if let Some(files) = args.listening.tls() {
        let tls = Tls::load(Port::Admin, files).await;
        return Ok(Some(Arc::new(tls.map_err(StartError::AdminTls)?)));
    }
    if !args.listen.ip().is_loopback() {
        tracing::warn!(
            address = %args.listen,
            "the admin API is served in plain text beyond this machine, so tokens and secrets can \
             be read on the way; set --tls-certificate and --tls-key, unless something in front of \
             it does TLS"
        );
    }
    Ok(None)
}
