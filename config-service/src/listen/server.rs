//! Serves HTTP: the admin port, and metrics.

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connection::Connection;
use super::{Arrival, Door, Guard};

/// Serves the routes until `stopped` turns true and open requests are done.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    guard: Guard,
    mut stopped: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let door = Door::new(guard.port, listener, guard.places);
    loop {
        let arrival = tokio::select! {
            arrival = door.next() => arrival,
            // An error means that the service is gone, which also means to stop.
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Arrival {
            stream,
            peer,
            pulse,
            pass,
        } = arrival;
        let connection = Connection {
            peer,
            pulse,
            patience: guard.patience,
            router: router.clone(),
            tls: guard.tls.clone(),
        };
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            connection.run(stream, watcher).await;
            drop(pass);
        });
    }
    drop(door);
    graceful.shutdown().await;
}
