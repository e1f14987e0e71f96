//! Waits for events under load, however slow the machine is.

use std::time::{Duration, Instant};

use e2e::Envoy;
use tokio::time::sleep;

/// Far longer than anything takes, including compiling a module on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(300);

const POLL: Duration = Duration::from_millis(50);

/// Calls `probe` until it returns a value.
///
/// # Errors
///
/// It did not return one within [`DEADLINE`].
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return Ok(value);
        }
        if began.elapsed() > DEADLINE {
            return Err(format!("{what}: not within {DEADLINE:?}"));
        }
        sleep(POLL).await;
    }
}

/// Waits until an Envoy accepts clients.
///
/// # Errors
///
/// It does not.
pub async fn ready(envoy: &Envoy) -> Result<(), String> {
    until("Envoy is ready", async || {
        let page = envoy.try_admin_page("/ready").await?;
        page.starts_with("LIVE").then_some(())
    })
    .await
}
