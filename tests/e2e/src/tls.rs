//! Certificates for tests, and a TLS front that reports which names were requested.

use std::sync::{Arc, Mutex};

use bedrock_simulator::Simulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// An authority that nothing trusts yet.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not the default name, which its servers' certificates have: that would make them
        // self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "test authority");
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Its certificate, for clients to trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key (PEM) of a server with this name.
    pub fn issue(&self, name: &str) -> (String, String) {
        self.issue_for(&[name])
    }

    /// The same for a server with several names.
    pub fn issue_for(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("parameters");
        self.signed(params, &key)
    }

    /// The same for a client with this URI.
    pub fn issue_to(&self, uri: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        let uri = uri.try_into().expect("a URI");
        params.subject_alt_names.push(SanType::URI(uri));
        self.signed(params, &key)
    }

    fn signed(&self, params: CertificateParams, key: &KeyPair) -> (String, String) {
        let certificate = params.signed_by(key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

/// Terminates TLS in front of a plain simulator and records the server names (SNI) of the
/// handshakes.
#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    names: Arc<Mutex<Vec<Option<String>>>>,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Listens on loopback with a certificate and its key (PEM).
    pub async fn start(simulator: &Simulator, (certificate, key): (String, String)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let names = Arc::new(Mutex::new(Vec::new()));
        let acceptor = acceptor(&certificate, &key);
        let (noted, upstream) = (Arc::clone(&names), simulator.addr());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, noted) = (acceptor.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    // Clients that do not trust the certificate disconnect here.
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let name = stream.get_ref().1.server_name().map(str::to_owned);
                    noted.lock().expect("no panic").push(name);
                    if let Ok(mut plain) = TcpStream::connect(upstream).await {
                        let _ = copy_bidirectional(&mut stream, &mut plain).await;
                    }
                });
            }
        });
        Self { port, names, task }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server names of the finished handshakes.
    pub fn names(&self) -> Vec<Option<String>> {
        self.names.lock().expect("no panic").clone()
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(certificate: &str, key: &str) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a matching key");
    TlsAcceptor::from(Arc::new(config))
}
