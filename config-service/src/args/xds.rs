//! How Envoys are served.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::listen::tls::TlsFiles;

/// How Envoys are served.
#[derive(Clone, Debug, Args)]
pub struct XdsServing {
    /// Address of the xDS server (gRPC) for Envoys.
    ///
    /// Whoever reaches it can read all channels. An address other than loopback needs TLS or
    /// --xds-allow-plaintext.
    #[arg(long, env = "BEDROCK_XDS_LISTEN", default_value = "127.0.0.1:18000")]
    xds_listen: SocketAddr,

    /// The xDS server's certificate and its chain, in PEM.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "xds_tls_key"
    )]
    xds_tls_certificate: Option<PathBuf>,

    /// Private key of that certificate, in PEM.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_KEY",
        value_name = "FILE",
        requires = "xds_tls_certificate"
    )]
    xds_tls_key: Option<PathBuf>,

    /// Certificate authorities, in PEM; Envoys must present a certificate issued by one of them (mutual
    /// TLS).
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "xds_tls_certificate"
    )]
    xds_tls_client_ca: Option<PathBuf>,

    /// DNS or URI names, comma-separated; an Envoy's certificate must have one of them.
    ///
    /// Without it, any certificate issued by the authorities is accepted.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CLIENT_NAMES",
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "xds_tls_client_ca"
    )]
    xds_tls_client_names: Vec<String>,

    /// Serve xDS without TLS on an address other than loopback.
    #[arg(long, env = "BEDROCK_XDS_ALLOW_PLAINTEXT", value_parser = FalseyValueParser::new())]
    xds_allow_plaintext: bool,
}

impl XdsServing {
    /// Where Envoys connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.xds_listen
    }

    /// The files for TLS, if it is requested.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.xds_tls_certificate.clone()?,
            key: self.xds_tls_key.clone()?,
            client_ca: self.xds_tls_client_ca.clone(),
            client_names: self.xds_tls_client_names.clone(),
        })
    }

    /// Whether plain text is allowed on an address that others can reach.
    #[must_use]
    pub fn allows_plaintext(&self) -> bool {
        self.xds_allow_plaintext
    }
}
