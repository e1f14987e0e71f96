//! Accepts connections to a port.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::admission::{Admission, Pass};
use super::tls::Port;
use super::{Places, Pulse};

/// How long to wait when connections cannot be accepted, for example without free file
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A port.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    admission: Admission,
    port: Port,
}

/// A connection that was admitted.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// Says when it must end.
    pub(crate) pulse: Pulse,
    /// Kept as long as the stream.
    pub(crate) pass: Pass,
}

impl Door {
    pub(crate) fn new(port: Port, listener: TcpListener, places: Places) -> Self {
        Self {
            listener,
            admission: Admission::new(port, places),
            port,
        }
    }

    /// The next connection.
    pub(crate) async fn next(&self) -> Arrival {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let pulse = Pulse::new();
                    if let Some(pass) = self.admission.admit(peer.ip(), &pulse).await {
                        let _ = stream.set_nodelay(true);
                        return Arrival {
                            stream,
                            peer,
                            pulse,
                            pass,
                        };
                    }
                }
                // The client was gone before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    let port = self.port.name();
                    tracing::warn!(%error, "cannot accept a connection to {port}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
