//! TLS for both ports, with certificates that may change while the service runs.
//!
//! The files are read again for every connection that starts a handshake, so a new certificate takes effect
//! at once and no timer is needed. Invalid files, as between two writes, change nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// The protocol inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// HTTP/1.1, on the admin port.
    Admin,
    /// HTTP/1.1, on the address for metrics, only in plain text.
    Metrics,
    /// gRPC, which is HTTP/2, on the xDS port.
    Xds,
}

/// The files of certificate, key and authorities, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities that must have issued the clients' certificates; without them, clients need none.
    pub client_ca: Option<PathBuf>,
    /// DNS and URI names, one of which a client's certificate must have; without them, any certificate is
    /// accepted.
    pub client_names: Vec<String>,
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {file}: {source}", file = file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not contain what it should.
    #[error("{file} contains no {what} in PEM", file = file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not match, or are of an unsupported kind.
    #[error("certificate and key cannot be used: {0}")]
    Rustls(#[from] tokio_rustls::rustls::Error),
    /// The authorities cannot be used.
    #[error("the clients' certificate authority cannot be used: {0}")]
    Verifier(#[from] VerifierBuilderError),
}

/// The most that a certificate or key file may contain, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The server's side of TLS, according to the files.
#[derive(Debug)]
pub struct Tls {
    port: Port,
    files: TlsFiles,
    current: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    /// What was read last, usable or not.
    seen: Vec<Vec<u8>>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or does not contain what it should.
    pub async fn load(port: Port, files: TlsFiles) -> Result<Self, TlsError> {
        let seen = read_all(&files).await?;
        let config = Arc::new(server_config(port, &files, &seen)?);
        Ok(Self {
            port,
            files,
            current: Mutex::new(Loaded { seen, config }),
        })
    }

    /// The current configuration; reads the files again.
    async fn current(&self) -> Arc<ServerConfig> {
        let read = read_all(&self.files).await;
        let port = self.port.name();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(seen) if seen != current.seen => {
                match server_config(self.port, &self.files, &seen) {
                    Ok(config) => {
                        tracing::info!("new TLS certificates for {port} are in use");
                        current.config = Arc::new(config);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the new TLS files for {port} are not valid; the \
                            old ones stay in use");
                    }
                }
                current.seen = seen;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the TLS files for {port} cannot be read; the old ones stay \
                    in use");
            }
        }
        Arc::clone(&current.config)
    }

    /// Does a connection's TLS handshake; returns `None`, with a line in the log, if the client cannot or
    /// must not connect. Takes as long as the client does.
    pub(crate) async fn handshake(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let peer = stream.peer_addr().ok();
        let acceptor = TlsAcceptor::from(self.current().await);
        let reason = match acceptor.accept(stream).await {
            Ok(stream) if self.files.admits(&stream) => return Some(stream),
            Ok(_) => "the client's certificate has none of the permitted names".to_owned(),
            Err(error) => error.to_string(),
        };
        let peer = peer.map(tracing::field::display);
        let port = self.port.name();
        tracing::warn!(peer, port, reason, "TLS handshake failed");
        None
    }
}

impl Port {
    /// The port's name in logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Admin => "the admin API",
            Self::Metrics => "metrics",
            Self::Xds => "xDS",
        }
    }

    fn protocol(self) -> &'static [u8] {
        match self {
            Self::Admin | Self::Metrics => b"http/1.1",
            Self::Xds => b"h2",
        }
    }
}

impl TlsFiles {
    /// Whether the client has one of the names, if there are any.
    fn admits(&self, stream: &TlsStream<TcpStream>) -> bool {
        let (_, connection) = stream.get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        self.client_names.is_empty()
            || shown.is_some_and(|certificate| self.names_one_of(certificate))
    }

    fn names_one_of(&self, certificate: &CertificateDer<'_>) -> bool {
        let is_known = |name: &str| self.client_names.iter().any(|own| own == name);
        webpki::EndEntityCert::try_from(certificate).is_ok_and(|read| {
            read.valid_dns_names().any(is_known) || read.valid_uri_names().any(is_known)
        })
    }
}

/// Certificate, key and, if configured, the clients' authorities.
async fn read_all(files: &TlsFiles) -> Result<Vec<Vec<u8>>, TlsError> {
    let paths = [&files.certificate, &files.key];
    let mut contents = Vec::new();
    for file in paths.into_iter().chain(&files.client_ca) {
        let content = read(file).await;
        contents.push(content.map_err(|source| TlsError::Read {
            file: file.clone(),
            source,
        })?);
    }
    Ok(contents)
}

/// A file's content. Only a regular file is read, because a pipe would keep the reader waiting, and no
/// more than a chain of certificates needs.
async fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let metadata = tokio::fs::metadata(file).await?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(std::io::Error::other("it is longer than 1 MiB"));
    }
    tokio::fs::read(file).await
}

fn server_config(
    port: Port,
    files: &TlsFiles,
    contents: &[Vec<u8>],
) -> Result<ServerConfig, TlsError> {
    let [certificate, key, rest @ ..] = contents else {
        return Err(no("certificate", &files.certificate));
    };
    let chain = certificates(certificate, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| no("private key", &files.key))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match (&files.client_ca, rest) {
        (Some(file), [authorities]) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities, file)? {
                roots.add(authority)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build()?)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![port.protocol().to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| no("certificate", file))
}

fn no(what: &'static str, file: &Path) -> TlsError {
    TlsError::Content {
        file: file.to_owned(),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_regular_files_of_a_sensible_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (long, pipe) = (dir.path().join("long"), dir.path().join("pipe"));
        std::fs::write(&long, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for (file, reason) in [
            (&long, "1 MiB"),
            (&pipe, "regular"),
            (&dir.path().into(), "regular"),
        ] {
            let error = read(file).await.unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
