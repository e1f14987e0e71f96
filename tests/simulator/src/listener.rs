//! TCP and TLS below HTTP, with two ways to end a connection at once: a handler cuts its
//! own, and stopping the simulator cuts all.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::FutureExt;
use futures::future::Shared;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::settings::Pem;
use crate::simulator::StartError;

type Stopped = Shared<oneshot::Receiver<()>>;
type Handshake = Option<(Stream, SocketAddr)>;

/// Accepts connections; TLS handshakes run beside each other, so that a client
/// that never finishes one does not hold up the rest.
pub(crate) struct SimulatorListener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<Handshake>,
    stopped: Stopped,
}

/// One connection.
pub(crate) struct Connection {
    stream: Stream,
    cut: Cut,
    stopped: Stopped,
    closed: bool,
}

/// Cuts the connection of a request: nothing more is written to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Reads PEM texts into a TLS acceptor that offers HTTP/2 and HTTP/1.1.
pub(crate) fn acceptor(pem: &Pem) -> Result<TlsAcceptor, StartError> {
    let problem = |error: &dyn std::fmt::Display| StartError::Tls(error.to_string());
    let chain = CertificateDer::pem_slice_iter(&pem.certificates)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| problem(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| problem(&error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| problem(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl SimulatorListener {
    pub(crate) fn new(
        tcp: TcpListener,
        tls: Option<TlsAcceptor>,
        stopped: oneshot::Receiver<()>,
    ) -> Self {
        Self {
            tcp,
            tls,
            handshakes: JoinSet::new(),
            stopped: stopped.shared(),
        }
    }

    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        // A frame leaves when it is written; only latency is at stake.
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self
                .handshakes
                .spawn(async move { Some((Stream::Plain(stream), peer)) }),
            Some(tls) => self.handshakes.spawn(async move {
                let stream = tls.accept(stream).await.ok()?;
                Some((Stream::Tls(Box::new(stream)), peer))
            }),
        };
    }
}

impl Listener for SimulatorListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            tokio::select! {
                (stream, peer) = Listener::accept(&mut self.tcp) => self.begin(stream, peer),
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some((stream, peer))) = done {
                        let connection = Connection {
                            stream,
                            cut: Cut::default(),
                            stopped: self.stopped.clone(),
                            closed: false,
                        };
                        return (connection, peer);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Cut {
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, SimulatorListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, SimulatorListener>) -> Self {
        stream.io().cut.clone()
    }
}

impl Connection {
    /// An error once the connection was cut or the simulator has stopped.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.closed = self.closed
            || self.cut.0.load(Ordering::Acquire)
            || self.stopped.poll_unpin(context).is_ready();
        match self.closed {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
