//! Ctrl-C, `kill` and a closed terminal as a value to poll, so that whatever was started is
//! stopped by ordinary `Drop`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

/// Whether the user wants to stop.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP, which from then on no longer end this
    /// process.
    ///
    /// # Errors
    ///
    /// When called a second time.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
            .context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Whether a signal has arrived.
    #[must_use]
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Turns a received signal into an error.
    ///
    /// # Errors
    ///
    /// When a signal has arrived.
    pub fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }
}
