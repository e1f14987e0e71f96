//! Connections from Envoys: limits their number, and the time in which each must start.
//!
//! A connection that has sent HTTP/2's preface stays as long as it answers HTTP/2 pings. One that has not is
//! closed after a while, or earlier if a new connection needs its place.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use crate::listen::tls::Port;
use crate::listen::{Arrival, Door, Pass, Patience, Pulse, places_for_envoys};

/// How long a connection may take for TLS and the preface. There is no other time limit.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Patience = Patience {
    head: PREFACE_TIMEOUT,
    body: PREFACE_TIMEOUT,
    idle: PREFACE_TIMEOUT,
};

/// Length of the preface, in bytes (<https://www.rfc-editor.org/rfc/rfc9113#section-3.4>).
const PREFACE_BYTES: usize = 24;

/// A connection that is closed if it does not start in time.
pub(super) struct Guarded<S> {
    stream: S,
    state: State,
    _pass: Pass,
}

enum State {
    /// The preface has not arrived.
    Begins {
        heard: usize,
        pulse: Pulse,
        /// Completes when the connection must end.
        ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    },
    /// It stays.
    Settled,
    /// It must end.
    Over,
}

/// The connections whose handshakes succeeded.
pub(super) fn connections<S, H>(
    listener: TcpListener,
    handshake: impl Fn(TcpStream) -> H + Send + 'static,
) -> ReceiverStream<io::Result<Guarded<S>>>
where
    S: Send + 'static,
    H: Future<Output = Option<S>> + Send + 'static,
{
    let (connections, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let door = Door::new(Port::Xds, listener, places_for_envoys());
        loop {
            let arrival = tokio::select! {
                arrival = door.next() => arrival,
                () = connections.closed() => break,
            };
            let Arrival {
                stream,
                pulse,
                pass,
                ..
            } = arrival;
            let (stream, connections) = (handshake(stream), connections.clone());
            tokio::spawn(async move {
                if let Some(connection) = Guarded::begin(stream, pulse, pass).await {
                    let _ = connections.send(Ok(connection)).await;
                }
            });
        }
    });
    ReceiverStream::new(receiver)
}

impl<S> Guarded<S> {
    async fn begin(
        handshake: impl Future<Output = Option<S>>,
        pulse: Pulse,
        pass: Pass,
    ) -> Option<Self> {
        let waiting = pulse.clone();
        let mut ended = Box::pin(async move {
            waiting.ended(&PATIENCE).await;
        });
        let stream = tokio::select! {
            stream = handshake => stream?,
            () = &mut ended => return None,
        };
        Some(Self {
            stream,
            state: State::Begins {
                heard: 0,
                pulse,
                ended,
            },
            _pass: pass,
        })
    }
}

impl State {
    /// Whether the connection must end; wakes the task when it must.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::Begins { ended, .. } = self
            && ended.as_mut().poll(context).is_ready()
        {
            *self = Self::Over;
        }
        matches!(self, Self::Over)
    }

    fn hear(&mut self, bytes: usize) {
        if let Self::Begins { heard, pulse, .. } = self {
            *heard += bytes;
            if *heard >= PREFACE_BYTES {
                pulse.awaits_answer();
                *self = Self::Settled;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.state.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.state.hear(buffer.filled().len() - before);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S: Connected> Connected for Guarded<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> S::ConnectInfo {
        self.stream.connect_info()
    }
}
