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
    /// The admin port's certificate, with the chain above it, in PEM: it then speaks HTTPS alone.
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

    /// How long a client of the admin port may take for the TLS handshake and the head of a request.
    #[arg(
        long,
        env = "BEDROCK_HEADER_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = seconds()
    )]
    header_timeout_seconds: u64,

    /// How long a client of the admin port may take for the body of a request, and may take nothing of an
    /// answer.
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

    /// Connections to the admin port in all, and never more than a quarter of the file descriptors.
    ///
    /// For a new one, the one whose client has been waited for longest is closed.
    #[arg(
        long,
        env = "BEDROCK_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 256,
        value_parser = connections()
    )]
    max_connections: usize,

    /// Connections to the admin port from one address, or from one /64 network of IPv6.
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
    /// The files for TLS on the admin port, if it is asked for.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            client_ca: None,
            client_names: Vec::new(),
        })
    }

    /// How many connections there may be, as far as the process has file descriptors for them.
    pub(crate) fn places(&self) -> Places {
        Places {
            all: places_for_admins(self.max_connections),
            per_address: self.max_connections_per_address,
        }
    }

    /// How long clients are waited for.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            head: Duration::from_secs(self.header_timeout_seconds),
            body: Duration::from_secs(self.body_timeout_seconds),
            idle: Duration::from_secs(self.idle_timeout_seconds),
        }
    }
}
