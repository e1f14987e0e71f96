//! Real TLS, with the test's own certificate authority.

use std::sync::Arc;

use bedrock_simulator::{Simulator, StartError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Call, HAIKU, body, builder};

const HOST: &str = "bedrock-runtime.us-east-1.amazonaws.com";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn start(authority: &CertifiedIssuer<'static, KeyPair>) -> Simulator {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let tls = builder().tls(certificate.pem(), key.serialize_pem());
    tls.start().await.unwrap()
}

async fn connect(
    simulator: &Simulator,
    trusted: &CertifiedIssuer<'static, KeyPair>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).unwrap();
    let tcp = TcpStream::connect(simulator.addr()).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
}

#[tokio::test]
async fn a_signed_request_is_served_over_tls() {
    let authority = authority();
    let simulator = start(&authority).await;
    assert!(simulator.url().starts_with("https://127.0.0.1:"));
    // A client that never speaks must not hold up the next one.
    let _silent = TcpStream::connect(simulator.addr()).await.unwrap();
    let mut stream = connect(&simulator, &authority).await.unwrap();
    let call = Call::invoke(HAIKU, &body("Hi"));
    let mut request = format!("POST {} HTTP/1.1\r\nconnection: close\r\n", call.path);
    for (name, value) in call.signed_headers(HOST) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", call.body.len()));
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(&call.body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("You said: Hi"), "{answer}");
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let simulator = start(&authority()).await;
    assert!(connect(&simulator, &authority()).await.is_err());
}

#[tokio::test]
async fn texts_that_are_not_certificates_are_refused_at_start() {
    let error = builder().tls("no", "pem").start().await.unwrap_err();
    assert!(matches!(error, StartError::Tls(_)), "{error}");
}
