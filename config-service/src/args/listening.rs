//! How the admin port is served.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::listen::tls::TlsFiles;
use crate::listen::{Patience, Places, places_for_admins};

/// How the admin port is served.
#[derive(Clone, Debug, Args)]
pub struct Listening {
    /// The admin port's certificate and its chain, in PEM; the port then speaks only HTTPS.
    ///
    /// Read again when the file changes.
    #[arg(
        long,
        env = "BEDROCK_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_certificate: Option<PathBuf>,

    /// Private key of that certificate, in PEM.
    #[arg(
        long,
        env = "BEDROCK_TLS_KEY",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    tls_key: Option<PathBuf>,

    /// How long a client of the admin port may take for the TLS handshake and the headers of a request.
    #[arg(
        long,
        env = "BEDROCK_HEADER_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = seconds()
    )]
    header_timeout_seconds: u64,

    /// How long a client of the admin port may take to send the body of a request, and may go without
    /// reading any of an answer.
    #[arg(
        long,
        env = "BEDROCK_BODY_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = seconds()
    )]
    body_timeout_seconds: u64,

    /// How long a connection to the admin port stays open without a request.
    #[arg(
        long,
        env = "BEDROCK_IDLE_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = seconds()
    )]
    idle_timeout_seconds: u64,

    /// Connections to the admin port in total, never more than a quarter of the file descriptors.
    ///
    /// At the limit, a new one replaces the one whose client has kept the service waiting longest.
    #[arg(
        long,
        env = "BEDROCK_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 256,
        value_parser = connections()
    )]
    max_connections: usize,

    /// Connections to the admin port from one address, or from one IPv6 /64 network.
    #[arg(
        long,
        env = "BEDROCK_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 64,
        value_parser = connections()
    )]
    max_connections_per_address: usize,
}

fn seconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=86_400)
}

fn connections() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

impl Listening {
    /// The files for TLS on the admin port, if TLS is requested.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            client_ca: None,
            client_names: Vec::new(),
        })
    }

    /// How many connections to allow, within the process's file descriptors.
    pub(crate) fn places(&self) -> Places {
        Places {
            all: places_for_admins(self.max_connections),
            per_address: self.max_connections_per_address,
        }
    }

    /// How long to wait for clients.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            head: Duration::from_secs(self.header_timeout_seconds),
            body: Duration::from_secs(self.body_timeout_seconds),
            idle: Duration::from_secs(self.idle_timeout_seconds),
        }
    }
}
