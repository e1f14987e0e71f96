//! The end of a stream whose server stops.

use tokio::sync::{mpsc, watch};
use tonic::Status;

/// Tells the client of a stream that is about to end why, if it is because the server stops. What the stream reads from
/// ends then too, and may be seen to end first.
pub(super) fn say_goodbye<T>(
    stopped: &watch::Receiver<bool>,
    responses: &mpsc::Sender<Result<T, Status>>,
) {
    if *stopped.borrow() {
        let status = Status::unavailable("the config-service is stopping");
        // One who reads nothing learns it from the connection's end.
        let _ = responses.try_send(Err(status));
    }
}
