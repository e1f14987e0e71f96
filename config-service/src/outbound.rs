//! The service's own HTTP calls.
//!
//! All clients are created here, so that every call has a time limit, none follows a redirect, and none
//! reaches the machine's own metadata service, whatever a name resolves to.

pub(crate) mod address;
mod redact;
mod resolver;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_sts::config::SharedHttpClient;
use aws_smithy_http_client::tls;
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, Url};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(crate) use redact::redacted;
pub use resolver::Forbidden;
use resolver::Resolver;

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take from its start to the last byte of its answer, unless it sets its own limit.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// How far calls may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere but to link-local addresses and metadata services.
    #[default]
    Network,
    /// Everywhere.
    Everywhere,
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The client cannot be created.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It is not allowed.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It failed; with all causes, and without secrets.
    #[error("{0}")]
    Failed(String),
}

/// Why there can be no client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The system's or the file's certificates cannot be used.
    #[error("TLS cannot be set up: {}", chain(.0))]
    Tls(tokio_rustls::rustls::Error),
    /// The client's own settings do not go together.
    #[error("the HTTP client cannot be created: {}", chain(&**.0))]
    Http(Arc<reqwest::Error>),
}

/// Why the certificates of a file cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable { file: PathBuf, cause: pem::Error },
    /// The file contains no certificate.
    #[error("{} contains no certificate in PEM", .0.display())]
    Empty(PathBuf),
}

/// The outbound client. Clones share their connections.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    reach: Reach,
    /// Authorities to trust besides the system's.
    authorities: Vec<CertificateDer<'static>>,
    // Created on first use, because reading the system's trusted certificates takes time.
    client: Arc<OnceLock<Result<Client, ClientError>>>,
    for_aws: Arc<OnceLock<SharedHttpClient>>,
}

impl Outbound {
    /// Creates a client that reaches this far.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            ..Self::default()
        }
    }

    /// The same, but also trusting the authorities in a PEM file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or has no certificate in it.
    pub(crate) fn trusting(mut self, file: &Path) -> Result<Self, AuthorityError> {
        let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        self.authorities = found.map_err(|cause| AuthorityError::Unreadable {
            file: file.to_owned(),
            cause,
        })?;
        if self.authorities.is_empty() {
            return Err(AuthorityError::Empty(file.to_owned()));
        }
        Ok(self)
    }

    /// Makes a call; returns the answer as soon as its headers have arrived.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(crate) async fn call(&self, request: Request) -> Result<Response, CallError> {
        // A host that is an address is dialled without a lookup.
        self.check(request.url())?;
        let client = self.client.get_or_init(|| self.client());
        let client = client.as_ref().map_err(ClientError::clone)?;
        let answer = client.execute(request).await;
        answer.map_err(|error| CallError::Failed(redacted(&chain(&error.without_url()), &[])))
    }

    fn check(&self, url: &Url) -> Result<(), Forbidden> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        self.reach.admits_host(bare)
    }

    fn client(&self) -> Result<Client, ClientError> {
        let tls = self.tls().map_err(ClientError::Tls)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver(self.reach))
            .redirect(Policy::none())
            // A proxy would resolve names itself, where this check cannot see it.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .build();
        client.map_err(|error| ClientError::Http(Arc::new(error)))
    }

    fn tls(&self) -> Result<ClientConfig, tokio_rustls::rustls::Error> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::warn!(errors = ?found.errors, "the system trusts no certificate authority");
        }
        roots.add_parsable_certificates(found.certs);
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        Ok(builder
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }

    /// A client for AWS's SDK, which has its own time limits.
    ///
    /// The addresses that the SDK dials directly are those of metadata services, which come from the
    /// environment or from AWS; names are checked.
    pub(crate) fn for_aws(&self) -> SharedHttpClient {
        let make = || {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            aws_smithy_http_client::Builder::new()
                .tls_provider(ring)
                .build_with_resolver(Resolver(self.reach))
        };
        self.for_aws.get_or_init(make).clone()
    }
}

/// The body of an answer; `None` when it breaks off or is longer than `max` bytes.
pub(crate) async fn read_all(mut answer: Response, max: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > max {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// An error and its causes, only by their messages: the debug output of AWS's SDK for an answer contains
/// headers and body.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn get(url: &str) -> Request {
        Request::new(reqwest::Method::GET, url.parse().unwrap())
    }

    #[tokio::test]
    async fn metadata_addresses_are_refused_before_they_are_dialled() {
        let outbound = Outbound::default();
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://[fe80::1]/",
            "http://[::ffff:100.100.100.200]/",
            // Address parsers read both as 169.254.169.254.
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://metadata.google.internal/",
        ] {
            let refused = outbound.call(get(url)).await;
            assert!(matches!(refused, Err(CallError::Forbidden(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn redirects_are_answers_like_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let answer = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let outbound = Outbound::default();
        let url = format!("http://localhost:{port}/");
        let answer = outbound.call(get(&url)).await.unwrap();
        assert_eq!(answer.status(), 302);
    }
}
