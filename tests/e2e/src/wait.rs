//! Waits for events that happen soon, without relying on how soon.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine: an Envoy's start is seconds of work for a whole core, and
/// it may have a tenth of one, and a disk that is busy too.
pub const PATIENCE: Duration = Duration::from_secs(240);

const POLL: Duration = Duration::from_millis(20);

/// Calls `probe` until it returns a value; panics if that takes longer than [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(POLL).await;
    }
}
